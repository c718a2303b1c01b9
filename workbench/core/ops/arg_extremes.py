"""Where the largest and the smallest elements are."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.dtypes import int64
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import reduction as kernels
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.reduction import old_name


def _shape(op: Any) -> list[Any]:
    entries, dimension = op.inputs[0].entries, constant_value(op.inputs[1])
    if entries is None:
        return [None]
    rank = len(entries)
    if rank <= 1:
        return [()]
    if dimension is None:
        return [(None,) * (rank - 1)]
    axis = int(dimension)
    if not -rank <= axis < rank:
        raise ValueError(
            f"Dimension ({axis}) must be in the range [{-rank}, {rank}), where {rank} is the "
            "number of dimensions in the input."
        )
    axis %= rank
    return [entries[:axis] + entries[axis + 1 :]]


_GRID = [[1.0, 5.0, 5.0], [2.0, -3.0, 4.0]]
for _type_name, _kernel, _columns, _rows in (
    ("ArgMax", kernels.arg_max, [1, 2], [1, 0, 0]),
    ("ArgMin", kernels.arg_min, [0, 1], [0, 1, 1]),
):
    declare(
        _type_name,
        inputs="input: T, dimension: Tidx",
        outputs="output: output_type",
        attrs="T: {number}, Tidx: {int32, int64} = DT_INT32, "
        "output_type: {int32, int64} = DT_INT64",
        shape=_shape,
        kernel=_kernel,
        gradient=NOT_DIFFERENTIABLE,
        samples=[
            sample(_GRID, 1, want=_columns),
            sample(_GRID, -2, output_type="int32", want=_rows),
        ],
    )


def argmax(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = int64,
) -> Tensor:
    """The index of the largest element along `axis` (0 when not given), the first of equal ones.

    `dimension` is the old name of `axis`.

    >>> import workbench as tf
    >>> tf.argmax([[1, 9, 3], [4, 5, 6]], 1).eval().tolist()
    [1, 2]
    """
    axis = old_name("axis", axis, "dimension", dimension)
    return arg_max(input, 0 if axis is None else axis, output_type, name)


def argmin(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dimension: Any = None,
    output_type: Any = int64,
) -> Tensor:
    """The index of the smallest element along `axis` (0 when not given). See `argmax`."""
    axis = old_name("axis", axis, "dimension", dimension)
    return arg_min(input, 0 if axis is None else axis, output_type, name)


def arg_max(
    input: Any, dimension: Any, output_type: Any = int64, name: str | None = None
) -> Tensor:
    """The older form of `argmax`."""
    return call("ArgMax", name, input=input, dimension=dimension, output_type=output_type)


def arg_min(
    input: Any, dimension: Any, output_type: Any = int64, name: str | None = None
) -> Tensor:
    """The older form of `argmin`."""
    return call("ArgMin", name, input=input, dimension=dimension, output_type=output_type)
