"""Depthwise convolutions: each channel has filters of its own.

They are the correlations of `convolutions` with a difference: the vectors of filters are multiplied
by vectors of channels, not by one element. With a multiplier above 1 a channel stands once for each
of its filters in a copy of the images; in the gradient by the images the filters of a channel are
what is summed over.
"""

from __future__ import annotations

from workbench.core.codegen.convolution_correlation import correlation_call
from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_filter import FilterGradient, filter_gradient_calls
from workbench.core.codegen.convolution_geometry import (
    Bank,
    Correlation,
    Source,
    window_axes,
)
from workbench.core.codegen.convolution_padding import Pixel
from workbench.core.codegen.convolution_phases import phase_calls
from workbench.core.codegen.convolution_tiling import block_width
from workbench.core.codegen.specs import Argument, Call, ConvolutionSpec, Operand
from workbench.core.codegen.target import Target


def depthwise_calls(
    spec: ConvolutionSpec, epilogue: Epilogue, target: Target
) -> tuple[list[Call], int]:
    """The calls and the bytes of their work space; the operands are as `merged` has them."""
    if spec.kind == "forward":
        return [_forward(spec, epilogue, target)], 0
    if spec.kind == "input":
        source = _by_channel(1, spec.operands[1], spec.channels, spec.filters)
        _, by_column, by_channel, by_filter = spec.operands[0].strides
        strides = (spec.operands[0].strides[0], by_column, by_filter, by_channel)
        sizes = (spec.filters, spec.channels)
        return phase_calls(spec, source, strides, sizes, epilogue, target)
    rows, columns = window_axes(spec)
    gradient = FilterGradient(
        _repeated(0, spec.operands[0], spec.channels, spec.filters),
        Argument("operand", 1),
        spec.operands[1].strides[:3],  # type: ignore[arg-type]
        rows,
        columns,
        1,
        spec.channels * spec.filters,
        spec.dtype,
        True,
    )
    return filter_gradient_calls(gradient, epilogue, target, spec.batch)


def _forward(spec: ConvolutionSpec, epilogue: Epilogue, target: Target) -> Call:
    rows, columns = window_axes(spec)
    by_row, by_column, _, by_filter = spec.operands[1].strides
    correlation = Correlation(
        _repeated(0, spec.operands[0], spec.channels, spec.filters),
        rows,
        columns,
        1,
        spec.channels * spec.filters,
        spec.dtype,
        lanewise=True,
    )
    width = block_width(correlation, target)
    assert by_filter == 1 or spec.channels * spec.filters == 1
    bank = Bank(Argument("operand", 1), (by_row, by_column, 0), width, False)
    return correlation_call(correlation, bank, epilogue, target, spec.batch)


def _repeated(number: int, images: Operand, channels: int, multiplier: int) -> Source:
    """Images with each channel once for each of its filters."""
    batch, row, column, channel = images.strides
    pixel = Pixel((1, 0), (channels, channel))
    if multiplier > 1:
        pixel = Pixel((channels, channel), (multiplier, 0))
    argument = Argument("operand", number)
    return Source(argument, (batch, row, column), 0, pixel, 0, not pixel.is_run)


def _by_channel(number: int, gradient: Operand, channels: int, multiplier: int) -> Source:
    """Gradients of the result with all channels of one filter, then all of the next."""
    batch, row, column, channel = gradient.strides
    pixel = Pixel((1, 0), (channels, channel))
    if multiplier > 1:
        pixel = Pixel((multiplier, channel), (channels, multiplier * channel))
    argument = Argument("operand", number)
    return Source(argument, (batch, row, column), 0, pixel, channels, not pixel.is_run)


def merged(operand: Operand, multiplier: int) -> Operand:
    """A filter, or what goes with one, with its channels and multipliers as one dimension."""
    row, column, channel, filter_ = operand.strides
    return Operand(operand.dtype, (row, column, channel, channel if multiplier == 1 else filter_))


def is_mergeable(operand: Operand, channels: int, multiplier: int) -> bool:
    """Whether the multipliers of a channel and those of the next lie at equal distances.

    >>> is_mergeable(Operand("float32", (12, 6, 2, 1)), 3, 2)
    True
    """
    channel, filter_ = operand.strides[2:]
    return channels == 1 or multiplier == 1 or channel == multiplier * filter_
