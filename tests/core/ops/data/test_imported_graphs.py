"""Iterators of graphs that were imported: what of their datasets is there, and what is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
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


ELSEWHERE = """
import sys
import workbench as tf
iterator = tf.data.Dataset.range(9).make_one_shot_iterator()
tf.identity(iterator.get_next(), name="output")
tf.train.export_meta_graph(sys.argv[1])
"""


def test_the_dataset_of_another_process_is_none_of_this_one(tmp_path: Path) -> None:
    path = str(tmp_path / "graph.meta")
    command = [sys.executable, "-c", ELSEWHERE, path]
    subprocess.run(command, check=True, timeout=60)
    mine = Dataset.range(50, 53).make_one_shot_iterator().get_next()
    exported = tf.MetaGraphDef.FromString(Path(path).read_bytes())
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
