"""Half-precision arithmetic: computed in float32, rounded once at the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from workbench.core.kernels.support import is_half

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"


def delivered(result: Array, dtype: np.dtype[Any], out: Array | None = None) -> Array:
    """``result`` as an array of ``dtype``, in ``out`` where one is given."""
    if out is None:
        if result.dtype == dtype:
            return result
        with np.errstate(over="ignore"):
            return result.astype(dtype)
    if out is not result:
        with np.errstate(over="ignore", invalid="ignore"):
            np.copyto(out, result, casting="unsafe")
    return out


def in_float32(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Decorate an element-wise ``kernel(*arrays, out=None, ...)`` to take the half types too.

    A chain of half-precision steps would round after each of them; this rounds once, as a fused
    kernel does. Every other type goes straight through.
    """

    @wraps(kernel)
    def half_aware(*arrays: Array, out: Array | None = None, **attributes: Any) -> Array:
        dtype = arrays[0].dtype
        if not arrays[0].ndim:
            # NumPy makes plain numbers of these, which nothing can be written into.
            lifted = half_aware(*(np.reshape(array, 1) for array in arrays), **attributes)
            return delivered(lifted.reshape(()), dtype, out)
        if not is_half(dtype):
            return kernel(*arrays, out=out, **attributes)
        wide = kernel(*(array.astype(np.float32) for array in arrays), **attributes)
        return delivered(wide, dtype, out)

    return half_aware


def scratch(out: Array | None, *later: Array) -> Array | None:
    """``out`` if it may hold intermediate results: not if it overlaps an input still to be read.

    >>> a = np.zeros(3)
    >>> scratch(a, a[:1]) is None, scratch(a, np.ones(3)) is a
    (True, True)
    """
    if out is not None and any(np.may_share_memory(out, array) for array in later):
        return None
    return out
