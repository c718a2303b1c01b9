"""What several families of kernels share: errors in the user's terms and wider arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from workbench.core.errors import InvalidArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"
_Real = TypeVar("_Real", bound="np.floating[Any]")

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)

#: Elements worked on at once by a long chain of element-wise steps: they stay in the cache.
BLOCK = 1 << 14


def invalid(message: str) -> InvalidArgumentError:
    """The error a kernel raises for a bad value; the runtime adds the operation to it."""
    return InvalidArgumentError(None, None, message)


def one_number(value: Any, name: str) -> int:
    """The number in an array of one element; InvalidArgumentError, by `name`, for other arrays."""
    array = np.asarray(value)
    if array.size != 1:
        raise invalid(f"{name} must have exactly one element, got shape {spelled(array.shape)}")
    return int(array.reshape(())[()])


def axis_number(value: Any, rank: int, name: str) -> int:
    """The axis, counted from 0, that an array of one element names."""
    axis = one_number(value, name)
    if not -rank <= axis < rank:
        raise invalid(f"{name} must be in [{-rank}, {rank}), got {axis}")
    return axis % rank


def is_half(dtype: np.dtype[Any]) -> bool:
    """True for the floats of 16 bits, told by their names: one is not of NumPy."""
    return dtype.itemsize == 2 and dtype.name in ("float16", "bfloat16")


def widen(array: np.ndarray) -> np.ndarray:
    """``array``, or its float32 copy where its dtype has 16 bits and sums would lose digits."""
    return array.astype(np.float32) if is_half(array.dtype) else array


def in_float64(compute: Callable[..., np.ndarray], *inputs: np.ndarray) -> np.ndarray:
    """Apply an element-wise function of flat float64 arrays; the result has the inputs' dtype."""
    arrays = [np.asarray(value) for value in inputs]
    dtype = arrays[0].dtype
    spread = np.broadcast_arrays(*arrays)
    flat = [value.reshape(-1) for value in spread]
    result = np.empty(flat[0].size, dtype)
    with np.errstate(all="ignore"):
        for start in range(0, result.size, BLOCK):
            stop = start + BLOCK
            block = compute(*(value[start:stop].astype(np.float64) for value in flat))
            result[start:stop] = block.astype(dtype)
    return result.reshape(spread[0].shape)


def polynomial(coefficients: Sequence[float], x: NDArray[_Real]) -> NDArray[_Real]:
    """``coefficients[0] + coefficients[1] * x + ...`` by Horner's rule."""
    result = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result *= x
        result += coefficient
    return result


def spelled(shape: Sequence[int]) -> str:
    """A shape as TensorFlow's messages write it: ``[3,4]``."""
    return "[" + ",".join(str(int(size)) for size in shape) + "]"


def position(shape: tuple[int, ...], flat_index: int) -> str:
    """The index of an element as the user writes it: ``[1,2]``, or nothing for a scalar."""
    if not shape:
        return ""
    return "[" + ",".join(str(int(i)) for i in np.unravel_index(flat_index, shape)) + "]"
