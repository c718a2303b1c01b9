"""Windows times filters, and the two gradients of that: the matrix products of a convolution.

The windows of a block of images are gathered into a matrix that is small enough to stay in the
cache, since writing all of them to memory and reading them back would cost as much as the product
itself. Where the windows advance one row at a time, a gathered row serves the taps of every row of
the filter, and the product is summed tap by tap instead.

All arrays have their channels last; filters are ``(taps..., in, out)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from workbench.core.kernels.windows import Array, Axis, padded, sliding

# The gathered windows of a block should fit into the cache that the cores share.
_BLOCK_BYTES = 1 << 21
# With fewer columns per gathered row than this, one product over whole windows is the faster one.
_ROW_COLUMNS = 96


def correlate(
    images: Array, filters: Array, axes: tuple[Axis, ...], target: Array | None = None
) -> Array:
    """Windows times filters ``(taps..., in, out)``: ``(batch, outputs..., out)``.

    The result is in ``target`` where that is laid out as the products are.
    """
    shape = (images.shape[0], *(axis.output for axis in axes), filters.shape[-1])
    dtype = filters.dtype
    usable = target is not None and target.flags.c_contiguous and target.dtype == dtype
    result = target if target is not None and usable else np.empty(shape, dtype)
    if not result.size or not images.size or not filters.size:
        result[...] = 0
        return result
    depth = shape[-1]
    columns = _columns(axes, images.shape[-1])
    for block in _blocks(images.shape[0], axes, columns.row_elements * dtype.itemsize):
        target_rows = result[block.images, block.rows]
        windows = _gather(images[block.images], block.axes, columns.whole)
        if columns.whole:
            kernel = filters.reshape(-1, depth)
            matrix = windows.reshape(-1, kernel.shape[0])
            np.matmul(matrix, kernel, out=target_rows.reshape(-1, depth))
            continue
        kernels = filters.reshape(*filters.shape[: len(axes) - 1], -1, depth)
        total = _rows_of(target_rows)
        partial: Array | None = None
        for position in np.ndindex(*kernels.shape[:-2]):
            rows = _met_by(windows, block.axes, position)
            if partial is None:
                np.matmul(rows, kernels[position], out=total)
                partial = np.empty_like(total)
            else:
                np.matmul(rows, kernels[position], out=partial)
                np.add(total, partial, out=total)
    return result


def filter_gradient(images: Array, grads: Array, axes: tuple[Axis, ...]) -> Array:
    """Windows times the gradients of their outputs: ``(taps..., in, out)``, perhaps flattened."""
    channels, depth = images.shape[-1], grads.shape[-1]
    taps = tuple(axis.taps for axis in axes)
    if not images.size or not grads.size:
        return np.zeros((*taps, channels, depth), images.dtype)
    columns = _columns(axes, channels)
    result = np.zeros((*taps[:-1], taps[-1] * channels, depth), images.dtype)
    for block in _blocks(images.shape[0], axes, columns.row_elements * images.dtype.itemsize):
        part = grads[block.images, block.rows]
        windows = _gather(images[block.images], block.axes, columns.whole)
        if columns.whole:
            flat = result.reshape(-1, depth)
            flat += windows.reshape(-1, flat.shape[0]).T @ part.reshape(-1, depth)
            continue
        part = _rows_of(np.ascontiguousarray(part))
        for position in np.ndindex(*taps[:-1]):
            rows = _met_by(windows, block.axes, position)
            partial = np.matmul(rows.swapaxes(-1, -2), part)
            result[position] += partial.sum(axis=tuple(range(partial.ndim - 2)))
    return result


def input_gradient(filters: Array, grads: Array, axes: tuple[Axis, ...]) -> Array:
    """Output gradients spread back over the windows that made them.

    The inputs fall into ``stride`` phases along each axis, each of which met only some of the
    taps. Within a phase the gradient is itself a correlation of stride 1, with those taps in
    reverse order, so that no product is spent on the zeros between strides.
    """
    shape = (grads.shape[0], *(axis.size for axis in axes), filters.shape[-2])
    flipped = filters.swapaxes(-1, -2)
    if all(axis.stride == 1 for axis in axes):
        phases = [_phases(axis)[0] for axis in axes]
        taps = flipped[tuple(phase.taps for phase in phases)]
        return correlate(grads, np.ascontiguousarray(taps), tuple(phase.axis for phase in phases))
    result = np.zeros(shape, filters.dtype)
    for phases in product(*map(_phases, axes)):  # type: ignore[assignment]
        taps = np.ascontiguousarray(flipped[tuple(phase.taps for phase in phases)])
        part = correlate(grads, taps, tuple(phase.axis for phase in phases))
        result[(slice(None), *(phase.inputs for phase in phases))] = part
    return result


class _Block(NamedTuple):
    """Some images, or some rows of one image, that are worked on at a time."""

    images: slice
    rows: slice
    axes: tuple[Axis, ...]


def _blocks(batch: int, axes: tuple[Axis, ...], row_bytes: int) -> Iterator[_Block]:
    """Cut the outputs into blocks whose gathered windows take about `_BLOCK_BYTES`."""
    first, *others = axes
    if not row_bytes:
        yield _Block(slice(0, batch), slice(0, first.output), axes)
        return
    rows = max(1, min(first.output, _BLOCK_BYTES // row_bytes))
    step = 1 if rows < first.output else max(1, _BLOCK_BYTES // (row_bytes * rows))
    for image in range(0, batch, step):
        for row in range(0, first.output, rows):
            stop = min(row + rows, first.output)
            yield _Block(
                slice(image, min(image + step, batch)),
                slice(row, stop),
                (first.part(row, stop), *others),
            )


class _Phase(NamedTuple):
    """Every ``stride``-th input along an axis: the taps they met (reversed), and their window."""

    inputs: slice
    taps: slice
    axis: Axis


def _phases(axis: Axis) -> list[_Phase]:
    """The phases of an axis that met any tap at all."""
    common = gcd(axis.stride, axis.dilation)
    every = axis.stride // common
    phases = []
    for tap in range(min(every, axis.taps)):
        start = (tap * axis.dilation - axis.before) % axis.stride
        count = len(range(start, axis.size, axis.stride))
        taps = len(range(tap, axis.taps, every))
        dilation = axis.dilation // common
        # The output whose first tap of this phase lies on the first input of this phase.
        output = (start + axis.before - tap * axis.dilation) // axis.stride
        last = tap + (taps - 1) * every
        reverse = slice(last, tap - every if tap >= every else None, -every)
        window = Axis(axis.output, taps, 1, dilation, (taps - 1) * dilation - output, count)
        if count:
            phases.append(_Phase(slice(start, None, axis.stride), reverse, window))
    return phases


class _Columns(NamedTuple):
    """How windows are gathered: ``whole``, or by rows that the other axes' taps then share.

    ``row_elements`` is the size of what is gathered for one index of the first axis: nothing where
    the windows are the images themselves.
    """

    whole: bool
    row_elements: int


def _columns(axes: Sequence[Axis], channels: int) -> _Columns:
    """Choose the way to gather."""
    *outer, last = axes
    if all(axis.taps == 1 and axis.inside for axis in axes):
        return _Columns(True, 0)
    row = last.output * last.taps * channels
    if (
        last.taps * channels >= _ROW_COLUMNS
        and all(axis.stride == 1 for axis in outer)
        and any(axis.taps > 1 for axis in outer)
    ):
        return _Columns(False, row * prod(axis.span for axis in outer[1:]))
    return _Columns(True, row * prod(axis.output * axis.taps for axis in outer[1:]) * axes[0].taps)


def _gather(images: Array, axes: tuple[Axis, ...], whole: bool) -> Array:
    """The windows of some images, one to a row: ``(batch, outputs..., taps * in)``.

    Unless ``whole``, all axes but the last keep every position they span, and have no taps.
    """
    spanned = padded(images, axes)
    if not whole:
        *outer, last = axes
        axes = (*(Axis(axis.span, 1, 1, 1, 0, axis.span) for axis in outer), last)
    windows = sliding(spanned, axes)
    return np.ascontiguousarray(windows).reshape(*windows.shape[: len(axes) + 1], -1)


def _met_by(windows: Array, axes: Sequence[Axis], position: Sequence[int]) -> Array:
    """From windows gathered by rows, those that a tap of the outer axes meets."""
    starts = [tap * axis.dilation for tap, axis in zip(position, axes, strict=False)]
    met = [slice(start, start + axis.output) for start, axis in zip(starts, axes, strict=False)]
    return _rows_of(windows[(slice(None), *met)])


def _rows_of(array: Array) -> Array:
    """``array`` with the last two of its spatial axes made one: the rows of a matrix."""
    return array.reshape(*array.shape[:-3], array.shape[-3] * array.shape[-2], array.shape[-1])
