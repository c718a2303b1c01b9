"""Parts of images: crops of boxes, their gradients, and glimpses."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import OutOfRangeError
from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid
from workbench.core.kernels.windows import Array

Floats = NDArray[np.float32]
Integers = NDArray[np.intp]


def crop_and_resize(
    image: Array,
    boxes: Floats,
    box_ind: NDArray[np.int32],
    crop_size: NDArray[np.int32],
    *,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
) -> Floats:
    """Cut boxes out of a batch of NHWC images and resize all of them to ``crop_size``.

    A box is ``(y1, x1, y2, x2)`` with 0 and 1 at the outermost pixels; with ``y1 > y2`` the crop is
    upside down. ``box_ind`` says which image it is cut from. What lies outside of the image is
    ``extrapolation_value``.

    >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> box, size = np.array([[0, 0, 0.5, 1]], np.float32), np.array([2, 2])
    >>> crop_and_resize(image, box, np.array([0]), size)[0, ..., 0]
    array([[0., 2.],
           [3., 5.]], dtype=float32)

    Raises:
      OutOfRangeError: ``box_ind`` names an image that is not there.
      InvalidArgumentError: the shapes do not agree, or a box is not finite.
    """
    height, width = _crop_size(crop_size)
    crops = _Crops.of(image.shape, boxes, box_ind, (height, width), method)
    rows, columns = crops.rows, crops.columns
    if method == "nearest":
        result = crops.pixels(image, rows.nearest, columns.nearest)
    else:
        with np.errstate(invalid="ignore", over="ignore"):
            y, x = rows.distance[:, :, None, None], columns.distance[:, None, :, None]
            top = crops.pixels(image, rows.lower, columns.lower)
            top += (crops.pixels(image, rows.lower, columns.upper) - top) * x
            bottom = crops.pixels(image, rows.upper, columns.lower)
            bottom += (crops.pixels(image, rows.upper, columns.upper) - bottom) * x
            bottom -= top
            bottom *= y
            result = top
            result += bottom
    outside = ~(rows.inside[:, :, None] & columns.inside[:, None, :])
    result[outside] = extrapolation_value
    return result


def crop_and_resize_grad_image(
    grads: Floats,
    boxes: Floats,
    box_ind: NDArray[np.int32],
    image_size: NDArray[np.int32],
    *,
    T: Any = np.float32,
    method: str = "bilinear",
) -> Array:
    """The gradient of ``crop_and_resize`` by its image, of shape ``image_size`` and dtype ``T``."""
    shape = tuple(np.asarray(image_size).tolist())
    crops = _Crops.of(shape, boxes, box_ind, grads.shape[1:3], method)
    _check_grads(grads, len(boxes), shape)
    rows, columns = crops.rows, crops.columns
    inside = (rows.inside[:, :, None] & columns.inside[:, None, :])[..., None]
    grads = np.where(inside, grads, np.float32(0))
    total = np.zeros(shape, np.result_type(np.float32, T))
    if method == "nearest":
        crops.add_to(total, rows.nearest, columns.nearest, grads)
    else:
        y, x = rows.distance[:, :, None, None], columns.distance[:, None, :, None]
        crops.add_to(total, rows.lower, columns.lower, grads * (1 - y) * (1 - x))
        crops.add_to(total, rows.lower, columns.upper, grads * (1 - y) * x)
        crops.add_to(total, rows.upper, columns.lower, grads * y * (1 - x))
        crops.add_to(total, rows.upper, columns.upper, grads * y * x)
    return delivered(total, np.dtype(T))


def crop_and_resize_grad_boxes(
    grads: Floats,
    image: Array,
    boxes: Floats,
    box_ind: NDArray[np.int32],
    *,
    method: str = "bilinear",
) -> Floats:
    """The gradient of ``crop_and_resize`` by its boxes."""
    crops = _Crops.of(image.shape, boxes, box_ind, grads.shape[1:3], method)
    _check_grads(grads, len(boxes), image.shape)
    rows, columns = crops.rows, crops.columns
    y, x = rows.distance[:, :, None, None], columns.distance[:, None, :, None]
    with np.errstate(invalid="ignore", over="ignore"):
        top_left = crops.pixels(image, rows.lower, columns.lower)
        top_right = crops.pixels(image, rows.lower, columns.upper)
        bottom_left = crops.pixels(image, rows.upper, columns.lower)
        bottom_right = crops.pixels(image, rows.upper, columns.upper)
        by_y = (1 - x) * (bottom_left - top_left) + x * (bottom_right - top_right)
        by_x = (1 - y) * (top_right - top_left) + y * (bottom_right - bottom_left)
        inside = rows.inside[:, :, None] & columns.inside[:, None, :]
        by_y = np.where(inside, (by_y * grads).sum(axis=3), 0).sum(axis=2)
        by_x = np.where(inside, (by_x * grads).sum(axis=3), 0).sum(axis=1)
    result = np.empty((len(boxes), 4), np.float32)
    result[:, 0], result[:, 2] = (by_y @ share for share in rows.shares(image.shape[1]))
    result[:, 1], result[:, 3] = (by_x @ share for share in columns.shares(image.shape[2]))
    return result


def extract_glimpse(
    input: Floats,
    size: NDArray[np.int32],
    offsets: Floats,
    *,
    centered: bool = True,
    normalized: bool = True,
    uniform_noise: bool = True,
    generator: np.random.Generator,
) -> Floats:
    """From each NHWC image, the part of ``size`` (height, width) around ``offsets`` (y, x).

    Where it reaches beyond the image it is filled with noise: uniform between the smallest and the
    largest value of the image, or normal with the mean and deviation of the channel, and kept
    between its extremes.

    Args:
      centered: the offset (0, 0) is the centre of the image, not its upper left corner.
      normalized: an offset of 1 is the whole image (half of it if ``centered``), not a pixel.

    Raises:
      InvalidArgumentError: the shapes do not agree, or a size is not positive.
    """
    if input.ndim != 4 or offsets.shape != (input.shape[0], 2):
        raise invalid(
            "input must have the shape [batch, height, width, channels] and offsets [batch, 2], "
            f"got {input.shape} and {offsets.shape}"
        )
    places = []
    for axis, length in enumerate(_crop_size(size)):
        start = offsets[:, axis].astype(np.float32)
        if normalized:
            start *= input.shape[axis + 1]
        if centered:
            start /= 2
            start += np.float32(input.shape[axis + 1] / 2)
        start -= np.float32(length / 2)
        places.append(np.trunc(start).astype(np.intp)[:, None] + np.arange(length))
    rows, columns = places
    row_inside = (rows >= 0) & (rows < input.shape[1])
    column_inside = (columns >= 0) & (columns < input.shape[2])
    image = np.arange(input.shape[0])[:, None, None]
    result = input[
        image,
        np.where(row_inside, rows, 0)[:, :, None],
        np.where(column_inside, columns, 0)[:, None, :],
    ]
    outside = ~(row_inside[:, :, None] & column_inside[:, None, :])
    if outside.any():
        noise = _noise(input, result.shape, uniform_noise, generator)
        result[outside] = noise[outside]
    return result


def _noise(
    images: Floats, shape: tuple[int, ...], uniform: bool, generator: np.random.Generator
) -> Floats:
    """Noise like the values of each image."""
    if uniform:
        low = images.min(axis=(1, 2, 3), keepdims=True)
        high = images.max(axis=(1, 2, 3), keepdims=True)
        spread: Floats = generator.random(shape, dtype=np.float32)
        spread *= high - low
        spread += low
        return spread
    noise = generator.standard_normal(shape, dtype=np.float32)
    noise *= images.std(axis=(1, 2), keepdims=True)
    noise += images.mean(axis=(1, 2), keepdims=True)
    low = images.min(axis=(1, 2), keepdims=True)
    return np.clip(noise, low, images.max(axis=(1, 2), keepdims=True), out=noise)


class _Places(NamedTuple):
    """Where the outputs of each box lie along an axis of the image: arrays (boxes, outputs)."""

    inside: NDArray[np.bool_]
    lower: Integers
    upper: Integers
    nearest: Integers
    distance: Floats

    @classmethod
    def of(cls, start: Floats, stop: Floats, size: int, outputs: int) -> _Places:
        last = np.float32(size - 1)
        if outputs > 1:
            scale = (stop - start) * last / np.float32(outputs - 1)
            places = (start * last)[:, None] + np.arange(outputs, dtype=np.float32) * scale[:, None]
        else:
            places = (np.float32(0.5) * (start + stop) * last)[:, None]
        inside = (places >= 0) & (places <= last)
        places = np.where(inside, places, np.float32(0))
        lower = np.floor(places)
        return cls(
            inside,
            lower.astype(np.intp),
            np.ceil(places).astype(np.intp),
            np.floor(places.astype(np.float64) + 0.5).astype(np.intp),
            places - lower,
        )

    def shares(self, size: int) -> tuple[Floats, Floats]:
        """How much each output moves with the start and with the stop of its box."""
        outputs = self.lower.shape[1]
        if outputs == 1:
            half = np.full(1, (size - 1) / 2, np.float32)
            return half, half
        stop = np.arange(outputs, dtype=np.float32) * np.float32((size - 1) / (outputs - 1))
        return np.float32(size - 1) - stop, stop


class _Crops(NamedTuple):
    """The images of the boxes, and their places along both axes."""

    images: Integers
    rows: _Places
    columns: _Places

    @classmethod
    def of(
        cls,
        shape: tuple[int, ...],
        boxes: Floats,
        box_ind: NDArray[np.int32],
        outputs: tuple[int, ...],
        method: str,
    ) -> _Crops:
        if len(shape) != 4 or boxes.shape[1:] != (4,) or box_ind.shape != boxes.shape[:1]:
            raise invalid(
                "the image must have the shape [batch, height, width, channels], boxes [n, 4] and "
                f"box_ind [n], got {tuple(shape)}, {boxes.shape} and {box_ind.shape}"
            )
        if method not in ("bilinear", "nearest"):
            raise invalid(f"method must be 'bilinear' or 'nearest', got {method!r}")
        if box_ind.size and (box_ind.min() < 0 or box_ind.max() >= shape[0]):
            box = int(np.argmax((box_ind < 0) | (box_ind >= shape[0])))
            raise OutOfRangeError(
                None,
                None,
                f"box_ind must be in [0, {shape[0]}), as there are {shape[0]} images, "
                f"got {box_ind[box]} for box {box}",
            )
        if not np.isfinite(boxes).all():
            raise invalid("boxes must be finite, got one that is not")
        y1, x1, y2, x2 = boxes.T
        return cls(
            box_ind.astype(np.intp),
            _Places.of(y1, y2, shape[1], outputs[0]),
            _Places.of(x1, x2, shape[2], outputs[1]),
        )

    def pixels(self, image: Array, rows: Integers, columns: Integers) -> Floats:
        """The pixels at some rows and columns of each box's image, as float32."""
        picked = image[self.images[:, None, None], rows[:, :, None], columns[:, None, :]]
        return picked.astype(np.float32, copy=False)

    def add_to(self, total: Array, rows: Integers, columns: Integers, values: Floats) -> None:
        """Add ``values`` to the pixels at some rows and columns of each box's image."""
        _, height, width, channels = total.shape
        place = (self.images[:, None, None] * height + rows[:, :, None]) * width
        place = (place + columns[:, None, :])[..., None] * channels + np.arange(channels)
        np.add.at(total.reshape(-1), place.reshape(-1), values.reshape(-1).astype(total.dtype))


def _crop_size(size: NDArray[np.int32]) -> tuple[int, int]:
    numbers = np.asarray(size).tolist()
    if np.shape(numbers) != (2,) or min(numbers) < 1:
        raise invalid(f"a size must be a positive height and a positive width, got {numbers}")
    return numbers[0], numbers[1]


def _check_grads(grads: Floats, boxes: int, image_shape: tuple[int, ...]) -> None:
    if grads.ndim != 4 or grads.shape[0] != boxes or grads.shape[3] != image_shape[3]:
        raise invalid(
            f"grads must have the shape [{boxes}, height, width, {image_shape[3]}], "
            f"got {grads.shape}"
        )
