"""The static shapes of what slides windows over an input: convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor


def output_size(size: Entry, taps: Entry, stride: int, dilation: int, padding: str) -> Entry:
    """How many windows there are along an axis; ValueError where not even one fits.

    A size that is not known passes through where the windows cannot change it, so that a symbol
    survives a convolution.

    >>> output_size(5, 3, 2, 1, "VALID"), output_size("height", 3, 1, 1, "SAME")
    (2, 'height')
    """
    if stride < 1:
        raise ValueError(f"Stride must be > 0, but got {stride}")
    if dilation < 1:
        raise ValueError(f"Dilation rate must be > 0, but got {dilation}")
    if padding == "SAME":
        if not isinstance(size, int):
            return size if stride == 1 else None
        return -(-size // stride)
    if taps == 1 and stride == 1:
        return size
    if not isinstance(size, int) or not isinstance(taps, int):
        return None
    reach = (taps - 1) * dilation + 1
    if reach > size:
        raise ValueError(f"Negative dimension size caused by subtracting {reach} from {size}")
    return (size - reach) // stride + 1


def is_channels_first(data_format: str | None) -> bool:
    """True for NCHW, NCDHW, NCW: the channels right behind the batch."""
    return bool(data_format) and str(data_format).startswith("NC")


def spatial_axes(rank: int, data_format: str | None) -> range:
    """The axes that windows slide along."""
    return range(2, rank) if is_channels_first(data_format) else range(1, rank - 1)


def channel_axis(rank: int, data_format: str | None) -> int:
    """The axis of the channels."""
    return 1 if is_channels_first(data_format) else rank - 1


def spatial_values(values: Sequence[int], rank: int, data_format: str, name: str) -> list[int]:
    """The part of an attribute such as strides that belongs to the spatial axes.

    ValueError where it has another length, InvalidArgumentError (as TensorFlow has it) where it
    steps over the batch or the channels.
    """
    if len(values) != rank:
        raise ValueError(
            f"{name} must contain {rank} values ({data_format}), but got {len(values)}: "
            f"{list(values)}"
        )
    if values[0] != 1 or values[channel_axis(rank, data_format)] != 1:
        raise InvalidArgumentError(
            None,
            None,
            f"{name} in the batch and depth dimensions must be 1 ({data_format}), got "
            f"{list(values)}",
        )
    return [values[axis] for axis in spatial_axes(rank, data_format)]


def arranged(
    batch: Entry, spatial: Sequence[Entry], channels: Entry, data_format: str | None
) -> tuple[Entry, ...]:
    """A shape in `data_format`."""
    if is_channels_first(data_format):
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def spread(values: Any, rank: int, data_format: str | None, name: str) -> list[int]:
    """`values` for every axis of a tensor of `rank`: an int or spatial values get ones beside.

    >>> spread(2, 4, "NHWC", "strides"), spread([1, 2, 2, 1], 4, "NHWC", "strides")
    ([1, 2, 2, 1], [1, 2, 2, 1])
    """
    if values is None:
        return [1] * rank
    sizes = [int(v) for v in values] if hasattr(values, "__iter__") else [int(values)]
    if len(sizes) == rank:
        return sizes
    if len(sizes) == 1:
        sizes *= rank - 2
    if len(sizes) != rank - 2:
        raise ValueError(
            f"{name} must have 1, {rank - 2} or {rank} values, got {len(sizes)}: {sizes}"
        )
    return [int(e) for e in arranged(1, sizes, 1, data_format) if isinstance(e, int)]


def product(entries: Sequence[Entry]) -> float:
    """The number of elements for a cost: sizes that are not known count as 1."""
    total = 1.0
    for entry in entries:
        total *= entry if isinstance(entry, int) else 1
    return total


def entries_of(tensor: Tensor, rank: int) -> tuple[Entry, ...]:
    """The static shape of a tensor of `rank`, all unknown where nothing is known."""
    return (None,) * rank if tensor.entries is None else tensor.entries
