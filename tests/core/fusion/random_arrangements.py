"""Operations of random graphs that move elements: views, parts, copies."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.random_values import Draw, Drawn, Shape, count


def reshape(draw: Draw, x: Drawn) -> Drawn:
    """Another shape for the same elements."""
    total = count(x.shape)
    if not total:
        shape: Shape = draw.one_of([(0,), (3, 0), (0, 5)])
    else:
        divisors = [d for d in range(1, min(total, 64) + 1) if total % d == 0]
        first = draw.one_of(divisors)
        shape = draw.one_of([(total,), (first, total // first), (1, total // first, first)])
    return x.derived(tf.reshape(x.tensor, shape), shape)


def transpose(draw: Draw, x: Drawn) -> Drawn:
    """The axes in another order."""
    order = draw.random.permutation(len(x.shape)).tolist()
    return x.derived(tf.transpose(x.tensor, order), tuple(x.shape[a] for a in order))


def strided(draw: Draw, x: Drawn) -> Drawn | None:
    """Every so many elements, from a place to another, forward or backward."""
    if not x.shape:
        return None
    slices: list[Any] = []
    for extent in x.shape:
        start = draw.number(extent) if extent else 0
        slices.append(draw.one_of([slice(None), slice(start, None), slice(None, None, 2)]))
    if draw.number(3) == 0 and x.shape[0]:
        slices[0] = draw.number(x.shape[0])
    elif draw.number(3) == 0:
        slices[-1] = slice(None, None, -1)
    result = x.tensor[tuple(slices)]
    return x.derived(result, np.empty(x.shape)[tuple(slices)].shape)


def concatenation(draw: Draw, x: Drawn) -> Drawn | None:
    """A tensor beside itself, negated, or stacked on it."""
    if not x.shape or count(x.shape) > 2000:
        return None
    axis = draw.number(len(x.shape))
    if draw.number(3) == 0:
        shape = (*x.shape[:axis], 2, *x.shape[axis:])
        return x.derived(tf.stack([x.tensor, -x.tensor], axis), shape)
    shape = (*x.shape[:axis], 2 * x.shape[axis], *x.shape[axis + 1 :])
    return x.derived(tf.concat([x.tensor, -x.tensor], axis), shape)


def part(draw: Draw, x: Drawn) -> Drawn | None:
    """One of the parts that a tensor is split into."""
    axes = [a for a, e in enumerate(x.shape) if e > 1 and x.tensor.shape[a].value is not None]
    if not axes:
        return None
    axis = draw.one_of(axes)
    pieces = draw.one_of([d for d in range(2, x.shape[axis] + 1) if x.shape[axis] % d == 0])
    if draw.number(3) == 0:
        parts = tf.unstack(x.tensor, x.shape[axis], axis)
        return x.derived(parts[draw.number(len(parts))], x.shape[:axis] + x.shape[axis + 1 :])
    parts = tf.split(x.tensor, pieces, axis)
    shape = (*x.shape[:axis], x.shape[axis] // pieces, *x.shape[axis + 1 :])
    return x.derived(parts[draw.number(pieces)], shape)


def gather(draw: Draw, x: Drawn) -> Drawn | None:
    """Rows by their numbers."""
    if not x.shape or not x.shape[0]:
        return None
    numbers = draw.random.randint(0, x.shape[0], draw.one_of([1, 5, 7]))
    return x.derived(tf.gather(x.tensor, numbers), (numbers.size, *x.shape[1:]))


def padded(draw: Draw, x: Drawn) -> Drawn | None:
    """With zeros around it."""
    if not x.shape or count(x.shape) > 1000:
        return None
    widths = [(draw.number(2), draw.number(3)) for _ in x.shape]
    shape = tuple(b + e + a for (b, a), e in zip(widths, x.shape, strict=True))
    return x.derived(tf.pad(x.tensor, widths), shape)


def tiled(draw: Draw, x: Drawn) -> Drawn | None:
    """Several times over."""
    if not x.shape or count(x.shape) > 1000:
        return None
    times = [1 + draw.number(2) for _ in x.shape]
    shape = tuple(t * e for t, e in zip(times, x.shape, strict=True))
    return x.derived(tf.tile(x.tensor, times), shape)


ARRANGEMENTS = [reshape, transpose, strided, concatenation, part, gather, padded, tiled]
