"""Features of sparse and dense columns crossed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.composite import SparseTensor, SparseTensorValue
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.kernels import sparse_cross as kernels
from workbench.core.ops import api
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import as_sparse, unknown_parts

#: The key of hashes for which none is given.
_DEFAULT_HASH_KEY = 0xDECAFCAFFE

declare(
    "SparseCross",
    inputs="indices: N * int64, values: sparse_types, shapes: N * int64, dense_inputs: dense_types",
    outputs="output_indices: int64, output_values: out_type, output_shape: int64",
    attrs=(
        "N: int >= 0, hashed_output: bool, num_buckets: int >= 0, hash_key: int, "
        "sparse_types: list({int64, string}) >= 0, dense_types: list({int64, string}) >= 0, "
        "out_type: {int64, string}, internal_type: {int64, string}"
    ),
    shape=lambda op: unknown_parts(2),
    kernel=kernels.sparse_cross,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            ([[0, 0], [1, 0], [1, 1]],),
            ([b"a", b"b", b"c"],),
            ([2, 2],),
            ([[b"d"], [b"e"]],),
            hashed_output=False,
            num_buckets=0,
            hash_key=0,
            out_type="string",
            internal_type="string",
            want=([[0, 0], [1, 0], [1, 1]], [b"a_X_d", b"b_X_e", b"c_X_e"], [2, 2]),
        )
    ],
)


def sparse_cross(inputs: Sequence[Any], name: str | None = None) -> SparseTensor:
    """Every combination of what the columns hold for an example, as strings "a_X_b".

    `inputs` are SparseTensors and tensors of rank 2, one row for each example, of integers or
    strings.

    >>> import workbench as tf
    >>> sparse_cross([tf.constant([["a", "b"]]), tf.constant([[1]])]).eval().values.tolist()
    [b'a_X_1', b'b_X_1']
    """
    return _crossed(inputs, False, 0, _DEFAULT_HASH_KEY, name)


def sparse_cross_hashed(
    inputs: Sequence[Any],
    num_buckets: int = 0,
    hash_key: int | None = None,
    name: str | None = None,
) -> SparseTensor:
    """The same as numbers below `num_buckets`, or any int64 where that is 0."""
    return _crossed(inputs, True, num_buckets, hash_key or _DEFAULT_HASH_KEY, name)


def _crossed(
    inputs: Sequence[Any], hashed: bool, num_buckets: int, hash_key: int, name: str | None
) -> SparseTensor:
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"Inputs must be a list, got {inputs!r}")
    sparse, dense = [], []
    for column in inputs:
        if isinstance(column, (SparseTensor, SparseTensorValue)):
            whole = as_sparse(column)
            sparse.append((whole.indices, _column(whole.values), whole.dense_shape))
        else:
            dense.append(_column(convert_to_tensor(column)))
    integers = any(t.dtype != "string" for t in [*dense, *(part[1] for part in sparse)])
    op = create(
        "SparseCross",
        name,
        indices=[part[0] for part in sparse],
        values=[part[1] for part in sparse],
        shapes=[part[2] for part in sparse],
        dense_inputs=dense,
        N=len(sparse),
        hashed_output=hashed,
        num_buckets=num_buckets,
        hash_key=hash_key,
        out_type="int64" if hashed else "string",
        internal_type="int64" if integers else "string",
    )
    return SparseTensor(*op.outputs)


def _column(values: Any) -> Any:
    """The values as the operation takes them: strings, or integers of 64 bits."""
    if values.dtype.base_dtype == "string":
        return values
    if not values.dtype.base_dtype.is_integer:
        raise TypeError(f"Columns hold integers or strings, got {values.dtype.name}")
    return api.cast(values, "int64")


#: The names under which TensorFlow's own Python code knows these.
_sparse_cross = sparse_cross
_sparse_cross_hashed = sparse_cross_hashed
