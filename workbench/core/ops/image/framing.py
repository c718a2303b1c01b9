"""Cropping and padding images."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops import api
from workbench.core.ops.image.orientation import as_image
from workbench.core.ops.static_shapes import size_or_dynamic


def _batch(image: Any) -> tuple[Tensor, bool]:
    """`image` as a batch of images, and whether it was one."""
    image = convert_to_tensor(image, name="image")
    rank = image.shape.ndims
    if rank not in (None, 3, 4):
        raise ValueError("'image' must have either 3 or 4 dimensions.")
    if rank is not None and 0 in image.shape.as_list():
        raise ValueError(f"all dims of 'image.shape' must be > 0, got the shape {image.shape}")
    if rank == 4:
        return image, True
    batch: Tensor = api.expand_dims(image, 0)
    if rank is None:
        batch.set_shape([None] * 4)
    return batch, False


def _plain(value: Any) -> Any:
    """The int that `value` is known to be, or a tensor."""
    known = constant_value(value) if isinstance(value, TensorLike) else value
    return convert_to_tensor(value, "int32") if known is None else int(known)


def _require(batch: Tensor, conditions: list[tuple[Any, str]]) -> list[Any]:
    """Checks what is known now (ValueError), and asserts the rest in the run."""
    checks = []
    if not batch.shape.is_fully_defined():
        positive = api.reduce_all(api.shape(batch) > 0)
        checks.append(api.Assert(positive, ["all dims of 'image.shape' must be > 0"]))
    for condition, message in conditions:
        if isinstance(condition, TensorLike):
            checks.append(api.Assert(condition, [message]))
        elif not condition:
            raise ValueError(message)
    return checks


def _after(checks: list[Any], batch: Tensor) -> Any:
    if not checks:
        return batch
    with control_dependencies(checks):
        return api.identity(batch)


def _finished(result: Any, sizes: list[Any], is_batch: bool) -> Tensor:
    result.set_shape([size if isinstance(size, int) else None for size in sizes])
    framed: Tensor = result if is_batch else api.squeeze(result, [0])
    return framed


def _sizes(batch: Tensor) -> list[Any]:
    """The four sizes of a batch: ints where they are known, else scalar tensors."""
    return [size_or_dynamic(batch, axis) for axis in range(4)]


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """An image, or a batch of them, with zeros around it: of the target size, moved by the offset.

    Raises ValueError (or InvalidArgumentError in the run, for sizes that are known only then)
    where the image does not fit.

    >>> import workbench as tf
    >>> tf.image.pad_to_bounding_box([[[1]]], 0, 1, 1, 3).eval().tolist()
    [[[0], [1], [0]]]
    """
    with name_scope(None, "pad_to_bounding_box", [image]):
        batch, is_batch = _batch(image)
        count, height, width, depth = _sizes(batch)
        top, left = _plain(offset_height), _plain(offset_width)
        target_height, target_width = _plain(target_height), _plain(target_width)
        bottom, right = target_height - top - height, target_width - left - width
        checks = _require(
            batch,
            [
                (top >= 0, "offset_height must be >= 0"),
                (left >= 0, "offset_width must be >= 0"),
                (right >= 0, "width must be <= target - offset"),
                (bottom >= 0, "height must be <= target - offset"),
            ],
        )
        paddings = [[0, 0], [top, bottom], [left, right], [0, 0]]
        padded = api.pad(_after(checks, batch), paddings)
        return _finished(padded, [count, target_height, target_width, depth], is_batch)


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """The part of the target size at the offset of an image, or of each of a batch.

    Raises ValueError (or InvalidArgumentError in the run, for sizes that are known only then)
    where the part reaches beyond the image.

    >>> import workbench as tf
    >>> tf.image.crop_to_bounding_box([[[1], [2], [3]]], 0, 1, 1, 2).eval().tolist()
    [[[2], [3]]]
    """
    with name_scope(None, "crop_to_bounding_box", [image]):
        batch, is_batch = _batch(image)
        count, height, width, depth = _sizes(batch)
        top, left = _plain(offset_height), _plain(offset_width)
        target_height, target_width = _plain(target_height), _plain(target_width)
        checks = _require(
            batch,
            [
                (left >= 0, "offset_width must be >= 0."),
                (top >= 0, "offset_height must be >= 0."),
                (target_width > 0, "target_width must be > 0."),
                (target_height > 0, "target_height must be > 0."),
                (width >= target_width + left, "width must be >= target + offset."),
                (height >= target_height + top, "height must be >= target + offset."),
            ],
        )
        part = api.slice(
            _after(checks, batch), [0, top, left, 0], [-1, target_height, target_width, -1]
        )
        return _finished(part, [count, target_height, target_width, depth], is_batch)


def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """An image, or a batch of them, cut off or padded with zeros evenly on both sides.

    Raises ValueError where a target size is not positive.

    >>> import workbench as tf
    >>> tf.image.resize_image_with_crop_or_pad([[[1], [2], [3]]], 3, 1).eval().ravel().tolist()
    [0, 2, 0]
    """
    with name_scope(None, "resize_image_with_crop_or_pad", [image]):
        batch, is_batch = _batch(image)
        target_height, target_width = _plain(target_height), _plain(target_width)
        checks = _require(
            batch,
            [
                (target_width > 0, "target_width must be > 0."),
                (target_height > 0, "target_height must be > 0."),
            ],
        )
        batch = _after(checks, batch)
        _, height, width, _ = _sizes(batch)
        cut_rows, pad_rows, rows = _fitted(height, target_height)
        cut_columns, pad_columns, columns = _fitted(width, target_width)
        cropped = crop_to_bounding_box(batch, cut_rows, cut_columns, rows, columns)
        framed: Any = pad_to_bounding_box(
            cropped, pad_rows, pad_columns, target_height, target_width
        )
        result: Tensor = framed if is_batch else api.squeeze(framed, [0])
        return result


def _fitted(size: Any, target: Any) -> tuple[Any, Any, Any]:
    """What to cut in front, what to pad in front, and the size in between."""
    difference = target - size
    if isinstance(difference, int):
        return max(-difference // 2, 0), max(difference // 2, 0), min(target, size)
    return (
        api.maximum(-difference // 2, 0),
        api.maximum(difference // 2, 0),
        api.minimum(target, size),
    )


def central_crop(image: Any, central_fraction: float) -> Tensor:
    """The middle of an image, or of each of a batch: `central_fraction` of its height and width.

    Raises ValueError unless the fraction is in (0, 1].

    >>> import workbench as tf
    >>> tf.image.central_crop(tf.ones([4, 8, 3]), 0.5).shape.as_list()
    [2, 4, 3]
    """
    with name_scope(None, "central_crop", [image]):
        if central_fraction <= 0.0 or central_fraction > 1.0:
            raise ValueError(f"central_fraction must be within (0, 1], got {central_fraction}")
        if central_fraction == 1.0:
            return convert_to_tensor(image, name="image")
        image = as_image(image)
        first = image.shape.ndims - 3
        starts, sizes = [0] * first, [-1] * first
        for axis in (first, first + 1):
            size = size_or_dynamic(image, axis)
            start = _margin(size, central_fraction)
            starts.append(start)
            sizes.append(size - start * 2)
        middle: Tensor = api.slice(image, [*starts, 0], [*sizes, -1])
        known = image.shape.as_list()
        middle.set_shape([*known[:first], None, None, known[-1]])
        return middle


def _margin(size: Any, fraction: float) -> Any:
    if isinstance(size, int):
        return int((size - size * fraction) / 2)
    wide = api.cast(size, "float64")
    return api.cast((wide - wide * fraction) / 2, "int32")
