"""Segment reductions against plain loops over the rows."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import segment

rng = np.random.default_rng(21)
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int8, np.int32, np.int64]
STEPS = {
    "sum": lambda values: sum(values, 0.0),
    "mean": lambda values: sum(values, 0.0) / len(values),
    "prod": lambda values: math.prod(values),
    "min": min,
    "max": max,
}


def by_loops(step: Any, data: Any, ids: Any, count: int, gap: Any) -> Any:
    columns = data.reshape(data.shape[0], -1)
    result = np.zeros((count, columns.shape[1]))
    for segment_id in range(count):
        for column in range(columns.shape[1]):
            values = [float(columns[i, column]) for i in range(len(ids)) if ids[i] == segment_id]
            result[segment_id, column] = step(values) if values else gap
    return result.reshape(count, *data.shape[1:])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("inner", [(), (3,), (2, 2), (40,)])
def test_sorted(name: str, dtype: Any, inner: tuple[int, ...]) -> None:
    data = rng.integers(0, 4, (9, *inner)).astype(dtype)
    ids = np.array([0, 0, 2, 3, 3, 3, 5, 6, 6], np.int32)
    result = getattr(segment, f"segment_{name}")(data, ids)
    expected = by_loops(STEPS[name], data, ids, 7, 1 if name == "prod" else 0)
    assert result.dtype == dtype
    if np.issubdtype(dtype, np.integer):
        expected = np.trunc(expected)
    np.testing.assert_allclose(result.astype(float), expected, rtol=float(tolerance(dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "prod", "min", "max"])
@pytest.mark.parametrize("width", [1, 5, 64])
def test_unsorted(name: str, dtype: Any, width: int) -> None:
    data = rng.integers(0, 4, (12, width)).astype(dtype)
    ids = np.array([3, -1, 0, 3, 5, 0, -7, 5, 5, 3, 1, 0])
    limits = ml_dtypes.iinfo(dtype) if np.issubdtype(dtype, np.integer) else ml_dtypes.finfo(dtype)
    gap = {"sum": 0, "prod": 1, "max": float(limits.min), "min": float(limits.max)}[name]
    result = getattr(segment, f"unsorted_segment_{name}")(data, ids, np.int32(6))
    assert result.dtype == dtype
    expected = by_loops(STEPS[name], data, ids, 6, gap)
    np.testing.assert_allclose(result.astype(float), expected, rtol=float(tolerance(dtype)))


def tolerance(dtype: Any) -> float:
    return 0 if np.issubdtype(dtype, np.integer) else float(ml_dtypes.finfo(dtype).eps)


def test_segments_of_single_elements_and_of_scalars() -> None:
    data, ids = rng.normal(size=(3, 4)), np.array([[0, 1, 2, -1], [0, 0, 1, 1], [2, 2, 2, 2]])
    result = segment.unsorted_segment_sum(data, ids, np.int64(4))
    expected = [sum(data[ids == k]) for k in range(4)]
    np.testing.assert_allclose(result, expected)
    np.testing.assert_array_equal(
        segment.unsorted_segment_sum(np.array([5.0, 6.0]), np.array(1), np.int32(2)),
        [[0, 0], [5, 6]],
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(1, 8), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_sums_equal_those_of_a_one_hot_product(
    rows: int, count: int, width: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    data, ids = random.normal(size=(rows, width)), random.integers(-1, count, rows)
    result = segment.unsorted_segment_sum(data, ids, np.int32(count))
    np.testing.assert_allclose(result, (ids == np.arange(count)[:, None]) @ data, atol=1e-12)


def test_repeated_rows_are_added_in_their_order_in_float32() -> None:
    values = np.float32([1e8, 1.0, -1e8, 1.0])
    for width in (1, 4, 64):
        data = np.repeat(values[:, None], width, axis=1)
        result = segment.unsorted_segment_sum(data, np.zeros(4, np.int32), np.int32(1))
        np.testing.assert_array_equal(result, np.full((1, width), 1, np.float32))


def test_infinities_and_nans_propagate() -> None:
    data, ids = np.array([np.inf, np.inf, -np.inf, np.nan, 1.0]), np.array([0, 0, 1, 2, 2])
    np.testing.assert_array_equal(segment.segment_min(data, ids), [np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(segment.segment_max(data, ids), [np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(segment.segment_sum(data, ids), [np.inf, -np.inf, np.nan])


SPARSE = {
    "sum": lambda count: 1.0,
    "mean": lambda count: 1.0 / count,
    "sqrt_n": lambda count: 1.0 / math.sqrt(count),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("name", SPARSE)
def test_sparse_forms_are_linear_maps_and_their_gradients_the_transposes(
    name: str, dtype: Any
) -> None:
    indices, ids = np.array([4, 0, 4, 2, 2], np.int32), np.array([0, 0, 1, 3, 3], np.int32)
    weights = np.zeros((4, 5))
    for index, segment_id in zip(indices, ids, strict=True):
        weights[segment_id, index] += SPARSE[name](int((ids == segment_id).sum()))
    data, grad = rng.normal(size=(5, 3)).astype(dtype), rng.normal(size=(4, 3)).astype(dtype)
    kernel = getattr(segment, f"sparse_segment_{name}")
    gradient = getattr(segment, f"sparse_segment_{name}_grad")
    result = kernel(data, indices, ids)
    backward = gradient(grad, indices, ids, np.int32(5))
    assert result.dtype == backward.dtype == dtype
    close = {"rtol": 4 * tolerance(dtype), "atol": 4 * tolerance(dtype)}
    np.testing.assert_allclose(result, weights @ data.astype(float), **close)
    np.testing.assert_allclose(backward, weights.T @ grad.astype(float), **close)


def test_no_rows_at_all() -> None:
    nothing, none = np.zeros((0, 3), np.float32), np.zeros(0, np.int32)
    assert segment.segment_sum(nothing, none).shape == (0, 3)
    assert segment.sparse_segment_mean(np.ones((2, 3)), none, none).shape == (0, 3)
    np.testing.assert_array_equal(
        segment.unsorted_segment_sum(nothing, none, np.int32(2)), np.zeros((2, 3))
    )


ONES = np.ones((2, 2), np.float32)
ERRORS = [
    (lambda: segment.segment_sum(np.ones(4), np.array([0, 1, 2, 0])),
     "Segment id 1 out of range [0, 1), possibly because 'segment_ids' input is not sorted"),
    (lambda: segment.segment_sum(np.ones(3), np.array([0, 2, 1])),
     "segment ids are not increasing: segment_ids[2] = 1 follows 2"),
    (lambda: segment.segment_sum(np.ones(3), np.array([0, 0, -1])), "segment ids must be >= 0"),
    (lambda: segment.segment_sum(np.ones(3), np.array([[0, 0, 0]])), "should be a vector"),
    (lambda: segment.sparse_segment_sum_grad(ONES, np.array([2]), np.array([0]), np.int32(2)),
     "Index 2 out of range [0, 2)"),
    (lambda: segment.segment_sum(ONES, np.array([1, 0])), "segment_ids[1] = 0 follows 1"),
    (lambda: segment.segment_max(ONES, np.array([-1, 0])),
     "Segment id -1 out of range [0, 1), possibly because 'segment_ids' input is not sorted."),
    (lambda: segment.segment_mean(ONES, np.array([0])),
     "segment_ids should be the same size as dimension 0 of input: got 1 of them for data of"),
    (lambda: segment.unsorted_segment_sum(ONES, np.array([0, 5]), np.int32(3)),
     "segment_ids[1] = 5 is out of range [0, 3)"),
    (lambda: segment.unsorted_segment_sum(ONES, np.array([[0, 0], [0, 9]]), np.int32(3)),
     "segment_ids[1,1] = 9"),
    (lambda: segment.unsorted_segment_sum(ONES, np.array([0, 1, 2]), np.int32(3)),
     "data.shape = [2,2] does not start with segment_ids.shape = [3]"),
    (lambda: segment.unsorted_segment_sum(ONES, np.array([0, 1]), np.int32(-1)), "num_segments"),
    (lambda: segment.sparse_segment_sum(ONES, np.array([0, 2]), np.array([0, 1])),
     "indices[1] == 2 out of range [0, 2)"),
    (lambda: segment.sparse_segment_sum(ONES, np.array([0]), np.array([0, 1])),
     "segment_ids and indices should have same size, got shapes [2] and [1]"),
    (lambda: segment.sparse_segment_mean_grad(ONES, np.array([0]), np.array([2]), np.int32(2)),
     "Segment id 2 out of range [0, 2): segment_ids[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
