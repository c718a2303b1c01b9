"""Graphs that were imported: what of their datasets and Python functions is there, what is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import workbench as tf

Dataset = tf.data.Dataset


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def squares(kind: str) -> str:
    """Adds the squares of 0, 1, ... to the graph, as "output"; the name of what starts them."""
    dataset = Dataset.range(4).map(lambda x: x * x)
    if kind == "one shot":
        iterator = dataset.make_one_shot_iterator()
        start = "NoOp"
        tf.no_op(name=start)
    else:
        iterator = dataset.make_initializable_iterator()
        start = iterator.initializer.name
    tf.identity(iterator.get_next(), name="output")
    return start


@pytest.mark.parametrize("kind", ["one shot", "initializable"])
@pytest.mark.parametrize("scope", [None, "copy"])
def test_a_process_finds_the_datasets_that_it_has(kind: str, scope: str | None) -> None:
    start = squares(kind)
    exported = tf.train.export_meta_graph()
    prefix = f"{scope}/" if scope else ""
    for _ in range(2):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.train.import_meta_graph(exported, import_scope=scope)
            session.run(prefix + start)
            assert [session.run(f"{prefix}output:0") for _ in range(4)] == [0, 1, 4, 9]
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(f"{prefix}output:0")


DATASET = "tf.data.Dataset.{made}.make_one_shot_iterator().get_next()"
GENERATED = "from_generator(lambda: iter(range(9)), tf.int64, [])"
FUNCTION = "tf.py_func(lambda x: x * 2, [tf.constant(3.0)], tf.float32, stateful={stateful})"
IN_A_BODY = "tf.cond(tf.placeholder_with_default(True, []), lambda: {made}, lambda: 0.0)"


def from_elsewhere(made: str, path: Path) -> tf.MetaGraphDef:
    """What another process exports of what it made, as "output"."""
    lines = (
        "import sys",
        "import workbench as tf",
        f"tf.identity({made}, name='output')",
        "tf.train.export_meta_graph(sys.argv[1])",
    )
    command = [sys.executable, "-c", "\n".join(lines), str(path / "graph.meta")]
    subprocess.run(command, check=True, timeout=60)
    return tf.MetaGraphDef.FromString((path / "graph.meta").read_bytes())


def test_the_generator_of_another_process_is_none_of_this_one(tmp_path: Path) -> None:
    exported = from_elsewhere(DATASET.format(made=GENERATED), tmp_path)
    mine = Dataset.range(50, 53).make_one_shot_iterator().get_next()
    # Each process counts its own: this one has another of that name.
    for node in exported.graph_def.node:
        if node.op == "OneShotIterator":
            node.attr["dataset"].s = mine.op.inputs[0].op.get_attr("dataset")
    tf.train.import_meta_graph(exported, import_scope="bare")
    given = {"IteratorGetNext:0": mine}
    tf.train.import_meta_graph(exported, import_scope="given", input_map=given)
    with tf.Session() as session:
        with pytest.raises(tf.errors.FailedPreconditionError) as caught:
            session.run("bare/output:0")
        assert "'bare/OneShotIterator' did not come with its graph" in str(caught.value)
        assert "input_map={'IteratorGetNext:0'" in str(caught.value)
        assert [session.run("given/output:0") for _ in range(3)] == [50, 51, 52]


def test_the_dataset_of_another_process_comes_with_its_graph(tmp_path: Path) -> None:
    exported = from_elsewhere(DATASET.format(made="range(9).map(lambda n: n * 2)"), tmp_path)
    mine = Dataset.range(50, 53).make_one_shot_iterator().get_next()
    # Each process counts its own: this one has another of that name.
    for node in exported.graph_def.node:
        if node.op == "OneShotIterator":
            node.attr["dataset"].s = mine.op.inputs[0].op.get_attr("dataset")
    tf.train.import_meta_graph(exported, import_scope="copy")
    with tf.Session() as session:
        assert [session.run("copy/output:0") for _ in range(3)] == [0, 2, 4]
        assert [session.run([mine, "copy/output:0"]) for _ in range(2)] == [[50, 6], [51, 8]]


@pytest.mark.parametrize("scope", [None, "copy"])
def test_a_process_finds_the_functions_that_it_has(scope: str | None) -> None:
    tf.identity(tf.py_func(lambda x: x * 2, [tf.constant(3.0)], tf.float32), name="output")
    exported = tf.train.export_meta_graph()
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(exported, import_scope=scope)
        assert session.run(f"{scope}/output:0" if scope else "output:0") == 6.0


@pytest.mark.parametrize("stateful", [True, False])
@pytest.mark.parametrize("form", ["{made}", IN_A_BODY])
def test_the_function_of_another_process_is_none_of_this_one(
    stateful: bool, form: str, tmp_path: Path
) -> None:
    exported = from_elsewhere(form.format(made=FUNCTION.format(stateful=stateful)), tmp_path)
    mine = tf.py_func(lambda x: x * 1000, [tf.constant(3.0)], tf.float32, stateful=stateful)
    # Each process counts its own: this one has another of that token.
    functions = (f.node_def for f in exported.graph_def.library.function)
    found = [n for n in chain(exported.graph_def.node, *functions) if n.op == mine.op.type]
    for node in found:
        node.attr["token"].s = mine.op.get_attr("token")
    tf.train.import_meta_graph(exported, import_scope="copy")
    with tf.Session() as session:
        assert session.run(mine) == 3000.0
        for fetches in ("copy/output:0", [mine, "copy/output:0"]):
            with pytest.raises(tf.errors.FailedPreconditionError) as caught:
                session.run(fetches)
            assert f"{found[0].name}' did not come with its graph" in str(caught.value)
