"""Windows folded into one value each, and spread back: what pools are made of.

The windows extend over any axes of an array of any layout, one `Axis` for each dimension.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from workbench.core.kernels.masking import Mask
from workbench.core.kernels.windows import Array, Axis, along, tap_positions, tap_slices

Slices = tuple[slice, ...]

# Outputs whose windows are searched at a time.
_BLOCK = 1 << 16


def output_shape(axes: Sequence[Axis]) -> tuple[int, ...]:
    """The shape of what the windows are folded into."""
    return tuple(axis.output for axis in axes)


def folded(operation: np.ufunc, array: Array, axes: Sequence[Axis]) -> Array:
    """Every window combined with ``operation``, axis by axis: as many steps as the taps' sum."""
    if not all(axis.output for axis in axes) or not array.size:
        return np.zeros(output_shape(axes), array.dtype)
    result = array
    for dimension, axis in enumerate(axes):
        if not _trivial(axis):
            result = _folded_along(operation, result, dimension, axis)
    return result.copy() if result is array else result


def spread(array: Array, axes: Sequence[Axis]) -> Array:
    """The transpose of folding with a sum: each output added to every input of its window."""
    # The last axis first: the largest steps are then those with the longest runs.
    for dimension, axis in reversed(list(enumerate(axes))):
        if _trivial(axis):
            continue
        shape = list(array.shape)
        shape[dimension] = axis.size
        result = np.zeros(shape, array.dtype)
        for tap in range(axis.taps):
            outputs, inputs = tap_slices(axis, tap)
            target = result[along(dimension, inputs)]
            if disjoint((axis,)):
                target[...] = array[along(dimension, outputs)]
            else:
                target += array[along(dimension, outputs)]
        array = result
    return array


def counts(axes: Sequence[Axis], dtype: np.dtype[Any]) -> Array:
    """How many inputs each window sees, in the shape of the outputs but for axes of equal ones."""
    result = np.ones((1,) * len(axes), dtype)
    for dimension, axis in enumerate(axes):
        seen = np.zeros(axis.output, dtype)
        for tap in range(axis.taps):
            seen[tap_slices(axis, tap)[0]] += 1
        if (seen == seen[0]).all():
            seen = seen[:1]
        result = result * seen.reshape(-1, *(1,) * (len(axes) - dimension - 1))
    return result


def first_maxima(
    orig_input: Array, orig_output: Array, axes: Sequence[Axis]
) -> Iterator[tuple[Slices, Slices, Mask]]:
    """Tap by tap: the outputs it belongs to, their inputs, and where it is the first maximum.

    Some images at a time, few enough that what is met again at the next tap is still in the cache.
    """
    batch, *shape = orig_output.shape
    # ml_dtypes' floats are of no kind of NumPy's own, so the integers are named instead.
    floating = orig_input.dtype.kind not in "iub"
    any_nan = floating and bool(np.isnan(orig_output).any())
    step = max(1, _BLOCK // max(1, prod(shape)))
    taps = [
        [tap_slices(axis, tap) for axis, tap in zip(axes, position, strict=True)][1:]
        for position in tap_positions(axes)
    ]
    for start in range(0, batch, step):
        images = slice(start, min(start + step, batch))
        pending = np.ones((images.stop - start, *shape), np.bool_)
        for slices in taps:
            outputs = (images, *(part for part, _ in slices))
            inputs = (images, *(part for _, part in slices))
            values = orig_input[inputs]
            first = values == orig_output[outputs]
            if any_nan:
                first |= np.isnan(values)
            waiting = pending[(slice(None), *outputs[1:])]
            first &= waiting
            waiting ^= first
            yield outputs, inputs, first


def disjoint(axes: Sequence[Axis]) -> bool:
    """Whether no input is seen by two windows."""
    return all(axis.taps <= axis.stride for axis in axes)


def _folded_along(operation: np.ufunc, array: Array, dimension: int, axis: Axis) -> Array:
    # The tap at the depth of the padding meets an input in every window: it makes the start.
    parts = [
        (along(dimension, outputs), array[along(dimension, inputs)])
        for tap in (axis.before, *(t for t in range(axis.taps) if t != axis.before))
        for outputs, inputs in [tap_slices(axis, tap)]
    ]
    _, start = parts.pop(0)
    if parts and parts[0][1].shape == start.shape:
        result: Array = operation(start, parts.pop(0)[1])
    else:
        result = start.copy()
    for outputs, values in parts:
        operation(result[outputs], values, out=result[outputs])
    return result


def _trivial(axis: Axis) -> bool:
    return axis.taps == 1 and axis.stride == 1
