"""A history on disk: a file that only grows, in blocks with checksums.

```
file    magic "WBHISTRY", u32 version, u32 length of the names, their JSON (UTF-8), u32 CRC-32
block   u32 kind, u32 rows, u32 CRC-32 of the first eight bytes and of the payload, payload
rows    payload: i64[rows] steps, then f64[rows] values for each name
dropped payload: i64, the step after which everything was dropped (a rewind); rows is 1
```

All numbers are little-endian. A writer that was killed leaves a last block that is incomplete;
reading ends at the last good block, and writing goes on from there.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from io import FileIO
from typing import Any, NamedTuple

import numpy as np

from workbench.core.errors import DataLossError, InvalidArgumentError
from workbench.core.files import local_path, read_bytes, translated_errors
from workbench.live.history import History

_MAGIC = b"WBHISTRY"
_VERSION = 1
_START = struct.Struct("<8sII")
_BLOCK = struct.Struct("<II")
_CHECKSUM = struct.Struct("<I")
_ROWS, _DROPPED = 1, 2
#: Larger batches are written as several blocks, so that damage costs no more than one of them.
_MOST_ROWS = 1 << 15


class HistoryFile:
    """Appends recorded steps to a file; one that exists is continued after its last good block.

    Args:
      path: the file.
      names: the tracked names, as in the history.

    Raises:
      OpError: as the operating system's error demands.
      InvalidArgumentError: the file exists and has other names.
      DataLossError: it is no file of this kind, or its first bytes are damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with HistoryFile(folder + "/history", ["loss"]) as file:
    ...         file.append([1, 2, 3], [[0.5, 0.4, 0.3]])
    ...         file.truncate(1)
    ...     read_history(folder + "/history").last
    (1, {'loss': 0.5})
    """

    def __init__(self, path: str | os.PathLike[str], names: Any) -> None:
        self._path = local_path(path)
        self.names = tuple(names)
        with translated_errors(self._path):
            # Without a buffer: what was appended is there, also after a kill.
            self._file: FileIO = open(self._path, "a+b", buffering=0)  # noqa: SIM115
        try:
            with translated_errors(self._path):
                self._size = self._file.seek(0, os.SEEK_END)
            self._last: int | None = None
            if self._size:
                self._continue()
            else:
                self._write(_header(self.names))
        except BaseException:
            self._file.close()
            raise

    def _continue(self) -> None:
        content = read_bytes(self._path)
        header = _header(self.names)
        if len(content) < len(header) and header.startswith(content):
            # Killed while it wrote the very first bytes.
            self._cut(0)
            self._write(header)
            return
        history, end = _parsed(content, self._path)
        if history.names != self.names:
            raise InvalidArgumentError(
                None,
                None,
                f"{self._path} holds the history of {', '.join(history.names) or 'nothing'}; "
                f"{', '.join(self.names) or 'nothing'} cannot be added to it",
            )
        self._last = int(history.steps[-1]) if history.count else None
        self._cut(end)

    def _cut(self, size: int) -> None:
        with translated_errors(self._path):
            os.ftruncate(self._file.fileno(), size)
        self._size = size

    def append(self, steps: Any, values: Any) -> None:
        """Add steps [rows] and values [names, rows]; they are in the file when it returns.

        Raises:
          ValueError: the shapes do not fit, or the steps do not rise.
          OpError: they could not be written; the file is then as it was before.
        """
        steps = np.asarray(steps, "<i8")
        values = np.asarray(values, "<f8")
        if steps.ndim != 1 or values.shape != (len(self.names), steps.size):
            raise ValueError(
                f"Expected values of shape ({len(self.names)}, {steps.size}) for "
                f"{steps.size} steps, but got {values.shape}"
            )
        if not steps.size:
            return
        if bool((np.diff(steps) <= 0).any()) or (self._last is not None and steps[0] <= self._last):
            raise ValueError(f"Steps can only be recorded in rising order, after {self._last}")
        parts = []
        for start in range(0, steps.size, _MOST_ROWS):
            rows = slice(start, start + _MOST_ROWS)
            payload = steps[rows].tobytes() + values[:, rows].tobytes()
            parts.append(_block(_ROWS, steps[rows].size, payload))
        self._write(b"".join(parts))
        self._last = int(steps[-1])

    def truncate(self, step: int) -> None:
        """Note that all that was recorded after `step` is dropped; what the file has stays."""
        self._write(_block(_DROPPED, 1, struct.pack("<q", step)))
        # What is left may end earlier; then the next step is later all the same.
        self._last = step if self._last is None else min(self._last, step)

    def _write(self, content: bytes) -> None:
        try:
            with translated_errors(self._path):
                rest = memoryview(content)
                while rest:
                    rest = rest[self._file.write(rest) :]
        except BaseException:
            # A half-written block would hide all that comes after it.
            self._cut(self._size)
            raise
        self._size += len(content)

    def close(self) -> None:
        """Bring the file to the disk and close it. Closing again does nothing."""
        if not self._file.closed:
            with translated_errors(self._path):
                try:
                    os.fsync(self._file.fileno())
                finally:
                    self._file.close()

    def __enter__(self) -> HistoryFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def read_history(path: str | os.PathLike[str]) -> History:
    """The history that a file holds, up to its last good block, without what rewinds dropped.

    Raises:
      NotFoundError: there is no such file.
      DataLossError: it is no file of this kind, or its first bytes are damaged.
    """
    return _parsed(read_bytes(path), local_path(path))[0]


def _parsed(content: bytes, path: str) -> tuple[History, int]:
    """The history in a file's content, and where its last good block ends."""
    names, position = _read_header(content, path)
    history = History(names)
    held: list[_Block] = []
    for block in _blocks(content, position, len(names)):
        position = block.end
        if block.kind == _ROWS:
            held.append(block)
        else:
            _extend(history, held, content, path)
            history.truncate(int(np.frombuffer(content, "<i8", 1, block.start)[0]))
            held = []
    _extend(history, held, content, path)
    return history, position


class _Block(NamedTuple):
    """Where a good block's payload stands."""

    kind: int
    rows: int
    start: int
    end: int


def _header(names: tuple[str, ...]) -> bytes:
    text = json.dumps(names, ensure_ascii=False).encode()
    start = _START.pack(_MAGIC, _VERSION, len(text)) + text
    return start + _CHECKSUM.pack(zlib.crc32(start))


def _read_header(content: bytes, path: str) -> tuple[tuple[str, ...], int]:
    """The names, and where the blocks begin."""
    if len(content) >= _START.size and content[: len(_MAGIC)] == _MAGIC:
        _, version, length = _START.unpack_from(content)
        end = _START.size + length
        if version == _VERSION and len(content) >= end + _CHECKSUM.size:
            if zlib.crc32(content[:end]) == _CHECKSUM.unpack_from(content, end)[0]:
                return tuple(json.loads(content[_START.size : end])), end + _CHECKSUM.size
        elif version != _VERSION:
            raise DataLossError(
                None, None, f"{path}: a history of version {version}; this reads {_VERSION}"
            )
    raise DataLossError(None, None, f"{path}: the file holds no history, or its start is damaged")


def _block(kind: int, rows: int, payload: bytes) -> bytes:
    start = _BLOCK.pack(kind, rows)
    return start + _CHECKSUM.pack(zlib.crc32(payload, zlib.crc32(start))) + payload


def _blocks(content: bytes, position: int, names: int) -> list[_Block]:
    """The good blocks from `position` on, up to the first that is damaged or incomplete."""
    found = []
    view = memoryview(content)
    prefix = _BLOCK.size + _CHECKSUM.size
    while position + prefix <= len(content):
        kind, rows = _BLOCK.unpack_from(content, position)
        start = position + prefix
        end = start + (8 * rows * (1 + names) if kind == _ROWS else 8)
        if end > len(content) or kind not in (_ROWS, _DROPPED):
            break
        crc = zlib.crc32(view[start:end], zlib.crc32(view[position : position + _BLOCK.size]))
        if crc != _CHECKSUM.unpack_from(content, position + _BLOCK.size)[0]:
            break
        found.append(_Block(kind, rows, start, end))
        position = end
    return found


def _extend(history: History, blocks: list[_Block], content: bytes, path: str) -> None:
    if not blocks:
        return
    names = len(history.names)
    rows = sum(block.rows for block in blocks)
    steps = np.empty(rows, np.int64)
    values = np.empty((names, rows))
    done = 0
    for block in blocks:
        here = slice(done, done + block.rows)
        numbers = block.rows
        steps[here] = np.frombuffer(content, "<i8", numbers, block.start)
        flat = np.frombuffer(content, "<f8", numbers * names, block.start + 8 * numbers)
        values[:, here] = flat.reshape(names, numbers)
        done += numbers
    try:
        history.extend(steps, values)
    except ValueError as error:
        raise DataLossError(
            None, None, f"{path}: the history contradicts itself: {error}"
        ) from None
