"""The records of one work item (a file, mostly), with their keys: one function for each format."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

from workbench.core.compressed import CompressionError, read_blocks
from workbench.core.errors import DataLossError
from workbench.core.files import local_path, read_bytes, translated_errors
from workbench.core.records import read_framed

#: A key and a value.
Record = tuple[bytes, bytes]
#: Opens a work item.
Opener = Callable[[bytes], Iterator[Record]]


def lines_of(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a text, without their ends.

    >>> list(lines_of(iter([b"one\\r\\ntw", b"o\\n\\nlast"])))
    [b'one', b'two', b'', b'last']
    """
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
    if rest:
        yield rest.removesuffix(b"\r")


def blocks_of(path: str, compression: str, size: int = 1 << 18) -> Iterator[bytes]:
    """What a file holds, uncompressed, block by block.

    Raises:
      DataLossError: it cannot be decompressed; all before has been given.
    """
    target = local_path(path)
    with translated_errors(target), open(target, "rb") as file:
        try:
            yield from read_blocks(file, compression, size)
        except CompressionError as error:
            raise DataLossError(
                None, None, f"{path} cannot be decompressed as {compression}: {error}"
            ) from None


def text_lines(skip_header_lines: int) -> Opener:
    """Lines; the key is the file and the number of the line, from 1."""

    def opened(work: bytes) -> Iterator[Record]:
        lines = enumerate(lines_of(blocks_of(os.fsdecode(work), "")), 1)
        for number, line in itertools.islice(lines, skip_header_lines, None):
            yield b"%b:%d" % (work, number), line

    return opened


def whole_files(work: bytes) -> Iterator[Record]:
    """The content of the file; the key is its name."""
    yield work, read_bytes(os.fsdecode(work))


def identities(work: bytes) -> Iterator[Record]:
    """The work item itself, as key and as value."""
    yield work, work


def framed_records(compression: str) -> Opener:
    """Records of TFRecord files; the key is the file and where the record begins."""

    def opened(work: bytes) -> Iterator[Record]:
        for position, record in read_framed(os.fsdecode(work), compression):
            yield b"%b:%d" % (work, position), record

    return opened


def fixed_lengths(header: int, record: int, footer: int, hop: int, compression: str) -> Opener:
    """Pieces of a length, `hop` bytes from one to the next, between a header and a footer; the key
    is the file and the number of the piece, from 0. What is left at the end is no piece."""

    def opened(work: bytes) -> Iterator[Record]:
        number = 0
        held = b""
        #: Bytes to leave out before what is held begins.
        gap = header
        for block in blocks_of(os.fsdecode(work), compression):
            held += block
            if gap >= len(held):
                gap -= len(held)
                held = b""
                continue
            at, gap = gap, 0
            while at + record + footer <= len(held):
                yield b"%b:%d" % (work, number), held[at : at + record]
                number += 1
                at += hop
            gap = max(0, at - len(held))
            held = held[at:]

    return opened
