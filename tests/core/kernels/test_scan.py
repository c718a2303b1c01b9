"""Running sums and products against loops."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import scan

rng = np.random.default_rng(29)
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int8, np.int64, np.complex64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_scans(name: str, exclusive: bool, reverse: bool, dtype: Any) -> None:
    step = sum if name == "cumsum" else math.prod
    for shape, axis in (((6,), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((3, 0), 1), ((0, 3), 0)):
        x = rng.integers(1, 3, shape).astype(dtype)
        result = getattr(scan, name)(x, np.int32(axis), exclusive=exclusive, reverse=reverse)
        assert result.dtype == dtype and result.shape == shape
        lines, found = np.moveaxis(x, axis, -1), np.moveaxis(result, axis, -1)
        for index in np.ndindex(*lines.shape[:-1]):
            line, sums = lines[index], found[index]
            values = [complex(value) for value in line]
            values = values[::-1] if reverse else values
            last = 0 if exclusive else 1
            expected = [step(values[: i + last]) for i in range(len(values))]
            np.testing.assert_array_equal(
                sums, np.array(expected[:: -1 if reverse else 1], complex)
            )


def test_sixteen_bits_do_not_stop_growing() -> None:
    ones = np.ones(4000, np.float16)
    assert scan.cumsum(ones, np.array(0))[-1] == 4000
    assert scan.cumsum(ones.astype(ml_dtypes.bfloat16), np.array(0))[-1] == 4000


def test_not_finite_values_propagate() -> None:
    x = np.array([1.0, np.inf, 2.0, np.nan])
    np.testing.assert_array_equal(scan.cumsum(x, np.array(0)), [1, np.inf, np.inf, np.nan])


def test_error() -> None:
    with pytest.raises(InvalidArgumentError, match="Expected scan axis in the range"):
        scan.cumsum(np.zeros((2, 3)), np.array(2))
