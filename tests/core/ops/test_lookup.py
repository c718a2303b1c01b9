"""Tables: what is put in is found, in each session apart; errors say what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from workbench.api import lookup
from workbench.core.ops.creation import create

HashTable = lookup.HashTable
KeyValues = lookup.KeyValueTensorInitializer


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def vocabulary(tmp_path: Path) -> str:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"brain\nsalad\r\nsurgery\n")
    return str(path)


def started() -> Any:
    session = tf.Session()
    session.run(tf.tables_initializer())
    return session


# -- tables that are filled once -----------------------------------------------------------------


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


# -- text files ----------------------------------------------------------------------------------


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


# -- vocabularies --------------------------------------------------------------------------------


def test_index_table_from_file(vocabulary: str) -> None:
    table = lookup.index_table_from_file(vocabulary, default_value=-5)
    few = lookup.index_table_from_file(vocabulary, vocab_size=2)
    again = lookup.index_table_from_file(vocabulary, default_value=-5)
    with started() as session:
        asked = ["salad", "surgery", "tarkus"]
        assert session.run(table.lookup(asked)).tolist() == [1, 2, -5]
        assert session.run(few.lookup(asked)).tolist() == [1, -1, -1]
        assert session.run([few.size(), table.size(), again.size()]) == [2, 3, 3]


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


def test_a_graph_without_tables() -> None:
    tf.initialize_all_tables().run()
    assert tf.tables_initializer().type == "NoOp"


# -- tables that change --------------------------------------------------------------------------


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
    fill = make("InitializeTable", table_handle=handle, keys=["a", "b"], values=_longs(1, 2))
    from_file = make("HashTable", **types).outputs[0]
    read = make(
        "InitializeTableFromTextFile",
        table_handle=from_file,
        filename=vocabulary,
        key_index=-2,
        value_index=-1,
    )
    mutable = make("MutableHashTable", **types).outputs[0]
    insert = make("LookupTableInsert", table_handle=mutable, keys=["a"], values=_longs(5))
    renew = make("LookupTableImport", table_handle=mutable, keys=["b"], values=_longs(6))
    everything = make(
        "LookupTableExport", table_handle=mutable, Tkeys=tf.string, Tvalues=tf.int64
    ).outputs

    def find(table: Any) -> Any:
        keys = ["b", "brain"]
        arguments = {"table_handle": table, "keys": keys, "default_value": _longs(-1)[0]}
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


def _longs(*values: int) -> Any:
    return tf.constant(values, tf.int64)


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
        assert session.run(copy.lookup(_longs(7, 8))).tolist() == [70, -1]


def test_fixed_tables_export_what_they_hold() -> None:
    pairs = lookup.KeyValueTensorInitializer(["a", "b"], [1, 2], value_dtype=tf.int64)
    table = lookup.HashTable(pairs, -1)
    exported = table.export()
    with started() as session:
        assert [f.tolist() for f in session.run(exported)] == [[b"a", b"b"], [1, 2]]


def test_values_of_another_type() -> None:
    table = lookup.MutableHashTable(tf.string, tf.int64, -1)
    with pytest.raises(TypeError, match="Values must be dtype int64, got string"):
        table.insert(["a"], tf.constant(["b"]))
    matrix = lookup.MutableHashTable(tf.string, tf.int64, [[1, 2]])
    vector = pytest.raises(tf.errors.InvalidArgumentError, match="must be a vector")
    with tf.Session() as session, vector:
        session.run(matrix.size())
