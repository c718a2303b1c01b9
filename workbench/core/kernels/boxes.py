"""Bounding boxes: drawing, suppressing and sampling them.

A box is ``(y1, x1, y2, x2)``, as a rule with 0 and 1 at the borders of its image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import Array

Floats = NDArray[np.float32]

# Red, green, blue and opacity of the first box, the second, and so on, over again.
_COLORS = np.array(
    [
        [1, 1, 0, 1],
        [0, 0, 1, 1],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0.5, 0, 0.5, 1],
        [0.5, 0.5, 0, 1],
        [0.5, 0, 0, 1],
        [0, 0, 0.5, 1],
        [0, 1, 1, 1],
        [1, 0, 1, 1],
    ]
)


def draw_bounding_boxes(images: Array, boxes: Floats) -> Array:
    """NHWC images with boxes ``(batch, boxes, 4)`` drawn as lines one pixel wide.

    Lines beyond the image are left out, and so are boxes that are inside out. Images of one channel
    get white lines; others colours in turn.

    >>> boxes = np.array([[[0, 0, 1, 0.5]]], np.float32)
    >>> draw_bounding_boxes(np.zeros((1, 3, 3, 1)), boxes)[0, ..., 0]
    array([[1., 1., 0.],
           [1., 1., 0.],
           [1., 1., 0.]])

    Raises:
      InvalidArgumentError: the shapes do not agree, or the images have not 1, 3 or 4 channels.
    """
    if images.ndim != 4 or boxes.ndim != 3 or boxes.shape[::2] != (images.shape[0], 4):
        raise invalid(
            "images must have the shape [batch, height, width, channels] and boxes "
            f"[batch, boxes, 4], got {images.shape} and {boxes.shape}"
        )
    _, height, width, channels = images.shape
    if channels not in (1, 3, 4):
        raise invalid(f"images must have 1 (grey), 3 (RGB) or 4 (RGBA) channels, got {channels}")
    result = images.copy()
    edges = np.array([height - 1, width - 1] * 2, np.float32)
    with np.errstate(invalid="ignore"):
        pixels = np.nan_to_num(np.trunc(boxes * edges), nan=-1).clip(-1, 2**31).astype(np.int64)
    # Later boxes cover earlier ones, which leaves nothing to do at once.
    for image, own in zip(result, pixels.tolist(), strict=True):
        for number, (top, left, bottom, right) in enumerate(own):
            if not (top <= bottom and left <= right):
                continue
            color = _COLORS[number % len(_COLORS), :channels] if channels > 1 else 1
            rows = slice(max(top, 0), max(bottom + 1, 0))
            columns = slice(max(left, 0), max(right + 1, 0))
            for line in (top, bottom):
                if 0 <= line < height:
                    image[line, columns] = color
            for line in (left, right):
                if 0 <= line < width:
                    image[rows, line] = color
    return result


def non_max_suppression(
    boxes: Floats,
    scores: Floats,
    max_output_size: NDArray[np.int32],
    *,
    iou_threshold: float = 0.5,
) -> NDArray[np.int32]:
    """``non_max_suppression_v2`` with ``iou_threshold`` as an attribute."""
    return non_max_suppression_v2(boxes, scores, max_output_size, np.float32(iou_threshold))


def non_max_suppression_v2(
    boxes: Array, scores: Array, max_output_size: NDArray[np.int32], iou_threshold: Any
) -> NDArray[np.int32]:
    """The indices of the best boxes, leaving out those that overlap a better one too much.

    Too much: the part they share is more than ``iou_threshold`` of what they cover together. Of
    equal scores the first comes first; a score of NaN or minus infinity is never chosen.

    >>> boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]], np.float32)
    >>> non_max_suppression_v2(boxes, np.array([0.7, 0.9, 0.1]), np.array(5), 0.5)
    array([1, 2], dtype=int32)

    Raises:
      InvalidArgumentError: the shapes do not agree, or a number is out of its range.
    """
    limit, threshold = int(max_output_size), np.float32(iou_threshold)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise invalid(
            "boxes must have the shape [boxes, 4] and scores [boxes], "
            f"got {boxes.shape} and {scores.shape}"
        )
    if not 0 <= threshold <= 1:
        raise invalid(f"iou_threshold must be between 0 and 1, got {threshold}")
    if limit < 0:
        raise invalid(f"max_output_size must be 0 or more, got {limit}")
    boxes, scores = widen(boxes), widen(scores)
    low = np.minimum(boxes[:, :2], boxes[:, 2:])
    high = np.maximum(boxes[:, :2], boxes[:, 2:])
    areas = (high - low).prod(axis=1)
    candidates = np.flatnonzero(scores > -np.inf)
    candidates = candidates[np.argsort(-scores[candidates], kind="stable")]
    chosen: list[int] = []
    while len(candidates) and len(chosen) < limit:
        best, candidates = candidates[0], candidates[1:]
        chosen.append(int(best))
        sides = np.minimum(high[best], high[candidates]) - np.maximum(low[best], low[candidates])
        shared = np.maximum(sides, 0).prod(axis=1)
        together = areas[best] + areas[candidates] - shared
        with np.errstate(divide="ignore", invalid="ignore"):
            overlap = shared / together
        # A box without an area overlaps nothing, and a comparison with NaN is false.
        too_much = (overlap > threshold) & (areas[best] > 0) & (areas[candidates] > 0)
        candidates = candidates[~too_much]
    return np.array(chosen, np.int32)


def sample_distorted_bounding_box(
    image_size: Array,
    bounding_boxes: Floats,
    *,
    min_object_covered: float = 0.1,
    aspect_ratio_range: Sequence[float] = (0.75, 1.33),
    area_range: Sequence[float] = (0.05, 1.0),
    max_attempts: int = 100,
    use_image_if_no_bounding_boxes: bool = False,
    generator: np.random.Generator,
) -> tuple[Array, Array, Floats]:
    """``sample_distorted_bounding_box_v2`` with ``min_object_covered`` as an attribute."""
    return sample_distorted_bounding_box_v2(
        image_size,
        bounding_boxes,
        np.float32(min_object_covered),
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        max_attempts=max_attempts,
        use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
        generator=generator,
    )


def sample_distorted_bounding_box_v2(
    image_size: Array,
    bounding_boxes: Floats,
    min_object_covered: Any,
    *,
    aspect_ratio_range: Sequence[float] = (0.75, 1.33),
    area_range: Sequence[float] = (0.05, 1.0),
    max_attempts: int = 100,
    use_image_if_no_bounding_boxes: bool = False,
    generator: np.random.Generator,
) -> tuple[Array, Array, Floats]:
    """A random part of an image that still shows ``min_object_covered`` of one of its objects.

    Args:
      image_size: height, width and channels of the image.
      bounding_boxes: the objects, ``(batch, boxes, 4)``.
      aspect_ratio_range: the least and the largest width over height of the part.
      area_range: the least and the largest share of the image.
      max_attempts: after so many parts that do not do, it is the whole image.
      use_image_if_no_bounding_boxes: without objects, take the image for one.

    Returns:
      Where to begin and what size to take, for a slice of the image; and the part as a box.

    Raises:
      InvalidArgumentError: a shape or a number is not as described, or there are no objects.
    """
    _check_ranges(image_size, aspect_ratio_range, area_range, max_attempts)
    height, width, _ = (int(number) for number in image_size)
    objects = _objects(bounding_boxes, height, width, use_image_if_no_bounding_boxes)
    part = (0, 0, height, width)
    for _ in range(max_attempts):
        tried = _random_part(height, width, aspect_ratio_range, area_range, generator)
        if tried is not None and _shows(tried, objects, float(min_object_covered)):
            part = tried
            break
    top, left, rows, columns = part
    begin = np.array([top, left, 0]).astype(image_size.dtype)
    size = np.array([rows, columns, -1]).astype(image_size.dtype)
    corners = np.array([top, left, top + rows, left + columns], np.float32)
    with np.errstate(invalid="ignore"):  # of an empty image
        box: Array = corners / np.array([height, width] * 2, np.float32)
    return begin, size, box.reshape(1, 1, 4)


def _check_ranges(
    image_size: Array,
    aspect_ratio_range: Sequence[float],
    area_range: Sequence[float],
    max_attempts: int,
) -> None:
    if image_size.shape != (3,):
        raise invalid(
            "image_size must have 3 numbers: height, width and channels, "
            f"got the shape {image_size.shape}"
        )
    for name, numbers in (("aspect_ratio_range", aspect_ratio_range), ("area_range", area_range)):
        if len(numbers) != 2 or not all(number > 0 for number in numbers):
            raise invalid(f"{name} must have 2 positive numbers, got {tuple(numbers)}")
    if max(area_range) > 1:
        raise invalid(f"area_range must not go beyond the whole image, 1, got {tuple(area_range)}")
    if max_attempts < 1:
        raise invalid(f"max_attempts must be 1 or more, got {max_attempts}")


def _objects(boxes: Floats, height: int, width: int, use_image: bool) -> NDArray[np.int64]:
    """The boxes of objects in pixels, one to a row."""
    if boxes.ndim != 3 or boxes.shape[2] != 4:
        raise invalid(f"bounding_boxes must have the shape [batch, boxes, 4], got {boxes.shape}")
    if not boxes.size:
        if use_image:
            return np.array([[0, 0, height, width]])
        raise invalid(
            "there are no bounding_boxes; to sample from the whole image without any, "
            "set use_image_if_no_bounding_boxes"
        )
    if not ((boxes >= 0) & (boxes <= 1)).all():
        raise invalid(
            "the coordinates of bounding_boxes must be between 0 and 1, "
            f"got numbers from {boxes.min()} to {boxes.max()}"
        )
    pixels = boxes.reshape(-1, 4) * np.array([height, width] * 2, np.float32)
    return pixels.astype(np.int64)


def _random_part(
    height: int,
    width: int,
    aspect_ratio_range: Sequence[float],
    area_range: Sequence[float],
    generator: np.random.Generator,
) -> tuple[int, int, int, int] | None:
    """A part (top, left, height, width) of random shape, size and place, or None if it fails."""
    low, high = sorted(aspect_ratio_range)
    ratio = low + (high - low) * generator.random()
    least, most = (share * height * width for share in sorted(area_range))
    if not height or not width:
        return None
    shortest = round((least / ratio) ** 0.5)
    tallest = round((most / ratio) ** 0.5)
    if round(tallest * ratio) > width:
        # The tallest whose width, rounded, is still that of the image.
        tallest = int((width + 0.5 - 1e-7) / ratio)
    tallest = min(tallest, height)
    rows = min(shortest, tallest)
    rows += int(generator.integers(tallest - rows, endpoint=True))
    columns = round(rows * ratio)
    # Rounding can lead just out of the range of areas.
    if rows * columns < least:
        rows += 1
        columns = round(rows * ratio)
    if rows * columns > most:
        rows -= 1
        columns = round(rows * ratio)
    if not least <= rows * columns <= most or not (0 < rows <= height and 0 < columns <= width):
        return None
    top = int(generator.integers(height - rows, endpoint=True))
    left = int(generator.integers(width - columns, endpoint=True))
    return top, left, rows, columns


def _shows(part: tuple[int, int, int, int], objects: NDArray[np.int64], min_covered: float) -> bool:
    """Whether a part holds at least the share ``min_covered`` of an object."""
    top, left, rows, columns = part
    y1, x1, y2, x2 = objects.T
    areas = np.maximum(y2 - y1, 0) * np.maximum(x2 - x1, 0)
    seen_rows = np.minimum(y2, top + rows) - np.maximum(y1, top)
    seen_columns = np.minimum(x2, left + columns) - np.maximum(x1, left)
    seen = np.maximum(seen_rows, 0) * np.maximum(seen_columns, 0)
    return bool(((areas >= 1) & (seen >= min_covered * areas)).any())
