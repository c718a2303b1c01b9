"""Boxes cut out of images."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_entries
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import cropping as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.image.resizing import resized_entries

_TYPES = "{uint8, uint16, int8, int16, int32, int64, half, float, double}"
_METHOD = "method: {'bilinear', 'nearest'} = 'bilinear'"


def _crop_shape(op: Any) -> list[Entries]:
    image, boxes, indices, size = op.inputs
    (count, corners) = shape_rules.with_rank(boxes.entries, 2, "the boxes")
    shape_rules.equal_sizes(corners, 4, "a box is [y1, x1, y2, x2]")
    (numbered,) = shape_rules.with_rank(indices.entries, 1, "box_ind")
    count = shape_rules.equal_sizes(count, numbered, "boxes and their images")
    _, height, width, channels = resized_entries(image.entries, size)[0] or (None,) * 4
    return [(count, height, width, channels)]


def _crop_gradient(op: Any, dy: Tensor) -> tuple[Any, Tensor, None, None]:
    image, boxes, indices, _ = op.inputs
    by_image = None
    if image.dtype.base_dtype.is_floating:
        by_image = call(
            "CropAndResizeGradImage",
            None,
            grads=dy,
            boxes=boxes,
            box_ind=indices,
            image_size=api.shape(image),
            T=image.dtype.base_dtype,
            method=op.attrs["method"],
        )
    by_boxes = call(
        "CropAndResizeGradBoxes", None, grads=dy, image=image, boxes=boxes, box_ind=indices
    )
    return by_image, by_boxes, None, None


_IMAGE = [[[[0.0], [1.0], [2.0]], [[3.0], [4.0], [5.0]], [[6.0], [7.0], [8.0]]]]
_BOX = [[0.0, 0.0, 0.5, 1.0]]

declare(
    "CropAndResize",
    inputs="image: T, boxes: float, box_ind: int32, crop_size: int32",
    outputs="crops: float",
    attrs=f"T: {_TYPES}, {_METHOD}, extrapolation_value: float = 0.0",
    shape=_crop_shape,
    kernel=kernels.crop_and_resize,
    gradient=_crop_gradient,
    samples=[
        sample(_IMAGE, _BOX, [0], [2, 2], want=[[[[0.0], [2.0]], [[3.0], [5.0]]]], gradient=[0]),
        # Between the pixels, so that the box may move either way.
        sample(
            _IMAGE, [[0.1, 0.15, 0.35, 0.4]], [0], [2, 2], want=[[[[0.9], [1.4]], [[2.4], [2.9]]]]
        ),
        sample(
            _IMAGE,
            [[0.0, 0.0, 0.0, 2.0]],
            [0],
            [1, 2],
            extrapolation_value=-1.0,
            want=[[[[0.0], [-1.0]]]],
            gradient=(),
        ),
        sample(
            _IMAGE,
            [[0.0, 0.0, 0.0, 0.7]],
            [0],
            [1, 2],
            method="nearest",
            want=[[[[0.0], [1.0]]]],
            gradient=[0],
        ),
    ],
)
declare(
    "CropAndResizeGradImage",
    inputs="grads: float, boxes: float, box_ind: int32, image_size: int32",
    outputs="output: T",
    attrs=f"T: {{float, half, double}}, {_METHOD}",
    shape=lambda op: [constant_entries(op.inputs[3]) or (None,) * 4],
    kernel=kernels.crop_and_resize_grad_image,
    gradient=None,
    samples=[
        sample(
            [[[[1.0], [2.0]]]],
            [[0.0, 0.0, 0.0, 1.0]],
            [0],
            [1, 1, 3, 1],
            T="float",
            want=[[[[1.0], [0.0], [2.0]]]],
        )
    ],
)
declare(
    "CropAndResizeGradBoxes",
    inputs="grads: float, image: T, boxes: float, box_ind: int32",
    outputs="output: float",
    attrs=f"T: {_TYPES}, method: {{'bilinear'}} = 'bilinear'",
    shape=shape_rules.same(2),
    kernel=kernels.crop_and_resize_grad_boxes,
    gradient=None,
    # The rows of the image grow by 3, its columns by 1, over 2 pixels each.
    samples=[
        sample([[[[1.0]]]], _IMAGE, [[0.1, 0.15, 0.35, 0.4]], [0], want=[[3.0, 1.0, 3.0, 1.0]])
    ],
)


def _glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    *,
    centered: bool,
    normalized: bool,
    uniform_noise: bool,
    context: Any,
) -> Any:
    return kernels.extract_glimpse(
        input,
        size,
        offsets,
        centered=centered,
        normalized=normalized,
        uniform_noise=uniform_noise,
        generator=context.generator(),
    )


def _glimpse_shape(op: Any) -> list[Entries]:
    entries = resized_entries(op.inputs[0].entries, op.inputs[1])
    (count, corner) = shape_rules.with_rank(op.inputs[2].entries, 2, "the offsets")
    shape_rules.equal_sizes(corner, 2, "an offset is [y, x]")
    batch, *rest = entries[0] or (None,) * 4
    return [(shape_rules.equal_sizes(batch, count, "images and offsets"), *rest)]


declare(
    "ExtractGlimpse",
    inputs="input: float, size: int32, offsets: float",
    outputs="glimpse: float",
    attrs="centered: bool = true, normalized: bool = true, uniform_noise: bool = true",
    shape=_glimpse_shape,
    kernel=_glimpse,
    # What lies beyond the image is filled with noise.
    stateful=True,
    samples=[
        sample(_IMAGE, [1, 1], [[0.0, 0.0]], want=[[[[4.0]]]]),
        sample(
            _IMAGE,
            [2, 1],
            [[1.0, 2.0]],
            centered=False,
            normalized=False,
            want=[[[[1.0]], [[4.0]]]],
        ),
    ],
)


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_ind: Any,
    crop_size: Any,
    method: str | None = None,
    extrapolation_value: float | None = None,
    name: str | None = None,
) -> Tensor:
    """`boxes` [n, 4] cut out of the images [batch, height, width, channels], all in one size.

    A box is [y1, x1, y2, x2] with 0 and 1 at the outermost pixels; `box_ind` (int32 [n]) says from
    which image it is cut, `crop_size` is [height, width]. `method` is "bilinear" or "nearest"; what
    lies outside of the image is `extrapolation_value`. The result is float32.

    >>> import workbench as tf
    >>> image = tf.reshape(tf.range(9.0), [1, 3, 3, 1])
    >>> crops = tf.image.crop_and_resize(image, [[0.0, 0.0, 0.5, 1.0]], [0], [2, 2])
    >>> crops.eval().ravel().tolist()
    [0.0, 2.0, 3.0, 5.0]
    """
    return call(
        "CropAndResize",
        name,
        image=image,
        boxes=boxes,
        box_ind=box_ind,
        crop_size=crop_size,
        method=method,
        extrapolation_value=extrapolation_value,
    )


def extract_glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    centered: bool | None = None,
    normalized: bool | None = None,
    uniform_noise: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """From each image [batch, height, width, channels] the part of `size` around its offset (y, x).

    `centered` counts offsets from the middle, `normalized` in sizes of the image (both by default).
    Beyond the image there is noise, uniform or normal.
    """
    return call(
        "ExtractGlimpse",
        name,
        input=input,
        size=size,
        offsets=offsets,
        centered=centered,
        normalized=normalized,
        uniform_noise=uniform_noise,
    )
