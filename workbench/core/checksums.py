"""CRC-32C checksums: of a piece of content, of rows of bytes at once.

Content is first summed in Python, as loading machine code would take longer; a process that sums
much loads it (`workbench.core.codegen.checksum`).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from workbench.core.platform.machine_code import MachineCode

_POLYNOMIAL = 0x82F63B78
#: What is added to a checksum, turned by 15 bits, in files of records.
MASK = 0xA282EAD8
_LANE = 256
# Below this many bytes the plain loop is faster than starting up the lanes.
_LONG = 8192

# Up to this length, rows of bytes have tables for each of their places.
_SHORT = 1024

#: After so many bytes summed in Python, machine code is loaded: about the time that takes.
_WORTHWHILE = 1 << 20

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
    machine = native(len(content))
    if machine is not None:
        checksum: int = machine.crc32c(content)
        return checksum
    return crc32c_in_python(content)


def crc32c_in_python(content: bytes) -> int:
    """The same without machine code."""
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


def crc32c_of_rows(rows: _Bytes) -> _Words:
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
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def _machine_code() -> Any:
    from workbench.core.codegen.checksum import Checksum

    return Checksum(_byte_table())


_code: MachineCode[Any] = MachineCode(_machine_code, _WORTHWHILE)


def native(size: int) -> Any:
    """The machine code; None where there is none, or `size` bytes more are not worth loading it."""
    return _code.after(size)
