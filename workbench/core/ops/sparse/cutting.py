"""Sparse tensors cut into parts."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.kernels import sparse_layout as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import as_sparse, check, parts, unknown_parts


def _split_shape(op: Any) -> list[Any]:
    number = op.attrs["num_split"]
    (rank,) = shape_rules.with_rank(op.inputs[3].entries, 1, "shape")
    return [s for part in unknown_parts(rank) for s in [part] * number]


declare(
    "SparseSplit",
    inputs="split_dim: int64, indices: int64, values: T, shape: int64",
    outputs=(
        "output_indices: num_split * int64, output_values: num_split * T, "
        "output_shape: num_split * int64"
    ),
    attrs="num_split: int >= 1, T: type",
    shape=_split_shape,
    kernel=kernels.sparse_split,
    gradient=None,
    samples=[
        sample(
            1,
            [[0, 0], [0, 2]],
            [5.0, 6.0],
            [1, 3],
            num_split=2,
            want=([[0, 0]], [[0, 0]], [5.0], [6.0], [1, 2], [1, 1]),
        )
    ],
)


def _slice_gradient(op: Any, for_indices: Any, for_values: Any, for_shape: Any) -> list[Any]:
    result = call(
        "SparseSliceGrad",
        None,
        backprop_val_grad=for_values,
        input_indices=op.inputs[0],
        input_start=op.inputs[3],
        output_indices=op.outputs[0],
    )
    return [None, result, None, None, None]


declare(
    "SparseSlice",
    inputs="indices: int64, values: T, shape: int64, start: int64, size: int64",
    outputs="output_indices: int64, output_values: T, output_shape: int64",
    attrs="T: type",
    shape=lambda op: unknown_parts(check(op)[1]),
    kernel=kernels.sparse_slice,
    gradient=_slice_gradient,
    samples=[
        sample(
            [[0, 0], [1, 2]],
            [5.0, 6.0],
            [2, 3],
            [0, 1],
            [2, 9],
            want=([[1, 1]], [6.0], [2, 2]),
        )
    ],
)
declare(
    "SparseSliceGrad",
    inputs=(
        "backprop_val_grad: T, input_indices: int64, input_start: int64, output_indices: int64"
    ),
    outputs="val_grad: T",
    attrs="T: {number}",
    shape=lambda op: [(shape_rules.with_rank(op.inputs[1].entries, 2, "input_indices")[0],)],
    kernel=kernels.sparse_slice_grad,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([7.0], [[0, 0], [1, 2]], [0, 1], [[1, 1]], want=[0.0, 7.0])],
)


def sparse_split(
    keyword_required: Any = None,
    sp_input: Any = None,
    num_split: int | None = None,
    axis: Any = None,
    name: str | None = None,
    split_dim: Any = None,
) -> list[SparseTensor]:
    """A SparseTensor cut along an axis into `num_split` parts, the first ones one longer.

    All arguments are given by keyword: sp_input, num_split and axis (or split_dim, its old name).
    """
    if keyword_required is not None:
        raise ValueError("Keyword arguments are required for this function.")
    if sp_input is None:
        raise ValueError("sp_input is required")
    if num_split is None:
        raise ValueError("num_split is required")
    axis = axis if split_dim is None else split_dim
    if axis is None:
        raise ValueError("axis is required")
    sparse = as_sparse(sp_input)
    op = create(
        "SparseSplit",
        name,
        split_dim=axis,
        **parts(sparse, "indices", "values", "shape"),
        num_split=num_split,
    )
    outputs = op.outputs
    return [
        SparseTensor(outputs[i], outputs[i + num_split], outputs[i + 2 * num_split])
        for i in range(num_split)
    ]


def sparse_slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part of a SparseTensor that begins at `start`; `size` is cut where the tensor ends."""
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseSlice", list(sparse)) as scope:
        op = create(
            "SparseSlice",
            scope,
            **parts(sparse, "indices", "values", "shape"),
            start=convert_to_tensor(start, "int64"),
            size=convert_to_tensor(size, "int64"),
        )
    return SparseTensor(*op.outputs)
