"""Resizing of images, and the gradients of that.

Output ``o`` of an axis lies at ``o * scale`` of the input, with a scale of ``input / output`` (or
of ``(input - 1) / (output - 1)`` with ``align_corners``). All positions and weights are computed in
float32, as they decide which pixels are met. Every way to resize works on one axis at a time.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.pixels import machine_pixels
from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid
from workbench.core.kernels.windows import Array, along

if TYPE_CHECKING:
    from workbench.core.codegen.pixels import Places

Integers = NDArray[np.intp]
Floats = NDArray[np.float32]

# The slope of the cubic kernel at 1, and the steps into which it is tabulated between two pixels.
_CUBIC_SLOPE = -0.75
_CUBIC_STEPS = 1024


def resize_bilinear(images: Array, size: Array, *, align_corners: bool = False) -> Floats:
    """Resize a batch of NHWC images to ``size`` (height, width), linear between pixels.

    >>> image = np.array([0.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    >>> resize_bilinear(image, np.array([1, 6])).ravel()
    array([0., 1., 2., 3., 4., 4.], dtype=float32)

    Raises:
      InvalidArgumentError: ``images`` has not rank 4, or a size is not positive.
    """
    height, width = _sizes(images, size)
    few = 2 * height < images.shape[1]
    if images.dtype == np.float32 or not few:
        images = images.astype(np.float32, copy=False)
        found = _resized_by_machine(images, height, width, align_corners)
        if found is not None:
            return found
    rows = _Linear.of(images.shape[1], height, align_corners)
    columns = _Linear.of(images.shape[2], width, align_corners)
    # The rows that are met; where few are, the others need not be resized.
    if few:
        images = images.take(np.concatenate([rows.lower, rows.upper]), axis=1)
        rows = rows._replace(lower=np.arange(height), upper=np.arange(height, 2 * height))
    with np.errstate(invalid="ignore", over="ignore"):
        return rows.between(columns.between(images.astype(np.float32, copy=False), 2), 1)


def _resized_by_machine(
    images: Floats, height: int, width: int, align_corners: bool
) -> Floats | None:
    """What ``resize_bilinear`` gives, where machine code does it."""
    machine = machine_pixels(images.nbytes)
    if machine is None:
        return None
    rows = _machine_places(images.shape[1], height, align_corners, 1)
    columns = _machine_places(images.shape[2], width, align_corners, images.shape[3])
    return machine.resized(images, rows, columns)


@functools.lru_cache(64)
def _machine_places(size: int, outputs: int, align_corners: bool, channels: int) -> Places:
    from workbench.core.codegen.pixels import Places

    return Places(_Linear.of(size, outputs, align_corners), channels)


def resize_bilinear_grad(
    grads: Floats, original_image: Array, *, align_corners: bool = False
) -> Array:
    """The gradient of ``resize_bilinear`` by its images, in the dtype of ``original_image``."""
    return _gradient(grads, original_image, align_corners, _linear_taps)


def resize_bicubic(images: Array, size: Array, *, align_corners: bool = False) -> Floats:
    """Resize a batch of NHWC images to ``size``, with cubic polynomials between pixels.

    Beyond the border, its pixels are repeated.
    """
    height, width = _sizes(images, size)
    result = images.astype(np.float32, copy=False)
    result = _weighted(result, 2, _cubic_taps(images.shape[2], width, align_corners), width)
    return _weighted(result, 1, _cubic_taps(images.shape[1], height, align_corners), height)


def resize_bicubic_grad(
    grads: Floats, original_image: Array, *, align_corners: bool = False
) -> Array:
    """The gradient of ``resize_bicubic`` by its images, in the dtype of ``original_image``."""
    return _gradient(grads, original_image, align_corners, _cubic_taps)


def resize_area(images: Array, size: Array, *, align_corners: bool = False) -> Floats:
    """Resize a batch of NHWC images to ``size``: the mean of the area that each pixel covers.

    >>> image = np.array([1.0, 3.0, 5.0, 9.0]).reshape(1, 1, 4, 1)
    >>> resize_area(image, np.array([1, 2])).ravel()
    array([2., 7.], dtype=float32)
    """
    height, width = _sizes(images, size)
    result = images.astype(np.float32, copy=False)
    result = _weighted(result, 2, _area_taps(images.shape[2], width, align_corners), width)
    return _weighted(result, 1, _area_taps(images.shape[1], height, align_corners), height)


def resize_nearest_neighbor(images: Array, size: Array, *, align_corners: bool = False) -> Array:
    """Resize a batch of NHWC images to ``size`` by repeating or leaving out pixels."""
    height, width = _sizes(images, size)
    rows = _nearest(images.shape[1], height, align_corners)
    columns = _nearest(images.shape[2], width, align_corners)
    return images.take(rows, axis=1).take(columns, axis=2)


def resize_nearest_neighbor_grad(
    grads: Array, size: Array, *, align_corners: bool = False
) -> Array:
    """The gradient of ``resize_nearest_neighbor`` by its images; ``size`` is theirs."""
    result = grads
    for axis, length in zip((1, 2), _sizes(grads, size), strict=True):
        nearest = _nearest(length, grads.shape[axis], align_corners)
        every = np.arange(len(nearest))
        result = _scattered(result, axis, [_Tap(every, nearest, np.ones(1, grads.dtype))], length)
    return result


class _Linear(NamedTuple):
    """Between which two inputs each output along an axis lies, and how far it is from the first."""

    lower: Integers
    upper: Integers
    distance: Floats

    @classmethod
    def of(cls, size: int, outputs: int, align_corners: bool) -> _Linear:
        places = _places(size, outputs, align_corners)
        lower = np.floor(places)
        last = size - 1
        return cls(
            np.minimum(lower, last).astype(np.intp),
            np.minimum(np.ceil(places), last).astype(np.intp),
            places - lower,
        )

    def between(self, images: Floats, axis: int) -> Floats:
        """The values at the outputs' places; equal neighbours give exactly their value."""
        result = images.take(self.lower, axis)
        step = images.take(self.upper, axis)
        step -= result
        step *= _along_axis(self.distance, axis)
        # An output that lies on an input is that input, even if it is infinite.
        exact = np.flatnonzero(self.distance == 0)
        if len(exact):
            step[along(axis, exact)] = 0
        result += step
        return result


class _Tap(NamedTuple):
    """Part of a weighted sum along an axis: to each output, one input times its weight."""

    outputs: Integers
    inputs: Integers
    weights: Array


def _linear_taps(size: int, outputs: int, align_corners: bool) -> list[_Tap]:
    linear = _Linear.of(size, outputs, align_corners)
    every = np.arange(outputs)
    return [
        _Tap(every, linear.lower, 1 - linear.distance),
        _Tap(every, linear.upper, linear.distance),
    ]


def _cubic_taps(size: int, outputs: int, align_corners: bool) -> list[_Tap]:
    places = _places(size, outputs, align_corners)
    lower = np.floor(places)
    steps = np.rint((places - lower) * np.float32(_CUBIC_STEPS))
    distance = steps / np.float32(_CUBIC_STEPS)
    every = np.arange(outputs)
    weights = [
        _cubic_outer(distance + 1),
        _cubic_inner(distance),
        _cubic_inner(1 - distance),
        _cubic_outer(2 - distance),
    ]
    return [
        _Tap(every, np.clip(lower.astype(np.intp) + offset, 0, size - 1), weight)
        for offset, weight in zip((-1, 0, 1, 2), weights, strict=True)
    ]


def _cubic_inner(x: Floats) -> Floats:
    """The cubic kernel up to a distance of 1."""
    a = np.float32(_CUBIC_SLOPE)
    return ((a + 2) * x - (a + 3)) * x * x + 1


def _cubic_outer(x: Floats) -> Floats:
    """The cubic kernel from a distance of 1 to one of 2."""
    a = np.float32(_CUBIC_SLOPE)
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a


def _area_taps(size: int, outputs: int, align_corners: bool) -> list[_Tap]:
    scale = _scale(size, outputs, align_corners)
    if not scale:  # the corners of a single pixel
        every = np.arange(outputs)
        return [_Tap(every, np.zeros_like(every), np.ones(1, np.float32))]
    start = np.arange(outputs, dtype=np.float32) * scale
    stop = np.arange(1, outputs + 1, dtype=np.float32) * scale
    first = np.floor(start).astype(np.intp)
    count = np.ceil(stop).astype(np.intp) - first
    taps = []
    for tap in range(int(count.max())):
        which = np.flatnonzero(count > tap)
        place = (first[which] + tap).astype(np.float32)
        covered = np.minimum(place + 1, stop[which]) - np.maximum(place, start[which])
        inputs = np.minimum(first[which] + tap, size - 1)
        taps.append(_Tap(which, inputs, (covered / scale).astype(np.float32)))
    return taps


def _nearest(size: int, outputs: int, align_corners: bool) -> Integers:
    places = _places(size, outputs, align_corners).astype(np.float64)
    nearest = np.floor(places + 0.5 if align_corners else places)
    return np.minimum(nearest, size - 1).astype(np.intp)


def _places(size: int, outputs: int, align_corners: bool) -> Floats:
    """Where each output lies on the input."""
    return np.arange(outputs, dtype=np.float32) * _scale(size, outputs, align_corners)


def _scale(size: int, outputs: int, align_corners: bool) -> np.float32:
    if align_corners and outputs > 1:
        return np.float32(size - 1) / np.float32(outputs - 1)
    return np.float32(size) / np.float32(outputs)


def _weighted(images: Floats, axis: int, taps: list[_Tap], length: int) -> Floats:
    """The weighted sums of ``images`` along an axis of then ``length`` outputs."""
    shape = list(images.shape)
    shape[axis] = length
    result = np.zeros(shape, np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        for tap in taps:
            part = images.take(tap.inputs, axis)
            part *= _along_axis(tap.weights, axis)
            if len(tap.outputs) == length:
                result += part
            else:
                result[along(axis, tap.outputs)] += part
    return result


def _gradient(grads: Floats, original_image: Array, align_corners: bool, taps_of: Any) -> Array:
    """The transpose of weighted sums over both axes."""
    shape = original_image.shape
    if grads.ndim != 4 or len(shape) != 4 or grads.shape[::3] != shape[::3]:
        raise invalid(
            "grads and original_image must have rank 4 with the same batch and channels, "
            f"got the shapes {grads.shape} and {shape}"
        )
    result: Array = grads.astype(np.result_type(np.float32, original_image.dtype), copy=False)
    for axis in (1, 2):
        taps = taps_of(shape[axis], grads.shape[axis], align_corners)
        result = _scattered(result, axis, taps, shape[axis])
    return delivered(result, original_image.dtype)


def _scattered(grads: Array, axis: int, taps: list[_Tap], length: int) -> Array:
    """Each of ``grads`` times its weights, added to the inputs along an axis of ``length``."""
    shape = list(grads.shape)
    shape[axis] = length
    result = np.zeros(shape, grads.dtype)
    for tap in taps:
        weights = np.broadcast_to(tap.weights, tap.inputs.shape)
        for which in _rounds(tap.inputs):
            part = grads.take(tap.outputs[which], axis)
            part *= _along_axis(weights[which], axis).astype(grads.dtype, copy=False)
            result[along(axis, tap.inputs[which])] += part
    return result


def _rounds(ascending: Integers) -> Iterator[Integers]:
    """Positions in an ascending array: first the first of each value, then the second, ..."""
    rank = np.arange(len(ascending)) - np.searchsorted(ascending, ascending)
    for number in range(int(rank.max(initial=-1)) + 1):
        yield np.flatnonzero(rank == number)


def _along_axis(values: Array, axis: int) -> Array:
    """A vector in the shape that broadcasts along ``axis`` of a batch of images."""
    return values.reshape(-1, *(1,) * (3 - axis))


def _sizes(images: Array, size: Array) -> tuple[int, int]:
    """Height and width to resize to."""
    if images.ndim != 4:
        raise invalid(
            f"images must have the shape [batch, height, width, channels], got {images.shape}"
        )
    numbers = np.asarray(size).tolist()
    if np.shape(numbers) != (2,) or min(numbers) < 1 or 0 in images.shape[1:3]:
        raise invalid(
            "size must be a positive height and a positive width, and the images not empty: "
            f"got the size {numbers} and images of shape {images.shape}"
        )
    return numbers[0], numbers[1]
