from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.core.kernels.oracles import FLOATS, TOLERANCE, Array
from workbench.core.kernels import activation

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def selu(x: float) -> float:
    return SCALE * x if x > 0 else SCALE * ALPHA * math.expm1(x)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


# The function, its derivative, and whether the gradient kernel is given outputs, not features.
FORWARD: dict[str, tuple[Callable[[float], float], Callable[[float], float], bool]] = {
    "relu": (lambda x: max(x, 0), lambda x: float(x > 0), False),
    "relu6": (lambda x: min(max(x, 0), 6), lambda x: float(0 < x < 6), False),
    "elu": (lambda x: x if x > 0 else math.expm1(x), lambda x: math.exp(min(x, 0)), True),
    "selu": (selu, lambda x: SCALE if x > 0 else SCALE * ALPHA * math.exp(x), True),
    "softplus": (lambda x: max(x, 0) + math.log1p(math.exp(-abs(x))), sigmoid, False),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, False),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x), True),
}
POINTS = np.concatenate(
    [np.linspace(-9, 9, 73), [-60, -20, -1e-3, -1e-6, -1e-10, 1e-10, 1e-3, 20, 60]]
)


def gradient_of(name: str, dy: Array, given: Array, **keywords: Any) -> Array:
    """Call the gradient kernel in the order of its OpDef."""
    kernel = getattr(activation, name + "_grad")
    result: Array = (
        kernel(given, dy, **keywords) if name == "sigmoid" else kernel(dy, given, **keywords)
    )
    return result


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FORWARD)
def test_values_and_derivatives(name: str, dtype: Any) -> None:
    function, derivative, from_outputs = FORWARD[name]
    x = POINTS.astype(dtype)
    x = x[x != 0]  # where some have no derivative
    points = x.astype(np.float64).tolist()
    y = getattr(activation, name)(x)
    assert y.dtype == dtype
    # Relative: each is accurate where it is tiny, too (down to the subnormal numbers).
    tiny = float(ml_dtypes.finfo(dtype).smallest_normal)
    tolerance = TOLERANCE[np.dtype(dtype)]
    expected = [function(v) for v in points]
    np.testing.assert_allclose(y.astype(np.float64), expected, rtol=tolerance, atol=tiny)
    dy = np.full_like(x, 3)
    result = gradient_of(name, dy, y if from_outputs else x)
    assert result.dtype == dtype
    np.testing.assert_allclose(
        result.astype(np.float64),
        [3 * derivative(v) for v in points],
        rtol=2 * tolerance,
        atol=2 * tolerance,  # an output near its limit knows no more of its derivative
    )


@pytest.mark.parametrize("name", FORWARD)
def test_derivatives_by_finite_differences(name: str) -> None:
    kernel = getattr(activation, name)
    x = np.linspace(-7.05, 7.05, 48)
    numeric = (kernel(x + 1e-5) - kernel(x - 1e-5)) / 2e-5
    given = kernel(x) if FORWARD[name][2] else x
    np.testing.assert_allclose(gradient_of(name, np.ones_like(x), given), numeric, atol=1e-8)


@pytest.mark.parametrize("dtype", FLOATS)
def test_tanh_grad(dtype: Any) -> None:
    y = np.linspace(-1, 1, 21).astype(dtype)
    dy = np.linspace(2, 3, 21).astype(dtype)
    expected = dy.astype(np.float64) * (1 - y.astype(np.float64) ** 2)
    result = activation.tanh_grad(y, dy)
    assert result.dtype == dtype
    tolerance = TOLERANCE[np.dtype(dtype)]
    np.testing.assert_allclose(result.astype(np.float64), expected, tolerance, tolerance)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers(dtype: Any) -> None:
    x, dy = np.array([1 + 1j], dtype), np.array([2 - 1j], dtype)
    for result, expected in [
        (activation.sigmoid(x), 1 / (1 + np.exp(-1 - 1j))),
        (activation.tanh_grad(x, dy), -5j),
        (activation.sigmoid_grad(x, dy), 1 - 3j),
    ]:
        assert result.dtype == dtype
        np.testing.assert_allclose(result, [expected], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint16])
def test_integers(dtype: Any) -> None:
    x = np.array([-3, 0, 4, 9]).astype(dtype)
    dy = np.array([1, 2, 3, 4], dtype)
    high = x[0] > 0  # what -3 becomes without a sign
    for result, expected in [
        (activation.relu(x), [x[0] if high else 0, 0, 4, 9]),
        (activation.relu6(x), [6 if high else 0, 0, 4, 6]),
        (activation.relu_grad(dy, x), [1 if high else 0, 0, 3, 4]),
        (activation.relu6_grad(dy, x), [0, 0, 3, 0]),
    ]:
        assert result.dtype == dtype
        assert result.tolist() == expected


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FORWARD)
def test_not_a_number_and_infinity(name: str, dtype: Any) -> None:
    x = np.array([np.nan, -np.inf, np.inf], dtype)
    y = getattr(activation, name)(x).astype(np.float64)
    limits = {
        "relu": (0, np.inf),
        "relu6": (0, 6),
        "elu": (-1, np.inf),
        "selu": (-SCALE * ALPHA, np.inf),
        "softplus": (0, np.inf),
        "softsign": (np.nan, np.nan),
        "sigmoid": (0, 1),
    }
    assert np.isnan(y[0])
    np.testing.assert_allclose(y[1:], limits[name], rtol=TOLERANCE[np.dtype(dtype)])
    if name not in ("relu", "relu6"):
        assert np.isnan(gradient_of(name, np.ones_like(x), x).astype(np.float64)[0])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FORWARD)
def test_out_may_be_new_or_the_input(name: str, dtype: Any) -> None:
    kernel = getattr(activation, name)
    x = POINTS.astype(dtype)
    kept, expected = x.copy(), kernel(x)
    np.testing.assert_array_equal(x, kept)
    for out in (np.empty_like(x), x):
        assert kernel(x, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", [*FORWARD, "tanh"])
def test_out_of_gradients_may_be_either_input(name: str, dtype: Any) -> None:
    kernel = getattr(activation, name + "_grad")
    first = np.linspace(-2, 2, 9).astype(dtype)
    second = np.linspace(3, -1, 9).astype(dtype)
    expected = kernel(first, second)
    for choose in (lambda a, b: np.empty_like(a), lambda a, b: a, lambda a, b: b):
        a, b = first.copy(), second.copy()
        out = choose(a, b)
        assert kernel(a, b, out=out) is out
        np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(kernel(first, second), expected)


def test_scalars_and_empty_arrays() -> None:
    for name in FORWARD:
        kernel = getattr(activation, name)
        for scalar in (np.array(1.0), np.float64(1), np.float16(1)):
            result = kernel(scalar)
            assert (result.shape, result.dtype) == ((), scalar.dtype)
        out = np.array(1.0)
        assert kernel(out, out=out) is out
        assert kernel(np.zeros((0, 3), np.float32)).shape == (0, 3)
