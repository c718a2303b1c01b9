"""GraphDefs with branches and loops that TensorFlow wrote: they give what TensorFlow computed.

`tests.peers.write_control_flow_graphs` wrote them and the values that are wanted.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph.body import CONTROL_FLOW

FOLDER = Path(__file__).parent / "control_flow_graphs"
RESULTS: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / "results.json").read_text())


def definition(name: str) -> Any:
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(gzip.decompress((FOLDER / f"{name}.pb.gz").read_bytes()))
    return graph_def


def check(name: str, graph_def: Any) -> None:
    """Imports and runs a graph and compares with the values of its case."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        operations = {op.name for op in graph.get_operations()}
        for run in RESULTS[name]:
            with tf.Session() as session:
                if "init" in operations:
                    session.run("init")
                feeds = {f"{key}:0": value for key, value in run["feed"].items()}
                values = session.run({k: f"out_{k}:0" for k in run["want"]}, feeds)
            for key, want in run["want"].items():
                np.testing.assert_allclose(values[key], want, rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", [n for n in RESULTS if n.startswith("raw/")])
def test_raw_graphs_give_what_tensorflow_computed(name: str) -> None:
    check(name, definition(name))


@pytest.mark.parametrize("name", [n for n in RESULTS if n.startswith("functional/")])
def test_functional_graphs_give_what_tensorflow_computed(name: str) -> None:
    check(name, definition(name))


@pytest.mark.parametrize(
    "name", ["raw/nested_while", "raw/dynamic_rnn", "functional/cond", "functional/tensor_array"]
)
def test_graphs_survive_export(name: str) -> None:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition(name), name="")
        exported = graph.as_graph_def()
    check(name, exported)


@pytest.mark.parametrize("name", [n for n in RESULTS if n.startswith("functional/")])
def test_lowered_graphs_give_what_tensorflow_computed(name: str) -> None:
    lowered = tf.graph_util.lower_control_flow(definition(name))
    assert not {node.op for node in lowered.node} & set(CONTROL_FLOW)
    assert not lowered.library.function
    check(name, lowered)


def test_shapes_in_loops_hold_for_all_turns() -> None:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition("raw/growing"), name="")
        assert graph.get_tensor_by_name("while/Merge_1:0").shape.as_list() == [None]
        assert graph.get_tensor_by_name("while/concat:0").shape.as_list() == [None]
        assert graph.get_tensor_by_name("while/Merge:0").shape.as_list() == []
