"""The arithmetic of sliding windows: one piece that serves convolutions and pools.

Along one axis, output ``o`` of a window sees the inputs ``o * stride + tap * dilation - before``
for every tap; what falls outside of the input is padding. ``Axis`` holds these numbers. Everything
here works on any count of axes, so a 2-D and a 3-D kernel are the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from workbench.core.kernels.support import invalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"


class Axis(NamedTuple):
    """A window along one axis of its input.

    ``before`` is the padding in front of the first input; a negative one skips inputs.
    """

    size: int
    taps: int
    stride: int
    dilation: int
    before: int
    output: int

    @property
    def span(self) -> int:
        """How many positions, padding included, all the windows cover together."""
        return (self.output - 1) * self.stride + (self.taps - 1) * self.dilation + 1

    @property
    def inside(self) -> bool:
        """Whether no window reaches into the padding."""
        return self.before <= 0 and self.span - self.before <= self.size

    def part(self, start: int, stop: int) -> Axis:
        """The same window for the outputs ``start`` to ``stop`` only."""
        return self._replace(before=self.before - start * self.stride, output=stop - start)


def window_axis(size: int, taps: int, stride: int, dilation: int, padding: str) -> Axis:
    """The window of TensorFlow's ``padding`` ("SAME" or "VALID") along an axis of ``size``.

    SAME gives ``ceil(size / stride)`` outputs; an odd count of padding has the extra one behind.

    >>> window_axis(5, 2, 1, 1, "SAME").before, window_axis(5, 2, 1, 1, "VALID").output
    (0, 4)

    Raises:
      InvalidArgumentError: the window does not fit, or an attribute is out of its range.
    """
    if stride < 1 or dilation < 1 or taps < 1:
        raise invalid(
            "a window needs at least 1 tap, stride 1 and dilation 1, "
            f"got {taps} taps, stride {stride}, dilation {dilation}",
        )
    reach = (taps - 1) * dilation + 1
    if padding == "SAME":
        output = -(-size // stride)
        before = max((output - 1) * stride + reach - size, 0) // 2
    elif padding == "VALID":
        before = 0
        # Truncated towards zero: a window just too large gives no output, a far larger one is
        # refused, both as in TensorFlow.
        room = size - reach + stride
        output = room // stride if room >= 0 else -(-room // stride)
        if output < 0:
            raise invalid(
                f"a window over {reach} positions does not fit into {size} with padding 'VALID'"
            )
    else:
        raise invalid(f"padding must be 'SAME' or 'VALID', got {padding!r}")
    return Axis(size, taps, stride, dilation, before, output)


def window_axes(
    sizes: Sequence[int],
    taps: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: str,
) -> tuple[Axis, ...]:
    """The windows along several axes at once."""
    return tuple(
        window_axis(int(size), int(tap), int(stride), int(dilation), padding)
        for size, tap, stride, dilation in zip(sizes, taps, strides, dilations, strict=True)
    )


def channels_last(array: Array, data_format: str) -> Array:
    """``array`` viewed with its channels as the last axis, whatever its ``data_format``.

    >>> channels_last(np.zeros((2, 3, 8, 9)), "NCHW").shape
    (2, 8, 9, 3)
    """
    if channel_axis(data_format, array.ndim) == 1:
        return np.moveaxis(array, 1, -1)
    return array


def from_channels_last(array: Array, data_format: str) -> Array:
    """A channels-last ``array`` viewed in ``data_format``."""
    if channel_axis(data_format, array.ndim) == 1:
        return np.moveaxis(array, -1, 1)
    return array


def channel_axis(data_format: str, rank: int) -> int:
    """The axis of the channels: 1 for NCHW and NCDHW, the last one for NHWC and NDHWC.

    Raises:
      InvalidArgumentError: there is no such format, or it has not ``rank`` letters.
    """
    if len(data_format) == rank:
        if data_format in ("NHWC", "NDHWC"):
            return rank - 1
        if data_format in ("NCHW", "NCDHW"):
            return 1
    accepted = {4: "'NHWC' or 'NCHW'", 5: "'NDHWC' or 'NCDHW'"}.get(rank, "a tensor of rank 4 or 5")
    raise invalid(f"data_format of a tensor of rank {rank} must be {accepted}, got {data_format!r}")


def spatial(values: Sequence[int], data_format: str, name: str) -> tuple[int, ...]:
    """The part of an attribute such as ``strides`` that belongs to the spatial axes.

    Raises:
      InvalidArgumentError: a stride or dilation over the batch or the channels.
    """
    values = tuple(int(value) for value in values)
    channel = channel_axis(data_format, len(values))
    if values[0] != 1 or values[channel] != 1:
        raise invalid(
            f"{name} must be 1 for the batch and the channels ({data_format}), got {values}"
        )
    return values[2:] if channel == 1 else values[1:-1]


def along(dimension: int, part: slice | Array) -> tuple[Any, ...]:
    """The index that takes ``part`` of one dimension and all of the others."""
    return (*(slice(None),) * dimension, part)


def tap_slices(axis: Axis, tap: int) -> tuple[slice, slice]:
    """The outputs whose ``tap`` lies on an input, and those inputs: equally long slices.

    Walking the taps with these needs neither a padded copy nor a value to pad with.

    >>> tap_slices(window_axis(5, 3, 1, 1, "SAME"), 0)
    (slice(1, 5, None), slice(0, 4, 1))
    """
    offset = tap * axis.dilation - axis.before
    first = max(0, -(offset // axis.stride))
    stop = min(axis.output, (axis.size - 1 - offset) // axis.stride + 1)
    if stop <= first:
        return slice(0, 0), slice(0, 0)
    start = first * axis.stride + offset
    last = (stop - 1) * axis.stride + offset
    return slice(first, stop), slice(start, last + 1, axis.stride)


def tap_positions(axes: Sequence[Axis]) -> Iterator[tuple[int, ...]]:
    """All the positions in a window, row by row."""
    return np.ndindex(*(axis.taps for axis in axes))


def padded(array: Array, axes: Sequence[Axis]) -> Array:
    """The inputs ``(batch, spatial..., channels)`` that the windows span, zeros in the padding.

    A view where no window reaches into the padding.
    """
    inner = tuple(
        slice(max(-axis.before, 0), max(min(axis.span - axis.before, axis.size), 0))
        for axis in axes
    )
    source = array[(slice(None), *inner)]
    if all(axis.inside for axis in axes):
        return source
    shape = (array.shape[0], *(max(axis.span, 0) for axis in axes), array.shape[-1])
    result = np.zeros(shape, array.dtype)
    target = tuple(
        slice(axis.before + part.start, axis.before + part.start + length)
        for axis, part, length in zip(axes, inner, source.shape[1:-1], strict=True)
    )
    result[(slice(None), *target)] = source
    return result


def sliding(array: Array, axes: Sequence[Axis]) -> Array:
    """All windows of a `padded` array: a view ``(batch, outputs..., taps..., channels)``.

    An axis of one tap and stride 1 keeps its whole length as outputs.
    """
    batch, *steps, channel = array.strides
    return as_strided(
        array,
        (
            array.shape[0],
            *(axis.output for axis in axes),
            *(axis.taps for axis in axes),
            array.shape[-1],
        ),
        (
            batch,
            *(step * axis.stride for step, axis in zip(steps, axes, strict=True)),
            *(step * axis.dilation for step, axis in zip(steps, axes, strict=True)),
            channel,
        ),
        writeable=False,
    )
