from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.kernels.oracles import FLOATS
from workbench.core.kernels.masking import kept_where


@pytest.mark.parametrize(
    "dtype",
    [*FLOATS, np.int8, np.uint16, np.int64, np.complex64, np.complex128],
)
def test_agrees_with_where(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    values = (rng.standard_normal((5, 7)) * 50).astype(np.complex128).real.astype(dtype)
    mask = rng.random((5, 7)) < 0.5
    expected = np.where(mask, values, np.zeros((), dtype))
    result = kept_where(mask, values)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)
    out = np.empty_like(values)
    assert kept_where(mask, values, out) is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(kept_where(mask[:, ::2], values[:, ::2]), expected[:, ::2])
    assert kept_where(mask, values, values) is values
    np.testing.assert_array_equal(values, expected)


def test_infinities_and_nan_are_dropped_without_a_trace() -> None:
    values = np.array([np.inf, -np.inf, np.nan, np.inf, 2.0])
    result = kept_where(np.array([False, False, False, True, True]), values)
    np.testing.assert_array_equal(result, [0, 0, 0, np.inf, 2])


def test_mask_and_values_broadcast() -> None:
    mask = np.array([[True], [False]])
    np.testing.assert_array_equal(kept_where(mask, np.array([1.0, 2.0])), [[1, 2], [0, 0]])
