"""Other views of the same elements: reshape, axes of size one."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_entries, constant_value
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import reshape_like, reshaped_entries

Array = np.ndarray[Any, Any]


def _reshape(tensor: Any, shape: Any) -> Any:
    if np.ndim(shape) != 1:
        raise InvalidArgumentError(
            None, None, f"sizes input must be 1-D, not shape {list(np.shape(shape))}"
        )
    sizes = shape.tolist()
    try:
        if min(sizes, default=0) < -1:
            # NumPy takes every negative size for "what is left over".
            raise ValueError
        return as_array(tensor).reshape(sizes)
    except ValueError:
        raise InvalidArgumentError(None, None, _misfit(np.size(tensor), sizes)) from None


def _misfit(count: int, sizes: list[int]) -> str:
    """Why `count` elements cannot have the shape `sizes`."""
    if sizes.count(-1) > 1 or min(sizes) < -1:
        return f"Only one size of the shape may be -1, got {sizes}"
    wanted = int(np.prod([s for s in sizes if s >= 0], dtype=np.int64))
    asked = f"requires a multiple of {wanted}" if -1 in sizes else f"has {wanted}"
    return (
        f"Input to reshape is a tensor with {count} values, but the requested shape {asked}: "
        f"{sizes}"
    )


def _reshape_shape(op: Any) -> list[Any]:
    tensor, target = op.inputs
    shape_rules.with_rank(target.entries, 1, "the shape to reshape to")
    value = constant_value(target)
    if value is not None and (np.sum(value < 0) > 1 or np.any(value < -1)):
        raise ValueError(f"Only one size of the shape may be -1, got {value.tolist()}")
    return [reshaped_entries(tensor.entries, constant_entries(target))]


declare(
    "Reshape",
    inputs="tensor: T, shape: Tshape",
    outputs="output: T",
    attrs="T: type, Tshape: {int32, int64} = DT_INT32",
    shape=_reshape_shape,
    kernel=_reshape,
    gradient=lambda op, grad: [reshape_like(grad, op.inputs[0]), None],
    aliases_input=True,
    samples=[
        sample([[1.0, 2.0], [3.0, 4.0]], [4], want=[1.0, 2.0, 3.0, 4.0]),
        sample([1.0, 2.0, 3.0, 4.0], [2, -1], want=[[1.0, 2.0], [3.0, 4.0]]),
    ],
)


def _axis_value(dim: Any) -> int:
    values = np.asarray(dim).reshape(-1)
    if values.size != 1:
        raise InvalidArgumentError(None, None, f"dim must be a scalar, got {values.tolist()}")
    return int(values[0])


def _expand_dims(input: Any, dim: Any) -> Any:
    array = as_array(input)
    axis, rank = _axis_value(dim), array.ndim
    if not -rank - 1 <= axis <= rank:
        raise InvalidArgumentError(
            None, None, f"dim {axis} is out of range: use {-rank - 1} to {rank}"
        )
    at = axis % (rank + 1)
    return array[(slice(None),) * at + (None, ...)]


def _expand_dims_shape(op: Any) -> list[Any]:
    entries, axis = op.inputs[0].entries, constant_value(op.inputs[1])
    if entries is None:
        return [None]
    if axis is None or axis.size != 1:
        return [(None,) * (len(entries) + 1)]
    at, rank = int(axis.reshape(-1)[0]), len(entries) + 1
    if not -rank <= at < rank:
        raise ValueError(f"dim {at} not in the interval [{-rank}, {rank - 1}].")
    at %= rank
    return [(*entries[:at], 1, *entries[at:])]


declare(
    "ExpandDims",
    inputs="input: T, dim: Tdim",
    outputs="output: T",
    attrs="T: type, Tdim: {int32, int64} = DT_INT32",
    shape=_expand_dims_shape,
    kernel=_expand_dims,
    gradient=lambda op, grad: [reshape_like(grad, op.inputs[0]), None],
    aliases_input=True,
    samples=[sample([1.0, 2.0], 0, want=[[1.0, 2.0]]), sample([1.0, 2.0], -1, want=[[1.0], [2.0]])],
)


def _squeeze(input: Any, *, squeeze_dims: Any) -> Any:
    array = as_array(input)
    axes = squeeze_dims or tuple(i for i, s in enumerate(array.shape) if s == 1)
    for axis in axes:
        if not -array.ndim <= axis < array.ndim or array.shape[axis] != 1:
            raise InvalidArgumentError(
                None,
                None,
                f"Cannot squeeze axis {axis} of shape {list(array.shape)}: only axes of size 1",
            )
    return np.squeeze(array, tuple(axes))


def _squeeze_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    if entries is None:
        return [None]
    if not op.attrs["squeeze_dims"]:
        if not all(isinstance(e, int) for e in entries):
            return [None]
        return [tuple(e for e in entries if e != 1)]
    axes = [shape_rules.normalise_axis(a, len(entries)) for a in op.attrs["squeeze_dims"]]
    for axis in axes:
        if isinstance(entries[axis], int) and entries[axis] != 1:
            raise ValueError(
                f"Can not squeeze dim[{axis}], expected a dimension of 1, got {entries[axis]}"
            )
    return [tuple(e for i, e in enumerate(entries) if i not in axes)]


declare(
    "Squeeze",
    inputs="input: T",
    outputs="output: T",
    attrs="T: type, squeeze_dims: list(int) >= 0 = []",
    shape=_squeeze_shape,
    kernel=_squeeze,
    gradient=lambda op, grad: reshape_like(grad, op.inputs[0]),
    aliases_input=True,
    samples=[
        sample([[[1.0], [2.0]]], want=[1.0, 2.0]),
        sample([[[1.0], [2.0]]], squeeze_dims=[-1], want=[[1.0, 2.0]]),
    ],
)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The elements of `tensor` in another shape; one size may be -1: what is left over.

    >>> import workbench as tf
    >>> tf.reshape([1, 2, 3, 4, 5, 6], [2, -1]).eval().tolist()
    [[1, 2, 3], [4, 5, 6]]
    """
    return call("Reshape", name, tensor=tensor, shape=shape)


def expand_dims(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    dim: Any = None,
) -> Tensor:
    """`input` with an axis of size 1 inserted at `axis` (`dim` is its old name).

    >>> import workbench as tf
    >>> tf.expand_dims([1, 2], axis=-1).eval().tolist()
    [[1], [2]]
    """
    if dim is not None:
        if axis is not None:
            raise ValueError("can't specify both 'dim' and 'axis'")
        axis = dim
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return call("ExpandDims", name, input=input, dim=axis)


def squeeze(
    input: Any,
    axis: Any = None,
    name: str | None = None,
    squeeze_dims: Any = None,
) -> Tensor:
    """`input` without its axes of size 1, all or those in `axis` (`squeeze_dims`, its old name).

    >>> import workbench as tf
    >>> tf.squeeze([[[1], [2]]], axis=[0]).shape.as_list()
    [2, 1]
    """
    if squeeze_dims is not None:
        if axis is not None:
            raise ValueError("Cannot specify both 'squeeze_dims' and 'axis'")
        axis = squeeze_dims
    if axis is not None and np.isscalar(axis):
        axis = [axis]
    return call("Squeeze", name, input=input, squeeze_dims=axis)
