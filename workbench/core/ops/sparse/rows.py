"""Entries kept, rows filled, and distances between the rows of sparse tensors."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import listing
from workbench.core.kernels import sparse_layout as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import as_sparse, check, dense_entries, parts


def _fill_shape(op: Any) -> list[Any]:
    count, rank = check(op)
    shape_rules.with_rank(op.inputs[3].entries, 0, "default_value")
    entries = dense_entries(op.inputs[2])
    rows: Entry = None if entries is None else entries[0]
    return [(None, rank), (None,), (rows,), (count,)]


def _fill_gradient(op: Any, _i: Any, for_values: Any, _e: Any, _r: Any) -> list[Any]:
    values, default = create(
        "SparseFillEmptyRowsGrad",
        None,
        reverse_index_map=op.outputs[3],
        grad_values=for_values,
    ).outputs
    return [None, values, None, default]


declare(
    "SparseFillEmptyRows",
    inputs="indices: int64, values: T, dense_shape: int64, default_value: T",
    outputs=(
        "output_indices: int64, output_values: T, empty_row_indicator: bool, "
        "reverse_index_map: int64"
    ),
    attrs="T: type",
    shape=_fill_shape,
    kernel=kernels.sparse_fill_empty_rows,
    gradient=_fill_gradient,
    samples=[
        sample(
            [[0, 1], [2, 0]],
            [5.0, 6.0],
            [3, 2],
            9.0,
            want=([[0, 1], [1, 0], [2, 0]], [5.0, 9.0, 6.0], [False, True, False], [0, 2]),
        )
    ],
)
declare(
    "SparseFillEmptyRowsGrad",
    inputs="reverse_index_map: int64, grad_values: T",
    outputs="d_values: T, d_default_value: T",
    attrs="T: type",
    shape=lambda op: [op.inputs[0].entries, ()],
    kernel=kernels.sparse_fill_empty_rows_grad,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([0, 2], [1.0, 2.0, 4.0], want=([1.0, 4.0], 2.0))],
)


def _distance_shape(op: Any) -> list[Any]:
    first, second = dense_entries(op.inputs[2]), dense_entries(op.inputs[5])
    check(op)
    check(op, 3)
    if first is None or second is None:
        return [None]
    shape_rules.equal_sizes(len(first), len(second), "hypothesis and truth have one rank")
    return [
        tuple(
            max(a, b) if isinstance(a, int) and isinstance(b, int) else None
            for a, b in zip(first[:-1], second[:-1], strict=True)
        )
    ]


declare(
    "EditDistance",
    inputs=(
        "hypothesis_indices: int64, hypothesis_values: T, hypothesis_shape: int64, "
        "truth_indices: int64, truth_values: T, truth_shape: int64"
    ),
    outputs="output: float",
    attrs="normalize: bool = true, T: type",
    shape=_distance_shape,
    kernel=listing.edit_distance,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[0, 0], [0, 1]],
            [b"a", b"b"],
            [1, 2],
            [[0, 0], [0, 1], [0, 2], [0, 3]],
            [b"a", b"c", b"c", b"b"],
            [1, 4],
            want=[0.5],
        ),
        sample([[0, 0]], [1], [1, 1], [[0, 0]], [2], [1, 1], normalize=False, want=[1.0]),
    ],
)


def sparse_fill_empty_rows(
    sp_input: Any, default_value: Any, name: str | None = None
) -> tuple[SparseTensor, Tensor]:
    """A SparseTensor of rank 2 whose empty rows get `default_value` in column 0; which were empty.

    >>> import workbench as tf
    >>> x = tf.SparseTensor([[1, 1]], [5], [2, 2])
    >>> filled, empty = tf.sparse_fill_empty_rows(x, 9)
    >>> filled.values.eval().tolist(), empty.eval().tolist()
    ([9, 5], [True, False])
    """
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseFillEmptyRows", list(sparse)):
        default = convert_to_tensor(default_value, dtype=sparse.values.dtype.base_dtype)
        indices, values, empty, _ = create(
            "SparseFillEmptyRows",
            None,
            **parts(sparse, "indices", "values", "dense_shape"),
            default_value=default,
        ).outputs
        return SparseTensor(indices, values, sparse.dense_shape), empty


def sparse_retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The entries of a SparseTensor for which the vector of bools `to_retain` is true.

    >>> import workbench as tf
    >>> x = tf.SparseTensor([[0], [2]], [5, 6], [3])
    >>> tf.sparse_retain(x, [False, True]).values.eval().tolist()
    [6]
    """
    sparse = as_sparse(sp_input)
    keep = convert_to_tensor(to_retain)
    keep.shape.assert_has_rank(1)
    sparse.values.shape[:1].assert_is_compatible_with(keep.shape)
    chosen = api.reshape(api.where(keep), [-1])
    return SparseTensor(
        api.gather(sparse.indices, chosen),
        api.gather(sparse.values, chosen),
        api.identity(sparse.dense_shape),
    )


def edit_distance(
    hypothesis: Any, truth: Any, normalize: bool = True, name: str | None = "edit_distance"
) -> Tensor:
    """The Levenshtein distance between the sequences of two SparseTensors, float32.

    Sequences run along the last axis; `normalize` divides by the length of the truth.

    >>> import workbench as tf
    >>> a = tf.SparseTensor([[0, 0], [0, 1]], ["a", "b"], [1, 2])
    >>> b = tf.SparseTensor([[0, 0], [0, 1]], ["a", "c"], [1, 2])
    >>> tf.edit_distance(a, b).eval().tolist()
    [0.5]
    """
    for value, label in ((hypothesis, "Hypothesis"), (truth, "Truth")):
        if not isinstance(value, SparseTensor) and not hasattr(value, "dense_shape"):
            raise TypeError(f"{label} must be a SparseTensor.")
    a, b = as_sparse(hypothesis), as_sparse(truth)
    return call(
        "EditDistance",
        name,
        **parts(a, "hypothesis_indices", "hypothesis_values", "hypothesis_shape"),
        **parts(b, "truth_indices", "truth_values", "truth_shape"),
        normalize=normalize,
    )
