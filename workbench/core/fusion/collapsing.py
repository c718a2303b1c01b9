"""Loops over many dimensions made into loops over few."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

Strides = tuple[int, ...]


def collapse(
    space: Sequence[int], operands: Sequence[Strides], borders: Sequence[int] = ()
) -> tuple[tuple[int, ...], list[Strides]]:
    """The same space with dimensions joined where every operand goes through both in one stride.

    Dimensions on two sides of a border (a position between them) are never joined; every part
    between borders keeps at least one dimension. Dimensions of size 1 go.

    >>> collapse((2, 3, 4), [(12, 4, 1), (0, 0, 0), (0, 0, 1)])
    ((6, 4), [(4, 1), (0, 0), (0, 1)])
    >>> collapse((2, 3, 4), [(12, 4, 1)], borders=[2])
    ((6, 4), [(4, 1)])
    """
    edges = [0, *sorted(borders), len(space)]
    shape: list[int] = []
    strides: list[list[int]] = [[] for _ in operands]
    for begin, end in itertools.pairwise(edges):
        first = len(shape)
        for d in range(begin, end):
            if space[d] == 1:
                continue
            mine = [o[d] for o in operands]
            joins = len(shape) > first and all(
                s[-1] == m * space[d] for s, m in zip(strides, mine, strict=True)
            )
            if joins:
                shape[-1] *= space[d]
                for s, m in zip(strides, mine, strict=True):
                    s[-1] = m
            else:
                shape.append(space[d])
                for s, m in zip(strides, mine, strict=True):
                    s.append(m)
        if len(shape) == first and (begin < end or borders or not space):
            shape.append(1)
            for s in strides:
                s.append(0)
    return tuple(shape), [tuple(s) for s in strides]
