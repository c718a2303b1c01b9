"""Tables that change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.tables import longs
from workbench.api import lookup
from workbench.core.ops.creation import create

pytestmark = pytest.mark.usefixtures("graph")


def test_mutable_tables() -> None:
    table = lookup.MutableHashTable(tf.string, tf.int64, -1)
    keys = tf.placeholder(tf.string, [None])
    values = tf.placeholder(tf.int64, [None])
    insert = table.insert(keys, values)
    with tf.Session() as session:
        assert session.run(table.size()) == 0
        session.run(insert, {keys: ["a", "b"], values: [1, 2]})
        session.run(insert, {keys: ["b", "c", "b"], values: [3, 4, 5]})
        assert session.run(table.lookup(["a", "b", "c", "d"])).tolist() == [1, 5, 4, -1]
        names, numbers = session.run(table.export())
        assert dict(zip(names.tolist(), numbers.tolist(), strict=True)) == {
            b"a": 1,
            b"b": 5,
            b"c": 4,
        }
        with pytest.raises(tf.errors.InvalidArgumentError, match="one for each key"):
            session.run(insert, {keys: ["a", "b"], values: [1]})


def test_values_that_are_tensors() -> None:
    table = lookup.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0])
    many = np.arange(100, dtype=np.int64)
    insert = table.insert(many, np.stack([many, -many], 1).astype(np.float32))
    found = table.lookup(np.array([[7, 200]], np.int64))
    assert found.shape.as_list() == [1, 2, 2]
    keys, values = table.export()
    assert keys.shape.as_list() == [None] and values.shape.as_list() == [None, 2]
    with tf.Session() as session:
        session.run(insert)
        assert session.run(found).tolist() == [[[7.0, -7.0], [0.0, 0.0]]]
        assert session.run(values).shape == (100, 2)


def test_dense_tables() -> None:
    table = lookup.MutableDenseHashTable(
        tf.int64, tf.string, "?", empty_key=[0, 0], initial_num_buckets=4
    )
    pairs = tf.placeholder(tf.int64, [None, 2])
    found = table.lookup(pairs)
    assert found.shape.as_list() == [None]
    with tf.Session() as session:
        session.run(table.insert(pairs, ["x", "y"]), {pairs: [[1, 2], [3, 4]]})
        assert session.run(found, {pairs: [[3, 4], [2, 1]]}).tolist() == [b"y", b"?"]
        assert session.run(table.export()[0]).tolist() == [[1, 2], [3, 4], [0, 0], [0, 0]]
        with pytest.raises(tf.errors.InvalidArgumentError, match="empty_key as a table key"):
            session.run(found, {pairs: [[0, 0]]})
        odd = lookup.MutableDenseHashTable(tf.int64, tf.int64, 0, 0, initial_num_buckets=12)
        with pytest.raises(tf.errors.InvalidArgumentError, match="power of 2, got: 12"):
            session.run(odd.size())


def test_a_saver_saves_them(tmp_path: Path) -> None:
    table = lookup.MutableHashTable(tf.string, tf.float32, -1.0, name="table")
    lookup.MutableHashTable(tf.string, tf.float32, -1.0, checkpoint=False)
    v = tf.Variable(1.0, name="v")
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(v.initializer)
        session.run(table.insert(["a", "b"], [0.5, 1.5]))
        path = saver.save(session, str(tmp_path / "m"))
        assert [name for name, _ in tf.train.list_variables(path)] == [
            "table-keys",
            "table-values",
            "v",
        ]
        session.run(table.insert(["a", "c"], [7.0, 7.0]))
        saver.restore(session, path)
        assert session.run(table.lookup(["a", "b", "c"])).tolist() == [0.5, 1.5, -1.0]


def test_dense_tables_export_their_buckets() -> None:
    table = lookup.MutableDenseHashTable(tf.int64, tf.int64, -1, empty_key=9, initial_num_buckets=4)
    keys = tf.placeholder(tf.int64, [None])
    insert = table.insert(keys, keys * 10)
    exported, size = table.export(), table.size()
    copy = lookup.MutableDenseHashTable(tf.int64, tf.int64, -1, empty_key=9, initial_num_buckets=4)
    move = create(
        "LookupTableImportV2",
        None,
        table_handle=copy._table_ref,
        keys=exported[0],
        values=exported[1],
    )
    with tf.Session() as session:
        session.run(insert, {keys: [1, 2, 3]})
        # Three of four are no more than 0.8.
        found = session.run(exported)
        assert [f.tolist() for f in found] == [[1, 2, 3, 9], [10, 20, 30, 0]]
        session.run(insert, {keys: [4, 5, 6, 7]})
        assert [len(f) for f in session.run(exported)] == [16, 16]
        session.run(move)
        assert session.run([size, copy.size()]) == [7, 7]
        assert session.run(copy.lookup(longs(7, 8))).tolist() == [70, -1]


def test_values_of_another_type() -> None:
    table = lookup.MutableHashTable(tf.string, tf.int64, -1)
    with pytest.raises(TypeError, match="Values must be dtype int64, got string"):
        table.insert(["a"], tf.constant(["b"]))
    matrix = lookup.MutableHashTable(tf.string, tf.int64, [[1, 2]])
    vector = pytest.raises(tf.errors.InvalidArgumentError, match="must be a vector")
    with tf.Session() as session, vector:
        session.run(matrix.size())
