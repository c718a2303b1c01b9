"""Lookup tables: what they find, whose they are, and how they are kept and passed on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.tables import HashTable, KeyValues, longs, started
from workbench.api import lookup
from workbench.core.ops.creation import create


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def vocabulary(tmp_path: Path) -> str:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"brain\nsalad\r\nsurgery\n")
    return str(path)


def test_operations_have_tensorflows_names() -> None:
    table = HashTable(KeyValues(["a", "b"], [0, 1], value_dtype=tf.int64), -1)
    found = table.lookup(tf.constant(["a"], name="query"))
    size = table.size()
    assert found.op.name == "hash_table_Lookup"
    assert found.op.type == "LookupTableFindV2" and size.op.name == "hash_table_Size"
    assert table.table_ref.op.name == "hash_table"
    assert table.init.name == "key_value_init"
    assert (table.key_dtype, table.value_dtype) == (tf.string, tf.int64)
    assert tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS) == [table.init]


@pytest.mark.parametrize(
    ("keys", "values", "default", "asked", "want"),
    [
        (["a", "b"], np.array([1, 2], np.int64), -1, [["b", "c"]], [[2, -1]]),
        (np.array([5, 7], np.int64), ["x", "y"], "?", [7, 6], [b"y", b"?"]),
        (np.array([5], np.int32), [0.5], 2.0, [5, 6], [0.5, 2.0]),
        (["a"], [True], False, ["a", "b"], [True, False]),
    ],
)
def test_types(keys: Any, values: Any, default: Any, asked: Any, want: Any) -> None:
    table = HashTable(KeyValues(keys, values), default)
    found = table.lookup(asked)
    assert found.shape.as_list() == list(np.shape(asked))
    with started() as session:
        result, size = session.run([found, table.size()])
    assert result.tolist() == want
    assert result.dtype == table.value_dtype.as_numpy_dtype
    assert size == len(keys) and size.dtype == np.int64


def test_single_and_sparse_keys() -> None:
    table = HashTable(KeyValues(["a", "b"], ["x", "y"]), "?")
    sparse = tf.SparseTensor([[0, 1], [1, 0]], ["b", "c"], [2, 2])
    found = table.lookup(sparse)
    assert isinstance(found, tf.SparseTensor)
    with started() as session:
        assert session.run(table.lookup(tf.constant("a"))) == b"x"
        values = session.run(found)
    assert values.values.tolist() == [b"y", b"?"]
    assert values.indices.tolist() == [[0, 1], [1, 0]]


@given(
    st.dictionaries(
        st.integers(-(2**62), 2**62), st.floats(width=32, allow_nan=False), min_size=1, max_size=20
    ),
    st.lists(st.integers(-5, 5), max_size=8),
)
def test_tables_agree_with_dictionaries(known: dict[int, float], asked: list[int]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        keys = np.array(list(known), np.int64)
        table = HashTable(KeyValues(keys, np.array(list(known.values()), np.float32)), -1.0)
        session.run(table.init)
        found = session.run(table.lookup(np.array(asked, np.int64)))
        assert found.tolist() == [known.get(key, -1.0) for key in asked]


def test_each_session_has_its_own() -> None:
    table = HashTable(KeyValues(["a"], ["x"]), "?")
    found = table.lookup(["a"])
    with tf.Session() as session, started() as other:
        with pytest.raises(tf.errors.FailedPreconditionError) as caught:
            session.run(found)
        assert other.run(found).tolist() == [b"x"]
    assert "Table not initialized" in str(caught.value)
    assert "tf.tables_initializer()" in str(caught.value)
    assert "test_lookup.py" in str(caught.value).splitlines()[0]


def test_tables_fill_themselves_where_there_is_no_session() -> None:
    table = HashTable(KeyValues(["a"], ["x"]), "?")
    assert table.lookup(["a", "b"]).eval().tolist() == [b"x", b"?"]
    table.init.run()
    assert table.size().eval() == 1


def test_shared_tables(tmp_path: Path) -> None:
    first = HashTable(KeyValues(["a"], ["x"]), "?", shared_name="both")
    second = HashTable(KeyValues(["a"], ["x"]), "?", shared_name="both")
    apart = HashTable(KeyValues(["a"], ["x"]), "?", shared_name="apart")
    with tf.Session() as session:
        session.run(first.init)
        session.run(second.init)
        assert session.run(second.lookup(["a"])).tolist() == [b"x"]
        with pytest.raises(tf.errors.FailedPreconditionError, match="not initialized"):
            session.run(apart.lookup(["a"]))
        other_type = HashTable(KeyValues(["a"], [1.0]), 0.0, shared_name="both")
        with pytest.raises(tf.errors.InvalidArgumentError, match="another type.*'both'"):
            session.run(other_type.init)
        other_data = HashTable(KeyValues(["a"], ["y"]), "?", shared_name="both")
        with pytest.raises(tf.errors.FailedPreconditionError, match="already initialized with"):
            session.run(other_data.init)


def test_errors_of_tables() -> None:
    with pytest.raises(ValueError, match=r"Shapes \(2,\) and \(3,\) are not compatible"):
        HashTable(KeyValues(["a", "b"], [1, 2, 3]), -1)
    with pytest.raises(ValueError, match="must be rank 1 but is rank 2"):
        HashTable(KeyValues([["a"]], [["b"]]), "?")
    empty = lookup.index_table_from_tensor(np.array([], dtype=np.str_))
    with (
        tf.Session() as session,
        pytest.raises(tf.OpError, match="keys and values cannot be empty"),
    ):
        session.run(empty.init)
    twice = HashTable(KeyValues(["a", "a"], [1, 2]), -1)
    with tf.Session() as session:
        with pytest.raises(tf.errors.FailedPreconditionError, match="Key a has 1 and trying to"):
            session.run(twice.init)
        with pytest.raises(tf.errors.FailedPreconditionError, match="not initialized"):
            session.run(twice.lookup(["a"]))
    table = HashTable(KeyValues(["a"], [1]), -1)
    with pytest.raises(TypeError, match="Keys must be dtype string, got int32"):
        table.lookup(tf.constant([1]))
    with pytest.raises(ValueError, match="(?i)rank"):
        HashTable(KeyValues(["a"], [1]), [-1])


def test_vocabularies_between_columns(tmp_path: Path) -> None:
    path = tmp_path / "columns"
    path.write_text("0,brain,300\n1,salad,20\n2,surgery,1\n")
    columns = {"key_column_index": 1, "value_column_index": 2, "delimiter": ","}
    numbers = lookup.index_table_from_file(str(path), **columns, num_oov_buckets=1)
    columns |= {"key_column_index": 2, "value_column_index": 1}
    texts = lookup.index_to_string_table_from_file(str(path), **columns)
    with started() as session:
        found = session.run(numbers.lookup(["salad", "brain", "tarkus"]))
        assert found.tolist() == [20, 300, 3]
        found = session.run(texts.lookup(np.array([300, 2], np.int64)))
        assert found.tolist() == [b"brain", b"UNK"]
    assert numbers.table_ref is not None and numbers.table_ref.op.type == "HashTableV2"


def test_a_graph_without_tables() -> None:
    tf.initialize_all_tables().run()
    assert tf.tables_initializer().type == "NoOp"


def test_graphs_with_tables_come_back(tmp_path: Path, vocabulary: str) -> None:
    table = lookup.index_table_from_file(vocabulary, num_oov_buckets=1)
    tf.identity(table.lookup(tf.placeholder(tf.string, [None], name="words")), name="numbers")
    meta = tf.train.export_meta_graph()
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(meta)
        session.run(tf.tables_initializer())
        found = session.run("numbers:0", {"words:0": ["surgery", "?"]})
    assert found.tolist() == [2, 3]


@pytest.mark.parametrize("version", ["", "V2"])
def test_both_versions_of_the_operations(version: str, vocabulary: str) -> None:
    def make(type_name: str, **arguments: Any) -> Any:
        return create(type_name + version, None, **arguments)

    types = {"key_dtype": tf.string, "value_dtype": tf.int64}
    handle = make("HashTable", **types).outputs[0]
    fill = make("InitializeTable", table_handle=handle, keys=["a", "b"], values=longs(1, 2))
    from_file = make("HashTable", **types).outputs[0]
    read = make(
        "InitializeTableFromTextFile",
        table_handle=from_file,
        filename=vocabulary,
        key_index=-2,
        value_index=-1,
    )
    mutable = make("MutableHashTable", **types).outputs[0]
    insert = make("LookupTableInsert", table_handle=mutable, keys=["a"], values=longs(5))
    renew = make("LookupTableImport", table_handle=mutable, keys=["b"], values=longs(6))
    everything = make(
        "LookupTableExport", table_handle=mutable, Tkeys=tf.string, Tvalues=tf.int64
    ).outputs

    def find(table: Any) -> Any:
        keys = ["b", "brain"]
        arguments = {"table_handle": table, "keys": keys, "default_value": longs(-1)[0]}
        return make("LookupTableFind", **arguments).outputs[0]

    size = make("LookupTableSize", table_handle=from_file).outputs[0]
    founds = [find(table) for table in (handle, from_file, mutable)]
    assert handle.shape.as_list() == ([] if version else [2])
    with tf.Session() as session:
        with pytest.raises(tf.errors.FailedPreconditionError, match="Table not initialized"):
            session.run(founds[0])
        session.run([fill, read, insert])
        results = [found.tolist() for found in session.run(founds)]
        assert results == [[2, -1], [-1, 0], [-1, -1]]
        session.run(renew)
        assert [part.tolist() for part in session.run(everything)] == [[b"b"], [6]]
        assert session.run(size) == 3


def test_fixed_tables_export_what_they_hold() -> None:
    pairs = lookup.KeyValueTensorInitializer(["a", "b"], [1, 2], value_dtype=tf.int64)
    table = lookup.HashTable(pairs, -1)
    exported = table.export()
    with started() as session:
        assert [f.tolist() for f in session.run(exported)] == [[b"a", b"b"], [1, 2]]
