"""Several arrays as one piece of memory, for what goes through shared memory a piece at a time."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.cluster.wire.arrays import decode_array, encode_array

Array = np.ndarray[Any, Any]

#: What each begins with: how many bytes it has, this included, and how many describe the arrays.
_LENGTHS = struct.Struct("<QQ")
#: The arrays begin at multiples of so many bytes.
_ALIGNMENT = 64


def pack(arrays: Sequence[Any]) -> Array:
    """The bytes of some arrays, with what they are.

    >>> import numpy as np
    >>> [a.tolist() for a in unpack(pack([np.arange(3), np.ones((2, 1))]))]
    [[0, 1, 2], [[1.0], [1.0]]]
    """
    parts = [encode_array(array) for array in arrays]
    buffers = [memoryview(buffer).cast("B") for _, buffer in parts]
    sizes = [buffer.nbytes for buffer in buffers]
    described = json.dumps([[d, n] for (d, _), n in zip(parts, sizes, strict=True)]).encode()
    place = _rounded(_LENGTHS.size + len(described))
    packed = np.zeros(place + sum(map(_rounded, sizes)), np.uint8)
    _LENGTHS.pack_into(packed.data, 0, packed.size, len(described))
    packed[_LENGTHS.size : _LENGTHS.size + len(described)] = np.frombuffer(described, np.uint8)
    for buffer, size in zip(buffers, sizes, strict=True):
        packed[place : place + size] = np.frombuffer(buffer, np.uint8)
        place += _rounded(size)
    return packed


def packed_size(start: Array) -> int:
    """How many bytes there are, by the first of them."""
    return int(_LENGTHS.unpack_from(start.data)[0])


def unpack(packed: Array) -> list[Any]:
    """The arrays, which are views of the bytes. ValueError where they are none."""
    _, length = _LENGTHS.unpack_from(packed.data)
    place = _rounded(_LENGTHS.size + length)
    found = []
    for descriptor, size in json.loads(packed[_LENGTHS.size : _LENGTHS.size + length].tobytes()):
        found.append(np.asarray(decode_array(descriptor, packed[place : place + size].data)))
        place += _rounded(size)
    return found


def _rounded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
