"""Pooling over regions of randomly varying size (Graham, 2014), and its gradients.

A pooling sequence holds the borders of the regions along an axis: region ``i`` reaches from
``sequence[i]`` to before ``sequence[i + 1]``, or up to and including it if the regions overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.masking import Mask, kept_where
from workbench.core.kernels.support import invalid
from workbench.core.kernels.windows import Array, along

Integers = NDArray[np.int64]


def fractional_max_pool(
    value: Array,
    *,
    pooling_ratio: Sequence[float],
    pseudo_random: bool = False,
    overlapping: bool = False,
    generator: np.random.Generator,
) -> tuple[Array, Integers, Integers]:
    """The largest value of each region of an NHWC batch, and the sequences of rows and columns.

    >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> output, rows, columns = fractional_max_pool(
    ...     image, pooling_ratio=(1, 1.5, 3, 1), generator=np.random.default_rng(0)
    ... )
    >>> output.shape, columns
    ((1, 2, 1, 1), array([0, 3]))

    Raises:
      InvalidArgumentError: a ratio is below 1, above the size of its axis, or is not 1 for the
        batch or the channels.
    """
    rows, columns = _sequences(value.shape, pooling_ratio, pseudo_random, generator)
    result = value
    for axis, sequence in ((1, rows), (2, columns)):
        result = _Regions.of(sequence, value.shape[axis], overlapping).fold(
            np.maximum, result, axis
        )
    return result, rows, columns


def fractional_avg_pool(
    value: Array,
    *,
    pooling_ratio: Sequence[float],
    pseudo_random: bool = False,
    overlapping: bool = False,
    generator: np.random.Generator,
) -> tuple[Array, Integers, Integers]:
    """The mean of each region of an NHWC batch, and the sequences of rows and columns.

    Integer means are truncated towards zero.
    """
    rows, columns = _sequences(value.shape, pooling_ratio, pseudo_random, generator)
    result, count = value, np.ones((1, 1, 1), np.int64)
    for axis, sequence in ((1, rows), (2, columns)):
        regions = _Regions.of(sequence, value.shape[axis], overlapping)
        result = regions.fold(np.add, result, axis)
        count = count * regions.lengths.reshape(-1, *(1,) * (3 - axis))
    if value.dtype.kind == "f":
        return result / count.astype(value.dtype), rows, columns
    mean = np.abs(result) // count.astype(value.dtype) * np.sign(result)
    return mean, rows, columns


def fractional_max_pool_grad(
    orig_input: Array,
    orig_output: Array,
    out_backprop: Array,
    row_pooling_sequence: Integers,
    col_pooling_sequence: Integers,
    *,
    overlapping: bool = False,
) -> Array:
    """The gradient of ``fractional_max_pool``: it goes to the first maximum of each region."""
    rows, columns = _checked(
        orig_input.shape, out_backprop, row_pooling_sequence, col_pooling_sequence, overlapping
    )
    result = np.zeros(orig_input.shape, out_backprop.dtype)
    pending = np.ones(orig_output.shape, np.bool_)
    for row_regions, row_inputs in rows.taps():
        for column_regions, column_inputs in columns.taps():
            outputs = (slice(None), row_regions[:, None], column_regions)
            # No input comes twice within one tap, so that += adds each of them.
            inputs = (slice(None), row_inputs[:, None], column_inputs)
            values = orig_input[inputs]
            first: Mask = (values == orig_output[outputs]) & pending[outputs]
            if values.dtype.kind == "f":
                first |= np.isnan(values) & pending[outputs]
            pending[outputs] &= ~first
            result[inputs] += kept_where(first, out_backprop[outputs])
    return result


def fractional_avg_pool_grad(
    orig_input_tensor_shape: Array,
    out_backprop: Array,
    row_pooling_sequence: Integers,
    col_pooling_sequence: Integers,
    *,
    overlapping: bool = False,
) -> Array:
    """The gradient of ``fractional_avg_pool``: each region's is shared by its inputs."""
    shape = tuple(np.asarray(orig_input_tensor_shape).tolist())
    both = _checked(shape, out_backprop, row_pooling_sequence, col_pooling_sequence, overlapping)
    rows, columns = both
    shares = out_backprop / np.outer(rows.lengths, columns.lengths)[..., None].astype(np.float64)
    for axis, regions in enumerate(both, start=1):
        spread = np.zeros((*shares.shape[:axis], shape[axis], *shares.shape[axis + 1 :]))
        for which, inputs in regions.taps():
            spread[along(axis, inputs)] += shares.take(which, axis)
        shares = spread
    return shares.astype(out_backprop.dtype)


class _Regions(NamedTuple):
    """The regions along an axis: where each begins, and how many inputs it has."""

    starts: Integers
    lengths: Integers

    @classmethod
    def of(cls, sequence: Integers, size: int, overlapping: bool) -> _Regions:
        ends = np.minimum(sequence[1:] + int(overlapping), size)
        return cls(sequence[:-1], ends - sequence[:-1])

    def taps(self) -> Iterator[tuple[Integers, Integers]]:
        """First, second, ... inputs of the regions: the regions that have one, and the inputs."""
        for tap in range(int(self.lengths.max(initial=0))):
            which = np.flatnonzero(self.lengths > tap)
            yield which, self.starts[which] + tap

    def fold(self, operation: np.ufunc, array: Array, axis: int) -> Array:
        """The inputs of each region combined by ``operation``."""
        taps = self.taps()
        _, inputs = next(taps)
        result = array.take(inputs, axis)
        for which, inputs in taps:
            target = along(axis, which)
            result[target] = operation(result[target], array.take(inputs, axis))
        return result


def _sequences(
    shape: Sequence[int],
    pooling_ratio: Sequence[float],
    pseudo_random: bool,
    generator: np.random.Generator,
) -> tuple[Integers, Integers]:
    """Random pooling sequences for the rows and the columns of an NHWC batch."""
    if len(shape) != 4 or len(pooling_ratio) != 4:
        raise invalid(
            "fractional pooling takes a value of rank 4 and 4 pooling ratios, "
            f"got a value of shape {tuple(shape)} and the ratios {tuple(pooling_ratio)}"
        )
    if pooling_ratio[0] != 1 or pooling_ratio[3] != 1:
        raise invalid(
            "fractional pooling over the batch or the channels is not possible: "
            f"pooling_ratio must begin and end with 1, got {tuple(pooling_ratio)}"
        )
    sequences = []
    for size, ratio in zip(shape[1:3], pooling_ratio[1:3], strict=True):
        if not 1 <= ratio <= size:
            raise invalid(
                f"a pooling ratio must be between 1 and the size of its axis ({size}), got {ratio}"
            )
        sequences.append(_sequence(size, int(size / ratio), pseudo_random, generator))
    return sequences[0], sequences[1]


def _sequence(
    size: int, count: int, pseudo_random: bool, generator: np.random.Generator
) -> Integers:
    """The borders of ``count`` regions, each of ``size // count`` inputs or of one more."""
    least, rest = divmod(size, count)
    if not rest:
        return np.arange(0, size + 1, least, dtype=np.int64)
    if not pseudo_random:
        lengths = np.full(count, least, np.int64)
        lengths[:rest] += 1
        return np.concatenate([[0], np.cumsum(generator.permutation(lengths))])
    # Borders at ceil(alpha * (i + u)) - 1, with the random offset u small enough that neither the
    # first nor the last region becomes longer than the others may be.
    alpha = size / count
    limit = min((least + 2) / alpha - 1, (size + 1 - least) / alpha - (count - 1))
    offset = generator.random() * limit
    inner = np.ceil(alpha * (np.arange(1, count) + offset)).astype(np.int64) - 1
    return np.concatenate([[0], inner, [size]])


def _checked(
    shape: Sequence[int],
    out_backprop: Array,
    row_pooling_sequence: Integers,
    col_pooling_sequence: Integers,
    overlapping: bool,
) -> tuple[_Regions, _Regions]:
    """The regions of given sequences, once they are known to fit the input and the gradient."""
    regions = []
    for name, sequence, axis in (
        ("row_pooling_sequence", row_pooling_sequence, 1),
        ("col_pooling_sequence", col_pooling_sequence, 2),
    ):
        size, count = shape[axis], out_backprop.shape[axis]
        if (
            sequence.shape != (count + 1,)
            or sequence[0] < 0
            or sequence[-1] > size
            or (np.diff(sequence) < 1).any()
        ):
            raise invalid(
                f"{name} must have {count + 1} increasing numbers from 0 to {size}, "
                f"got {sequence.tolist()}"
            )
        regions.append(_Regions.of(sequence, size, overlapping))
    return regions[0], regions[1]
