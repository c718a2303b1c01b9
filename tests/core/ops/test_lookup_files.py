"""Tables that are filled from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.tables import HashTable, started
from workbench.api import lookup

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def vocabulary(tmp_path: Path) -> str:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"brain\nsalad\r\nsurgery\n")
    return str(path)


def test_columns_of_files(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,1,0.5\nb,2,1.5\n")
    filler = lookup.TextFileInitializer(str(path), tf.string, 0, tf.float32, 2, delimiter=",")
    table = HashTable(filler, -1.0)
    numbers = HashTable(
        lookup.TextFileInitializer(
            str(path), tf.int64, 1, tf.string, lookup.TextFileIndex.WHOLE_LINE, delimiter=","
        ),
        "?",
    )
    with started() as session:
        assert session.run(table.lookup(["b", "c"])).tolist() == [1.5, -1.0]
        assert session.run(numbers.lookup(np.array([1], np.int64))).tolist() == [b"a,1,0.5"]
    (asset, _) = tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)
    assert asset.op.type == "Const"


def test_a_file_that_is_fed(vocabulary: str) -> None:
    name = tf.placeholder(tf.string, [])
    table = lookup.index_table_from_file(name)
    with tf.Session() as session:
        session.run(table.init, {name: vocabulary})
        assert session.run(table.lookup(["salad"])).tolist() == [1]
    assert tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS) == []


@pytest.mark.parametrize(
    ("content", "size", "words"),
    [
        (b"a\tx\n", None, "Field x in line 0 of .* is not a valid int64"),
        (b"a\t1\nb\n", None, r"Invalid number of columns in .* line 1 \(b\)"),
        (b"a\t1\n", 2, "Invalid vocab_size in .*: expected 2 but got 1"),
    ],
)
def test_errors_of_files(tmp_path: Path, content: bytes, size: Any, words: str) -> None:
    path = tmp_path / "table"
    path.write_bytes(content)
    filler = lookup.TextFileInitializer(str(path), tf.string, 0, tf.int64, 1, vocab_size=size)
    table = HashTable(filler, -1)
    with tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            session.run(table.init)
        path.unlink()
        with pytest.raises(tf.errors.NotFoundError, match=str(path)):
            session.run(table.init)


def test_errors_of_initializers() -> None:
    index = lookup.TextFileIndex
    with pytest.raises(ValueError, match="Filename required"):
        lookup.TextFileInitializer("", tf.string, 0, tf.int64, 1)
    with pytest.raises(ValueError, match="Keys must be dtype int64, got string"):
        lookup.TextFileInitializer("f", tf.string, index.LINE_NUMBER, tf.int64, 1)
    with pytest.raises(ValueError, match="Values must be dtype string, got int64"):
        lookup.TextFileInitializer("f", tf.string, 0, tf.int64, index.WHOLE_LINE)
    with pytest.raises(ValueError, match="Invalid index of the column of keys: -3"):
        lookup.TextFileInitializer("f", tf.string, -3, tf.int64, 1)
    with pytest.raises(ValueError, match="Invalid vocab_size 0"):
        lookup.TextFileInitializer("f", tf.string, 0, tf.int64, 1, vocab_size=0)
