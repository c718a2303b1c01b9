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
from workbench.core.graph.importer import import_nodes

FOLDER = Path(__file__).parent / "control_flow_graphs"
RESULTS: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / "results.json").read_text())


def definition(name: str) -> Any:
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(gzip.decompress((FOLDER / f"{name}.pb.gz").read_bytes()))
    return graph_def


def check(name: str, graph_def: Any, raises: bool = False) -> None:
    """Imports and runs a graph and compares with the values of its case."""
    with tf.Graph().as_default() as graph:
        import_nodes(graph_def, name="", raises=raises)
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
        import_nodes(definition(name), name="", raises=False)
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
        import_nodes(definition("raw/growing"), name="", raises=False)
        assert graph.get_tensor_by_name("while/Merge_1:0").shape.as_list() == [None]
        assert graph.get_tensor_by_name("while/concat:0").shape.as_list() == [None]
        assert graph.get_tensor_by_name("while/Merge:0").shape.as_list() == []


# -- raw graphs raised to functional ones ------------------------------------------------------

RAW = {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"}
#: What has no functional form here: it is asked which input a Merge took; a loop has a Switch
#: without a Merge; a loop goes on while others use its results.
STAYS_RAW = {
    "raw/stacks_and_switches",
    "raw/while_in_cond",
    "raw/training_after_the_loss",
}


def types(graph_def: Any) -> set[str]:
    return {node.op for node in graph_def.node}


@pytest.mark.parametrize("name", [n for n in RESULTS if n.startswith("raw/")])
def test_raised_graphs_give_what_tensorflow_computed(name: str) -> None:
    given = definition(name)
    before = given.SerializeToString(deterministic=True)
    raised = tf.graph_util.raise_control_flow(given)
    assert given.SerializeToString(deterministic=True) == before
    assert bool(types(raised) & RAW) == (name in STAYS_RAW)
    check(name, raised)
    check(name, given, raises=True)


@pytest.mark.parametrize("name", [n for n in RESULTS if n.startswith("functional/")])
def test_what_was_lowered_is_raised_again(name: str) -> None:
    raised = tf.graph_util.raise_control_flow(tf.graph_util.lower_control_flow(definition(name)))
    assert not types(raised) & RAW
    assert types(raised) & set(CONTROL_FLOW)
    check(name, raised)


GRADIENTS = [
    "cond",
    "nested_cond",
    "while_gradient",
    "nested_while",
    "cond_in_while",
    "while_in_cond",
    "tensor_array",
]


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_flow_through_imported_raw_graphs(name: str, tier: str) -> None:
    runs = RESULTS[f"raw/{name}"]
    key = "s" if "s" in runs[0]["want"] else "y"
    forward = tf.graph_util.extract_sub_graph(definition(f"raw/{name}"), [f"out_{key}"])
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(forward, name="")
        x = graph.get_tensor_by_name("x:0")
        (gradient,) = tf.gradients(graph.get_tensor_by_name(f"out_{key}:0"), x)
        for run in runs:
            with tf.Session(tier=tier) as session:
                feeds = {f"{k}:0": value for k, value in run["feed"].items()}
                found = session.run(gradient, feeds)
            np.testing.assert_allclose(found, run["want"]["g"], rtol=1e-5, atol=1e-6)


def test_what_is_asked_for_inside_of_loops_keeps_them_raw() -> None:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition("raw/while_loop"), name="", return_elements=["loop/Merge"])
        assert {op.type for op in graph.get_operations()} >= {"Enter", "Merge", "Exit"}
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition("raw/while_loop"), name="", return_elements=["loop/Exit"])
        assert not {op.type for op in graph.get_operations()} & RAW


def test_replaced_inputs_are_replaced_in_loops() -> None:
    with tf.Graph().as_default():
        (found,) = tf.import_graph_def(
            definition("raw/while_loop"), {"n": tf.constant(5)}, ["out_i:0"], name=""
        )
        (other,) = tf.import_graph_def(
            definition("raw/while_loop"), {"Const": tf.constant(3)}, ["out_i:0"], name="other"
        )
        assert found.eval() == 5
        assert other.eval({"other/n:0": 5}) == 5


def test_shapes_of_raised_loops_hold_for_all_turns() -> None:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition("raw/growing"), name="")
        assert graph.get_tensor_by_name("while/Exit_1:0").shape.as_list() == [None]
        assert graph.get_tensor_by_name("while/Exit:0").shape.as_list() == []
