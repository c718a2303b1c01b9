"""Fourier transforms over the last one, two or three dimensions, in the precision of the input."""

from __future__ import annotations

import numpy as np

from workbench.core.kernels.support import invalid


def fft(input: np.ndarray) -> np.ndarray:
    """The discrete Fourier transforms of the last dimension.

    >>> fft(np.array([1, 0, 0, 0], np.complex64))
    array([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _complex(input, 1, inverse=False)


def ifft(input: np.ndarray) -> np.ndarray:
    """The inverse of ``fft``."""
    return _complex(input, 1, inverse=True)


def fft2d(input: np.ndarray) -> np.ndarray:
    """The discrete Fourier transforms of the last two dimensions."""
    return _complex(input, 2, inverse=False)


def ifft2d(input: np.ndarray) -> np.ndarray:
    """The inverse of ``fft2d``."""
    return _complex(input, 2, inverse=True)


def fft3d(input: np.ndarray) -> np.ndarray:
    """The discrete Fourier transforms of the last three dimensions."""
    return _complex(input, 3, inverse=False)


def ifft3d(input: np.ndarray) -> np.ndarray:
    """The inverse of ``fft3d``."""
    return _complex(input, 3, inverse=True)


def rfft(input: np.ndarray, fft_length: np.ndarray) -> np.ndarray:
    """Transforms of real values, cropped or padded with zeros to ``fft_length`` first.

    The last dimension of the result is ``fft_length // 2 + 1``: the rest mirrors it.

    >>> rfft(np.array([1, 0, 0], np.float32), np.array([2]))
    array([1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _real(input, fft_length, 1)


def rfft2d(input: np.ndarray, fft_length: np.ndarray) -> np.ndarray:
    """``rfft`` over the last two dimensions."""
    return _real(input, fft_length, 2)


def rfft3d(input: np.ndarray, fft_length: np.ndarray) -> np.ndarray:
    """``rfft`` over the last three dimensions."""
    return _real(input, fft_length, 3)


def irfft(input: np.ndarray, fft_length: np.ndarray) -> np.ndarray:
    """The inverse of ``rfft``, with ``fft_length`` values in the last dimension.

    >>> irfft(np.array([1, 1], np.complex64), np.array([2]))
    array([1., 0.], dtype=float32)
    """
    return _to_real(input, fft_length, 1)


def irfft2d(input: np.ndarray, fft_length: np.ndarray) -> np.ndarray:
    """``irfft`` over the last two dimensions."""
    return _to_real(input, fft_length, 2)


def irfft3d(input: np.ndarray, fft_length: np.ndarray) -> np.ndarray:
    """``irfft`` over the last three dimensions."""
    return _to_real(input, fft_length, 3)


def _complex(input: np.ndarray, rank: int, *, inverse: bool) -> np.ndarray:
    input = _ranked(input, rank)
    if not input.size:
        return input.copy()
    transform = np.fft.ifftn if inverse else np.fft.fftn
    return np.asarray(transform(input, axes=_last(rank)), input.dtype)


def _real(input: np.ndarray, fft_length: np.ndarray, rank: int) -> np.ndarray:
    input = _ranked(input, rank)
    lengths = _lengths(fft_length, rank)
    dtype = np.result_type(input.dtype, np.complex64)
    inner = [*lengths[:-1], lengths[-1] // 2 + 1 if lengths[-1] else 0]
    if not input.size or 0 in lengths:
        return np.zeros((*input.shape[:-rank], *inner), dtype)
    return np.asarray(np.fft.rfftn(input, s=lengths, axes=_last(rank)), dtype)


def _to_real(input: np.ndarray, fft_length: np.ndarray, rank: int) -> np.ndarray:
    input = _ranked(input, rank)
    lengths = _lengths(fft_length, rank)
    dtype = input.real.dtype
    if not input.size or 0 in lengths:
        return np.zeros((*input.shape[:-rank], *lengths), dtype)
    return np.asarray(np.fft.irfftn(input, s=lengths, axes=_last(rank)), dtype)


def _last(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


def _ranked(input: np.ndarray, rank: int) -> np.ndarray:
    input = np.asarray(input)
    if input.ndim < rank:
        raise invalid(f"Input must have rank of at least {rank} but got shape {input.shape}")
    return input


def _lengths(fft_length: np.ndarray, rank: int) -> list[int]:
    lengths: list[int] = np.asarray(fft_length).tolist()
    if np.shape(fft_length) != (rank,):
        raise invalid(f"fft_length must have shape [{rank}], got {list(np.shape(fft_length))}")
    for axis, length in enumerate(lengths):
        if length < 0:
            raise invalid(f"fft_length[{axis}] must be >= 0, but got: {length}")
    return lengths
