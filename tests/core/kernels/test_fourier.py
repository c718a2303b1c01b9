"""Fourier transforms against the sums that define them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import fourier

rng = np.random.default_rng(28)
KERNELS = {
    1: (fourier.fft, fourier.ifft, fourier.rfft, fourier.irfft),
    2: (fourier.fft2d, fourier.ifft2d, fourier.rfft2d, fourier.irfft2d),
    3: (fourier.fft3d, fourier.ifft3d, fourier.rfft3d, fourier.irfft3d),
}


def by_sums(x: np.ndarray, rank: int, sign: int) -> np.ndarray:
    result = x.astype(np.complex128)
    for axis in range(-rank, 0):
        size = x.shape[axis]
        step = np.arange(size)
        matrix = np.exp(sign * 2j * np.pi * np.outer(step, step) / size)
        result = np.moveaxis(np.moveaxis(result, axis, -1) @ matrix, -1, axis)
        if sign > 0:
            result = result / size
    return result


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_complex(rank: int, dtype: Any) -> None:
    x = (rng.normal(size=(2, 3, 4, 5)) + 1j * rng.normal(size=(2, 3, 4, 5))).astype(dtype)
    forward, inverse, _, _ = KERNELS[rank]
    tolerance = 100 * float(np.finfo(dtype).eps)
    for kernel, sign in ((forward, -1), (inverse, 1)):
        result = kernel(x)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, by_sums(x, rank, sign), rtol=0, atol=tolerance)
    assert forward(np.zeros((2, 0, 3, 0), dtype)).shape == (2, 0, 3, 0)


@pytest.mark.parametrize(
    ("dtype", "wide"), [(np.float32, np.complex64), (np.float64, np.complex128)]
)
@pytest.mark.parametrize("lengths", [(5,), (8,), (3,), (4, 5), (6, 2), (3, 4, 5), (4, 3, 7)])
def test_real(lengths: tuple[int, ...], dtype: Any, wide: Any) -> None:
    x, rank = rng.normal(size=(2, 3, 4, 5)).astype(dtype), len(lengths)
    _, _, forward, inverse = KERNELS[rank]
    tolerance = 100 * float(np.finfo(dtype).eps)
    fitted = np.zeros((*x.shape[:-rank], *lengths), dtype)
    common = tuple(slice(min(a, b)) for a, b in zip(x.shape[-rank:], lengths, strict=True))
    fitted[(..., *common)] = x[(..., *common)]
    result = forward(x, np.array(lengths, np.int32))
    half = lengths[-1] // 2 + 1
    assert result.dtype == wide
    np.testing.assert_allclose(
        result, by_sums(fitted, rank, -1)[..., :half], rtol=0, atol=tolerance
    )
    back = inverse(result, np.array(lengths, np.int32))
    assert back.dtype == dtype
    np.testing.assert_allclose(back, fitted, rtol=0, atol=tolerance)


def test_lengths_of_zero() -> None:
    assert fourier.rfft(np.ones((2, 5), np.float32), np.array([0])).shape == (2, 0)
    assert fourier.irfft(np.ones((2, 5), np.complex64), np.array([0])).shape == (2, 0)
    empty = fourier.rfft(np.ones((0, 5), np.float32), np.array([4]))
    assert empty.shape == (0, 3) and empty.dtype == np.complex64


ERRORS = [
    (lambda: fourier.fft2d(np.ones(3, np.complex64)), "rank of at least 2"),
    (lambda: fourier.rfft(np.ones(3, np.float32), np.array([-1])), "fft_length[0] must be >= 0"),
    (lambda: fourier.rfft2d(np.ones((3, 3)), np.array([1])), "fft_length must have shape [2]"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
