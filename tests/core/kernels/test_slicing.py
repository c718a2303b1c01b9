"""Slices against a model that spells out every index of every dimension."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import slicing

NAMES = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def spelled_out(x: Any, begin: Any, end: Any, strides: Any, masks: dict[str, int]) -> Any:
    """The result of a strided slice by the rules of TensorFlow's documentation, or None."""

    def masked(name: str, i: int) -> bool:
        return bool(masks[name] & (1 << i))

    count = len(begin)
    ellipses = [i for i in range(count) if masked("ellipsis_mask", i)]
    used = sum(
        not masked("ellipsis_mask", i) and not masked("new_axis_mask", i) for i in range(count)
    )
    if len(ellipses) > 1 or used > x.ndim:
        return None
    positions: list[int | None] = list(range(count))
    at = ellipses[0] if ellipses else count
    positions[at : at + 1] = [None] * (x.ndim - used)
    shape, chosen, dimension = [], [], 0
    for i in positions:
        size = x.shape[dimension] if dimension < x.ndim else 0
        if i is None:
            chosen.append(list(range(size)))
            shape.append(size)
        elif masked("new_axis_mask", i):
            shape.append(1)
            continue
        elif masked("shrink_axis_mask", i):
            index = begin[i] + size if begin[i] < 0 else begin[i]
            if not 0 <= index < size or strides[i] < 0:
                return None
            chosen.append([index])
        else:
            step = strides[i]
            low, high = (0, size) if step > 0 else (-1, size - 1)
            start = begin[i] + size if begin[i] < 0 else begin[i]
            stop = end[i] + size if end[i] < 0 else end[i]
            start, stop = min(max(start, low), high), min(max(stop, low), high)
            if masked("begin_mask", i):
                start = 0 if step > 0 else size - 1
            if masked("end_mask", i):
                stop = size if step > 0 else -1
            picked = []
            while (start < stop) if step > 0 else (start > stop):
                picked.append(start)
                start += step
            chosen.append(picked)
            shape.append(len(picked))
        dimension += 1
    return x[np.ix_(*chosen)].reshape(shape) if chosen else x.reshape(shape)


@st.composite
def slices(draw: Any) -> Any:
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    count = draw(st.integers(0, len(shape) + 2))
    bound = st.lists(st.integers(-5, 5), min_size=count, max_size=count)
    step = st.sampled_from([1, 1, 1, 2, 3, -1, -2])
    strides = draw(st.lists(step, min_size=count, max_size=count))
    bits = st.integers(0, 31)
    masks = {name: draw(bits) & draw(bits) for name in NAMES}
    masks["ellipsis_mask"] = draw(st.sampled_from([0, 0, 1, 2, 4, 6]))
    return shape, draw(bound), draw(bound), strides, masks


@settings(max_examples=400, deadline=None)
@given(slices())
def test_every_combination_of_masks(case: Any) -> None:
    shape, begin, end, strides, masks = case
    x = np.arange(1, 1 + int(np.prod(shape))).reshape(shape)
    expected = spelled_out(x, begin, end, strides, masks)
    if expected is None:
        with pytest.raises(InvalidArgumentError):
            slicing.strided_slice(x, begin, end, strides, **masks)
        return
    result = slicing.strided_slice(x, begin, end, strides, **masks)
    np.testing.assert_array_equal(result, expected)
    assert slicing.strided_slice_shape(shape, begin, end, strides, **masks) == expected.shape

    gradient = slicing.strided_slice_grad(np.array(shape), begin, end, strides, result, **masks)
    np.testing.assert_array_equal(gradient, np.where(np.isin(x, expected), x, 0))

    # What is inferred with some sizes unknown holds for all sizes.
    partly = [size if i % 2 else None for i, size in enumerate(shape)]
    inferred = slicing.strided_slice_shape(partly, begin, end, strides, **masks)
    assert len(inferred) == expected.ndim
    assert all(a is None or a == b for a, b in zip(inferred, expected.shape, strict=True))


STATIC = [
    ((None, 5), [0, 1], [0, 3], [1, 1], {"begin_mask": 1, "end_mask": 1}, (None, 2)),
    ((None, 5), [0], [3], [1], {}, (None, 5)),
    ((4, 5), None, None, [1, 1], {}, (None, None)),
    ((4, 5), None, None, [1, 1], {"begin_mask": 1, "end_mask": 1}, (4, None)),
    ((4, 5), None, None, [-1, 2], {"begin_mask": 3, "end_mask": 3}, (4, 3)),
    ((4, 5), None, None, [1, 1], {"shrink_axis_mask": 1}, (None,)),
    ((4, 5), [None, 1], [2, None], [1, 1], {"new_axis_mask": 1}, (1, None, 5)),
    ((4, 5), [1], [3], [None], {}, (None, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "begin", "end", "strides", "masks", "expected"), STATIC)
def test_static_shapes(
    shape: Any, begin: Any, end: Any, strides: Any, masks: Any, expected: Any
) -> None:
    assert slicing.strided_slice_shape(shape, begin, end, strides, **masks) == expected


def test_strings_and_single_elements_stay_arrays() -> None:
    words = np.array([b"a", b"b"], object)
    word = slicing.strided_slice(words, [1], [2], [1], shrink_axis_mask=1)
    assert isinstance(word, np.ndarray) and word.shape == () and word.item() == b"b"
    assert slicing.slice(words[0:1].reshape(()), np.zeros(0, int), np.zeros(0, int)).item() == b"a"


def test_slice() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    result = slicing.slice(x, np.array([1, 0, 2]), np.array([1, -1, 2]))
    np.testing.assert_array_equal(result, x[1:2, :, 2:4])
    assert slicing.slice(x, np.array([2, 3, 4]), np.array([0, -1, 0])).shape == (0, 0, 0)


X = np.zeros((2, 3))
ERRORS = [
    (lambda: slicing.strided_slice(X, [0] * 3, [1] * 3, [1] * 3), "only 2"),
    (lambda: slicing.strided_slice(X, [0], [1], [0]), "strides[0] must be non-zero"),
    (lambda: slicing.strided_slice(X, [2], [3], [1], shrink_axis_mask=1),
     "slice index 2 of dimension 0"),
    (lambda: slicing.strided_slice(X, [0], [3], [-1], shrink_axis_mask=1),
     "only stride 1 allowed on non-range indexing, got -1 for dimension 0"),
    (lambda: slicing.strided_slice(X, [0, 0], [3, 3], [1, 1], ellipsis_mask=3),
     "Multiple ellipses in slice spec not allowed"),
    (lambda: slicing.strided_slice(X, [0, 0], [3], [1, 1]), "got 2, 1 and 2"),
    (lambda: slicing.strided_slice_grad((2, 3), [0], [1], [1], X),
     "shape of dy was [2,3] instead of [1,3]"),
    (lambda: slicing.slice(X, np.array([0, 4]), np.array([1, 0])), "begin[1] in [0, 3], but got 4"),
    (lambda: slicing.slice(X, np.array([0, 2]), np.array([1, 2])), "size[1] in [0, 1]"),
    (lambda: slicing.slice(X, np.array([0]), np.array([1])), "got shapes [1] and [1]"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
