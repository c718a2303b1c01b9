"""Records: the checksum, the layout, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core import records
from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError
from workbench.core.platform import python_io


def crc_by_definition(content: bytes) -> int:
    """Bit by bit, as the polynomial is defined."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


# The examples of RFC 3720, appendix B.4.
@pytest.mark.parametrize(
    ("content", "crc"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
        (b"", 0),
    ],
)
def test_known_checksums(content: bytes, crc: int) -> None:
    assert records.crc32c(content) == crc


@given(st.binary(max_size=300))
def test_short_checksums(content: bytes) -> None:
    assert records.crc32c(content) == crc_by_definition(content)


@pytest.mark.parametrize("length", [8191, 8192, 8193, 10000, 16384, 3 * 8192 + 255])
def test_long_checksums(length: int) -> None:
    content = np.random.default_rng(length).integers(0, 256, length, np.uint8).tobytes()
    assert records.crc32c(content) == crc_by_definition(content)


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 63, 64, 1024, 1025, 9000])
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_rows_are_framed_as_one_by_one(count: int, length: int) -> None:
    rows = np.random.default_rng([count, length]).integers(0, 256, (count, length), np.uint8)
    expected = b"".join(records.framed(row.tobytes()) for row in rows)
    assert records.framed_rows(rows) == expected


def test_layout(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with records.RecordWriter(path) as writer:
        writer.write(b"abc")
        writer.write(b"")
    content = path.read_bytes()
    assert len(content) == 16 + 3 + 16
    assert struct.unpack_from("<Q", content)[0] == 3
    assert content[12:15] == b"abc"
    for start, end in ((0, 8), (12, 15)):
        crc = crc_by_definition(content[start:end])
        rotated = (crc >> 15) | ((crc << 17) & 0xFFFFFFFF)
        masked = (rotated + 0xA282EAD8) % 2**32
        assert struct.unpack_from("<I", content, end)[0] == masked


@pytest.mark.parametrize("compression", records.COMPRESSIONS)
@given(values=st.lists(st.binary(max_size=50), max_size=5))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, compression: str, values: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("records") / "a"
    with records.RecordWriter(path, compression) as writer:
        for value in values:
            writer.write(value)
    assert list(records.read_records(path, compression)) == values


@pytest.mark.parametrize("compression", records.COMPRESSIONS)
def test_long_records(tmp_path: Path, compression: str) -> None:
    generator = np.random.default_rng(0)
    values = [generator.integers(0, 256, size, np.uint8).tobytes() for size in (200_000, 3, 90_000)]
    with records.RecordWriter(tmp_path / "a", compression) as writer:
        for value in values:
            writer.write(value)
    assert list(records.read_records(tmp_path / "a", compression)) == values


def test_a_cut_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    values = [b"first", b"second"]
    with records.RecordWriter(path) as writer:
        for value in values:
            writer.write(value)
    content = path.read_bytes()
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        kept = 0 if length < 21 else 1 if length < len(content) else 2
        assert list(records.read_records(path, ignore_torn_end=True)) == values[:kept]
        if length in (0, 21, len(content)):
            assert list(records.read_records(path)) == values[:kept]
        else:
            with pytest.raises(DataLossError, match=f"a: the record at byte {21 * kept} is trunc"):
                list(records.read_records(path))


def test_a_flipped_bit_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with records.RecordWriter(path) as writer:
        writer.write(b"content")
    content = path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        with pytest.raises(DataLossError, match="a: the record at byte 0 is damaged"):
            list(records.read_records(path, ignore_torn_end=True))


@pytest.mark.parametrize("compression", ["ZLIB", "GZIP"])
def test_compressed_files_that_are_cut_or_foreign(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a"
    with records.RecordWriter(path, compression) as writer:
        writer.write(bytes(range(256)) * 4)
        writer.flush()
        flushed = path.read_bytes()
    whole = path.read_bytes()
    path.write_bytes(flushed)
    assert len(list(records.read_records(path, compression, ignore_torn_end=True))) == 1
    path.write_bytes(whole[:40])
    with pytest.raises(DataLossError, match="the record at byte 0"):
        list(records.read_records(path, compression))
    path.write_bytes(b"something else, and not compressed")
    with pytest.raises(DataLossError, match="cannot be decompressed"):
        list(records.read_records(path, compression))


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="none"):
        list(records.read_records(tmp_path / "none"))
    with pytest.raises(NotFoundError):
        records.RecordWriter(tmp_path / "none" / "a")
    with pytest.raises(InvalidArgumentError, match="'LZ4'"):
        records.RecordWriter(tmp_path / "a", "LZ4")
    (tmp_path / "a").write_bytes(b"a letter, and no records at all")
    with pytest.raises(DataLossError, match="holds no records"):
        list(records.read_records(tmp_path / "a"))


def test_names_of_python_io(tmp_path: Path) -> None:
    kinds = python_io.TFRecordCompressionType
    for kind in (kinds.NONE, kinds.ZLIB, kinds.GZIP):
        options = python_io.TFRecordOptions(kind)
        writer = python_io.TFRecordWriter(str(tmp_path / "a"), options=options)
        writer.write(b"x")
        writer.close()
        writer.close()
        assert list(python_io.tf_record_iterator(str(tmp_path / "a"), options)) == [b"x"]
    writer = python_io.TFRecordWriter(tmp_path / "a")
    writer.write(b"left to the interpreter")
    del writer
    assert list(python_io.tf_record_iterator(tmp_path / "a")) == [b"left to the interpreter"]


def test_other_readers_and_writers_agree(tmp_path: Path) -> None:
    theirs = pytest.importorskip("tensorboardX.record_writer").RecordWriter(str(tmp_path / "a"))
    for value in (b"one", b"x" * 10000):
        theirs.write(value)
    theirs.close()
    assert list(records.read_records(tmp_path / "a")) == [b"one", b"x" * 10000]
    with records.RecordWriter(tmp_path / "b") as ours:
        for value in (b"one", b"x" * 10000):
            ours.write(value)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
