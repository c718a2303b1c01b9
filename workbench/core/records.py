"""Files of records (TFRecord): what event files and data sets are stored as.

A record is its length (8 bytes), a checksum of the length, its content and a checksum of that; both
checksums are CRC-32C, masked so that records can hold records.
"""

from __future__ import annotations

import functools
import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from workbench.core.errors import DataLossError, InvalidArgumentError
from workbench.core.files import local_path, translated_errors

COMPRESSIONS = ("", "ZLIB", "GZIP")

_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8
_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_LANE = 256
# Below this many bytes the plain loop is faster than starting up the lanes.
_LONG = 8192

# Up to this length, rows of bytes have tables for each of their places.
_SHORT = 1024

_Words = np.ndarray[Any, np.dtype[np.uint32]]
_Bytes = np.ndarray[Any, np.dtype[np.uint8]]


@functools.cache
def _byte_table() -> list[int]:
    """What a byte turns the register's low byte into."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


@functools.cache
def _pair_table() -> _Words:
    """The same for two bytes at once."""
    one = np.array(_byte_table(), np.uint32)
    pairs = np.arange(2**16, dtype=np.uint32)
    first = one[pairs & 0xFF]
    after_first: _Words = first ^ (pairs >> 8)
    result: _Words = one[after_first & 0xFF] ^ (after_first >> 8)
    return result


def _moved(registers: _Words, operator: _Words) -> _Words:
    """The registers after some zero bytes; ``operator`` is what those make of each bit."""
    bits = (registers[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    result: _Words = np.bitwise_xor.reduce(bits * operator, axis=1)
    return result


@functools.cache
def _lane_operator() -> _Words:
    """What a lane of zero bytes makes of each bit of a register."""
    registers = np.left_shift(np.uint32(1), np.arange(32, dtype=np.uint32))
    table = _pair_table()
    for _ in range(_LANE // 2):
        registers = table[registers & 0xFFFF] ^ (registers >> 16)
    return registers


def _crc_by_lanes(content: bytes) -> int:
    """The checksum of long content: lanes side by side, then put together two by two."""
    count = -(-len(content) // _LANE)
    # Zeros in front of all do not change a register that starts at zero.
    padded = np.zeros(count * _LANE, np.uint8)
    start = padded.size - len(content)
    padded[start:] = np.frombuffer(content, np.uint8)
    padded[start : start + 4] ^= 0xFF
    pairs = np.ascontiguousarray(padded.view("<u2").reshape(count, -1).T)
    table = _pair_table()
    registers: _Words = np.zeros(count, np.uint32)
    for column in pairs:
        registers = table[(registers ^ column) & 0xFFFF] ^ (registers >> 16)
    operator = _lane_operator()
    while registers.size > 1:
        if registers.size % 2:
            registers = np.concatenate([np.zeros(1, np.uint32), registers])
        registers = _moved(registers[0::2], operator) ^ registers[1::2]
        operator = _moved(operator, operator)
    return int(registers[0]) ^ 0xFFFFFFFF


def crc32c(content: bytes) -> int:
    """The CRC-32C (Castagnoli) checksum.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(content) >= _LONG:
        return _crc_by_lanes(content)
    table = _byte_table()
    register = 0xFFFFFFFF
    for byte in content:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


@functools.lru_cache(16)
def _place_tables(length: int) -> tuple[_Words, _Words]:
    """For each place in content of this length, what each byte there makes of the register at the
    end, one table after the other; and where each table starts."""
    one = np.array(_byte_table(), np.uint32)
    tables = np.empty((length, 256), np.uint32)
    table = one
    for place in reversed(range(length)):
        tables[place] = table
        table = one[table & 0xFF] ^ (table >> 8)
    return tables.reshape(-1), np.arange(0, 256 * length, 256, dtype=np.uint32)


def _crc_of_rows(rows: _Bytes) -> _Words:
    """The checksum of each row.

    A checksum is linear but for the register it starts with, so it is what the bytes make of it
    each alone, put together.
    """
    length = rows.shape[1]
    if not 4 <= length <= _SHORT:
        return np.array([crc32c(row.tobytes()) for row in rows], np.uint32)
    tables, starts = _place_tables(length)
    places = rows + starts
    # The register starts with ones, which is as if the first four bytes were inverted.
    places[:, :4] ^= 0xFF
    result: _Words = np.bitwise_xor.reduce(tables.take(places), axis=1) ^ np.uint32(0xFFFFFFFF)
    return result


def masked_crc32c(content: bytes) -> int:
    """The checksum as it is stored in files of records."""
    crc = crc32c(content)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def framed(record: bytes) -> bytes:
    """A record with its length and checksums, as it stands in a file."""
    length = struct.pack("<Q", len(record))
    return b"".join(
        (
            length,
            _CHECKSUM.pack(masked_crc32c(length)),
            record,
            _CHECKSUM.pack(masked_crc32c(record)),
        )
    )


def framed_rows(rows: _Bytes) -> bytes:
    """Many records of one length, each a row of bytes, as they stand in a file.

    It gives what joining :func:`framed` of each gives, a hundred times as fast.

    >>> framed_rows(np.frombuffer(b"onetwo", np.uint8).reshape(2, 3)) == framed(b"one") + framed(
    ...     b"two"
    ... )
    True
    """
    count, length = rows.shape
    size = struct.pack("<Q", length)
    crc = _crc_of_rows(rows)
    whole = np.empty((count, _HEADER.size + length + _CHECKSUM.size), np.uint8)
    whole[:, : _HEADER.size] = np.frombuffer(_HEADER.pack(length, masked_crc32c(size)), np.uint8)
    whole[:, _HEADER.size : _HEADER.size + length] = rows
    masked = (crc >> 15 | crc << 17) + np.uint32(_MASK)
    whole[:, -_CHECKSUM.size :] = masked.astype("<u4")[:, None].view(np.uint8)
    return whole.tobytes()


def _checked_compression(compression: str) -> str:
    if compression not in COMPRESSIONS:
        raise InvalidArgumentError(
            None,
            None,
            f"The compression is {compression!r}; it must be one of "
            f"{', '.join(repr(each) for each in COMPRESSIONS)}",
        )
    return compression


class RecordWriter:
    """Writes records to a new file.

    Args:
      path: the file; one that exists is replaced.
      compression: ``""``, ``"ZLIB"`` or ``"GZIP"``, of the file as a whole.

    Raises:
      OpError: as the operating system's error demands.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with RecordWriter(folder + "/data.tfrecords") as writer:
    ...         writer.write(b"one")
    ...     list(read_records(folder + "/data.tfrecords"))
    [b'one']
    """

    def __init__(self, path: str | bytes | os.PathLike[str], compression: str = "") -> None:
        self._path = local_path(path)
        kind = _checked_compression(compression)
        with translated_errors(self._path):
            self._file: BinaryIO = open(self._path, "wb")  # noqa: SIM115 - close() closes it
        if kind == "":
            self._compressor: Any = None
        else:
            window = zlib.MAX_WBITS + (16 if kind == "GZIP" else 0)
            self._compressor = zlib.compressobj(wbits=window)

    def write(self, record: bytes) -> None:
        """Add one record."""
        content = framed(record)
        if self._compressor is not None:
            content = self._compressor.compress(content)
        with translated_errors(self._path):
            self._file.write(content)

    def flush(self) -> None:
        """Hand all that was written to the operating system; other readers see it then."""
        with translated_errors(self._path):
            if self._compressor is not None:
                self._file.write(self._compressor.flush(zlib.Z_SYNC_FLUSH))
            self._file.flush()

    def close(self) -> None:
        """End the file."""
        if self._file.closed:
            return
        with translated_errors(self._path):
            try:
                if self._compressor is not None:
                    self._file.write(self._compressor.flush())
            finally:
                self._file.close()

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Scripts leave the closing of their last writer to the interpreter.
        if hasattr(self, "_compressor"):
            self.close()


class _ZlibFile:
    """Reads a file that is one zlib stream."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = zlib.decompressobj()
        self._held = b""

    def read(self, size: int) -> bytes:
        parts = [self._held]
        available = len(self._held)
        while available < size and not self._decompressor.eof:
            content = self._file.read(2**16)
            if not content:
                break
            parts.append(self._decompressor.decompress(content))
            available += len(parts[-1])
        whole = b"".join(parts)
        self._held = whole[size:]
        return whole[:size]


def read_records(
    path: str | bytes | os.PathLike[str], compression: str = "", ignore_torn_end: bool = False
) -> Iterator[bytes]:
    """The records of a file, one after the other, each checked.

    Args:
      path: the file.
      compression: ``""``, ``"ZLIB"`` or ``"GZIP"``.
      ignore_torn_end: end quietly at a last record that is incomplete, as a writer leaves it that
        is still at work or was killed.

    Raises:
      NotFoundError: there is no such file.
      DataLossError: a record is truncated or damaged, or the file holds no records; the error
        names the file and the position.
    """
    target = local_path(path)
    kind = _checked_compression(compression)
    with translated_errors(target), open(target, "rb") as plain:
        if kind == "GZIP":
            with gzip.GzipFile(fileobj=plain, mode="rb") as unzipped:
                yield from _records_of(unzipped, target, ignore_torn_end)
        else:
            source = _ZlibFile(plain) if kind == "ZLIB" else plain
            yield from _records_of(source, target, ignore_torn_end)


def _records_of(file: Any, path: str, ignore_torn_end: bool) -> Iterator[bytes]:
    position = 0
    while True:
        try:
            header = file.read(_HEADER.size)
            if not header:
                return
            whole = len(header) == _HEADER.size
            if whole:
                length, crc = _HEADER.unpack(header)
                if masked_crc32c(header[:8]) != crc:
                    raise _damaged(path, position, "is damaged, or the file holds no records")
                content = file.read(length)
                ending = file.read(_CHECKSUM.size)
                whole = len(content) == length and len(ending) == _CHECKSUM.size
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            if isinstance(error, EOFError) and ignore_torn_end:
                return
            raise _damaged(path, position, f"cannot be decompressed ({error})") from None
        if not whole:
            if ignore_torn_end:
                return
            raise _damaged(path, position, "is truncated")
        if masked_crc32c(content) != _CHECKSUM.unpack(ending)[0]:
            raise _damaged(path, position, "is damaged: its checksum does not match")
        yield content
        position += _HEADER.size + length + _CHECKSUM.size


def _damaged(path: str, position: int, what: str) -> DataLossError:
    return DataLossError(None, None, f"{path}: the record at byte {position} {what}")
