"""Bounding boxes: [y1, x1, y2, x2], as a rule with 0 and 1 at the borders of the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import boxes as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample


def _drawn_shape(op: Any) -> list[Entries]:
    images = shape_rules.with_rank(op.inputs[0].entries, 4, "the images")
    boxes = shape_rules.with_rank(op.inputs[1].entries, 3, "the boxes")
    shape_rules.equal_sizes(boxes[2], 4, "a box is [y1, x1, y2, x2]")
    batch = shape_rules.equal_sizes(images[0], boxes[0], "images and their boxes")
    return [(batch, *images[1:])]


declare(
    "DrawBoundingBoxes",
    inputs="images: T, boxes: float",
    outputs="output: T",
    attrs="T: {float, half} = DT_FLOAT",
    shape=_drawn_shape,
    kernel=kernels.draw_bounding_boxes,
    gradient=None,
    samples=[
        sample(
            [[[[0.0], [0.0], [0.0]], [[0.5], [0.5], [0.5]], [[0.0], [0.0], [0.0]]]],
            [[[0.0, 0.0, 1.0, 1.0]]],
            want=[[[[1.0], [1.0], [1.0]], [[1.0], [0.5], [1.0]], [[1.0], [1.0], [1.0]]]],
        )
    ],
)


def draw_bounding_boxes(images: Any, boxes: Any, name: str | None = None) -> Tensor:
    """`images` [batch, height, width, channels] with `boxes` [batch, n, 4] drawn on them.

    >>> import workbench as tf
    >>> image = tf.image.draw_bounding_boxes(tf.zeros([1, 2, 3, 1]), [[[0.0, 0.0, 1.0, 0.5]]])
    >>> image.eval()[0, :, :, 0].tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    """
    return call("DrawBoundingBoxes", name, images=images, boxes=boxes)


# -- suppression ---------------------------------------------------------------------------------


def _suppression_shape(op: Any) -> list[Entries]:
    count, corners = shape_rules.with_rank(op.inputs[0].entries, 2, "the boxes")
    (scored,) = shape_rules.with_rank(op.inputs[1].entries, 1, "the scores")
    shape_rules.fixed_size(corners, 4, "a box is [y1, x1, y2, x2]")
    shape_rules.equal_sizes(count, scored, "boxes and scores")
    for tensor in op.inputs[2:]:
        shape_rules.with_rank(tensor.entries, 0, "a limit")
    return [(None,)]


def _suppression_above(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any, score_threshold: Any
) -> Any:
    """The third version: a score must be above a threshold too."""
    high = np.where(scores > score_threshold, scores, -np.inf).astype(scores.dtype)
    return kernels.non_max_suppression_v2(boxes, high, max_output_size, iou_threshold)


_THREE = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [2.0, 2.0, 3.0, 3.0]]
_SCORES = [0.7, 0.9, 0.1]

declare(
    "NonMaxSuppression",
    inputs="boxes: float, scores: float, max_output_size: int32",
    outputs="selected_indices: int32",
    attrs="iou_threshold: float = 0.5",
    shape=_suppression_shape,
    kernel=kernels.non_max_suppression,
    samples=[
        sample(_THREE, _SCORES, 5, want=[1, 2]),
        sample(_THREE, _SCORES, 5, iou_threshold=0.95, want=[1, 0, 2]),
    ],
)
declare(
    "NonMaxSuppressionV2",
    inputs="boxes: float, scores: float, max_output_size: int32, iou_threshold: float",
    outputs="selected_indices: int32",
    shape=_suppression_shape,
    kernel=kernels.non_max_suppression_v2,
    samples=[sample(_THREE, _SCORES, 1, 0.5, want=[1])],
)
declare(
    "NonMaxSuppressionV3",
    inputs="boxes: float, scores: float, max_output_size: int32, iou_threshold: float, "
    "score_threshold: float",
    outputs="selected_indices: int32",
    shape=_suppression_shape,
    kernel=_suppression_above,
    samples=[sample(_THREE, _SCORES, 5, 0.5, 0.2, want=[1])],
)


def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Tensor:
    """The indices (int32) of the best of `boxes` [n, 4], none too close to a better one.

    Too close means sharing more than `iou_threshold` of what both cover. At most `max_output_size`
    are chosen, in the order of falling `scores` [n], of those above `score_threshold`.

    >>> import workbench as tf
    >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [2.0, 2.0, 3.0, 3.0]]
    >>> tf.image.non_max_suppression(boxes, [0.7, 0.9, 0.1], 5).eval().tolist()
    [1, 2]
    """
    if isinstance(score_threshold, str):
        # TensorFlow 1.4 has the name here, before it knew a threshold of scores.
        name, score_threshold = score_threshold, float("-inf")
    with name_scope(name, "non_max_suppression") as scope:
        threshold = convert_to_tensor(iou_threshold, "float32", name="iou_threshold")
        arguments = {"boxes": boxes, "scores": scores, "max_output_size": max_output_size}
        if isinstance(score_threshold, float) and score_threshold == float("-inf"):
            return call("NonMaxSuppressionV2", scope, iou_threshold=threshold, **arguments)
        return call(
            "NonMaxSuppressionV3",
            scope,
            iou_threshold=threshold,
            score_threshold=score_threshold,
            **arguments,
        )


# -- random parts --------------------------------------------------------------------------------

_RANGES = (
    "aspect_ratio_range: list(float) = [0.75, 1.33], area_range: list(float) = [0.05, 1.0], "
    "max_attempts: int = 100, use_image_if_no_bounding_boxes: bool = false"
)
_OUTPUTS = "begin: T, size: T, bboxes: float"


def _part_shape(op: Any) -> list[Entries]:
    (length,) = shape_rules.with_rank(op.inputs[0].entries, 1, "the image size")
    shape_rules.equal_sizes(length, 3, "an image size is [height, width, channels]")
    return [(3,), (3,), (1, 1, 4)]


def _part(
    image_size: Any,
    bounding_boxes: Any,
    *,
    min_object_covered: float,
    aspect_ratio_range: Sequence[float],
    area_range: Sequence[float],
    max_attempts: int,
    use_image_if_no_bounding_boxes: bool,
    seed: int,
    seed2: int,
    context: Any,
) -> Any:
    return kernels.sample_distorted_bounding_box(
        image_size,
        bounding_boxes,
        min_object_covered=min_object_covered,
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        max_attempts=max_attempts,
        use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
        generator=context.generator(seed, seed2),
    )


def _part_second(
    image_size: Any,
    bounding_boxes: Any,
    min_object_covered: Any,
    *,
    aspect_ratio_range: Sequence[float],
    area_range: Sequence[float],
    max_attempts: int,
    use_image_if_no_bounding_boxes: bool,
    seed: int,
    seed2: int,
    context: Any,
) -> Any:
    return kernels.sample_distorted_bounding_box_v2(
        image_size,
        bounding_boxes,
        min_object_covered,
        aspect_ratio_range=aspect_ratio_range,
        area_range=area_range,
        max_attempts=max_attempts,
        use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
        generator=context.generator(seed, seed2),
    )


def _declare_part(
    type_name: str, inputs: str, attrs: str, kernel: Callable[..., Any], covered: tuple[Any, ...]
) -> None:
    """Only the whole image shows all of an object as large as the image."""
    whole: dict[str, Any] = {"aspect_ratio_range": [1.0, 1.0], "area_range": [1.0, 1.0]}
    declare(
        type_name,
        inputs=f"image_size: T, bounding_boxes: float{inputs}",
        outputs=_OUTPUTS,
        attrs=f"T: {{uint8, int8, int16, int32, int64}}, seed: int = 0, seed2: int = 0, {attrs}"
        f"{_RANGES}",
        shape=_part_shape,
        kernel=kernel,
        stateful=True,
        samples=[
            sample(
                [4, 4, 3],
                [[[0.0, 0.0, 1.0, 1.0]]],
                *covered,
                **whole,
                want=([0, 0, 0], [4, 4, -1], [[[0.0, 0.0, 1.0, 1.0]]]),
            )
        ],
    )


_declare_part("SampleDistortedBoundingBox", "", "min_object_covered: float = 0.1, ", _part, ())
_declare_part(
    "SampleDistortedBoundingBoxV2", ", min_object_covered: float", "", _part_second, (1.0,)
)


class DistortedBoundingBox(NamedTuple):
    """Where a part of an image begins and its size, for `tf.slice`, and the part as a box."""

    begin: Tensor
    size: Tensor
    bboxes: Tensor


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: int | None = None,
    seed2: int | None = None,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Sequence[float] | None = None,
    area_range: Sequence[float] | None = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> DistortedBoundingBox:
    """A random part of an image that shows `min_object_covered` of one of its objects.

    `image_size` is [height, width, channels], `bounding_boxes` [batch, n, 4] are the objects. The
    part has an aspect (width / height) and a share of the image in the given ranges; after
    `max_attempts` parts that do not do it is the whole image. Without objects it is an error, or
    the image counts as one with `use_image_if_no_bounding_boxes`.
    """
    with name_scope(name, "sample_distorted_bounding_box"):
        op = create(
            "SampleDistortedBoundingBoxV2",
            None,
            image_size=image_size,
            bounding_boxes=bounding_boxes,
            seed=seed,
            seed2=seed2,
            min_object_covered=0.1 if min_object_covered is None else min_object_covered,
            aspect_ratio_range=aspect_ratio_range,
            area_range=area_range,
            max_attempts=max_attempts,
            use_image_if_no_bounding_boxes=use_image_if_no_bounding_boxes,
        )
        return DistortedBoundingBox(*op.outputs)
