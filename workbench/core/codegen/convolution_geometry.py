"""Convolutions as correlations: what is read, by which windows, and where results go.

A forward convolution is one correlation of its images. The gradient by the images is one of the
gradient of the result with the filter turned round, for strides above 1 one for each residue class
of the inputs, since the inputs of a class meet the same taps of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from workbench.core.codegen.convolution_padding import Pixel
from workbench.core.codegen.specs import Argument, ConvolutionSpec, Operand
from workbench.core.kernels.windows import Axis


@dataclass(frozen=True)
class Source:
    """Images that are read, by pixels: strides in elements, in the order (batch, row, column).

    `channel` is the stride of what is summed over. A copy of a pixel has the elements of `pixel`,
    and then the stride `copied_channel`.
    """

    argument: Argument
    strides: tuple[int, int, int]
    channel: int
    pixel: Pixel
    copied_channel: int
    #: Whether a kernel can read them only from a copy.
    only_copied: bool = False


def dense_source(number: int, operand: Operand, channels: int) -> Source:
    """An operand with strides (batch, row, column, channel), all channels for each filter."""
    *by_place, channel = operand.strides
    pixel = Pixel((1, 0), (channels, channel))
    argument = Argument("operand", number)
    return Source(argument, (by_place[0], by_place[1], by_place[2]), channel, pixel, 1)


@dataclass(frozen=True)
class Bank:
    """A filter in memory: strides in elements, in the order (row, column, depth).

    The filters of a tile lie side by side; `block` is from those of one tile to the next.
    """

    argument: Argument
    strides: tuple[int, int, int]
    block: int
    #: Whether whole vectors may be read, behind the last filter too.
    padded: bool


@dataclass(frozen=True)
class Correlation:
    """`result[b, r, c, f] = sum of source[b, r * s + y * d - before, ..., k] * bank[y, x, k, f]`.

    A lanewise one has an element `k + f` of the source instead: each filter has its own channels.
    """

    source: Source
    rows: Axis
    columns: Axis
    depth: int
    filters: int
    dtype: str
    #: Where the first of the results is in the operands of the epilogue, and from each to the next.
    first: tuple[int, int] = (0, 0)
    step: tuple[int, int] = (1, 1)
    lanewise: bool = False


def window_axes(spec: ConvolutionSpec) -> tuple[Axis, Axis]:
    """The windows of the forward convolution along the rows and the columns."""
    rows, columns = (
        Axis(size, taps, stride, dilation, before, output)
        for size, taps, stride, dilation, (before, _), output in zip(
            spec.image,
            spec.window,
            spec.strides,
            spec.dilations,
            spec.padding,
            spec.result,
            strict=True,
        )
    )
    return rows, columns


@dataclass(frozen=True)
class Phase:
    """The inputs `first`, `first + stride`, ... along one axis, and what they get.

    Input `first + stride * j` gets the sum over `t` of the gradient at
    `j + t * axis.dilation - axis.before`, times tap `tap - t * tap_step` of the window.
    """

    first: int
    tap: int
    tap_step: int
    axis: Axis


def phases(window: Axis) -> list[Phase]:
    """The gradient by the inputs, along one axis, as correlations of stride 1.

    >>> [phase.axis.taps for phase in phases(Axis(8, 3, 2, 1, 0, 4))]
    [2, 1]
    """
    found = []
    stride, dilation, before = window.stride, window.dilation, window.before
    common = gcd(stride, dilation)
    for first in range(min(stride, window.size)):
        place = first + before
        taps = [tap for tap in range(window.taps) if (place - tap * dilation) % stride == 0]
        inputs = -(-(window.size - first) // stride)
        # Input first + stride * j meets tap t at output j + (place - t * dilation) / stride; with
        # the last tap first the outputs go up.
        last = taps[-1] if taps else 0
        start = (place - last * dilation) // stride
        axis = Axis(window.output, len(taps), 1, dilation // common, -start, inputs)
        found.append(Phase(first, last, stride // common, axis))
    return found
