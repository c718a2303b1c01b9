"""Datasets of lines, records and pieces of files."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.records import RecordWriter

pytestmark = pytest.mark.usefixtures("graph")


def elements(dataset: Any, feed: dict[Any, Any] | None = None) -> list[bytes]:
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    found = []
    with tf.Session() as session:
        session.run(iterator.initializer, feed)
        while True:
            try:
                found.append(session.run(following))
            except tf.errors.OutOfRangeError:
                return found


def test_lines(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_bytes(b"first\r\nsecond\n\nlast")
    two.write_bytes(b"more\n")
    names = tf.placeholder(tf.string, [None])
    dataset = tf.data.TextLineDataset(names, buffer_size=3)
    found = elements(dataset, {names: [str(one), str(two)]})
    assert found == [b"first", b"second", b"", b"last", b"more"]
    assert dataset.output_types == tf.string
    assert dataset.output_shapes.as_list() == []


@pytest.mark.parametrize(("kind", "compress"), [("GZIP", gzip.compress), ("ZLIB", zlib.compress)])
@pytest.mark.parametrize("buffer_size", [1, 7, None])
def test_compressed_lines(
    tmp_path: Path, kind: str, compress: Callable[[bytes], bytes], buffer_size: int | None
) -> None:
    lines = [b"line %d" % i for i in range(50)]
    path = tmp_path / "lines"
    path.write_bytes(compress(b"\n".join(lines[:20]) + b"\n") + compress(b"\n".join(lines[20:])))
    assert elements(tf.data.TextLineDataset(str(path), kind, buffer_size)) == lines


@pytest.mark.parametrize("kind", ["NONE", "GZIP", "ZLIB"])
def test_records(tmp_path: Path, kind: str) -> None:
    path = str(tmp_path / "records")
    compression = getattr(tf.python_io.TFRecordCompressionType, kind)
    options = tf.python_io.TFRecordOptions(compression)
    records = [b"one", b"", b"\x00" * 300]
    with tf.python_io.TFRecordWriter(path, options) as writer:
        for record in records:
            writer.write(record)
    name = None if kind == "NONE" else kind
    assert elements(tf.data.TFRecordDataset([path, path], name)) == records * 2


def test_damaged_records(tmp_path: Path) -> None:
    path = tmp_path / "records"
    with tf.python_io.TFRecordWriter(str(path)) as writer:
        writer.write(b"record")
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(tf.errors.DataLossError, match="is truncated"):
        elements(tf.data.TFRecordDataset(str(path)))


def test_pieces_of_a_fixed_length(tmp_path: Path) -> None:
    path = tmp_path / "pieces"
    path.write_bytes(b"HHaabbccF")
    dataset = tf.data.FixedLengthRecordDataset(str(path), 2, header_bytes=2, footer_bytes=1)
    assert elements(dataset) == [b"aa", b"bb", b"cc"]


@pytest.mark.parametrize(
    ("build", "kind", "message"),
    [
        (lambda p: tf.data.TextLineDataset(p + "?"), tf.errors.NotFoundError, "lines"),
        (lambda p: tf.data.TextLineDataset(p, "LZ"), tf.errors.InvalidArgumentError, "'LZ'"),
        (lambda p: tf.data.TextLineDataset(p, "ZLIB"), tf.errors.DataLossError, "decompressed"),
        (
            lambda p: tf.data.FixedLengthRecordDataset(p, 3, 1),
            tf.errors.InvalidArgumentError,
            "body length 4 bytes, which is not an exact multiple",
        ),
        (
            lambda p: tf.data.FixedLengthRecordDataset(p, 0),
            tf.errors.InvalidArgumentError,
            "`record_bytes` must be > 0",
        ),
    ],
)
def test_errors(
    tmp_path: Path, build: Callable[[str], Any], kind: type[Exception], message: str
) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"plain")
    with pytest.raises(kind, match=message):
        elements(build(str(path)))


def test_names_of_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.bin"):
        (tmp_path / name).write_bytes(name.encode())
    names = tf.data.Dataset.list_files(str(tmp_path / "*.txt"))
    assert [Path(n.decode()).name for n in elements(names)] == ["a.txt", "b.txt"]
    lines = names.flat_map(tf.data.TextLineDataset)
    assert elements(lines) == [b"a.txt", b"b.txt"]
    shuffled = tf.data.Dataset.list_files(str(tmp_path / "*"), shuffle=True, seed=1)
    assert sorted(Path(n.decode()).name for n in elements(shuffled)) == ["a.txt", "b.txt", "c.bin"]


@pytest.mark.parametrize("compression", ["", "ZLIB", "GZIP"])
def test_records_before_damage_come_first(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "damaged"
    random = np.random.default_rng(0)
    values = [random.integers(0, 256, 50, np.uint8).tobytes() for _ in range(4)]
    with RecordWriter(path, compression) as writer:
        for value in values:
            writer.write(value)
            writer.flush()
    # The last record, cut or with its end changed.
    content = path.read_bytes()
    for damaged in (content[:-30], content[:-30] + b"\xff" * 30):
        path.write_bytes(damaged)
        with tf.Graph().as_default(), tf.Session() as session:
            dataset = tf.data.TFRecordDataset(str(path), compression)
            record = dataset.make_one_shot_iterator().get_next()
            assert [session.run(record) for _ in range(3)] == values[:3]
            with pytest.raises(tf.errors.DataLossError, match="damaged: the record at byte 198 "):
                session.run(record)
