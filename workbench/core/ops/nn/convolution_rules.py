"""Shape rules and gradients that 2-D and 3-D convolutions share.

`base` is the type of the forward operation, "Conv2D" or "Conv3D". The gradients of a convolution
are linear in what they take, so each one's gradients are again the other two operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.constants import constant_entries
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, Entry, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.nn import window_shapes

#: Types of the gradient operations, by the type of the forward one.
_BY_INPUT = {"Conv2D": "Conv2DBackpropInput", "Conv3D": "Conv3DBackpropInputV2"}
_BY_FILTER = {"Conv2D": "Conv2DBackpropFilter", "Conv3D": "Conv3DBackpropFilterV2"}


# -- shapes --------------------------------------------------------------------------------------


def convolved_entries(op: Any, rank: int) -> tuple[Entry, ...]:
    """The output shape of a convolution of inputs of `rank`."""
    image = shape_rules.with_rank(op.inputs[0].entries, rank, "the input")
    bank = shape_rules.with_rank(op.inputs[1].entries, rank, "the filter")
    data_format = op.attrs.get("data_format", "NDHWC")
    channels = image[window_shapes.channel_axis(rank, data_format)]
    shape_rules.equal_sizes(channels, bank[-2], "channels of the input and of the filter")
    strides = window_shapes.spatial_values(op.attrs["strides"], rank, data_format, "strides")
    dilations = window_shapes.spatial_values(op.attrs["dilations"], rank, data_format, "dilations")
    sizes = [image[axis] for axis in window_shapes.spatial_axes(rank, data_format)]
    spatial = [
        window_shapes.output_size(size, taps, stride, dilation, op.attrs["padding"])
        for size, taps, stride, dilation in zip(sizes, bank, strides, dilations, strict=False)
    ]
    return window_shapes.arranged(image[0], spatial, bank[-1], data_format)


def forward_shape(rank: int) -> shape_rules.Rule:
    """The rule of a convolution of inputs of `rank`."""
    return lambda op: [convolved_entries(op, rank)]


def input_shape(rank: int) -> shape_rules.Rule:
    """The shape that the first input holds, with what the gradient and the filter tell of it."""

    def rule(op: Any) -> list[Entries]:
        sizes, bank, grad = op.inputs
        bank_entries = shape_rules.with_rank(bank.entries, rank, "the filter")
        entries = shape_rules.with_rank(grad.entries, rank, "out_backprop")
        data_format = op.attrs.get("data_format", "NDHWC")
        axis = window_shapes.channel_axis(rank, data_format)
        shape_rules.equal_sizes(
            entries[axis], bank_entries[-1], "channels of out_backprop and outputs of the filter"
        )
        known = window_shapes.arranged(
            entries[0], [None] * (rank - 2), bank_entries[-2], data_format
        )
        return [merge_shapes(constant_entries(sizes), known)]

    return rule


def filter_shape(rank: int) -> shape_rules.Rule:
    """The shape that the second input holds, with what the input and the gradient tell of it."""

    def rule(op: Any) -> list[Entries]:
        image, sizes, grad = op.inputs
        data_format = op.attrs.get("data_format", "NDHWC")
        axis = window_shapes.channel_axis(rank, data_format)
        depth_in = shape_rules.with_rank(image.entries, rank, "the input")[axis]
        depth_out = shape_rules.with_rank(grad.entries, rank, "out_backprop")[axis]
        known = (*(None,) * (rank - 2), depth_in, depth_out)
        return [merge_shapes(constant_entries(sizes), known)]

    return rule


def convolution_cost(op: Any) -> float:
    """Two floating point operations for each tap of each output."""
    bank = window_shapes.product(op.inputs[1].entries[:-1])
    return 2.0 * bank * window_shapes.product(op.outputs[0].entries)


def gradient_cost(op: Any) -> float:
    """The cost of a gradient operation: that of the convolution it belongs to."""
    by_filter = op.type.startswith(("Conv2DBackpropFilter", "Conv3DBackpropFilter"))
    bank = op.outputs[0] if by_filter else op.inputs[1]
    if bank.entries is None or op.inputs[2].entries is None:
        return 0.0
    return (
        2.0 * window_shapes.product(bank.entries[:-1]) * window_shapes.product(op.inputs[2].entries)
    )


# -- gradients -----------------------------------------------------------------------------------


def attributes(op: Any, *names: str) -> dict[str, Any]:
    """Those attributes of an operation, to make another one with."""
    return {name: op.attrs[name] for name in names}


def _shared(op: Any) -> dict[str, Any]:
    names = ["strides", "padding", "data_format", "dilations"]
    return attributes(op, *names, *(["use_cudnn_on_gpu"] if "use_cudnn_on_gpu" in op.attrs else []))


def _by_input(base: str, sizes: Any, bank: Tensor, grad: Any, shared: dict[str, Any]) -> Tensor:
    arguments = {"input_sizes": sizes, "filter": bank, "out_backprop": grad}
    return call(_BY_INPUT[base], None, **arguments, **shared)


def _by_filter(base: str, image: Any, sizes: Any, grad: Any, shared: dict[str, Any]) -> Tensor:
    arguments = {"input": image, "filter_sizes": sizes, "out_backprop": grad}
    return call(_BY_FILTER[base], None, **arguments, **shared)


def forward_gradient(base: str) -> Any:
    """The gradient of the convolution."""

    def gradient(op: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        image, bank = op.inputs
        shared = _shared(op)
        return (
            _by_input(base, api.shape(image), bank, dy, shared),
            _by_filter(base, image, api.shape(bank), dy, shared),
        )

    return gradient


def input_gradient(base: str) -> Any:
    """The gradient of the gradient by the input."""

    def gradient(op: Any, dx: Tensor) -> tuple[None, Tensor, Tensor]:
        _, bank, grad = op.inputs
        shared = _shared(op)
        return (
            None,
            _by_filter(base, dx, api.shape(bank), grad, shared),
            call(base, None, input=dx, filter=bank, **shared),
        )

    return gradient


def filter_gradient(base: str) -> Any:
    """The gradient of the gradient by the filter."""

    def gradient(op: Any, dw: Tensor) -> tuple[Tensor, None, Tensor]:
        image, _, grad = op.inputs
        shared = _shared(op)
        return (
            _by_input(base, api.shape(image), dw, grad, shared),
            None,
            call(base, None, input=image, filter=dw, **shared),
        )

    return gradient


# -- transposed convolutions ---------------------------------------------------------------------


def transposed_arguments(
    value: Any, bank: Any, output_shape: Any, padding: Any, axis: int, rank: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The tensors of a transposed convolution; ValueError where they do not fit together."""
    value = convert_to_tensor(value, name="value")
    bank = convert_to_tensor(bank, name="filter", dtype=value.dtype.base_dtype)
    depths = bank.shape.with_rank(rank)
    if not value.shape.with_rank(rank)[axis].is_compatible_with(depths[rank - 1]):
        raise ValueError(
            "input channels does not match filter's input channels, "
            f"{value.shape[axis]} != {depths[rank - 1]}"
        )
    sizes = convert_to_tensor(output_shape, name="output_shape", preferred_dtype="int32")
    if sizes.dtype.base_dtype is dtypes.int64:
        sizes = api.cast(sizes, dtypes.int32)
    if not sizes.shape.is_compatible_with([rank]):
        raise ValueError(f"output_shape must have shape ({rank},), got {sizes.shape}")
    known = constant_entries(sizes)
    channels = None if known is None else known[axis]
    if isinstance(channels, int) and not depths[rank - 2].is_compatible_with(channels):
        raise ValueError(
            "output_shape does not match filter's output channels, "
            f"{channels} != {depths[rank - 2]}"
        )
    if padding not in ("VALID", "SAME"):
        raise ValueError(f"padding must be either VALID or SAME: {padding}")
    return value, bank, sizes


# -- samples -------------------------------------------------------------------------------------


def naive(image: Any, bank: Any, stride: int = 1, dilation: int = 1) -> Any:
    """A VALID convolution of any rank, one output at a time: what the samples compare with."""
    image, bank = np.asarray(image), np.asarray(bank)
    taps = bank.shape[:-2]
    sizes = [
        (s - (t - 1) * dilation - 1) // stride + 1
        for s, t in zip(image.shape[1:-1], taps, strict=True)
    ]
    result = np.zeros((image.shape[0], *sizes, bank.shape[-1]))
    for place in np.ndindex(*sizes):
        for tap in np.ndindex(*taps):
            at = tuple(p * stride + t * dilation for p, t in zip(place, tap, strict=True))
            result[(slice(None), *place)] += image[(slice(None), *at)] @ bank[tap]
    return result


def numbers(*shape: int) -> Any:
    """Small numbers of no pattern, as nested lists."""
    count = int(np.prod(shape))
    return ((np.arange(count) * 7 % 11 - 5) / 4).reshape(shape).tolist()
