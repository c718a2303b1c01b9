from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.kernels.oracles import FLOATS, Array, assert_close, numeric_gradient
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import softmax as kernels

SHAPES = [(4,), (3, 4), (2, 3, 5), (2, 40), (600, 3), (0, 3), (5, 1)]


def probabilities(logits: Array) -> Array:
    result = np.zeros(logits.shape)
    for row in np.ndindex(*logits.shape[:-1]):
        powers = [math.exp(float(v) - float(max(logits[row]))) for v in logits[row]]
        result[row] = [p / math.fsum(powers) for p in powers]
    return result


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softmax_and_its_logarithm(shape: tuple[int, ...], dtype: Any) -> None:
    logits = (np.random.default_rng(1).standard_normal(shape) * 5).astype(dtype)
    kept = logits.copy()
    expected = probabilities(logits)
    assert_close(kernels.softmax(logits), expected, dtype)
    assert_close(kernels.log_softmax(logits), np.log(expected), dtype)
    np.testing.assert_array_equal(logits, kept)
    for kernel in (kernels.softmax, kernels.log_softmax):
        result = kernel(logits)
        out = np.empty_like(logits)
        assert kernel(logits, out=out) is out
        np.testing.assert_array_equal(out, result)
        in_place = logits.copy()
        assert kernel(in_place, out=in_place) is in_place
        np.testing.assert_array_equal(in_place, result)


@given(
    st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=40),
    st.floats(-1e6, 1e6),
)
def test_a_shift_of_the_logits_does_not_matter(values: list[float], shift: float) -> None:
    logits = np.array(values)
    result = kernels.softmax(logits)
    assert math.isclose(result.sum(), 1, rel_tol=1e-12)
    np.testing.assert_allclose(kernels.softmax(logits + shift), result, rtol=1e-8, atol=1e-12)
    assert (kernels.log_softmax(logits) <= 0).all()


def test_rows_with_infinities() -> None:
    inf = np.inf
    logits = np.array([[-inf, 0], [inf, 0], [np.nan, 0], [-inf, -inf]])
    result = kernels.softmax(logits)
    assert result[0].tolist() == [0, 1]
    assert np.isnan(result[1:]).all()
    result = kernels.log_softmax(logits)
    assert result[0].tolist() == [-inf, 0]
    assert np.isnan(result[1:]).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [s for s in SHAPES if len(s) == 2], ids=str)
def test_cross_entropies(shape: tuple[int, int], dtype: Any) -> None:
    rng = np.random.default_rng(2)
    logits = (rng.standard_normal(shape) * 3).astype(dtype)
    labels = rng.random(shape).astype(dtype)
    expected = probabilities(logits)
    wide = labels.astype(np.float64)
    totals = np.log(np.exp(logits.astype(np.float64)).sum(1, keepdims=True))
    loss, backprop = kernels.softmax_cross_entropy_with_logits(logits, labels)
    assert_close(loss, (wide * (totals - logits.astype(np.float64))).sum(1), dtype)
    assert_close(backprop, expected - wide, dtype)
    for label_type in (np.int32, np.int64):
        classes = rng.integers(0, shape[1], shape[0]).astype(label_type)
        loss, backprop = kernels.sparse_softmax_cross_entropy_with_logits(logits, classes)
        hot = np.zeros(shape)
        hot[np.arange(shape[0]), classes] = 1
        assert_close(loss, -np.log(expected[hot == 1]), dtype)
        assert_close(backprop, expected - hot, dtype)


def test_backprop_by_finite_differences() -> None:
    rng = np.random.default_rng(3)
    logits, labels = rng.standard_normal((2, 4, 5))
    labels = probabilities(labels)
    classes = np.array([0, 4, 2, 2])
    ones = np.ones(4)
    np.testing.assert_allclose(
        kernels.softmax_cross_entropy_with_logits(logits, labels)[1],
        numeric_gradient(
            lambda x: kernels.softmax_cross_entropy_with_logits(x, labels)[0], [logits], 0, ones
        ),
        atol=1e-8,
    )
    np.testing.assert_allclose(
        kernels.sparse_softmax_cross_entropy_with_logits(logits, classes)[1],
        numeric_gradient(
            lambda x: kernels.sparse_softmax_cross_entropy_with_logits(x, classes)[0],
            [logits],
            0,
            ones,
        ),
        atol=1e-8,
    )


@pytest.mark.parametrize("shapes", [((1, 3), (4, 3)), ((4, 3), (1, 3)), ((4, 1), (4, 3))], ids=str)
def test_one_row_or_class_serves_all(shapes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    rng = np.random.default_rng(4)
    logits, labels = rng.random(shapes[0]), rng.random(shapes[1])
    full = [np.broadcast_to(array, (4, 3)).copy() for array in (logits, labels)]
    expected = kernels.softmax_cross_entropy_with_logits(*full)
    result = kernels.softmax_cross_entropy_with_logits(logits, labels)
    for a, b in zip(result, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[1e30, 0.0]], np.float32)
    loss, backprop = kernels.sparse_softmax_cross_entropy_with_logits(logits, np.array([1]))
    assert loss.tolist() == [np.float32(1e30)]
    assert backprop.tolist() == [[1, -1]]


def test_errors_are_in_the_users_terms() -> None:
    sparse = kernels.sparse_softmax_cross_entropy_with_logits
    logits = np.zeros((3, 2))
    for label in (2, -1):
        with pytest.raises(InvalidArgumentError) as caught:
            sparse(logits, np.array([0, label, 0]))
        assert f"a label value of {label} in row 1" in str(caught.value)
        assert "outside the valid range of [0, 2)" in str(caught.value)
    with pytest.raises(InvalidArgumentError, match=r"got \(3, 2\) and \(4,\)"):
        sparse(logits, np.zeros(4, np.int64))
    with pytest.raises(InvalidArgumentError, match="at least one class"):
        sparse(np.zeros((3, 0)), np.zeros(3, np.int64))
    with pytest.raises(InvalidArgumentError, match=r"one shape.*got \(3, 2\) and \(3, 4\)"):
        kernels.softmax_cross_entropy_with_logits(logits, np.zeros((3, 4)))
    for kernel in (kernels.softmax, kernels.log_softmax):
        with pytest.raises(InvalidArgumentError, match="got a scalar"):
            kernel(np.array(1.0))
