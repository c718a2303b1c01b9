from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.kernels.oracles import FLOATS
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import ranking


@given(
    values=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    share=st.floats(0, 1),
    in_order=st.booleans(),
)
def test_top_k_against_sorting(values: list[int], share: float, in_order: bool) -> None:
    k = int(share * len(values))
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    array = np.array([values, values[::-1]], np.float32)
    found, indices = ranking.top_k_v2(array, np.array(k, np.int32), sorted=in_order)
    assert (found.dtype, indices.dtype) == (np.float32, np.int32)
    assert found.shape == indices.shape == (2, k)
    order = indices[0].tolist()
    assert (order if in_order else sorted(order)) == (expected if in_order else sorted(expected))
    np.testing.assert_array_equal(found, np.take_along_axis(array, indices, axis=1))


@pytest.mark.parametrize(
    "dtype", [*FLOATS, np.int8, np.uint8, np.int32, np.int64, np.uint64, np.uint16]
)
@pytest.mark.parametrize("k", [0, 1, 2, 20])
def test_each_type(dtype: Any, k: int) -> None:
    values = np.array([3, 0, 7, 7, 1, 2, 3, 0] * 5).astype(dtype)
    expected = sorted(range(40), key=lambda i: (-int(values[i]), i))[:k]
    found, indices = ranking.top_k(values, k=k)
    assert found.dtype == dtype
    assert indices.tolist() == expected
    np.testing.assert_array_equal(found, values[expected])


def test_the_extremes_of_integers() -> None:
    values = np.array([-128, 127, 0, -128], np.int8)
    assert ranking.top_k(values, k=4)[1].tolist() == [1, 2, 0, 3]
    huge = np.array([2**64 - 1, 0, 2**63], np.uint64)
    assert ranking.top_k(huge, k=3)[1].tolist() == [0, 2, 1]


@pytest.mark.parametrize("k", [1, 2, 4])
def test_not_a_number_comes_first(k: int) -> None:
    values = np.array([1.0, np.inf, np.nan, -np.inf] + [0.0] * 30)
    assert ranking.top_k(values, k=k)[1].tolist() == [2, 1, 0, 4][:k]


def test_leading_axes_and_nothing() -> None:
    values = np.random.default_rng(0).standard_normal((2, 3, 50))
    found, indices = ranking.top_k(values, k=3)
    for row in np.ndindex(2, 3):
        assert indices[row].tolist() == np.argsort(-values[row])[:3].tolist()
    for shape, k in [((2, 0), 0), ((0, 5), 3), ((0, 50), 3), ((3, 50), 0)]:
        found, indices = ranking.top_k(np.zeros(shape), k=k)
        assert found.shape == indices.shape == (shape[0], k)


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, math.inf, math.nan]), min_size=4, max_size=4),
        min_size=1,
        max_size=5,
    ),
    st.integers(-1, 5),
    st.integers(-2, 6),
)
def test_in_top_k_by_its_definition(rows: list[list[float]], target: int, k: int) -> None:
    expected = [
        0 <= target < 4
        and all(math.isfinite(v) for v in row)
        and sum(v > row[target] for v in row) < k
        for row in rows
    ]
    predictions = np.array(rows, np.float32)
    for index_type in (np.int32, np.int64):
        targets = np.full(len(rows), target, index_type)
        result = ranking.in_top_k(predictions, targets, k=k)
        assert result.dtype == np.bool_
        assert result.tolist() == expected
        again = ranking.in_top_k_v2(predictions, targets, np.array(k, index_type))
        assert again.tolist() == expected


def test_errors_are_in_the_users_terms() -> None:
    for k in (5, -1):
        with pytest.raises(InvalidArgumentError, match=f"got {k}$"):
            ranking.top_k(np.zeros(4), k=k)
    with pytest.raises(InvalidArgumentError, match="rank 1 or more, got a scalar"):
        ranking.top_k(np.array(1.0), k=1)
    with pytest.raises(InvalidArgumentError, match=r"got \(2, 3\) and \(3,\)"):
        ranking.in_top_k(np.zeros((2, 3), np.float32), np.zeros(3, np.int32), k=1)
