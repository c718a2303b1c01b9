"""Records: the checksum, the layout, and what is refused."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.checksum_definition import crc_by_definition
from workbench.core import checksums, records
from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError
from workbench.core.platform import python_io
from workbench.core.platform.machine_code import MachineCode


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
    assert checksums.crc32c(content) == crc


@given(st.binary(max_size=300))
def test_short_checksums(content: bytes) -> None:
    assert checksums.crc32c_in_python(content) == crc_by_definition(content)


@pytest.mark.parametrize("length", [8191, 8192, 8193, 10000, 16384, 3 * 8192 + 255])
def test_long_checksums(length: int) -> None:
    content = np.random.default_rng(length).integers(0, 256, length, np.uint8).tobytes()
    assert checksums.crc32c(content) == crc_by_definition(content)
    assert checksums.crc32c_in_python(content) == crc_by_definition(content)


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


@pytest.fixture(params=["machine code", "Python"])
def summing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checksums in one way or the other."""
    worthwhile = sys.maxsize if request.param == "Python" else 0
    code = MachineCode(checksums._machine_code, worthwhile)
    monkeypatch.setattr(checksums, "_code", code)


def read_up_to_error(path: Path, compression: str) -> tuple[list[bytes], str]:
    """The records that come out, and what the error says ("" without one)."""
    found = []
    try:
        for record in records.read_records(path, compression):
            found.append(record)
    except DataLossError as error:
        return found, error.message
    return found, ""


VALUES = [b"", b"a", b"0123456789" * 3, b"end"]


def sound_before(length: int) -> tuple[int, int]:
    """How many records end by a byte of the plain file, and where the next one begins."""
    start = count = 0
    for value in VALUES:
        if start + 16 + len(value) > length:
            break
        start, count = start + 16 + len(value), count + 1
    return count, start


@pytest.mark.usefixtures("summing")
def test_records_before_a_cut_are_given(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    content = b"".join(map(records.framed, VALUES))
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        count, start = sound_before(length)
        message = "" if start == length else f"{path}: the record at byte {start} is truncated"
        assert read_up_to_error(path, "") == (VALUES[:count], message)


@pytest.mark.usefixtures("summing")
def test_records_before_any_flipped_bit_are_given(tmp_path: Path) -> None:
    path = tmp_path / "flipped"
    content = b"".join(map(records.framed, VALUES))
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        count, start = sound_before(bit // 8)
        found, message = read_up_to_error(path, "")
        assert found == VALUES[:count]
        assert message.startswith(f"{path}: the record at byte {start} is damaged")


@pytest.mark.parametrize("compression", ["ZLIB", "GZIP"])
def test_compressed_records_before_damage_are_given(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "damaged"
    generator = np.random.default_rng(3)
    values = [generator.integers(0, 256, size, np.uint8).tobytes() for size in (9, 20, 14)]
    with records.RecordWriter(path, compression) as writer:
        for value in values:
            writer.write(value)
            writer.flush()
    content = path.read_bytes()
    most_before_cut = 0
    for length in range(len(content)):
        path.write_bytes(content[:length])
        found, message = read_up_to_error(path, compression)
        assert found == values[: len(found)]
        assert len(found) >= most_before_cut
        most_before_cut = len(found)
        # An empty file is one without records.
        assert bool(message) == bool(length)
        assert not message or message.startswith(f"{path}: the record at byte ")
    assert most_before_cut == len(values)
    harmless = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        found, message = read_up_to_error(path, compression)
        assert found == values[: len(found)]
        assert message or len(found) == len(values)
        harmless += not message
    # In the header of the compressed file there are bits that nothing depends on.
    assert harmless < 80


def test_bit_flips_late_in_compressed_files_lose_no_earlier_record(tmp_path: Path) -> None:
    path = tmp_path / "late"
    generator = np.random.default_rng(4)
    values = [generator.integers(0, 256, 1000, np.uint8).tobytes() for _ in range(20)]
    with records.RecordWriter(path, "ZLIB") as writer:
        for value in values:
            writer.write(value)
            writer.flush()
    damaged = bytearray(path.read_bytes())
    # The type of the last block of the compressed file, which has no such type.
    damaged[-1000:] = b"\xff" * 1000
    path.write_bytes(damaged)
    found, message = read_up_to_error(path, "ZLIB")
    assert len(found) >= 17 and found == values[: len(found)]
    assert f"the record at byte {len(found) * 1016} " in message


@pytest.mark.usefixtures("summing")
def test_records_longer_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "long"
    values = [bytes([number]) * size for number, size in enumerate((700_000, 1, 0, 600_001))]
    path.write_bytes(b"".join(map(records.framed, values)))
    assert read_up_to_error(path, "") == (values, "")
