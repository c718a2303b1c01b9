"""Sorted tables: the files of keys and values that TensorFlow keeps the index of a checkpoint in.

A table is a sequence of blocks, each followed by a byte that says how it is compressed and a
checksum. In a block keys leave out what they share with the key before them, except where the list
at the block's end says that reading may start. The last block is the index of the others; the
footer says where it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from workbench.core.checksums import masked_crc32c
from workbench.core.errors import DataLossError, UnimplementedError

_MAGIC = 0xDB4775248B80FB57
_FOOTER = struct.Struct("<40sQ")
_TRAILER = struct.Struct("<BI")
_UNCOMPRESSED = 0
#: A block is closed when it has so many bytes.
_BLOCK_BYTES = 1 << 18
#: So many keys share beginnings before one is written whole again.
_RESTART_INTERVAL = 16


def varint(value: int) -> bytes:
    """A number in as few groups of seven bits as it needs, the lowest first.

    >>> varint(300)
    b'\\xac\\x02'
    """
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def read_varint(content: bytes, at: int) -> tuple[int, int]:
    """The number that `varint` wrote at a place, and the place behind it.

    Raises:
      IndexError: the content ends before the number does.

    >>> read_varint(b"\\xac\\x02", 0)
    (300, 2)
    """
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


class _BlockWriter:
    """The entries of a block, in the order of their keys."""

    def __init__(self, restart_interval: int) -> None:
        self._restart_interval = restart_interval
        self._content = bytearray()
        self._restarts: list[int] = []
        self._count = 0
        self.last_key = b""

    def __len__(self) -> int:
        return len(self._content)

    def add(self, key: bytes, value: bytes) -> None:
        """Adds an entry."""
        shared = 0
        if self._count % self._restart_interval == 0:
            self._restarts.append(len(self._content))
        else:
            most = min(len(key), len(self.last_key))
            while shared < most and key[shared] == self.last_key[shared]:
                shared += 1
        self._content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        self._content += key[shared:] + value
        self.last_key = key
        self._count += 1

    def finish(self) -> bytes:
        """The block with its checksum."""
        restarts = self._restarts or [0]
        body = bytes(self._content) + struct.pack(
            f"<{len(restarts) + 1}I", *restarts, len(restarts)
        )
        crc = masked_crc32c(body + bytes([_UNCOMPRESSED]))
        return body + _TRAILER.pack(_UNCOMPRESSED, crc)


def table_bytes(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A table of these keys and values, which must come in the order of the keys.

    >>> list(read_table(table_bytes([(b"a", b"1"), (b"ab", b"2")]), "table"))
    [(b'a', b'1'), (b'ab', b'2')]
    """
    table = bytearray()

    def written(block: _BlockWriter) -> bytes:
        start = len(table)
        content = block.finish()
        table.extend(content)
        return varint(start) + varint(len(content) - _TRAILER.size)

    index = _BlockWriter(1)
    block = _BlockWriter(_RESTART_INTERVAL)
    for key, value in entries:
        block.add(key, value)
        if len(block) >= _BLOCK_BYTES:
            index.add(block.last_key, written(block))
            block = _BlockWriter(_RESTART_INTERVAL)
    if len(block):
        index.add(block.last_key, written(block))
    filters = written(_BlockWriter(_RESTART_INTERVAL))
    handles = filters + written(index)
    return bytes(table) + _FOOTER.pack(handles, _MAGIC)


def read_table(content: bytes, source: str) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in order.

    Raises:
      DataLossError: the content is truncated, damaged or no table; the error names `source`.
      UnimplementedError: a block is compressed.
    """
    if len(content) < _FOOTER.size:
        raise _damaged(source, f"its {len(content)} bytes are less than a table has")
    handles, magic = _FOOTER.unpack_from(content, len(content) - _FOOTER.size)
    if magic != _MAGIC:
        raise _damaged(source, "it does not end as a table does")
    try:
        _, at = read_varint(handles, 0)
        _, at = read_varint(handles, at)
        start, at = read_varint(handles, at)
        size, _ = read_varint(handles, at)
        for _, handle in _entries(_block(content, start, size, source)):
            start, at = read_varint(handle, 0)
            size, _ = read_varint(handle, at)
            yield from _entries(_block(content, start, size, source))
    except (IndexError, struct.error):
        raise _damaged(source, "a block of it cannot be read") from None


def _block(content: bytes, start: int, size: int, source: str) -> bytes:
    body = content[start : start + size]
    kind, crc = _TRAILER.unpack_from(content, start + size)
    if masked_crc32c(content[start : start + size + 1]) != crc:
        raise _damaged(source, f"the checksum of the block at byte {start} does not match")
    if kind != _UNCOMPRESSED:
        raise UnimplementedError(
            None, None, f"{source}: the table is compressed, which is not supported"
        )
    return body


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    (restarts,) = struct.unpack_from("<I", block, len(block) - 4)
    end = len(block) - 4 * (restarts + 1)
    at, key = 0, b""
    while at < end:
        shared, at = read_varint(block, at)
        rest, at = read_varint(block, at)
        size, at = read_varint(block, at)
        key = key[:shared] + block[at : at + rest]
        at += rest
        yield key, block[at : at + size]
        at += size


def _damaged(source: str, reason: str) -> DataLossError:
    return DataLossError(None, None, f"{source}: the index is truncated or damaged: {reason}")
