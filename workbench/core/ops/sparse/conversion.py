"""Between sparse and dense tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.composite import IndexedSlices, SparseTensor, SparseTensorValue
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.dtypes import bool as bool_type
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import sparse as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.placeholders import placeholder
from workbench.core.ops.sparse.support import as_sparse, dense_entries


def _to_dense_shape(op: Any) -> list[Entries]:
    shape_rules.with_rank(op.inputs[1].entries, 1, "output_shape")
    return [dense_entries(op.inputs[1])]


def _to_dense_gradient(op: Any, grad: Any) -> list[Any]:
    indices, values = op.inputs[0], op.inputs[2]
    positions = indices
    if indices.shape.ndims is not None and indices.shape.ndims < 2:
        positions = api.reshape(indices, [-1, 1])
    taken = api.gather_nd(grad, positions)
    for_values = taken
    if values.shape.ndims == 0:
        for_values = api.reduce_sum(taken)
    return [None, None, for_values, api.reduce_sum(grad) - api.reduce_sum(taken)]


declare(
    "SparseToDense",
    inputs=("sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T"),
    outputs="dense: T",
    attrs="validate_indices: bool = true, T: type, Tindices: {int32, int64}",
    shape=_to_dense_shape,
    kernel=kernels.sparse_to_dense,
    gradient=_to_dense_gradient,
    samples=[
        sample([[0, 1], [1, 0]], [2, 2], [5.0, 6.0], 1.0, want=[[1.0, 5.0], [6.0, 1.0]]),
        sample([0, 2], [3], 4.0, 0.0, want=[4.0, 0.0, 4.0]),
        sample(1, [2], b"x", b"", want=[b"", b"x"]),
    ],
)


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """A dense tensor of `default_value` with values at some positions.

    `sparse_indices` is a position, a vector of positions or a matrix with one position per row,
    `sparse_values` one value or one per position. `validate_indices` demands that the positions
    are in order and occur once.

    >>> import workbench as tf
    >>> tf.sparse_to_dense([0, 2], [3], 5).eval().tolist()
    [5, 0, 5]
    """
    return call(
        "SparseToDense",
        name,
        sparse_indices=sparse_indices,
        output_shape=output_shape,
        sparse_values=sparse_values,
        default_value=default_value,
        validate_indices=validate_indices,
    )


def sparse_tensor_to_dense(
    sp_input: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """A SparseTensor as a dense tensor, with `default_value` where nothing is stored.

    >>> import workbench as tf
    >>> tf.sparse_tensor_to_dense(tf.SparseTensor([[1]], [7], [3])).eval().tolist()
    [0, 7, 0]
    """
    sparse = as_sparse(sp_input)
    return sparse_to_dense(
        sparse.indices,
        sparse.dense_shape,
        sparse.values,
        default_value=default_value,
        validate_indices=validate_indices,
        name=name,
    )


def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor whose value, a SparseTensorValue, is fed to every run that needs it.

    Sizes in `shape` may be None; without `shape` any rank may be fed.

    >>> import workbench as tf
    >>> x = tf.sparse_placeholder(tf.float32)
    >>> total = tf.sparse_reduce_sum(x)
    >>> total.eval({x: tf.SparseTensorValue([[0, 1]], [2.0], [2, 2])})
    np.float32(2.0)
    """

    def part(label: str) -> str | None:
        return None if name is None else f"{name}/{label}"

    sizes = None if shape is None or isinstance(shape, Tensor) else list(shape)
    if shape is None or (sizes is not None and any(s is None for s in sizes)):
        length = None if sizes is None else len(sizes)
        dense_shape = placeholder("int64", [length], part("shape"))
    else:
        dense_shape = convert_to_tensor(
            shape if sizes is None else np.array(sizes, np.int64), name=part("shape")
        )
    rank = dense_shape.shape.as_list()[0] if dense_shape.shape.ndims == 1 else None
    return SparseTensor(
        values=placeholder(dtype, [None], part("values")),
        indices=placeholder("int64", [None, rank], part("indices")),
        dense_shape=dense_shape,
    )


def sparse_to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """Bools [..., vocab_size]: which ids each row of a SparseTensor of ids holds.

    >>> import workbench as tf
    >>> ids = tf.SparseTensor([[0, 0], [0, 1]], tf.constant([2, 0], tf.int64), [1, 2])
    >>> tf.sparse_to_indicator(ids, 3).eval().tolist()
    [[True, False, True]]
    """
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseToIndicator", list(sparse)) as scope:
        ones = SparseTensor(
            sparse.indices, api.ones_like(sparse.values, dtype=bool_type), sparse.dense_shape
        )
        merged = sparse_merge(sparse, ones, vocab_size)
        # Ids may repeat in a row, which an indicator does not mind.
        return sparse_tensor_to_dense(
            merged, default_value=False, validate_indices=False, name=scope
        )


def sparse_merge(
    sp_ids: Any,
    sp_values: Any,
    vocab_size: Any,
    name: str | None = None,
    already_sorted: bool = False,
) -> SparseTensor:
    """Ids and values of equal positions as one SparseTensor, in which ids are the last coordinate.

    `sp_ids` and `vocab_size` may be lists, for several last coordinates. The entries come in
    row-major order unless they are `already_sorted`.
    """
    from workbench.core.ops.sparse.layout import sparse_reorder

    single = isinstance(sp_ids, (SparseTensor, SparseTensorValue)) or not isinstance(
        sp_ids, (list, tuple)
    )
    columns = [sp_ids] if single else list(sp_ids)
    sizes = [vocab_size] if single else list(vocab_size)
    if len(columns) != len(sizes):
        raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    ids = [as_sparse(c) for c in columns]
    values = as_sparse(sp_values)
    with name_scope(name, "SparseMerge", [*(t for c in ids for t in c), *values]):
        numbers = []
        for column in ids:
            if column.dtype.base_dtype not in (as_dtype("int32"), as_dtype("int64")):
                raise TypeError(f"sp_ids must be int32 or int64, got {column.dtype.name}")
            entries = column.values
            numbers.append(
                api.expand_dims(
                    entries if entries.dtype == "int64" else api.cast(entries, "int64"), 1
                )
            )
        first: Any = ids[0]
        indices = api.concat([first.indices[:, :-1], *numbers], 1)
        lengths = [api.reshape(api.cast(convert_to_tensor(s), "int64"), [1]) for s in sizes]
        shape = api.concat([first.dense_shape[:-1], *lengths], 0)
        result = SparseTensor(indices, values.values, shape)
        return result if already_sorted else sparse_reorder(result)


def sparse_mask(a: Any, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """The rows of an IndexedSlices whose numbers are not in `mask_indices`."""
    with name_scope(name, "sparse_mask", [a.values, a.indices]) as scope:
        kept, places = api.setdiff1d(a.indices, mask_indices)
        rows = api.gather(a.values, places, name=scope)
        return IndexedSlices(rows, kept, a.dense_shape)
