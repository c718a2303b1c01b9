"""Colour spaces, and contrast, hue and saturation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.kernels import color as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.image.numbers import convert_image_dtype

# -- the operations ------------------------------------------------------------------------------


def _colors(op: Any) -> list[Entries]:
    entries = shape_rules.at_least_rank(op.inputs[0].entries, 1, "the images")
    if entries is None:
        return [None]
    return [(*entries[:-1], shape_rules.equal_sizes(entries[-1], 3, "red, green and blue"))]


def _at_least_images(op: Any) -> list[Entries]:
    for tensor in op.inputs[1:]:
        shape_rules.with_rank(tensor.entries, 0, "a number of an adjustment")
    return [shape_rules.at_least_rank(op.inputs[0].entries, 3, "the images")]


def _contrast(images: Any, factor: Any, low: Any, high: Any) -> Any:
    """The first version: float32, kept between two values."""
    adjusted = kernels.adjust_contrastv2(images.astype(np.float32), factor)
    return np.clip(adjusted, low, high)


_RED, _BLUISH = [[[0.5, 0.25, 0.25]]], [[[0.25, 0.25, 0.5]]]

declare(
    "RGBToHSV",
    inputs="images: T",
    outputs="output: T",
    attrs="T: {half, bfloat16, float, double} = DT_FLOAT",
    shape=_colors,
    kernel=kernels.rgb_to_hsv,
    gradient=None,
    samples=[
        sample(_RED, want=[[[0.0, 0.5, 0.5]]]),
        sample([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]], want=[[1 / 3, 1.0, 1.0], [2 / 3, 0.5, 0.5]]),
    ],
)
declare(
    "HSVToRGB",
    inputs="images: T",
    outputs="output: T",
    attrs="T: {half, bfloat16, float, double} = DT_FLOAT",
    shape=_colors,
    kernel=kernels.hsv_to_rgb,
    gradient=None,
    samples=[sample([[0.0, 0.5, 0.5], [2 / 3, 0.5, 0.5]], want=[_RED[0][0], _BLUISH[0][0]])],
)
declare(
    "AdjustContrast",
    inputs="images: T, contrast_factor: float, min_value: float, max_value: float",
    outputs="output: float",
    attrs="T: {uint8, int8, int16, int32, int64, float, double}",
    shape=_at_least_images,
    kernel=_contrast,
    gradient=None,
    samples=[sample([[[1], [3]]], 4.0, 0.0, 5.0, want=[[[0.0], [5.0]]])],
)
declare(
    "AdjustContrastv2",
    inputs="images: float, contrast_factor: float",
    outputs="output: float",
    shape=_at_least_images,
    kernel=kernels.adjust_contrastv2,
    gradient=None,
    samples=[sample([[[1.0], [3.0]]], 2.0, want=[[[0.0], [4.0]]])],
)
declare(
    "AdjustHue",
    inputs="images: float, delta: float",
    outputs="output: float",
    shape=_at_least_images,
    kernel=kernels.adjust_hue,
    gradient=None,
    samples=[sample([_RED], 2 / 3, want=[_BLUISH])],
)
declare(
    "AdjustSaturation",
    inputs="images: float, scale: float",
    outputs="output: float",
    shape=_at_least_images,
    kernel=kernels.adjust_saturation,
    gradient=None,
    samples=[sample([_RED], 2.0, want=[[[[0.5, 0.0, 0.0]]]])],
)

# -- colour spaces -------------------------------------------------------------------------------


def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Red, green and blue along the last axis as hue, saturation and value, all in [0, 1].

    >>> import workbench as tf
    >>> tf.image.rgb_to_hsv([[0.5, 0.25, 0.25]]).eval().tolist()
    [[0.0, 0.5, 0.5]]
    """
    return call("RGBToHSV", name, images=images)


def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation and value along the last axis, all in [0, 1], as red, green and blue."""
    return call("HSVToRGB", name, images=images)


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """The luma of colours (the last axis, of size 3); the last axis has size 1 then.

    >>> import workbench as tf
    >>> tf.image.rgb_to_grayscale([[[1.0, 1.0, 1.0]]]).eval().round(2).tolist()
    [[[1.0]]]
    """
    with name_scope(name, "rgb_to_grayscale", [images]) as scope:
        images = convert_to_tensor(images, name="images")
        colors = convert_image_dtype(images, float32)
        gray = api.reduce_sum(colors * [0.2989, 0.5870, 0.1140], -1, keep_dims=True)
        return convert_image_dtype(gray, images.dtype.base_dtype, name=scope)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Greys (the last axis, of size 1) as colours of equal red, green and blue."""
    with name_scope(name, "grayscale_to_rgb", [images]) as scope:
        images = convert_to_tensor(images, name="images")
        rank = images.shape.ndims
        if rank is None:
            ones = api.ones([api.rank(images) - 1], "int32")
            repeats = api.concat([ones, [3]], 0)
        else:
            images.shape[rank - 1].assert_is_compatible_with(1)
            repeats = [*[1] * (rank - 1), 3]
        result: Tensor = api.tile(images, repeats, name=scope)
        return result


# -- adjustments ---------------------------------------------------------------------------------


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """`image` with `delta` added to every value, on the scale where floats reach from 0 to 1.

    Images of integers are converted for it and back; see `tf.image.convert_image_dtype`.

    >>> import workbench as tf
    >>> tf.image.adjust_brightness(tf.constant([[[51]]], tf.uint8), 0.2).eval().tolist()
    [[[102]]]
    """
    with name_scope(None, "adjust_brightness", [image, delta]) as scope:
        image = convert_to_tensor(image, name="image")
        dtype = image.dtype.base_dtype
        floats = (
            image if dtype.name in ("float16", "float32") else convert_image_dtype(image, float32)
        )
        adjusted = api.add(floats, api.cast(delta, floats.dtype.base_dtype), name=scope)
        return convert_image_dtype(adjusted, dtype, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """`images` with every value moved away from the mean of its channel by `contrast_factor`.

    >>> import workbench as tf
    >>> tf.image.adjust_contrast([[[1.0], [3.0]]], 2.0).eval().tolist()
    [[[0.0], [4.0]]]
    """
    with name_scope(None, "adjust_contrast", [images, contrast_factor]) as scope:
        images = convert_to_tensor(images, name="images")
        adjusted = call(
            "AdjustContrastv2",
            scope,
            images=convert_image_dtype(images, float32),
            contrast_factor=contrast_factor,
        )
        return convert_image_dtype(adjusted, images.dtype.base_dtype, saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """`gain` * `image` ** `gamma` where `image` is scaled to [0, 1] for it, and scaled back after.

    The result is float32, on the scale of `image`. Raises ValueError for a negative `gamma`.

    >>> import workbench as tf
    >>> tf.image.adjust_gamma(tf.constant([[[51]]], tf.uint8), 2).eval().round().tolist()
    [[[10.0]]]
    """
    with name_scope(None, "adjust_gamma", [image, gamma, gain]):
        image = convert_to_tensor(image, name="image")
        low, high = image.dtype.base_dtype.limits
        scale = float(high) - float(low)
        floats = api.cast(image, float32)
        message = "Gamma should be a non-negative real number."
        if isinstance(gamma, TensorLike):
            gamma = api.cast(gamma, float32)
            with api.control_dependencies([api.Assert(gamma >= 0, [message])]):
                gamma = api.identity(gamma)
        elif gamma < 0:
            raise ValueError(message)
        adjusted: Tensor = (floats / scale) ** gamma * scale * gain
        return adjusted


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """`image` with the hue of every colour turned by `delta`, where 1 is a full turn."""
    return _adjusted("AdjustHue", "adjust_hue", image, name, delta=delta)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """`image` with the saturation of every colour times `saturation_factor`, at most 1."""
    return _adjusted("AdjustSaturation", "adjust_saturation", image, name, scale=saturation_factor)


def _adjusted(
    type_name: str, default_name: str, image: Any, name: str | None, **number: Any
) -> Tensor:
    with name_scope(name, default_name, [image]):
        image = convert_to_tensor(image, name="image")
        floats = convert_image_dtype(image, float32)
        return convert_image_dtype(
            call(type_name, None, images=floats, **number), image.dtype.base_dtype
        )


# -- at random -----------------------------------------------------------------------------------


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_brightness` by a random number of [-max_delta, max_delta)."""
    if max_delta < 0:
        raise ValueError(f"max_delta must be non-negative, got {max_delta}.")
    return adjust_brightness(image, api.random_uniform([], -max_delta, max_delta, seed=seed))


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_contrast` by a random number of [lower, upper)."""
    return _with_factor(adjust_contrast, image, lower, upper, seed)


def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """`adjust_saturation` by a random number of [lower, upper)."""
    return _with_factor(adjust_saturation, image, lower, upper, seed)


def _with_factor(
    adjust: Callable[[Any, Any], Tensor], image: Any, lower: float, upper: float, seed: int | None
) -> Tensor:
    if upper <= lower:
        raise ValueError(f"upper must be > lower, got {lower} and {upper}.")
    if lower < 0:
        raise ValueError(f"lower must be non-negative, got {lower}.")
    return adjust(image, api.random_uniform([], lower, upper, seed=seed))


def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """`adjust_hue` by a random number of [-max_delta, max_delta); that is at most 0.5."""
    if max_delta > 0.5:
        raise ValueError(f"max_delta must be <= 0.5, got {max_delta}.")
    if max_delta < 0:
        raise ValueError(f"max_delta must be non-negative, got {max_delta}.")
    return adjust_hue(image, api.random_uniform([], -max_delta, max_delta, seed=seed))
