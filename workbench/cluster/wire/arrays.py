"""Arrays as bytes: a descriptor and one buffer, which is the array's own memory where it can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.cluster.wire.encodings import Encoding, restore
from workbench.cluster.wire.encodings import shrink as shrunk
from workbench.cluster.wire.feedback import Feedback
from workbench.core.graph.dtypes import DType, as_dtype

#: Strings: a count's worth of 32-bit lengths, then the bytes of all.
_STRINGS = "string"
_LENGTH = np.dtype("<u4")


def encode_array(value: Any) -> tuple[list[Any], Any]:
    """A value as [dtype, shape] and the bytes of its elements in C order, little-endian."""
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind in "SU":
        return [_STRINGS, list(array.shape)], _encode_strings(array)
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    dtype = as_dtype(array.dtype)
    return [dtype.name, list(array.shape)], array.reshape(-1).view(np.uint8).data


def shrink_array(
    value: Any, encoding: Encoding, feedback: Feedback | None
) -> tuple[list[Any], Any] | None:
    """As `encode_array`, in an encoding, whose name the description then has as well.

    None for what is not float32, which always goes as it is.
    """
    if encoding.kind == "float32" or getattr(value, "dtype", None) != np.float32:
        return None
    array = np.asarray(value)
    if encoding.feedback is not None and feedback is not None:
        kind, data = feedback.shrink(encoding.feedback, array, encoding.kind)
    else:
        kind, data = shrunk(array, encoding.kind)
    return ["float32", list(array.shape), kind], data.data


def decode_array(descriptor: Sequence[Any], frame: Any) -> Any:
    """The array, a view of the frame; a NumPy scalar for one without axes.

    ValueError where the frame is not what the descriptor says.
    """
    if not 2 <= len(descriptor) <= 3:
        raise ValueError(f"{list(descriptor)!r} is no dtype and shape")
    name, shape = descriptor[:2]
    if type(name) is not str or not _is_shape(shape):
        raise ValueError(f"{list(descriptor)!r} is no dtype and shape")
    count = math.prod(shape)
    buffer = memoryview(frame)
    if len(descriptor) == 3:
        if name != "float32" or type(descriptor[2]) is not str:
            raise ValueError(f"{name} has no encoding {descriptor[2]!r}")
        values = restore(descriptor[2], np.frombuffer(buffer, np.uint8), count).reshape(shape)
        values.flags.writeable = False
        return values if shape else values[()]
    if name == _STRINGS:
        return _decode_strings(buffer, count).reshape(shape)
    kind = np.dtype(_element_type(name).as_numpy_dtype)
    if buffer.nbytes != count * kind.itemsize:
        raise ValueError(f"{buffer.nbytes} bytes are not {count} elements of {name}")
    array = np.frombuffer(buffer, np.uint8).view(kind).reshape(shape)
    array.flags.writeable = False
    return array if shape else array[()]


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, list)
        and len(shape) <= 32
        and all(type(n) is int and 0 <= n < 1 << 48 for n in shape)
    )


def _element_type(name: str) -> DType:
    dtype = as_dtype(name)
    if dtype._is_ref_dtype or dtype.as_numpy_dtype is object:
        raise ValueError(f"Elements of type {name} cannot be sent")
    return dtype


def _encode_strings(array: np.ndarray[Any, Any]) -> bytes:
    parts = []
    for value in array.reshape(-1).tolist():
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, bytes):
            raise TypeError(f"A value of type {type(value).__name__} cannot be sent to a task")
        parts.append(value)
    lengths = np.array([len(p) for p in parts], _LENGTH)
    return lengths.tobytes() + b"".join(parts)


def _decode_strings(buffer: memoryview, count: int) -> np.ndarray[Any, Any]:
    size = count * _LENGTH.itemsize
    if buffer.nbytes < size:
        raise ValueError(f"{buffer.nbytes} bytes are too few for {count} strings")
    lengths = np.frombuffer(buffer[:size], _LENGTH)
    if int(lengths.sum(dtype=np.uint64)) != buffer.nbytes - size:
        raise ValueError(f"The lengths of {count} strings do not add up to {buffer.nbytes - size}")
    found = np.empty(count, object)
    position = size
    for index, length in enumerate(lengths.tolist()):
        found[index] = bytes(buffer[position : position + length])
        position += length
    return found
