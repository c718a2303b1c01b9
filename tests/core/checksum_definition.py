"""The checksum CRC-32C as it is defined."""

from __future__ import annotations


def crc_by_definition(content: bytes) -> int:
    """Bit by bit, as the polynomial is defined."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF
