"""Indices of words in a vocabulary, and words of indices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.tables import started
from workbench.api import lookup

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def vocabulary(tmp_path: Path) -> str:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"brain\nsalad\r\nsurgery\n")
    return str(path)


def test_index_table_from_file(vocabulary: str) -> None:
    table = lookup.index_table_from_file(vocabulary, default_value=-5)
    few = lookup.index_table_from_file(vocabulary, vocab_size=2)
    again = lookup.index_table_from_file(vocabulary, default_value=-5)
    with started() as session:
        asked = ["salad", "surgery", "tarkus"]
        assert session.run(table.lookup(asked)).tolist() == [1, 2, -5]
        assert session.run(few.lookup(asked)).tolist() == [1, -1, -1]
        assert session.run([few.size(), table.size(), again.size()]) == [2, 3, 3]


def test_unknown_keys_go_to_buckets(vocabulary: str) -> None:
    table = lookup.index_table_from_file(vocabulary, num_oov_buckets=3)
    strong = lookup.index_table_from_tensor(
        ["brain"], num_oov_buckets=3, hasher_spec=lookup.StrongHashSpec([1, 2])
    )
    asked = ["Hello", "TF", "salad"]
    with started() as session:
        fast = session.run(tf.string_to_hash_bucket_fast(asked, 3)).tolist()
        assert session.run(table.lookup(asked)).tolist() == [3 + fast[0], 3 + fast[1], 1]
        # TensorFlow's documentation says that the strong hash of the two is 2 and 0.
        assert session.run(strong.lookup(asked[:2])).tolist() == [1 + 2, 1 + 0]
        assert session.run([table.size(), strong.size()]) == [6, 4]


def test_tables_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_text("42\n1\n-1000\n")
    for dtype in (tf.int32, tf.int64):
        table = lookup.index_table_from_file(str(path), num_oov_buckets=1, key_dtype=dtype)
        listed = lookup.index_table_from_tensor([42, 1, -1000], dtype=dtype)
        asked = np.array([1, -1000, 11], dtype.as_numpy_dtype)
        with started() as session:
            assert session.run(table.lookup(asked)).tolist() == [1, 2, 3]
            assert session.run(listed.lookup(asked)).tolist() == [1, 2, -1]


def test_index_to_string(vocabulary: str) -> None:
    from_file = lookup.index_to_string_table_from_file(vocabulary)
    from_tensor = lookup.index_to_string_table_from_tensor(["x", "y"], default_value="none")
    asked = np.array([0, 1, 4], np.int64)
    with started() as session:
        assert session.run(from_file.lookup(asked)).tolist() == [b"brain", b"salad", b"UNK"]
        assert session.run(from_tensor.lookup(asked)).tolist() == [b"x", b"y", b"none"]


def test_shortcuts() -> None:
    numbers = lookup.string_to_index(["b", "c"], mapping=["a", "b"])
    texts = lookup.index_to_string(np.array([1, 2], np.int64), mapping=["a", "b"])
    with started() as session:
        assert session.run(numbers).tolist() == [1, -1]
        assert session.run(texts).tolist() == [b"b", b"UNK"]


def test_buckets_without_a_table() -> None:
    table = lookup.IdTableWithHashBuckets(None, 10)
    assert table.table_ref is None
    with tf.Session() as session:
        session.run(table.init)
        assert session.run(table.lookup(["Hello"])) == session.run(
            tf.string_to_hash_bucket_fast(["Hello"], 10)
        )
        assert session.run(table.size()) == 10


def test_errors_of_vocabularies(vocabulary: str) -> None:
    with pytest.raises(ValueError, match="vocabulary_file must be specified"):
        lookup.index_table_from_file("")
    with pytest.raises(ValueError, match="greater than 0, got 0. vocabulary_file: .*vocab"):
        lookup.index_table_from_file(vocabulary, vocab_size=0)
    with pytest.raises(ValueError, match="num_oov_buckets must be greater or equal than 0, got -1"):
        lookup.index_table_from_tensor(["a"], num_oov_buckets=-1)
    with pytest.raises(TypeError, match="Only integer and string keys are supported"):
        lookup.index_table_from_tensor([1.5], dtype=tf.float32)
    with pytest.raises(ValueError, match="Expected integer, got string"):
        lookup.index_table_from_tensor(["a"], dtype=tf.int64)
    with pytest.raises(ValueError, match="vocabulary_list must be .*mapping must be specified"):
        lookup.index_to_string_table_from_tensor()
    with pytest.raises(ValueError, match="oov_buckets must be > 0"):
        lookup.IdTableWithHashBuckets(None, 0)
    with pytest.raises(TypeError, match="hasher_spec must be of type HasherSpec"):
        lookup.IdTableWithHashBuckets(None, 1, hasher_spec=1)
    unknown = lookup.HasherSpec("other", None)
    with pytest.raises(ValueError, match="Unknown hasher other"):
        lookup.index_table_from_tensor(["a"], 1, hasher_spec=unknown).lookup(["a"])
    with pytest.raises(ValueError, match="key must have size 2"):
        lookup.StrongHashSpec([1])
    with pytest.raises(TypeError, match="unsigned integer"):
        lookup.StrongHashSpec([1, -2])
