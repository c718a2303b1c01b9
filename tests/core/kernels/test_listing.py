"""Lists, counts and bins against plain Python."""

from __future__ import annotations

import bisect
import math
import struct
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import listing

rng = np.random.default_rng(26)
INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.int8, np.int64, np.bool_, object]


def values(dtype: Any, count: int) -> np.ndarray:
    drawn = rng.integers(0, 2 if dtype is np.bool_ else 6, count)
    if dtype is object:
        result = np.empty(count, object)
        result[:] = [b"x" * int(value) for value in drawn]
        return result
    return drawn.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 15])
@pytest.mark.parametrize("out_idx", [INT32, INT64])
def test_unique(dtype: Any, count: int, out_idx: Any) -> None:
    x = values(dtype, count)
    expected = list(dict.fromkeys(x.tolist()))
    found, index, counts = listing.unique_with_counts(x, out_idx=out_idx)
    assert found.dtype == x.dtype and index.dtype == counts.dtype == out_idx
    assert found.tolist() == expected
    assert index.tolist() == [expected.index(value) for value in x.tolist()]
    assert counts.tolist() == [x.tolist().count(value) for value in expected]
    again, places = listing.unique(x, out_idx=out_idx)
    assert again.tolist() == expected and places.tolist() == index.tolist()


def test_unique_of_nan_and_zeros() -> None:
    found, index = listing.unique(np.array([math.nan, 0.0, math.nan, -0.0]))
    np.testing.assert_array_equal(found, [math.nan, 0.0, math.nan])
    assert index.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_list_diff(dtype: Any) -> None:
    x, y = values(dtype, 20), values(dtype, 2)
    out, index = listing.list_diff(x, y, out_idx=INT64)
    expected = [i for i, value in enumerate(x.tolist()) if value not in y.tolist()]
    assert out.dtype == x.dtype and index.dtype == INT64
    assert index.tolist() == expected and out.tolist() == [x.tolist()[i] for i in expected]


@settings(deadline=None)
@given(st.permutations(list(range(7))))
def test_invert_permutation(permutation: list[int]) -> None:
    x = np.array(permutation, np.int32)
    inverse = listing.invert_permutation(x)
    assert inverse.dtype == np.int32
    assert x[inverse].tolist() == list(range(7))


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1, 2), (0, 2), ()])
def test_where(shape: Any) -> None:
    x = rng.integers(0, 2, shape).astype(bool)
    result = listing.where(x)
    assert result.dtype == np.int64
    assert result.tolist() == [list(index) for index in np.ndindex(*shape) if x[index]]
    assert result.shape[1:] == (len(shape),)
    assert listing.where(np.array([0.0, math.nan, -2.0])).tolist() == [[1], [2]]


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32, np.float64])
def test_bincount(dtype: Any) -> None:
    arr = rng.integers(0, 9, (5, 6)).astype(np.int32)
    weights = rng.integers(-5, 5, (5, 6)).astype(dtype)
    counts = listing.bincount(arr, np.int32(7), np.zeros(0, dtype))
    sums = listing.bincount(arr, np.int32(12), weights)
    assert counts.dtype == sums.dtype == dtype
    assert counts.tolist() == [int((arr == k).sum()) for k in range(7)]
    np.testing.assert_allclose(sums, [weights[arr == k].sum() for k in range(12)])


def test_bucketize() -> None:
    edges = (-10.0, 0.0, 3.0, 3.0, 20.5)
    for dtype in (np.int32, np.int64, np.float32, np.float64):
        x = rng.integers(-15, 25, (4, 5)).astype(dtype)
        result = listing.bucketize(x, boundaries=edges)
        assert result.dtype == np.int32
        assert result.tolist() == [
            [bisect.bisect_right(edges, v) for v in row] for row in x.tolist()
        ]
    special = listing.bucketize(np.array([math.nan, math.inf, -math.inf]), boundaries=(1.0, 2.0))
    assert special.tolist() == [2, 2, 0]


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64])
def test_histogram(dtype: Any) -> None:
    x = rng.integers(-50, 50, (4, 60)).astype(dtype)
    for bins, out in ((6, INT32), (60, INT64)):
        result = listing.histogram_fixed_width(
            x, np.array([-30, 30], dtype), np.int32(bins), dtype=out
        )
        expected = [0] * bins
        for value in x.reshape(-1).tolist():
            expected[min(max(int((value + 30) // (60 // bins)), 0), bins - 1)] += 1
        assert result.dtype == out and result.tolist() == expected


WORDS = st.lists(st.text("ab", max_size=5), min_size=1, max_size=4)


def sparse(words: list[str]) -> tuple[Any, Any, Any]:
    positions = [[i, j] for i, word in enumerate(words) for j in range(len(word))]
    letters = [ord(letter) for word in words for letter in word]
    shape = [len(words), max((len(word) for word in words), default=0)]
    return np.array(positions, int).reshape(-1, 2), np.array(letters), np.array(shape)


@settings(max_examples=80, deadline=None)
@given(WORDS, WORDS)
def test_edit_distance(left: list[str], right: list[str]) -> None:
    def distance(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(
            distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0])
        )

    count = max(len(left), len(right))
    left, right = ([*words, *[""] * (count - len(words))] for words in (left, right))
    expected = [distance(a, b) for a, b in zip(left, right, strict=True)]
    arguments = (*sparse(left), *sparse(right))
    plain = listing.edit_distance(*arguments, normalize=False)
    assert plain.dtype == np.float32 and plain.tolist() == expected
    relative = listing.edit_distance(*arguments)
    for a, b, steps, result in zip(left, right, expected, relative, strict=True):
        assert result == (np.float32(steps / len(b)) if b else math.inf if a else 0)


def test_bitcast() -> None:
    x = np.array([1.0, -2.5], np.float32)
    whole = listing.bitcast(x, type=INT32)
    assert whole.tolist() == [struct.unpack("i", struct.pack("f", value))[0] for value in x]
    split = listing.bitcast(x, type=np.dtype(np.uint8))
    assert split.shape == (2, 4) and split.tobytes() == x.tobytes()
    np.testing.assert_array_equal(listing.bitcast(split, type=np.dtype(np.float32)), x)
    halves = listing.bitcast(np.float32(1.0), type=np.dtype(ml_dtypes.bfloat16))
    assert halves.shape == (2,) and halves.dtype == ml_dtypes.bfloat16
    every_other = listing.bitcast(np.arange(6, dtype=np.float32)[::2], type=INT32)
    assert every_other.view(np.float32).tolist() == [0, 2, 4]
    assert listing.bitcast(np.zeros((0, 4), np.uint8), type=INT32).shape == (0,)


NONE = np.zeros(0, int)
ERRORS = [
    (lambda: listing.unique(np.zeros((2, 2))), "unique expects a 1D vector, got x of shape [2,2]"),
    (lambda: listing.invert_permutation(np.array([0, 2])),
     "2 is not between 0 and 2, so x is no permutation (x[1])"),
    (lambda: listing.invert_permutation(np.array([1, 1])),
     "1 is duplicated in the input, so x is no permutation"),
    (lambda: listing.bincount(np.array([-1]), np.array(2), NONE), "it holds -1"),
    (lambda: listing.bincount(np.array([1]), np.array(-2), NONE), "size (-2) must be non-negative"),
    (lambda: listing.bincount(np.array([1]), np.array(2), np.ones(2)),
     "Input indices and weights must have the same size, unless weights are empty: got shapes"),
    (lambda: listing.bucketize(np.array([1]), boundaries=(2.0, 1.0)),
     "Expected sorted boundaries, got [2.0, 1.0]"),
    (lambda: listing.histogram_fixed_width(np.ones(1), np.ones(2), np.array(2)), "[1.0, 1.0]"),
    (lambda: listing.histogram_fixed_width(np.ones(1), np.array([0, 1]), np.array(0)), "positive"),
    (lambda: listing.bitcast(np.zeros(3, np.uint8), type=INT32), "last dimension of 4"),
    (lambda: listing.edit_distance(NONE, NONE, np.array([1]), NONE, NONE, np.array([1])),
     "rank of"),
    (lambda: listing.edit_distance(
        np.array([[5, 0]]), np.array([1]), np.array([1, 1]), NONE.reshape(0, 2), NONE,
        np.array([1, 1])), "[5, 0] is out of range"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
