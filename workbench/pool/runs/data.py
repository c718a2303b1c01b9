"""The arrays behind `wb.batches` on their way to a worker: in chunks, and each set only once."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.cluster.wire.arrays import decode_array, encode_array
from workbench.core.errors import InvalidArgumentError, ResourceExhaustedError
from workbench.live.data_store import content_key, data_path, load

_Array = np.ndarray[Any, Any]

#: Bytes in a message: small enough that other messages need not wait long behind it.
CHUNK_BYTES = 4 << 20
#: The most that one set of arrays may take on a worker.
MOST_BYTES = 64 << 30
#: So many sets that are not complete yet are kept, and so many that are.
_MOST_OPEN = 4
_MOST_KEPT = 4


def plain_array(array: _Array) -> _Array:
    """The array as the other end has it: strings of a fixed length become bytes."""
    if array.dtype.kind not in "SU":
        return array
    found = np.empty(array.shape, object)
    flat = [v.encode() if isinstance(v, str) else v for v in array.reshape(-1).tolist()]
    found.reshape(-1)[:] = flat
    return found


class Chunks:
    """Arrays cut into pieces for the wire."""

    def __init__(self, arrays: Sequence[_Array]) -> None:
        self.key = content_key(arrays)
        encoded = [encode_array(a) for a in arrays]
        #: The dtype, shape and number of bytes of each array.
        self.described = [[*kind, len(memoryview(b).cast("B"))] for kind, b in encoded]
        self._buffers = [memoryview(b).cast("B") for _, b in encoded]

    def piece(self, index: int, start: int) -> bytes:
        """The bytes of an array from `start` on, as many as go into a message."""
        if not 0 <= index < len(self._buffers) or start < 0:
            raise InvalidArgumentError(None, None, "There is no such piece of the data")
        return bytes(self._buffers[index][start : start + CHUNK_BYTES])

    def __iter__(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        for index, buffer in enumerate(self._buffers):
            for start in range(0, len(buffer), CHUNK_BYTES):
                yield {"key": self.key, "index": index, "start": start}, self.piece(index, start)


class ReceivedData:
    """The sets of arrays that a worker has got, by their content.

    Args:
      project: the folder of the worker's runs, where they are found again.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[list[list[Any]], list[_Array]]] = OrderedDict()
        self._kept: OrderedDict[str, list[_Array]] = OrderedDict()

    def begin(self, key: Any, described: Any) -> bool:
        """Makes room for a set; False where it is there already.

        Raises:
          InvalidArgumentError: this does not describe arrays.
          ResourceExhaustedError: they take more than a worker has for them.
        """
        if not isinstance(key, str) or not key.isalnum() or len(key) > 128:
            raise InvalidArgumentError(None, None, "Data is called by what it holds")
        if self.find(key) is not None:
            return False
        sizes = _sizes(described)
        if sum(sizes) > MOST_BYTES:
            raise ResourceExhaustedError(
                None, None, f"The data takes {sum(sizes)} bytes; a worker takes {MOST_BYTES}"
            )
        with self._lock:
            # Pages that nothing is written to take no memory.
            self._open[key] = described, [np.empty(size, np.uint8) for size in sizes]
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return True

    def add(self, fields: Mapping[str, Any], piece: bytes) -> None:
        """Takes in a piece."""
        index, start = fields.get("index"), fields.get("start")
        with self._lock:
            found = self._open.get(str(fields.get("key")))
        if found is None:
            raise InvalidArgumentError(None, None, "Nobody waits for this piece of data")
        buffers = found[1]
        if type(index) is not int or not 0 <= index < len(buffers) or type(start) is not int:
            raise InvalidArgumentError(None, None, "There is no such piece of the data")
        buffer = buffers[index]
        if not 0 <= start <= buffer.size - len(piece):
            raise InvalidArgumentError(None, None, "A piece of data is out of its array")
        buffer[start : start + len(piece)] = np.frombuffer(piece, np.uint8)

    def end(self, key: Any) -> None:
        """All of a set has come. InvalidArgumentError where it is another one than it is called."""
        with self._lock:
            found = self._open.pop(str(key), None)
        if found is None:
            if self.find(key) is None:
                raise InvalidArgumentError(None, None, "Nobody waits for this data")
            return
        try:
            arrays = [decode_array(d[:2], b) for d, b in zip(*found, strict=True)]
        except (ValueError, TypeError) as error:
            raise InvalidArgumentError(None, None, f"The data is damaged: {error}") from None
        if content_key(arrays) != key:
            raise InvalidArgumentError(None, None, "The data is not what it was announced to be")
        with self._lock:
            self._kept[str(key)] = arrays
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def find(self, key: Any) -> list[_Array] | None:
        """The arrays of a set; None where they have not come."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        if isinstance(key, str) and key.isalnum() and os.path.exists(data_path(self._project, key)):
            return load(self._project, key)
        return None


def _sizes(described: Any) -> list[int]:
    if not isinstance(described, list) or not 0 < len(described) <= 1024:
        raise InvalidArgumentError(None, None, "A set of data has 1 to 1024 arrays")
    for each in described:
        if not isinstance(each, list) or len(each) != 3 or type(each[2]) is not int or each[2] < 0:
            raise InvalidArgumentError(None, None, "An array has a dtype, a shape and a size")
    return [each[2] for each in described]
