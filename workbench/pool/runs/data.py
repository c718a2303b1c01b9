"""The arrays behind `wb.batches` on their way to a worker: in chunks, and each set only once."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from workbench.cluster.wire.arrays import decode_array, encode_array
from workbench.core.errors import InvalidArgumentError, NotFoundError, ResourceExhaustedError
from workbench.live.data_store import content_key, data_path, load

_Array = np.ndarray[Any, Any]

#: Bytes in a message: small enough that other messages need not wait long behind it.
CHUNK_BYTES = 4 << 20
#: The most that one set of arrays may take on a worker.
MOST_BYTES = 64 << 30
#: So many sets that are not complete yet are kept, and so many that are.
_MOST_OPEN = 16
_MOST_KEPT = 4
#: One that was announced or has come, and that nobody has used yet, is kept for so long however
#: many there are, in seconds: who has it sent is about to say what it is for.
_FRESH_SECONDS = 60.0


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
    """The sets of arrays that a worker has got, by their content; for any thread.

    Several may send the same set at a time, each all of it.

    Args:
      project: the folder of the worker's runs, where they are found again.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[list[list[Any]], list[_Array]]] = OrderedDict()
        self._kept: OrderedDict[str, list[_Array]] = OrderedDict()
        #: Of those that are kept, when the ones were announced that nobody has used since.
        self._fresh: dict[str, float] = {}

    def begin(self, key: Any, described: Any) -> bool:
        """Makes room for a set; False where it is there already.

        Raises:
          InvalidArgumentError: this does not describe arrays.
          ResourceExhaustedError: they take more than a worker has for them.
        """
        if not isinstance(key, str) or not key.isalnum() or len(key) > 128:
            raise InvalidArgumentError(None, None, "Data is called by what it holds")
        if self._find(key, is_used=False) is not None:
            return False
        sizes = _sizes(described)
        if sum(sizes) > MOST_BYTES:
            raise ResourceExhaustedError(
                None, None, f"The data takes {sum(sizes)} bytes; a worker takes {MOST_BYTES}"
            )
        with self._lock:
            found = self._open.get(key)
            if found is None or found[0] != described:
                # Pages that nothing is written to take no memory.
                self._open[key] = described, [np.zeros(size, np.uint8) for size in sizes]
            self._open.move_to_end(key)
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return True

    def add(self, fields: Mapping[str, Any], piece: bytes) -> None:
        """Takes in a piece."""
        index, start, key = fields.get("index"), fields.get("start"), str(fields.get("key"))
        with self._lock:
            found = self._open.get(key)
            if found is not None:
                self._open.move_to_end(key)
        if found is None:
            if self._find(key, is_used=False) is not None:
                # All of it has come from somebody else meanwhile.
                return
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
            found = self._open.get(str(key))
        if found is None:
            if self._find(key, is_used=False) is None:
                raise InvalidArgumentError(None, None, "Nobody waits for this data")
            return
        arrays = None
        try:
            arrays = _checked(key, *found)
        finally:
            # Not before: who sends the same still finds it here, or there.
            with self._lock:
                if self._open.get(str(key)) is found:
                    del self._open[str(key)]
                if arrays is not None:
                    now = time.monotonic()
                    self._kept[str(key)], self._fresh[str(key)] = arrays, now
                    self._trim(now)

    def _trim(self, now: float) -> None:
        """Lets go of the sets that were not used for longest."""
        self._fresh = {k: came for k, came in self._fresh.items() if now - came < _FRESH_SECONDS}
        for key in [k for k in self._kept if k not in self._fresh]:
            if len(self._kept) <= _MOST_KEPT:
                return
            del self._kept[key]

    def find(self, key: Any) -> list[_Array] | None:
        """The arrays of a set, which are used now; None where they have not come."""
        return self._find(key, is_used=True)

    def _find(self, key: Any, is_used: bool) -> list[_Array] | None:
        if not isinstance(key, str):
            return None
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                if is_used:
                    self._fresh.pop(key, None)
                    self._trim(time.monotonic())
                else:
                    self._fresh[key] = time.monotonic()
                return found
        # Whoever deletes the last run that needs it may remove it at any time.
        with suppress(NotFoundError):
            if key.isalnum() and os.path.exists(data_path(self._project, key)):
                return load(self._project, key)
        return None


def _checked(key: Any, described: list[list[Any]], buffers: list[_Array]) -> list[_Array]:
    """The arrays of a set. InvalidArgumentError where they are not what it is called by."""
    try:
        arrays = [decode_array(d[:2], b) for d, b in zip(described, buffers, strict=True)]
    except (ValueError, TypeError) as error:
        raise InvalidArgumentError(None, None, f"The data is damaged: {error}") from None
    if content_key(arrays) != key:
        raise InvalidArgumentError(None, None, "The data is not what it was announced to be")
    return arrays


def _sizes(described: Any) -> list[int]:
    if not isinstance(described, list) or not 0 < len(described) <= 1024:
        raise InvalidArgumentError(None, None, "A set of data has 1 to 1024 arrays")
    for each in described:
        if not isinstance(each, list) or len(each) != 3 or type(each[2]) is not int or each[2] < 0:
            raise InvalidArgumentError(None, None, "An array has a dtype, a shape and a size")
    return [each[2] for each in described]
