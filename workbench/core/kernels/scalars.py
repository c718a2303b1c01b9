"""Scalars as the kernels may get them: arrays, NumPy scalars, or a single string."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """`value` as an array; a string stays an object, where NumPy would make a fixed-width type.

    >>> as_array(b"abc").dtype, as_array(np.float32(1)).dtype
    (dtype('O'), dtype('float32'))
    """
    if isinstance(value, (bytes, str)):
        return np.array(value, dtype=object)
    return np.asarray(value)
