"""The keys under which TensorFlow's checkpoints keep the parts of a tensor.

They sort as what they stand for does: numbers before longer numbers, strings before their
continuations.
"""

from __future__ import annotations

from collections.abc import Sequence

#: What a number's first bytes are combined with, by how many bytes it has.
_LENGTH_BITS = (0, 0x8000, 0xC000, 0xE000, 0xF000, 0xF800, 0xFC00, 0xFE00, 0xFF00, 0xFF80, 0xFFC0)
#: Stands for "all of the axis".
_ALL = -1


def slice_key(name: str, extents: Sequence[tuple[int, int | None]]) -> bytes:
    """The key of a part: for each axis where it starts and how long it is (None: all of it).

    >>> slice_key("w", [(0, 2), (0, None)])
    b'\\x00w\\x00\\x01\\x01\\x02\\x80\\x82\\x80\\x7f'
    """
    parts = [_unsigned(0), _string(name), _unsigned(len(extents))]
    for start, length in extents:
        parts += [_signed(start), _signed(_ALL if length is None else length)]
    return b"".join(parts)


def _unsigned(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _string(text: str) -> bytes:
    return text.encode().replace(b"\x00", b"\x00\xff") + b"\x00\x01"


def _signed(value: int) -> bytes:
    # Each byte holds seven bits, one of all of them the sign.
    size = 1
    while not -(1 << (7 * size - 1)) <= value < 1 << (7 * size - 1):
        size += 1
    if size == 1:
        return bytes([(value & 0xFF) ^ 0x80])
    content = bytearray(value.to_bytes(size, "big", signed=True))
    content[0] ^= _LENGTH_BITS[size] >> 8
    content[1] ^= _LENGTH_BITS[size] & 0xFF
    return bytes(content)
