"""What compressed files hold, block by block, as far as it can be had."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from workbench.core.errors import InvalidArgumentError

#: "" for files that are not compressed.
COMPRESSIONS = ("", "ZLIB", "GZIP")

#: How much is read at once, and the most that comes out at once.
BLOCK = 1 << 18


class CompressionError(Exception):
    """Content cannot be decompressed; `is_end` where it only ends too early."""

    def __init__(self, reason: object, is_end: bool) -> None:
        super().__init__(str(reason))
        self.is_end = is_end


def checked_compression(compression: str) -> str:
    """`compression`; InvalidArgumentError where there is none of the name."""
    if compression not in COMPRESSIONS:
        raise InvalidArgumentError(
            None,
            None,
            f"Unsupported compression_type: the compression is {compression!r}; it must be one of "
            f"{', '.join(repr(each) for each in COMPRESSIONS)}",
        )
    return compression


def window_bits(compression: str) -> int:
    """How zlib is told of the format."""
    return zlib.MAX_WBITS + (16 if compression == "GZIP" else 0)


def read_blocks(file: BinaryIO, compression: str, size: int = BLOCK) -> Iterator[bytes]:
    """What a file holds, uncompressed; no block is empty.

    Raises:
      CompressionError: from some place on it cannot be decompressed; all before has been given.
    """
    if not compression:
        while block := file.read(size):
            yield block
        return
    yield from _decompressed(file, compression, size)


def _decompressed(file: BinaryIO, compression: str, size: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=window_bits(compression))
    begun = ended = False
    while block := file.read(size):
        while block:
            if inflater.eof:
                # A file may be several compressed ones, one after the other, with zeros between.
                block = block.lstrip(b"\0") if compression == "GZIP" else block
                inflater = zlib.decompressobj(wbits=window_bits(compression))
                if not block:
                    break
            begun = True
            before = inflater.copy()
            try:
                content = inflater.decompress(block, BLOCK)
            except zlib.error as error:
                yield from _before_damage(before, block)
                raise CompressionError(error, is_end=False) from None
            if content:
                yield content
            block = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if inflater.eof:
                ended = True
    ended = ended and inflater.eof if begun else True
    if not ended:
        if rest := inflater.flush():
            yield rest
        raise CompressionError(
            "Compressed file ended before the end-of-stream marker was reached", is_end=True
        )


def _before_damage(inflater: Any, block: bytes) -> Iterator[bytes]:
    """What comes out of a block before the place where it is damaged."""
    for at in range(len(block)):
        try:
            content = inflater.decompress(block[at : at + 1])
        except zlib.error:
            return
        if content:
            yield content
