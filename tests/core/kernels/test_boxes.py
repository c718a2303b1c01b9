from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.core.kernels.oracles import Array
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import boxes as kernels

COLORS = [(1, 1, 0), (0, 0, 1), (1, 0, 0), (0, 1, 0), (0.5, 0, 0.5),
          (0.5, 0.5, 0), (0.5, 0, 0), (0, 0, 0.5), (0, 1, 1), (1, 0, 1)]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_drawing_pixel_by_pixel(channels: int, dtype: Any) -> None:
    rng = np.random.default_rng(channels)
    images = rng.random((2, 9, 12, channels)).astype(dtype)
    boxes = (rng.random((2, 13, 4)) * 1.6 - 0.3).astype(np.float32)
    expected = images.copy()
    for n, number in np.ndindex(2, 13):
        top, left, bottom, right = (
            int(np.float32(v) * np.float32(edge))
            for v, edge in zip(boxes[n, number], (8, 11, 8, 11), strict=True)
        )
        color = (1,) if channels == 1 else (*COLORS[number % 10], 1)[:channels]
        if top > bottom or left > right:
            continue
        for y, x in np.ndindex(9, 12):
            on_row = y in (top, bottom) and left <= x <= right
            on_column = x in (left, right) and top <= y <= bottom
            if on_row or on_column:
                expected[n, y, x] = color
    kept = images.copy()
    result = kernels.draw_bounding_boxes(images, boxes)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(images, kept)


def test_drawing_leaves_out_boxes_that_are_not_numbers() -> None:
    box = np.array([[[0, np.nan, 1, 1], [-np.inf, 0, np.inf, 0]]], np.float32)
    result = kernels.draw_bounding_boxes(np.zeros((1, 4, 4, 1), np.float32), box)
    assert result[0, :, 0, 0].tolist() == [1, 1, 1, 1]  # a line from beyond to beyond


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union of two boxes, whose corners may come in any order."""
    (ay1, ay2), (ax1, ax2) = sorted((a[0], a[2])), sorted((a[1], a[3]))
    (by1, by2), (bx1, bx2) = sorted((b[0], b[2])), sorted((b[1], b[3]))
    areas = (ay2 - ay1) * (ax2 - ax1), (by2 - by1) * (bx2 - bx1)
    if min(areas) <= 0:
        return 0
    shared = max(min(ay2, by2) - max(ay1, by1), 0) * max(min(ax2, bx2) - max(ax1, bx1), 0)
    return shared / (sum(areas) - shared)


@given(
    boxes=arrays(np.int64, st.tuples(st.integers(0, 12), st.just(4)), elements=st.integers(0, 4)),
    seed=st.integers(0, 99),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.0]),
    limit=st.integers(0, 14),
)
def test_suppression_against_a_loop(boxes: Array, seed: int, threshold: float, limit: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 4, len(boxes)) / 4
    chosen: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if len(chosen) < limit and all(
            overlap(boxes[i].tolist(), boxes[j].tolist()) <= threshold for j in chosen
        ):
            chosen.append(i)
    for dtype in (np.float32, np.float16):
        operands = boxes.astype(dtype), scores.astype(dtype), np.array(limit, np.int32)
        result = kernels.non_max_suppression_v2(*operands, np.array(threshold, dtype))
        assert result.dtype == np.int32
        assert result.tolist() == chosen
    assert kernels.non_max_suppression(*operands, iou_threshold=threshold).tolist() == chosen


def test_suppression_as_documented_by_tensorflow() -> None:
    boxes = np.array(
        [[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9],
         [0, 10, 1, 11], [1, 11.1, 0, 10.1], [0, 100, 1, 101]], np.float32
    )  # fmt: skip
    scores = np.array([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], np.float32)
    for limit, expected in [(3, [3, 0, 5]), (2, [3, 0]), (30, [3, 0, 5]), (0, [])]:
        assert kernels.non_max_suppression(boxes, scores, np.array(limit)).tolist() == expected


def test_scores_that_are_not_numbers_are_never_chosen() -> None:
    boxes = np.array([[0, i, 1, i + 1] for i in range(4)], np.float32)
    scores = np.array([np.nan, 0.5, -np.inf, np.inf], np.float32)
    assert kernels.non_max_suppression(boxes, scores, np.array(9)).tolist() == [3, 1]


OBJECT = np.array([[[0.2, 0.2, 0.5, 0.6]]], np.float32)
SIZE = np.array([100, 80, 3], np.int32)


@pytest.mark.parametrize("covered", [0.0, 0.1, 0.9, 1.0])
@pytest.mark.parametrize("ratios", [(0.75, 1.33), (0.5, 0.5), (2.0, 3.0)])
@pytest.mark.parametrize("areas", [(0.05, 1.0), (0.3, 0.5)])
def test_samples_keep_their_promises(
    covered: float, ratios: tuple[float, float], areas: tuple[float, float]
) -> None:
    generator = np.random.default_rng(1)
    whole = 0
    parts = set()
    for _ in range(100):
        begin, size, box = kernels.sample_distorted_bounding_box_v2(
            SIZE,
            OBJECT,
            np.array(covered, np.float32),
            aspect_ratio_range=ratios,
            area_range=areas,
            generator=generator,
        )
        assert begin.dtype == size.dtype == np.int32
        (top, left, zero), (rows, columns, rest) = begin.tolist(), size.tolist()
        assert (zero, rest) == (0, -1)
        assert (box.dtype, box.shape) == (np.float32, (1, 1, 4))
        corners = [top / 100, left / 80, (top + rows) / 100, (left + columns) / 80]
        np.testing.assert_allclose(box[0, 0], corners, rtol=1e-6)
        parts.add((top, left, rows, columns))
        if (rows, columns) == (100, 80):
            whole += 1
            continue
        assert 0 <= top <= 100 - rows
        assert 0 <= left <= 80 - columns
        assert areas[0] <= rows * columns / 8000 <= areas[1]
        # The ratio up to the rounding of the width, by half a pixel.
        assert ratios[0] * rows - 0.5 <= columns <= ratios[1] * rows + 0.5
        shown = max(min(50, top + rows) - max(20, top), 0)
        shown *= max(min(48, left + columns) - max(16, left), 0)
        assert shown >= covered * 30 * 32
    assert whole < 50
    assert len(parts) > 40


def test_samples_repeat_with_their_generator() -> None:
    first, second = (
        kernels.sample_distorted_bounding_box(SIZE, OBJECT, generator=np.random.default_rng(3))
        for _ in range(2)
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_whole_image_where_no_part_will_do() -> None:
    for arguments in ({"aspect_ratio_range": (50, 60)}, {"min_object_covered": 1.5}):
        begin, size, box = kernels.sample_distorted_bounding_box(
            SIZE, OBJECT, max_attempts=5, generator=np.random.default_rng(0), **arguments
        )
        assert begin.tolist() == [0, 0, 0]
        assert size.tolist() == [100, 80, -1]
        assert box.tolist() == [[[0, 0, 1, 1]]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int64])
def test_sizes_keep_their_type(dtype: Any) -> None:
    none = np.zeros((1, 0, 4), np.float32)
    begin, size, _ = kernels.sample_distorted_bounding_box(
        SIZE.astype(dtype),
        none,
        use_image_if_no_bounding_boxes=True,
        generator=np.random.default_rng(0),
    )
    assert begin.dtype == size.dtype == dtype
    assert size[2] == np.array(-1).astype(dtype)


def test_errors_are_in_the_users_terms() -> None:
    images, boxes = np.zeros((1, 4, 4, 2)), np.zeros((1, 1, 4), np.float32)
    with pytest.raises(InvalidArgumentError, match=r"1 \(grey\), 3 \(RGB\) .* channels, got 2"):
        kernels.draw_bounding_boxes(images, boxes)
    with pytest.raises(InvalidArgumentError, match=r"boxes \[batch, boxes, 4\], got"):
        kernels.draw_bounding_boxes(images, boxes[0])
    flat, scores = np.zeros((3, 4), np.float32), np.zeros(3, np.float32)
    with pytest.raises(InvalidArgumentError, match=r"scores \[boxes\], got \(3, 4\) and \(2,\)"):
        kernels.non_max_suppression(flat, scores[:2], np.array(1))
    with pytest.raises(InvalidArgumentError, match="iou_threshold must be between 0 and 1"):
        kernels.non_max_suppression(flat, scores, np.array(1), iou_threshold=1.5)
    with pytest.raises(InvalidArgumentError, match="max_output_size must be 0 or more, got -1"):
        kernels.non_max_suppression(flat, scores, np.array(-1))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"image_size": SIZE[:2]}, "3 numbers: height, width and channels"),
        ({"bounding_boxes": OBJECT * 3}, "between 0 and 1, got numbers from 0.6"),
        ({"bounding_boxes": OBJECT[0]}, "[batch, boxes, 4], got (1, 4)"),
        ({"bounding_boxes": OBJECT[:, :0]}, "set use_image_if_no_bounding_boxes"),
        ({"area_range": (0, 1)}, "area_range must have 2 positive numbers, got (0, 1)"),
        ({"area_range": (0.5, 2)}, "must not go beyond the whole image"),
        ({"aspect_ratio_range": (1,)}, "aspect_ratio_range must have 2 positive numbers"),
        ({"max_attempts": 0}, "max_attempts must be 1 or more, got 0"),
    ]
    for changed, message in cases:
        arguments = {"image_size": SIZE, "bounding_boxes": OBJECT, **changed}
        operands = arguments.pop("image_size"), arguments.pop("bounding_boxes")
        with pytest.raises(InvalidArgumentError) as caught:
            kernels.sample_distorted_bounding_box(
                *operands, generator=np.random.default_rng(0), **arguments
            )
        assert message in str(caught.value)
