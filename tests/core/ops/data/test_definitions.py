"""Datasets as plain data: what is made of it in another process gives the same elements."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.data import nest, sources
from workbench.core.ops.data.dataset import Dataset as Base
from workbench.core.ops.data.definition_reading import dataset_from
from workbench.core.ops.data.definitions import StaysHereError, definition
from workbench.core.ops.data.kinds import KINDS

Dataset = tf.data.Dataset
data = tf.contrib.data


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def rows() -> Any:
    return np.arange(20, dtype=np.float32).reshape(10, 2)


rows_of = Dataset.range


def sparse() -> Any:
    return tf.SparseTensor([[0, 1], [2, 0]], [1.0, 2.0], [3, 2])


def with_variable() -> Any:
    """A function reads a variable of the session that the iterator is in."""
    variable = tf.Variable(tf.constant(7, tf.int64), name="v")
    return Dataset.range(3).map(lambda n: n + variable)


#: By their names: datasets of each kind, and of what functions can be.
DATASETS: dict[str, Callable[[str], Any]] = {
    "tensors": lambda _: Dataset.from_tensors({"a": rows(), "b": (1, "text")}),
    "sparse": lambda _: Dataset.from_tensor_slices(sparse()).batch(2),
    "sparse slices": lambda _: Dataset.from_sparse_tensor_slices(sparse()),
    "shuffled": lambda _: Dataset.from_tensor_slices((rows(), range(10))).shuffle(9, 3).batch(3),
    "orders": lambda _: Dataset.range(9).repeat(2).take(12).skip(1).shard(2, 1).cache().prefetch(2),
    "structure": lambda _: Dataset.range(6).map(lambda n: {"a": n * n, "b": tf.to_float(n)}),
    "filter": lambda _: Dataset.range(9).filter(lambda n: tf.equal(n % 3, 0)),
    "nested": lambda _: Dataset.range(4).flat_map(lambda n: Dataset.range(n).map(lambda k: k + n)),
    "outer constant": lambda _: outer_constant(),
    "parallel": lambda _: Dataset.range(5)
    .map(lambda n: n + 1, num_parallel_calls=2)
    .apply(data.parallel_interleave(Dataset.range, 2)),
    "windows": lambda _: Dataset.range(6).apply(
        data.group_by_window(lambda n: n % 2, lambda k, w: w.batch(3).map(lambda b: b + k), 3)
    ),
    "scan": lambda _: Dataset.range(4).apply(
        data.scan(tf.constant(0, tf.int64), lambda s, n: (s + n, s * n))
    ),
    "resampled": lambda _: Dataset.range(40).apply(
        data.rejection_resample(lambda n: n % 2, [0.2, 0.8], seed=4)
    ),
    "random": lambda _: Dataset.range(5).map(lambda n: tf.random_uniform([2], seed=4)),
    "control flow": lambda _: Dataset.range(5).map(
        lambda n: tf.while_loop(
            lambda i, _: i < n, lambda i, t: (i + 1, tf.cond(i > 1, lambda: t * 2, lambda: t + i)),
            [tf.constant(0, tf.int64), tf.constant(1, tf.int64)],
        )[1]
    ),
    "variable": lambda _: with_variable(),
    "zip": lambda _: Dataset.zip((rows_of(2), rows_of(1).concatenate(rows_of(1)))),
    "padded": lambda _: Dataset.range(4).map(lambda n: tf.fill([n], n)).padded_batch(2, [None]),
    "rows": lambda _: Dataset.range(6).batch(4).apply(data.unbatch()),
    "dense to sparse": lambda _: Dataset.range(4)
    .map(lambda n: tf.fill([n], n))
    .apply(data.dense_to_sparse_batch(2, [4])),
    "errors": lambda _: Dataset.from_tensor_slices([1.0, 0.0, 2.0])
    .map(lambda x: tf.check_numerics(1.0 / x, "x"))
    .apply(data.ignore_errors()),
    "lines": lambda path: tf.data.TextLineDataset([path]),
    "pieces": lambda path: tf.data.FixedLengthRecordDataset([path], 2, 1, 1),
    "records": lambda path: tf.data.TFRecordDataset([path + ".tfrecord"]),
    "files": lambda path: Dataset.list_files(path + "*"),
}  # fmt: skip


def outer_constant() -> Any:
    """An inner dataset whose size is a constant of the graph around."""
    size = tf.constant(3, tf.int64)
    return Dataset.range(3).flat_map(lambda n: Dataset.range(size).map(lambda k: k * n))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("files") / "lines.txt"
    made.write_text("first\nsecond\n" + "x" * 7)
    with tf.python_io.TFRecordWriter(f"{made}.tfrecord") as writer:
        writer.write(b"one")
        writer.write(b"two")
    return str(made)


def elements(graph: tf.Graph) -> list[str]:
    """All that an imported or built graph's "next" gives, as text."""
    found = []
    with tf.Session(graph=graph) as session:
        session.run([op for op in graph.get_operations() if op.name == "v/Assign"])
        session.run([op for op in graph.get_operations() if op.type == "MakeIterator"])
        while True:
            try:
                found.append(repr(session.run(list(graph.get_collection("next")))))
            except tf.errors.OutOfRangeError:
                return found


def build(name: str, path: str, initializable: bool) -> None:
    dataset = DATASETS[name](path)
    make = dataset.make_initializable_iterator if initializable else dataset.make_one_shot_iterator
    for component in nest.flatten(make().get_next()):
        parts = component if isinstance(component, tf.SparseTensor) else [component]
        for part in parts:
            tf.add_to_collection("next", part)


_ELSEWHERE = """
import sys
import workbench as tf
from tests.core.ops.data.test_definitions import elements
for path in sys.argv[1:]:
    with tf.Graph().as_default() as graph:
        tf.train.import_meta_graph(path)
        print(elements(graph))
"""


def test_another_process_has_the_same_elements(path: str, tmp_path: Path) -> None:
    paths, expected = [], []
    for number, name in enumerate(DATASETS):
        for initializable in (False, True):
            with tf.Graph().as_default() as graph:
                build(name, path, initializable)
                paths.append(str(tmp_path / f"{number}{initializable}.meta"))
                tf.train.export_meta_graph(paths[-1])
                expected.append(elements(graph))
                assert len(expected[-1]) > (name != "tensors"), name
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, *paths], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    for place, found, here in zip(paths, done.stdout.splitlines(), expected, strict=True):
        assert found == str(here), place


def test_every_kind_is_tried(path: str) -> None:
    tried: set[str] = set()
    for make in DATASETS.values():
        document = json.loads(definition(make(path))[0])
        tried |= {entry["kind"] for entry in document["datasets"]}
    assert tried == set(KINDS)
    waiting, found = [Base], set()
    while waiting:
        subclasses = waiting.pop().__subclasses__()
        waiting += subclasses
        found |= {each for each in subclasses if "elements" in vars(each)}
    assert found == {*KINDS.values(), sources.Generated}


def test_long_chains_travel(graph: tf.Graph) -> None:
    dataset = Dataset.range(3)
    for _ in range(300):
        dataset = dataset.skip(0)
    made = dataset_from(definition(dataset), graph)
    assert made.all_inputs() and made.output_types is tf.int64


def test_what_is_in_python_stays() -> None:
    generated = Dataset.from_generator(lambda: iter([1, 2]), tf.int32)
    with pytest.raises(StaysHereError, match="Python generator"):
        definition(generated.batch(2))
    calling = Dataset.range(3).map(lambda n: tf.py_func(lambda v: v, [n], tf.int64, name="mine"))
    with pytest.raises(StaysHereError, match="calls a Python function.*mine"):
        definition(calling)
    tf.identity(generated.make_one_shot_iterator().get_next(), name="output")
    exported = tf.train.export_meta_graph()
    assert not any("_definition" in node.attr for node in exported.graph_def.node)


def test_a_definition_is_read_once_and_travels_on() -> None:
    Dataset.range(3).map(lambda n: n * 2).make_one_shot_iterator().get_next(name="next")
    exported = tf.get_default_graph().as_graph_def()
    for node in exported.node:
        if "_made_in_python" in node.attr:
            node.attr["_made_in_python"].s = b"1 of another process"
    for _ in range(2):
        with tf.Graph().as_default() as graph, tf.Session() as session:
            tf.import_graph_def(exported, name="")
            assert [session.run("next:0") for _ in range(3)] == [0, 2, 4]
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run("next:0")
            exported = graph.as_graph_def()


def damaged(parts: list[bytes], random: Any) -> list[bytes]:
    """A definition of which something was changed."""
    index = int(random.integers(len(parts)))
    if index or random.integers(4) == 0:
        content = bytearray(parts[index])
        for _ in range(int(random.integers(1, 4))):
            content[int(random.integers(len(content)))] = int(random.integers(256))
        return [*parts[:index], bytes(content), *parts[index + 1 :]]
    document = json.loads(parts[0])
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = keys[int(random.integers(len(keys)))]
        if not isinstance(place[key], (dict, list)) or not place[key] or random.integers(5) == 0:
            break
        place = place[key]
    others: list[Any] = [None, -1, 99, "x", [], {}, {"dataset": 0}, {"function": 0}, [0, "x:0"]]
    place[key] = others[int(random.integers(len(others)))]
    return [json.dumps(document).encode(), *parts[1:]]


def test_damaged_definitions_are_told_as_such() -> None:
    """Whatever is changed: an error of ours, or a dataset; what that gives may be an error too."""
    dataset = Dataset.range(4).flat_map(lambda n: Dataset.range(n).map(lambda k: k + n)).shuffle(3)
    parts, random = definition(dataset), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        try:
            made = dataset_from(damaged(parts, random), tf.get_default_graph())
        except tf.errors.InvalidArgumentError as error:
            refused += 1
            assert "dataset" in str(error)
        else:
            assert isinstance(made, Base)
    assert refused > 100
