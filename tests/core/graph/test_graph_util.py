"""Graph definitions cut down to what is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.creation import call, create

pytestmark = pytest.mark.usefixtures("graph")


def names(graph_def: Any) -> list[str]:
    return [node.name for node in graph_def.node]


def test_parts_of_graphs(graph: tf.Graph) -> None:
    a = tf.constant(1.0, name="a")
    with tf.control_dependencies([tf.no_op("before")]):
        b = tf.identity(a, name="b")
    tf.add(a, a, name="unused")
    tf.split(b[None], 1, name="pieces")
    whole = graph.as_graph_def()
    assert names(tf.graph_util.extract_sub_graph(whole, ["b"])) == ["a", "before", "b"]
    assert "unused" in names(tf.graph_util.extract_sub_graph(whole, ["unused", "a"]))
    with pytest.raises(AssertionError, match="c is not in graph"):
        tf.graph_util.extract_sub_graph(whole, ["c"])
    with pytest.raises(TypeError, match="dest_nodes must be a list"):
        tf.graph_util.extract_sub_graph(whole, "b")
    with pytest.raises(TypeError, match="must be a GraphDef proto, got Graph"):
        tf.graph_util.extract_sub_graph(graph, ["b"])


def test_frozen_graphs_compute_the_same(graph: tf.Graph) -> None:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    w = tf.Variable(np.arange(4, dtype=np.float32).reshape(2, 2), name="w")
    b = tf.Variable([1.0, -1.0], name="b")
    y = tf.nn.relu(tf.matmul(x, w) + b, name="y")
    step = tf.Variable(0, name="step", trainable=False)
    tf.group(w.assign(w * 2.0), step.assign_add(1))
    fed = np.array([[1.0, 2.0], [-3.0, 4.0]], np.float32)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        want = session.run(y, {x: fed})
        frozen = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
        partly = tf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["y"], variable_names_blacklist=["w"]
        )
        other = tf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["y"], variable_names_whitelist=["w"]
        )
    assert not [node for node in frozen.node if node.op.startswith("Variable")]
    assert "step" not in names(frozen)
    assert [node.name for node in partly.node if node.op == "VariableV2"] == ["w"]
    assert [node.name for node in other.node if node.op == "VariableV2"] == ["b"]
    with tf.Graph().as_default(), tf.Session() as session:
        (found,) = tf.import_graph_def(frozen, return_elements=["y:0"], name="")
        assert session.run(found, {"x:0": fed}).tolist() == want.tolist()
    small = tf.graph_util.remove_training_nodes(frozen, protected_nodes=["y"])
    assert not [node for node in small.node if node.op == "Identity"]
    with tf.Graph().as_default(), tf.Session() as session:
        (found,) = tf.import_graph_def(small, return_elements=["y:0"], name="")
        assert session.run(found, {"x:0": fed}).tolist() == want.tolist()


def test_resource_variables_freeze_too(graph: tf.Graph) -> None:
    handle = call("VarHandleOp", "v", dtype=tf.float32, shape=[2])
    start = create("AssignVariableOp", "start", resource=handle, value=[1.0, 2.0])
    read = call("ReadVariableOp", "v/Read", resource=handle, dtype=tf.float32)
    tf.multiply(read, 2.0, name="y")
    with tf.Session() as session:
        session.run(start)
        frozen = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
    with tf.Graph().as_default(), tf.Session() as session:
        (found,) = tf.import_graph_def(frozen, return_elements=["y:0"])
        assert session.run(found).tolist() == [2.0, 4.0]


def test_variables_without_values_do_not_freeze(graph: tf.Graph) -> None:
    tf.identity(tf.Variable(1.0, name="v"), name="y")
    with tf.Session() as session, pytest.raises(tf.errors.FailedPreconditionError, match="value v"):
        tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])


def test_nodes_of_training(graph: tf.Graph) -> None:
    v = tf.Variable(1.0, name="v")
    a = tf.identity(tf.identity(v, name="a"), name="b")
    with tf.control_dependencies([tf.identity(a, name="waited_for")]):
        tf.add(a, a, name="y")
    small = tf.graph_util.remove_training_nodes(graph.as_graph_def())
    kept = names(small)
    assert "v/read" in kept and "waited_for" in kept and "a" not in kept and "b" not in kept
    (y,) = (node for node in small.node if node.name == "y")
    assert list(y.input) == ["v/read", "v/read", "^waited_for"]


def test_checks_are_removed_with_what_waits_for_them(graph: tf.Graph) -> None:
    a = tf.constant(1.0, name="a")
    checked = tf.check_numerics(a, "bad", name="checked")
    with tf.control_dependencies([checked]):
        b = tf.identity(a, name="b")
    tf.add(b, checked, name="y")
    small = tf.graph_util.remove_training_nodes(graph.as_graph_def())
    assert [(node.name, list(node.input)) for node in small.node] == [("a", []), ("y", ["a", "a"])]
    kept = tf.graph_util.remove_training_nodes(graph.as_graph_def(), ["checked"])
    assert names(kept) == ["a", "checked", "b", "y"]


def test_shapes_and_devices(graph: tf.Graph) -> None:
    a, b = tf.split(tf.zeros([4, 3], name="z"), [1, 3], name="s")
    shape_of = tf.graph_util.tensor_shape_from_node_def_name
    assert shape_of(graph, "z").as_list() == [4, 3]
    assert shape_of(graph, "s:1").as_list() == [3, 3]
    v = tf.Variable(1.0)
    on_cpu = tf.graph_util.must_run_on_cpu
    assert on_cpu(tf.constant("text").op) and on_cpu(tf.constant(1).op.node_def)
    assert not on_cpu(tf.constant(1.0).op) and not on_cpu(v.op)
    assert on_cpu(v.op, pin_variables_on_cpu=True)
    assert on_cpu(tf.cast(a, tf.int32).op) and not on_cpu(tf.cast(b, tf.float64).op)
