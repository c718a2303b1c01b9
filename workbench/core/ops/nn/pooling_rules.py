"""Shape rules and gradients that all pooling operations share.

The maximum's gradient goes to where the maximum was, the average's is spread evenly. Both are
linear, so the second gradient pools again: `MaxPoolGradGrad` picks from where the maxima were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.errors import UnimplementedError
from workbench.core.graph.constants import constant_entries, constant_value
from workbench.core.graph.shapes import Entries, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.nn import window_shapes

#: The types `MaxPool` works on.
MAXIMUM_TYPES = "{half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16}"
ATTRS_2D = "ksize: list(int) >= 4, strides: list(int) >= 4, padding: {'SAME', 'VALID'}"
ATTRS_3D = "ksize: list(int) >= 5, strides: list(int) >= 5, padding: {'SAME', 'VALID'}"
FORMATS_2D = "data_format: {'NHWC', 'NCHW'} = 'NHWC'"
FORMATS_3D = "data_format: {'NDHWC', 'NCDHW'} = 'NDHWC'"


def _pooled_entries(op: Any, rank: int, ksize: Any, strides: Any) -> Entries:
    entries = shape_rules.with_rank(op.inputs[0].entries, rank, "the input")
    for values, what in ((ksize, "ksize"), (strides, "strides")):
        if len(values) != rank:
            raise ValueError(
                f"{what} must contain {rank} values, but got {len(values)}: {list(values)}"
            )
        if values[0] != 1:
            raise UnimplementedError(
                None,
                None,
                f"Pooling is not yet supported on the batch dimension: {what} is {list(values)}",
            )
        if min(values) < 1:
            raise ValueError(f"{what} must be positive, got {list(values)}")
    if rank == 4 and op.type.startswith("MaxPool"):
        _check_depth(entries, ksize, strides, op.attrs.get("data_format", "NHWC"))
    padding = op.attrs["padding"]
    return (
        entries[0],
        *(
            window_shapes.output_size(size, taps, stride, 1, padding)
            for size, taps, stride in zip(entries[1:], ksize[1:], strides[1:], strict=True)
        ),
    )


def _check_depth(entries: Entries, ksize: Any, strides: Any, data_format: str) -> None:
    """A maximum over channels is allowed alone, over groups of channels side by side."""
    axis = window_shapes.channel_axis(4, data_format)
    window, depth = ksize[axis], None if entries is None else entries[axis]
    if window == 1:
        return
    problem = None
    if any(ksize[a] != 1 for a in window_shapes.spatial_axes(4, data_format)):
        problem = (
            "MaxPooling supports exactly one of pooling across depth or pooling across width/height"
        )
    elif window != strides[axis]:
        problem = "Depthwise max pooling requires the depth window to equal the depth stride"
    elif isinstance(depth, int) and depth % window:
        problem = (
            "Depthwise max pooling requires the depth window to evenly divide the input depth "
            f"of {depth}"
        )
    if problem is not None:
        raise UnimplementedError(
            None, None, f"{problem}: ksize is {list(ksize)}, strides are {list(strides)}"
        )


def pooled(rank: int) -> shape_rules.Rule:
    """Every output has one element for each window over the first input."""
    return lambda op: (
        [_pooled_entries(op, rank, op.attrs["ksize"], op.attrs["strides"])] * len(op.outputs)
    )


def pooled_by_inputs(op: Any) -> list[Entries]:
    """The same, where the last two inputs are ksize and strides."""
    ksize, strides = (constant_value(t) for t in op.inputs[-2:])
    if ksize is None or strides is None:
        return [(None,) * 4]
    return [_pooled_entries(op, 4, ksize.tolist(), strides.tolist())]


def like_input(rank: int) -> shape_rules.Rule:
    """Every output has the shape of the first input, which has `rank`."""
    return lambda op: [shape_rules.with_rank(op.inputs[0].entries, rank, "the input")]


def like_shape_input(rank: int) -> shape_rules.Rule:
    """The output has the shape that the first input holds, and the batch of the second."""

    def rule(op: Any) -> list[Entries]:
        grad = shape_rules.with_rank(op.inputs[1].entries, rank, "the gradient")
        return [merge_shapes(constant_entries(op.inputs[0]), (grad[0], *(None,) * (rank - 1)))]

    return rule


def _window(op: Any) -> dict[str, Any]:
    names = ("ksize", "strides", "padding", "data_format")
    return {name: op.attrs[name] for name in names if name in op.attrs}


def maximum_gradient(grad_type: str) -> Callable[..., Any]:
    """The gradient of a maximum: `grad_type` of the input, the output and the gradient."""

    def gradient(op: Any, dy: Tensor) -> Any:
        # ksize and strides are inputs of the second version; they have no gradient.
        x, *window = op.inputs
        arguments = dict(zip(("ksize", "strides"), window, strict=False))
        by_input = call(
            grad_type,
            None,
            orig_input=x,
            orig_output=op.outputs[0],
            grad=dy,
            **arguments,
            **_window(op),
        )
        return (by_input, *[None] * len(window))

    return gradient


def maximum_second(other_type: str) -> Callable[..., Any]:
    """The gradient of `MaxPoolGrad` by its last tensor is `MaxPoolGradGrad`, and back again."""

    def gradient(op: Any, dy: Tensor) -> Any:
        x, y, _, *window = op.inputs
        arguments = dict(zip(("ksize", "strides"), window, strict=False))
        by_grad = call(
            other_type, None, orig_input=x, orig_output=y, grad=dy, **arguments, **_window(op)
        )
        return (api.zeros_like(x), api.zeros_like(y), by_grad, *[None] * len(window))

    return gradient


def average_gradient(grad_type: str) -> Callable[..., Any]:
    """The gradient of an average."""

    def gradient(op: Any, dy: Tensor) -> Tensor:
        shape = api.shape(op.inputs[0])
        return call(grad_type, None, orig_input_shape=shape, grad=dy, **_window(op))

    return gradient


def average_second(pool_type: str, argument: str) -> Callable[..., Any]:
    """The gradient of the gradient of an average is the average again."""

    def gradient(op: Any, dy: Tensor) -> tuple[None, Tensor]:
        return None, call(pool_type, None, **{argument: dy}, **_window(op))

    return gradient


# -- samples -------------------------------------------------------------------------------------


def windows(x: Any, reduce: Callable[..., Any], taps: int, stride: int) -> Any:
    """`reduce` of each VALID window of an array with channels last: what samples compare with."""
    import numpy as np

    x = np.asarray(x)
    sizes = [(s - taps) // stride + 1 for s in x.shape[1:-1]]
    result = np.zeros((x.shape[0], *sizes, x.shape[-1]), x.dtype)
    axes = tuple(range(1, x.ndim - 1))
    for place in np.ndindex(*sizes):
        cut = tuple(slice(p * stride, p * stride + taps) for p in place)
        result[(slice(None), *place)] = reduce(x[(slice(None), *cut)], axis=axes)
    return result
