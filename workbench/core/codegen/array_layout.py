"""How the elements of an array lie in memory, and what becomes of that without moving them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Shape = tuple[int, ...]


class Layout(NamedTuple):
    """Shape, strides and the place of the first element, all in elements.

    >>> contiguous((2, 3)).transposed((1, 0))
    Layout(shape=(3, 2), strides=(1, 3), offset=0)
    """

    shape: Shape
    strides: Shape
    offset: int = 0

    @property
    def is_contiguous(self) -> bool:
        """True where the elements follow each other in order (from the offset on)."""
        return 0 in self.shape or all(
            size == 1 or stride == wanted
            for size, stride, wanted in zip(
                self.shape, self.strides, contiguous(self.shape).strides, strict=True
            )
        )

    def transposed(self, order: Sequence[int]) -> Layout:
        """With the axes in another order."""
        shape = tuple(self.shape[a] for a in order)
        return Layout(shape, tuple(self.strides[a] for a in order), self.offset)

    def sliced(self, axis: int, start: int, count: int, step: int = 1) -> Layout:
        """`count` places of an axis from `start` on, each `step` behind the one before.

        >>> contiguous((4, 5)).sliced(1, 1, 2, 2)
        Layout(shape=(4, 2), strides=(5, 2), offset=1)
        """
        stride = self.strides[axis]
        shape = (*self.shape[:axis], count, *self.shape[axis + 1 :])
        strides = (*self.strides[:axis], stride * step, *self.strides[axis + 1 :])
        return Layout(shape, strides, self.offset + start * stride)

    def without(self, axis: int) -> Layout:
        """The first place of an axis, which goes away."""
        shape, strides = self.shape, self.strides
        return Layout(
            shape[:axis] + shape[axis + 1 :], strides[:axis] + strides[axis + 1 :], self.offset
        )

    def with_axis(self, axis: int) -> Layout:
        """A new axis of size 1."""
        shape, strides = self.shape, self.strides
        return Layout(
            (*shape[:axis], 1, *shape[axis:]), (*strides[:axis], 0, *strides[axis:]), self.offset
        )

    def broadcast(self, shape: Shape) -> Layout | None:
        """Repeated along new leading axes and along axes of size 1; None where it does not fit.

        >>> contiguous((3, 1)).broadcast((2, 3, 4))
        Layout(shape=(2, 3, 4), strides=(0, 1, 0), offset=0)
        """
        extra = len(shape) - len(self.shape)
        if extra < 0:
            return None
        strides = [0] * extra
        for size, stride, wanted in zip(self.shape, self.strides, shape[extra:], strict=True):
            if size not in (1, wanted):
                return None
            strides.append(stride if size == wanted and size != 1 else 0)
        return Layout(shape, tuple(strides), self.offset)

    def reshaped(self, shape: Shape) -> Layout | None:
        """In another shape of as many elements; None where they would have to move.

        >>> contiguous((4, 6)).sliced(1, 0, 3).reshaped((2, 2, 3))
        Layout(shape=(2, 2, 3), strides=(12, 6, 1), offset=0)
        >>> contiguous((4, 6)).sliced(1, 0, 3).reshaped((12,)) is None
        True
        """
        if math.prod(shape) != math.prod(self.shape):
            return None
        if 0 in shape:
            return Layout(shape, contiguous(shape).strides, self.offset)
        blocks = self._blocks()
        strides: list[int] = []
        # From the last axis to the first: each new axis takes its part of the block it ends in.
        size, stride = blocks.pop() if blocks else (1, 1)
        for wanted in reversed(shape):
            if wanted == 1:
                strides.append(0)
                continue
            if size == 1 and blocks:
                size, stride = blocks.pop()
            if size % wanted:
                return None
            strides.append(stride)
            size //= wanted
            stride *= wanted
        return Layout(shape, tuple(reversed(strides)), self.offset)

    def _blocks(self) -> list[tuple[int, int]]:
        """(size, stride) of axes, with those joined that lie in each other without a gap."""
        blocks: list[tuple[int, int]] = []
        for size, stride in zip(self.shape, self.strides, strict=True):
            if size == 1:
                continue
            if blocks and blocks[-1][1] == size * stride:
                blocks[-1] = (blocks[-1][0] * size, stride)
            else:
                blocks.append((size, stride))
        return blocks


def contiguous(shape: Shape) -> Layout:
    """The layout of elements that follow each other, the last axis fastest."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return Layout(shape, tuple(reversed(strides)))
