"""Arrays as bytes: a descriptor and one buffer, which is the array's own memory where it can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.cluster.shown import shown
from workbench.cluster.wire.encodings import Encoding, restore
from workbench.cluster.wire.encodings import shrink as shrunk
from workbench.cluster.wire.feedback import Feedback
from workbench.core.graph.dtypes import DType, as_dtype

#: Strings: a count's worth of 32-bit lengths, then the bytes of all.
_STRINGS = "string"
_LENGTH = np.dtype("<u4")
#: The names of elements' types.
_names: dict[np.dtype[Any], str] = {}


def encode_array(value: Any) -> tuple[tuple[Any, ...], Any]:
    """A value as (dtype, shape) and the bytes of its elements in C order, little-endian."""
    array = value if type(value) is np.ndarray else np.asarray(value)
    kind = array.dtype
    if kind.kind in "OSU":
        return (_STRINGS, array.shape), _encode_strings(array)
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    name = _names.get(kind)
    if name is None:
        name = _names[kind] = as_dtype(kind).name
    return (name, array.shape), array.reshape(-1).view(np.uint8).data


def shrink_array(
    value: Any, encoding: Encoding, feedback: Feedback | None
) -> tuple[tuple[Any, ...], Any] | None:
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
    return ("float32", array.shape, kind), data.data


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes of an array are to be read.

    `element` is the type of its elements, None for strings; `encoding` what it was encoded in.
    """

    name: str
    shape: tuple[int, ...]
    count: int
    element: Any
    encoding: str | None

    def array(self, frame: Any) -> Any:
        """The array, a view of the frame; a NumPy scalar for one without axes.

        ValueError where the frame is not what the layout says.
        """
        if self.encoding is not None:
            data = np.frombuffer(frame, np.uint8)
            array = restore(self.encoding, data, self.count).reshape(self.shape)
        elif self.element is None:
            return _decode_strings(memoryview(frame), self.count).reshape(self.shape)
        else:
            size = frame.nbytes if isinstance(frame, (memoryview, np.ndarray)) else len(frame)
            if size != self.count * self.element.itemsize:
                raise ValueError(f"{size} bytes are not {self.count} elements of {self.name}")
            array = np.ndarray(self.shape, self.element, frame)
        array.flags.writeable = False
        return array if self.shape else array[()]


def read_layout(description: Sequence[Any]) -> Layout:
    """The layout that a description is of. ValueError where it is none."""
    if not 2 <= len(description) <= 3:
        raise ValueError(f"{shown(description)} is no dtype and shape")
    name, shape = description[:2]
    if type(name) is not str or not _is_shape(shape):
        raise ValueError(f"{shown(description)} is no dtype and shape")
    encoding = description[2] if len(description) == 3 else None
    if len(description) == 3 and (name != "float32" or type(encoding) is not str):
        raise ValueError(f"{shown(name)} has no encoding {shown(encoding)}")
    element = None if name == _STRINGS else np.dtype(_element_type(name).as_numpy_dtype)
    return Layout(name, tuple(shape), math.prod(shape), element, encoding)


def decode_array(description: Sequence[Any], frame: Any) -> Any:
    """The array that `encode_array` has described, a view of the frame.

    ValueError where the frame is not what the description says.
    """
    return read_layout(description).array(frame)


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, (list, tuple))
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
