"""Parts of tensors: how a checkpoint calls them, and how they are put together.

A part is written as ``"4 6 0,2:-"``: the shape of the whole, then for each axis where the part
starts and how long it is, or ``-`` for all of the axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.errors import InvalidArgumentError


class TensorSlice(NamedTuple):
    """A part of a tensor: the shape of the whole, and the part's start and size on each axis."""

    full_shape: tuple[int, ...]
    start: tuple[int, ...]
    size: tuple[int, ...]

    @property
    def region(self) -> tuple[slice, ...]:
        """What to index the whole with to get the part."""
        return tuple(slice(a, a + n) for a, n in zip(self.start, self.size, strict=True))


def parse_slice(text: str) -> TensorSlice:
    """The part that ``text`` names.

    Raises:
      InvalidArgumentError: it names none.

    >>> parse_slice("4 6 0,2:-")
    TensorSlice(full_shape=(4, 6), start=(0, 0), size=(2, 6))
    """
    *sizes, extents = text.split(" ")
    try:
        full = tuple(int(size) for size in sizes)
        parts = extents.split(":")
        if len(parts) != len(full):
            raise ValueError
        starts, lengths = [], []
        for whole, extent in zip(full, parts, strict=True):
            start, length = (0, whole) if extent == "-" else map(int, extent.split(","))
            if start < 0 or length < 0 or start + length > whole:
                raise ValueError
            starts.append(start)
            lengths.append(length)
    except ValueError:
        raise InvalidArgumentError(
            None,
            None,
            f"{text!r} names no part of a tensor: expected the shape, then start,size for each "
            f"axis, such as '4 6 0,2:-'",
        ) from None
    return TensorSlice(full, tuple(starts), tuple(lengths))


#: Stands between the name and the part of a tensor in a shard, which is put together with others.
_SEPARATOR = "\0"


def part_name(name: str, text: str) -> str:
    """What a shard calls the part ``text`` of a tensor; the tensor itself where it is empty."""
    return f"{name}{_SEPARATOR}{text}" if text else name


def split_part_name(name: str) -> tuple[str, str]:
    """A tensor's name, and which part of it: "" for all.

    >>> split_part_name(part_name("w", "4 0,2")), split_part_name("w")
    (('w', '4 0,2'), ('w', ''))
    """
    base, _, text = name.partition(_SEPARATOR)
    return base, text


def assemble(
    name: str, parts: Sequence[tuple[TensorSlice, np.ndarray[Any, Any]]]
) -> np.ndarray[Any, Any]:
    """The whole tensor that the parts make up.

    Raises:
      InvalidArgumentError: the parts are of different wholes, overlap or leave something out.
    """
    first, sample = parts[0]
    shape = first.full_shape
    covered = 0
    for part, array in parts:
        if part.full_shape != shape or array.shape != part.size or array.dtype != sample.dtype:
            raise InvalidArgumentError(
                None,
                None,
                f"The parts of tensor {name!r} do not belong together: one is {sample.dtype} "
                f"{first.size} of {list(shape)}, another {array.dtype} {array.shape} of "
                f"{list(part.full_shape)}",
            )
        covered += math.prod(part.size)
    taken = np.zeros(shape, bool)
    whole = np.empty(shape, sample.dtype)
    for part, array in parts:
        whole[part.region] = array
        taken[part.region] = True
    if covered != math.prod(shape) or not taken.all():
        raise InvalidArgumentError(
            None,
            None,
            f"The parts of tensor {name!r} that are saved do not make up its shape "
            f"{list(shape)}: they have {covered} elements, {int(taken.sum())} of them different. "
            f"Save all parts of a partitioned variable with one Saver",
        )
    return whole
