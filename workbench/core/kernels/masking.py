"""Keeping some values of an array and zeroing the others, exactly and fast."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Mask = NDArray[np.bool_]

_BITS: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.int8),
    2: np.dtype(np.int16),
    4: np.dtype(np.int32),
    8: np.dtype(np.int64),
}


def kept_where(mask: Mask, values: Array, out: Array | None = None) -> Array:
    """``values`` where ``mask`` holds, else 0: as ``np.where``, but several times faster.

    A product with the mask would be as fast, but makes NaN of the infinities it should drop. So
    the bits are masked instead: the negative of True, sign-extended, is a word full of ones.

    >>> kept_where(np.array([True, False]), np.array([1.5, np.inf]))
    array([1.5, 0. ])
    """
    bits = _BITS.get(values.dtype.itemsize)
    if bits is None:  # complex128
        kept = np.where(mask, values, values.dtype.type(0))
        if out is None:
            return kept
        np.copyto(out, kept)
        return out
    if out is None:
        shape = np.broadcast_shapes(mask.shape, values.shape)
        out = np.empty(shape, values.dtype)
    words = np.negative(mask.view(np.int8))
    np.bitwise_and(values.view(bits), words, out=out.view(bits))
    return out
