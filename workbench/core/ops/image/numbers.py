"""The numbers of images: their types, their scale, and sums over them."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.image.orientation import as_image


def convert_image_dtype(
    image: Any, dtype: Any, saturate: bool = False, name: str | None = None
) -> Tensor:
    """`image` in another type, on its scale: floats from 0 to 1, integers from 0 to their largest.

    `saturate` keeps values in the range of the type instead of wrapping around.

    >>> import workbench as tf
    >>> tf.image.convert_image_dtype(tf.constant([0, 255], tf.uint8), tf.float32).eval().tolist()
    [0.0, 1.0]
    """
    image = convert_to_tensor(image, name="image")
    source, target = image.dtype.base_dtype, as_dtype(dtype).base_dtype
    if source is target:
        same: Tensor = api.identity(image, name=name)
        return same
    with name_scope(name, "convert_image", [image]) as scope:
        result: Tensor
        if source.is_floating and target.is_floating:
            result = api.cast(image, target, name=scope)
        elif source.is_integer and target.is_integer:
            result = _between_integers(image, source, target, saturate, scope)
        elif source.is_integer:
            result = api.multiply(api.cast(image, target), 1.0 / int(source.max), name=scope)
        else:
            # Half a step more, so that the cast, which cuts off, rounds.
            scaled = api.multiply(image, int(target.max) + 0.5)
            convert = api.saturate_cast if saturate else api.cast
            result = convert(scaled, target, name=scope)
        return result


def _between_integers(image: Any, source: Any, target: Any, saturate: bool, scope: str) -> Any:
    """By the ratio of the ranges, in the larger of the two types."""
    largest, wanted = int(source.max), int(target.max)
    if largest > wanted:
        scaled = api.floor_div(image, (largest + 1) // (wanted + 1))
        convert = api.saturate_cast if saturate else api.cast
        return convert(scaled, target, name=scope)
    wide = api.saturate_cast(image, target) if saturate else api.cast(image, target)
    return api.multiply(wide, (wanted + 1) // (largest + 1), name=scope)


def per_image_standardization(image: Any) -> Tensor:
    """An image (or each of a batch) moved and scaled to mean 0 and norm 1, in float32.

    The deviation to divide by is at least 1 / sqrt(number of values), for images of one colour.

    >>> import workbench as tf
    >>> tf.image.per_image_standardization([[[1.0], [3.0]]]).eval().tolist()
    [[[-1.0], [1.0]]]
    """
    with name_scope(None, "per_image_standardization", [image]) as scope:
        image = as_image(image)
        dtype = image.dtype.base_dtype
        floats: Any = image if dtype.name in ("float16", "float32") else api.cast(image, "float32")
        kind = floats.dtype.base_dtype
        count = image.shape[-3:].num_elements()
        total = api.reduce_prod(api.shape(image)[-3:]) if count is None else count
        mean = api.reduce_mean(floats, [-1, -2, -3], keep_dims=True)
        squares = api.reduce_mean(api.square(floats), [-1, -2, -3], keep_dims=True)
        # Rounding may bring the difference below zero.
        deviation = api.sqrt(api.relu(squares - api.square(mean)))
        least = api.rsqrt(api.cast(total, kind))
        result: Tensor = api.div(floats - mean, api.maximum(deviation, least), name=scope)
        return result


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """The sum of the differences of neighbouring pixels: a scalar, or [batch] for a batch.

    >>> import workbench as tf
    >>> float(tf.image.total_variation([[[0.0], [2.0]], [[1.0], [2.0]]]).eval())
    4.0
    """
    with name_scope(name, "total_variation"):
        images = convert_to_tensor(images, name="images")
        rank = images.shape.ndims
        if rank not in (3, 4):
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        values: Any = images
        if rank == 3:
            down, right = values[1:] - values[:-1], values[:, 1:] - values[:, :-1]
            axes = None
        else:
            down = values[:, 1:] - values[:, :-1]
            right = values[:, :, 1:] - values[:, :, :-1]
            axes = [1, 2, 3]
        total: Tensor = api.reduce_sum(api.abs(down), axes) + api.reduce_sum(api.abs(right), axes)
        return total
