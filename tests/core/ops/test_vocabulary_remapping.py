"""Saved matrices in the order of another vocabulary: row by row, column by column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.creation import call
from workbench.core.ops.vocabulary_remapping import (
    generate_vocab_remapping,
    load_and_remap_matrix,
)

OLD = ["knitting", "eminem", "MISSING", "pop"]
NEW = ["ambient", "knitting", "pop", "eminem", "jazz"]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    paths = tmp_path / "new.txt", tmp_path / "old.txt"
    for path, words in zip(paths, (NEW, OLD), strict=True):
        path.write_text("\n".join(words) + "\n")
    return str(paths[0]), str(paths[1])


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3), name="matrix")
        tf.Variable([1.0], name="vector")
        tf.Variable([[1]], name="integers")
        session.run(tf.global_variables_initializer())
        path: str = tf.train.Saver().save(session, str(tmp_path / "model"))
    return path


@pytest.mark.parametrize(("offset", "count", "old_size"), [(0, 5, -1), (1, 3, -1), (0, 5, 2)])
def test_numbers_in_the_old_vocabulary(
    files: tuple[str, str], offset: int, count: int, old_size: int
) -> None:
    known = OLD if old_size < 0 else OLD[:old_size]
    want = [known.index(w) if w in known else -1 for w in NEW[offset : offset + count]]
    with tf.Graph().as_default(), tf.Session() as session:
        remapping, present = generate_vocab_remapping(*files, offset, count, old_size)
        assert remapping.shape.as_list() == [count]
        found, number = session.run([remapping, present])
    assert found.tolist() == want
    assert number == sum(w >= 0 for w in want)


def test_vocabularies_that_do_not_fit(files: tuple[str, str]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be larger than last"):
            session.run(generate_vocab_remapping(*files, 3, 3))
        with pytest.raises(tf.errors.NotFoundError):
            session.run(generate_vocab_remapping(files[0], files[1] + "x", 0, 1))
        with pytest.raises(tf.errors.InvalidArgumentError, match="cannot be empty"):
            session.run(generate_vocab_remapping("", files[1], 0, 1))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [([2, -1, 0], [1, 0]), ([3, 2, 1, 0], []), ([-1, -1], [2, -1, 0]), ([1], [0, 1, 2])],
)
def test_rows_and_columns(checkpoint: str, rows: list[int], columns: list[int]) -> None:
    old = np.arange(12).reshape(4, 3)
    order = columns or [0, 1, 2]
    fill = iter(np.arange(100, 200, dtype=np.float32))
    want = [[old[r, c] if r >= 0 and c >= 0 else next(fill) for c in order] for r in rows]
    missing = int(next(fill)) - 100
    with tf.Graph().as_default(), tf.Session() as session:
        matrix = load_and_remap_matrix(
            checkpoint,
            "matrix",
            tf.constant(rows, tf.int64),
            tf.constant(columns, tf.int64),
            np.arange(100, 100 + missing, dtype=np.float32),
            num_rows=len(rows),
            num_cols=len(order),
        )
        assert session.run(matrix).tolist() == want


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_cols": 4}, "instead of being equal to num_cols=4"),
        ({"col_remapping": [0]}, "col_remapping, but its size is 1"),
        ({"initializing_values": [1.0]}, "but only 0 elements"),
        ({"row_remapping": [0, -1]}, "more missing values remain"),
        ({"old_tensor_name": "vector"}, "invalid rank 1"),
        ({"old_tensor_name": "integers"}, "invalid type int32"),
    ],
)
def test_what_cannot_be_remapped(checkpoint: str, changes: Any, message: str) -> None:
    arguments: dict[str, Any] = {
        "old_tensor_name": "matrix",
        "row_remapping": [0, 1],
        "col_remapping": [],
        "initializing_values": [],
        "num_rows": 2,
        "num_cols": 3,
        **changes,
    }
    with tf.Graph().as_default(), tf.Session() as session:
        for name, dtype in (
            ("row_remapping", tf.int64),
            ("col_remapping", tf.int64),
            ("initializing_values", tf.float32),
        ):
            arguments[name] = tf.constant(np.array(arguments[name]), dtype)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            session.run(load_and_remap_matrix(checkpoint, **arguments))


def test_an_old_row_in_two_places(checkpoint: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        rows, columns = tf.constant([0, 0], tf.int64), tf.constant([], tf.int64)
        matrix = load_and_remap_matrix(
            checkpoint, "matrix", rows, columns, tf.constant([], tf.float32), 2, 3
        )
        with pytest.raises(tf.errors.UnimplementedError, match="has an old number twice"):
            session.run(matrix)


def test_constants_in_files(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(np.array([1.5, -2.0, 3.0], np.float32).tobytes())

    def constant(shape: Any, dtype: Any = tf.float32) -> Any:
        return call("ImmutableConst", dtype=dtype, shape=shape, memory_region_name=str(path))

    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(constant([3, 1])).tolist() == [[1.5], [-2.0], [3.0]]
        assert session.run(constant([])) == 1.5
        with pytest.raises(tf.errors.InvalidArgumentError, match="has 12 bytes, but float32"):
            session.run(constant([4]))
        with pytest.raises(tf.errors.InvalidArgumentError, match="STRING is not"):
            session.run(constant([1], tf.string))
