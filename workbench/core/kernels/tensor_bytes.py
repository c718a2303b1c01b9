"""Tensors as the bytes of a ``TensorProto`` whose content is packed, strings too."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import DataLossError, InvalidArgumentError
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid

Array = np.ndarray[Any, Any]


def pack_tensor(value: Any) -> bytes:
    """The bytes of a tensor: elements as they lie in memory, strings after their lengths.

    >>> pack_tensor(np.array([b"ab", b"c"], object))
    b'\\x08\\x07\\x12\\x04\\x12\\x02\\x08\\x02"\\x05\\x02\\x01abc'
    """
    from workbench.core.graph.dtypes import as_dtype
    from workbench.core.protos import TensorProto

    array = as_array(value)
    proto = TensorProto(dtype=as_dtype(array.dtype).as_datatype_enum)
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_content = (
        _pack_strings(array.reshape(-1).tolist()) if array.dtype == object else array.tobytes()
    )
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def unpack_tensor(content: bytes) -> Array:
    """The tensor that bytes hold, packed or listed; InvalidArgumentError where they hold none."""
    from workbench.core.graph.tensor_proto import make_ndarray
    from workbench.core.protos import TensorProto
    from workbench.core.protos.reading import parse_message

    try:
        proto = parse_message(TensorProto, content, "serialized")
    except DataLossError:
        raise invalid("Could not parse serialized proto") from None
    try:
        if proto.dtype == TensorProto(dtype=7).dtype and proto.tensor_content:
            shape = tuple(dim.size for dim in proto.tensor_shape.dim)
            return _unpack_strings(proto.tensor_content, shape)
        return make_ndarray(proto)
    except (TypeError, InvalidArgumentError) as error:
        raise invalid(f"Could not construct tensor from proto: {error}") from None


def _pack_strings(items: list[bytes]) -> bytes:
    return b"".join(_variable_length(len(item)) for item in items) + b"".join(items)


def _variable_length(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first; all but the last have the high bit."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def _unpack_strings(content: bytes, shape: tuple[int, ...]) -> Array:
    count = int(np.prod(shape, dtype=np.int64))
    if count > len(content):
        raise invalid(f"{len(content)} bytes cannot hold {count} strings")
    lengths, at = [], 0
    for _ in range(count):
        length, shift = 0, 0
        while at < len(content):
            byte = content[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise invalid(f"the lengths of {count} strings do not fit {len(content)} bytes")
    result = np.empty(count, object)
    for i, length in enumerate(lengths):
        result[i] = content[at : at + length]
        at += length
    return result.reshape(shape)
