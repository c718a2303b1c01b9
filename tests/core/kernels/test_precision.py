from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from workbench.core.kernels import precision


@precision.in_float32
def third_power(x: precision.Array, *, out: precision.Array | None = None) -> precision.Array:
    square = np.multiply(x, x, out=precision.scratch(out, x))
    return np.multiply(square, x, out=out)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_types_are_rounded_once(dtype: Any) -> None:
    x = np.linspace(-3, 3, 101).astype(dtype)
    expected = (x.astype(np.float32) ** 3).astype(dtype)
    result = third_power(x)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, expected)
    out = np.empty_like(x)
    assert third_power(x, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_wide_types_are_computed_in_place() -> None:
    x = np.linspace(-3, 3, 101)
    expected = x * x * x
    out = np.empty_like(x)
    assert third_power(x, out=out) is out
    np.testing.assert_array_equal(out, expected)
    assert third_power(x, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_overflow_to_a_half_type_is_infinity_without_a_warning() -> None:
    assert np.isposinf(third_power(np.array([300.0], np.float16)))[0]
    out = np.empty(1, np.float16)
    assert np.isposinf(precision.delivered(np.array([1e30], np.float32), out.dtype, out))[0]
