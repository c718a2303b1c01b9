"""Gathers, scatters and partitions against plain loops."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import gathering

rng = np.random.default_rng(23)
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.int8, np.int64, np.complex64, np.bool_]


@pytest.mark.parametrize("dtype", [*DTYPES, object])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_gather(dtype: Any, axis: int) -> None:
    params = rng.integers(0, 9, (3, 4, 2)).astype(dtype)
    for shape in [(), (5,), (2, 3), (0,)]:
        indices = rng.integers(0, params.shape[axis], shape).astype(np.int32)
        result = gathering.gather_v2(params, indices, np.int32(axis))
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, params[(slice(None),) * (axis % 3) + (indices,)])
    first = gathering.gather(params, np.array([[2, 0]], np.int64))
    np.testing.assert_array_equal(first, params[[[2, 0]]])


def test_a_gathered_string_stays_an_array() -> None:
    words = np.array([b"a", b"bc"], object)
    for result in (
        gathering.gather(words, np.array(1)),
        gathering.gather_nd(words, np.array([1])),
    ):
        assert isinstance(result, np.ndarray) and result.dtype == object
        assert result.shape == () and result.item() == b"bc"


@st.composite
def positions(draw: Any) -> Any:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    depth = draw(st.integers(0, len(shape)))
    outer = tuple(draw(st.lists(st.integers(0, 3), max_size=2)))
    count = int(np.prod(outer))
    columns = [
        draw(st.lists(st.integers(0, size - 1), min_size=count, max_size=count))
        for size in shape[:depth]
    ]
    return tuple(shape), np.array(columns, np.int32).reshape(depth, *outer).transpose(
        *range(1, len(outer) + 1), 0
    )


@settings(max_examples=100, deadline=None)
@given(positions())
def test_gather_nd_and_scatter_nd(case: Any) -> None:
    shape, indices = case
    outer, depth = indices.shape[:-1], indices.shape[-1]
    params = rng.normal(size=shape)
    gathered = gathering.gather_nd(params, indices)
    updates = rng.normal(size=outer + shape[depth:])
    scattered = gathering.scatter_nd(indices, updates, np.array(shape))
    expected = np.zeros(shape)
    for where in np.ndindex(*outer):
        np.testing.assert_array_equal(gathered[where], params[tuple(indices[where])])
        expected[tuple(indices[where])] += updates[where]
    assert gathered.shape == updates.shape
    np.testing.assert_allclose(scattered, expected)


@pytest.mark.parametrize(
    "dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.int32, np.complex64]
)
def test_scatter_nd_keeps_the_dtype_and_adds_repeated_positions(dtype: Any) -> None:
    updates = np.array([1, 2, 3, 4]).astype(dtype)
    result = gathering.scatter_nd(np.array([[0], [2], [0], [2]]), updates, np.array([3]))
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, np.array([4, 0, 6]).astype(dtype))


@pytest.mark.parametrize("dtype", [*DTYPES, object])
@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
def test_one_hot(dtype: Any, axis: int) -> None:
    indices = rng.integers(-1, 5, (3, 4)).astype(np.int64)
    on, off = np.array(1).astype(dtype), np.array(0).astype(dtype)
    result = gathering.one_hot(indices, np.int32(4), on, off, axis=axis)
    assert result.dtype == dtype
    last = np.moveaxis(result, axis, -1)
    for where in np.ndindex(3, 4):
        expected = [on if indices[where] == k else off for k in range(4)]
        np.testing.assert_array_equal(last[where], np.array(expected, dtype))


def test_one_hot_of_a_scalar_and_of_bytes() -> None:
    one, zero = np.float32(1), np.float32(0)
    np.testing.assert_array_equal(gathering.one_hot(np.int32(1), np.int32(3), one, zero), [0, 1, 0])
    assert gathering.one_hot(np.uint8([200]), np.int32(3), one, zero).sum() == 0
    assert gathering.one_hot(np.zeros((2, 0), int), np.int32(3), one, zero).shape == (2, 0, 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_partition_and_stitch_are_inverse(rows: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    data, partitions = random.normal(size=(rows, 2)), random.integers(0, count, rows)
    pieces = gathering.dynamic_partition(data, partitions, num_partitions=count)
    assert len(pieces) == count
    for number, piece in enumerate(pieces):
        np.testing.assert_array_equal(piece, data[partitions == number])
    places = gathering.dynamic_partition(np.arange(rows), partitions, num_partitions=count)
    np.testing.assert_array_equal(gathering.dynamic_stitch(places, pieces), data)


def test_partition_of_whole_matrices() -> None:
    data, partitions = np.arange(6).reshape(2, 3), np.array([[0, 1, 0], [1, 1, 0]], np.int32)
    zeros, ones = gathering.dynamic_partition(data, partitions, num_partitions=2)
    assert zeros.tolist() == [0, 2, 5] and ones.tolist() == [1, 3, 4]


def test_stitch_with_gaps_repeats_and_shapes() -> None:
    merged = gathering.dynamic_stitch(
        (np.int32(6), np.array([4, 1]), np.array([[5, 2], [0, 4]])),
        (
            np.array([61, 62]),
            np.array([[41, 42], [11, 12]]),
            np.array([[[51, 52], [21, 22]], [[1, 2], [43, 44]]]),
        ),
    )
    expected = [[1, 2], [11, 12], [21, 22], [0, 0], [43, 44], [51, 52], [61, 62]]
    assert merged.tolist() == expected
    words = gathering.dynamic_stitch((np.array([2]),), (np.array([b"a"], object),))
    assert words.tolist() == [b"", b"", b"a"]
    assert gathering.dynamic_stitch((np.zeros(0, int),), (np.zeros((0, 3)),)).shape == (0, 3)


X, NONE = np.zeros((3, 2)), np.array(0)
ERRORS = [
    (lambda: gathering.gather(X, np.array([[0, 1], [2, 3]])), "indices[1,1] = 3 is not in [0, 3)"),
    (lambda: gathering.gather(X, np.array(-1, np.int32)), "indices = -1 is not in [0, 3)"),
    (
        lambda: gathering.gather_v2(X, np.array([0]), np.array(2)),
        "Expected axis in the range [-2, 2)",
    ),
    (lambda: gathering.gather_nd(X, np.array([[0, 1], [2, -1]])),
     "indices[1] = [2, -1] does not index into param shape [3,2]"),
    (lambda: gathering.gather_nd(X, np.array([[0, 1, 1]])),
     "index innermost dimension length must be <= params rank; saw: 3 vs. 2"),
    (lambda: gathering.gather_nd(X, NONE), "indices must be at least a vector, got a scalar"),
    (lambda: gathering.scatter_nd(np.array([[7]]), np.ones(1), np.array([4])),
     "[7] does not index"),
    (lambda: gathering.scatter_nd(np.array([[1]]), np.ones(2), np.array([4])),
     "updates must have shape [1] for indices of shape [1,1] into shape [4]; got [2]"),
    (lambda: gathering.one_hot(NONE, np.array(-1), NONE, NONE),
     "depth must be non-negative, got: -1"),
    (lambda: gathering.one_hot(NONE, np.array(2), NONE, NONE, axis=1),
     "Expected axis to be -1 or between [0, 1).  But received: 1"),
    (lambda: gathering.dynamic_partition(X, np.array([0, 5, 1]), num_partitions=3),
     "partitions[1] = 5 is not in [0, 3)"),
    (lambda: gathering.dynamic_partition(X, np.array([0, 1]), num_partitions=3),
     "data.shape must start with partitions.shape, got data.shape = [3,2], partitions.shape ="),
    (lambda: gathering.dynamic_stitch((np.array([0]),), (np.ones((2, 2)),)),
     "data[0].shape = [2,2] does not start with indices[0].shape = [1]"),
    (lambda: gathering.dynamic_stitch((NONE, NONE), (np.ones(2), np.ones(3))),
     "Need data[0] and data[1] to agree after the dimensions of their indices, where they"),
    (lambda: gathering.dynamic_stitch((np.array([-1]),), (np.ones(1),)), "indices[0][0] = -1"),
    (lambda: gathering.dynamic_stitch((NONE,), ()), "need as many of data"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
