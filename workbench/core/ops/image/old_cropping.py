"""Random pieces of images as one operation, which graphs from long ago have."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_entries
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _random_crop(image: Any, size: Any, *, seed: int, seed2: int, context: Any) -> Any:
    array = np.asarray(image)
    if array.ndim != 3:
        raise invalid(f"image must be 3-dimensional, got shape {list(array.shape)}")
    height, width = (int(each) for each in np.asarray(size).tolist())
    rows, columns = array.shape[0] - height, array.shape[1] - width
    if rows < 0 or columns < 0:
        raise invalid(
            f"width and height of a piece must not be larger than those of the image: got "
            f"{[height, width]} of {list(array.shape[:2])}"
        )
    draw = context.generator(seed, seed2)
    top, left = int(draw.integers(rows + 1)), int(draw.integers(columns + 1))
    return array[top : top + height, left : left + width].copy()


def _cropped_shape(op: Any) -> list[Any]:
    *_, channels = shape_rules.with_rank(op.inputs[0].entries, 3, "image")
    (length,) = shape_rules.with_rank(op.inputs[1].entries, 1, "size")
    shape_rules.equal_sizes(length, 2, "the size must be [height, width]")
    height, width = constant_entries(op.inputs[1]) or (None, None)
    return [(height, width, channels)]


declare(
    "RandomCrop",
    inputs="image: T, size: int64",
    outputs="output: T",
    attrs="T: {uint8, int8, int16, int32, int64, float, double}, seed: int = 0, seed2: int = 0",
    shape=_cropped_shape,
    kernel=_random_crop,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([[[1.0], [1.0]], [[1.0], [1.0]]], [1, 2], want=[[[1.0], [1.0]]])],
)
