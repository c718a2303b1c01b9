"""Checksums in machine code, and the records they find."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.checksum_definition import crc_by_definition
from workbench.core import records
from workbench.core.checksums import _byte_table
from workbench.core.codegen.checksum import Checksum


@pytest.fixture(scope="module")
def checksum() -> Checksum:
    return Checksum(_byte_table())


def test_checksums_of_all_short_lengths(checksum: Checksum) -> None:
    content = np.random.default_rng(0).integers(0, 256, 70, np.uint8).tobytes()
    for start in range(3):
        for end in range(start, len(content)):
            part = content[start:end]
            assert checksum.crc32c(part) == crc_by_definition(part)


def test_the_checksum_of_long_content(checksum: Checksum) -> None:
    content = np.random.default_rng(1).integers(0, 256, 40_003, np.uint8).tobytes()
    assert checksum.crc32c(content) == crc_by_definition(content)


@pytest.mark.parametrize("extra", [b"", b"\0" * 11, b"\1" * 300])
def test_records_at_the_beginning_are_found(checksum: Checksum, extra: bytes) -> None:
    values = [b"", b"abc", bytes(200)]
    block = b"".join(map(records.framed, values)) + extra
    places = checksum.records(block).tolist()
    assert [block[begin:end] for begin, end in places] == values


def test_a_length_beyond_all_bounds_ends_the_search(checksum: Checksum) -> None:
    # The checksum of the length is right, and so the length is believed.
    header = (2**64 - 1).to_bytes(8, "little")
    crc = crc_by_definition(header)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert len(checksum.records(header + masked.to_bytes(4, "little") + bytes(50))) == 0
