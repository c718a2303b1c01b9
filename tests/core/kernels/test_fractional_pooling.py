from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.kernels.oracles import Array, numeric_gradient
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import fractional_pooling as pooling

SHAPE = (2, 7, 9, 2)
RATIO = (1.0, 1.5, 1.9, 1.0)
MODES = list(itertools.product([False, True], [False, True]))


def regions(
    rows: Array, columns: Array, shape: tuple[int, ...], overlapping: bool
) -> list[tuple[tuple[int, int], list[tuple[int, int]]]]:
    """Each output position with the input positions of its region, in scan order."""
    return [
        (
            (i, j),
            [
                (y, x)
                for y in range(rows[i], rows[i + 1] + overlapping)
                for x in range(columns[j], columns[j + 1] + overlapping)
                if y < shape[1] and x < shape[2]
            ],
        )
        for i in range(len(rows) - 1)
        for j in range(len(columns) - 1)
    ]


@given(
    size=st.integers(1, 40),
    ratio=st.floats(1, 5),
    pseudo_random=st.booleans(),
    seed=st.integers(0, 99),
)
def test_sequences_tile_the_axis_evenly(
    size: int, ratio: float, pseudo_random: bool, seed: int
) -> None:
    ratio = min(ratio, size)
    _, rows, columns = pooling.fractional_max_pool(
        np.zeros((1, size, 3, 1)),
        pooling_ratio=(1, ratio, 1, 1),
        pseudo_random=pseudo_random,
        generator=np.random.default_rng(seed),
    )
    assert rows.dtype == np.int64
    assert (rows[0], rows[-1], len(rows)) == (0, size, int(size / ratio) + 1)
    assert set(np.diff(rows)) <= {size // int(size / ratio), size // int(size / ratio) + 1}
    assert columns.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
@pytest.mark.parametrize(("pseudo_random", "overlapping"), MODES)
def test_against_loops(pseudo_random: bool, overlapping: bool, dtype: Any) -> None:
    rng = np.random.default_rng(3)
    value = rng.integers(-9, 9, SHAPE).astype(dtype)
    a: dict[str, Any] = {
        "pooling_ratio": RATIO,
        "pseudo_random": pseudo_random,
        "overlapping": overlapping,
    }
    largest, rows, columns = pooling.fractional_max_pool(
        value, generator=np.random.default_rng(1), **a
    )
    mean, *same = pooling.fractional_avg_pool(value, generator=np.random.default_rng(1), **a)
    np.testing.assert_array_equal(same[0], rows)
    np.testing.assert_array_equal(same[1], columns)
    grad = rng.integers(-9, 9, largest.shape).astype(dtype)
    max_grad, avg_grad = np.zeros(SHAPE), np.zeros(SHAPE)
    for (i, j), inputs in regions(rows, columns, SHAPE, overlapping):
        for n, c in itertools.product(range(SHAPE[0]), range(SHAPE[3])):
            seen = [int(value[n, y, x, c]) for y, x in inputs]
            assert largest[n, i, j, c] == max(seen)
            quotient = sum(seen) / len(seen)
            expected = quotient if value.dtype.kind == "f" else int(quotient)
            assert mean[n, i, j, c] == pytest.approx(expected, rel=1e-6)
            max_grad[n, *inputs[seen.index(max(seen))], c] += grad[n, i, j, c]
            for y, x in inputs:
                avg_grad[n, y, x, c] += grad[n, i, j, c] / len(inputs)
    assert largest.dtype == mean.dtype == dtype
    result = pooling.fractional_max_pool_grad(
        value, largest, grad, rows, columns, overlapping=overlapping
    )
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, max_grad)
    result = pooling.fractional_avg_pool_grad(
        np.array(SHAPE), grad, rows, columns, overlapping=overlapping
    )
    assert result.dtype == dtype
    if value.dtype.kind == "f":
        np.testing.assert_allclose(result, avg_grad, rtol=1e-6, atol=1e-5)
    else:
        assert (np.abs(result - avg_grad) < 1).all()


@pytest.mark.parametrize("overlapping", [False, True])
def test_gradients_by_finite_differences(overlapping: bool) -> None:
    value = np.random.default_rng(0).permutation(np.arange(63.0)).reshape(1, 7, 9, 1)

    def largest(x: Array) -> Array:
        return pooling.fractional_max_pool(
            x, pooling_ratio=RATIO, overlapping=overlapping, generator=np.random.default_rng(5)
        )[0]

    def mean(x: Array) -> Array:
        return pooling.fractional_avg_pool(
            x, pooling_ratio=RATIO, overlapping=overlapping, generator=np.random.default_rng(5)
        )[0]

    output, rows, columns = pooling.fractional_max_pool(
        value, pooling_ratio=RATIO, overlapping=overlapping, generator=np.random.default_rng(5)
    )
    grad = np.random.default_rng(1).standard_normal(output.shape)
    np.testing.assert_allclose(
        pooling.fractional_max_pool_grad(
            value, output, grad, rows, columns, overlapping=overlapping
        ),
        numeric_gradient(largest, [value], 0, grad, step=1e-2),
        atol=1e-8,
    )
    np.testing.assert_allclose(
        pooling.fractional_avg_pool_grad(
            np.array(value.shape), grad, rows, columns, overlapping=overlapping
        ),
        numeric_gradient(mean, [value], 0, grad, step=1e-2),
        atol=1e-8,
    )


def test_not_a_number_is_the_maximum() -> None:
    value = np.array([1, np.nan, 3]).reshape(1, 1, 3, 1)
    output, rows, columns = pooling.fractional_max_pool(
        value, pooling_ratio=(1, 1, 3, 1), generator=np.random.default_rng(0)
    )
    assert np.isnan(output).all()
    grad = pooling.fractional_max_pool_grad(value, output, np.ones((1, 1, 1, 1)), rows, columns)
    assert grad.ravel().tolist() == [0, 1, 0]


def test_errors_are_in_the_users_terms() -> None:
    value, generator = np.zeros((1, 4, 4, 1)), np.random.default_rng(0)
    for ratio, message in [
        ((1, 0.5, 1, 1), "between 1 and the size of its axis (4), got 0.5"),
        ((1, 5, 1, 1), "between 1 and the size of its axis (4), got 5"),
        ((2, 1, 1, 1), "over the batch or the channels"),
        ((1, 1), "4 pooling ratios"),
    ]:
        with pytest.raises(InvalidArgumentError) as caught:
            pooling.fractional_avg_pool(value, pooling_ratio=ratio, generator=generator)
        assert message in str(caught.value)
    with pytest.raises(
        InvalidArgumentError, match=r"col_pooling_sequence must have 3 .* 0 to 4, got \[0, 2, 5\]"
    ):
        pooling.fractional_avg_pool_grad(
            np.array(value.shape),
            np.zeros((1, 2, 2, 1)),
            np.array([0, 2, 4]),
            np.array([0, 2, 5]),
        )
