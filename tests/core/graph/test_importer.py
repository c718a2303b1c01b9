from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf


def definition() -> Any:
    """x -> doubled, and a constant beside doubled."""
    graph = tf.Graph()
    with graph.as_default():
        doubled = tf.multiply(tf.placeholder(tf.float32, name="x"), 2.0, name="doubled")
        with graph.colocate_with(doubled.op):
            tf.constant(1.0, name="beside")
    return graph.as_graph_def()


def test_names_of_replaced_tensors_may_be_bytes() -> None:
    (y,) = tf.import_graph_def(definition(), {b"x:0": tf.constant(4.0)}, [b"doubled:0"])
    assert y.eval() == np.float32(8.0)


@pytest.mark.parametrize(("producer", "rank"), [(0, None), (23, None), (24, 0)])
def test_scalar_placeholders_of_old_graphs_have_any_shape(producer: int, rank: Any) -> None:
    with tf.Graph().as_default() as graph:
        tf.multiply(tf.placeholder(tf.float32, [], name="x"), 2.0, name="doubled")
        tf.placeholder(tf.float32, [3], name="vector")
    old = graph.as_graph_def()
    old.versions.producer = producer
    names = ["x:0", "doubled:0", "vector:0"]
    x, doubled, vector = tf.import_graph_def(old, return_elements=names)
    assert x.shape.ndims == doubled.shape.ndims == rank
    assert vector.shape.as_list() == [3]
    assert not old.node[0].attr["shape"].shape.unknown_rank
    if rank is None:
        assert doubled.eval({x: [1.0, 2.0]}).tolist() == [2.0, 4.0]


def test_groups_take_the_new_names() -> None:
    for expected in (b"loc:@doubled", b"loc:@doubled_1"):
        (op,) = tf.import_graph_def(definition(), return_elements=["beside"], name="")
        assert op.colocation_groups() == [expected]
    (op,) = tf.import_graph_def(definition(), return_elements=["beside"], name="scope")
    assert op.colocation_groups() == [b"loc:@scope/doubled"]


def test_an_operation_goes_where_its_group_is() -> None:
    with tf.device(lambda op: "/job:ps" if "doubled" in op.name else "/job:worker"):
        doubled, beside = tf.import_graph_def(definition(), return_elements=["doubled", "beside"])
    assert doubled.device == beside.device == "/job:ps"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d.node.add(name="x", op="NoOp"), ValueError, "Duplicate name 'x' in GraphDef."),
        (lambda d: d.node.add(name="n", op="NoOp", input=["^z"]), ValueError, "Control input '.z'"),
        (lambda d: d.node.add(name="n", op="Neg", input=["z"]), ValueError, "Input tensor 'z' not"),
        (lambda d: d.node.add(name="n", op="Neg", input=["x:3"]), ValueError, "Input tensor 'x:3'"),
        (
            lambda d: d.node.add(name="n", op="Neg", input=["z:y:0"]),
            ValueError,
            "Cannot convert 'z:y:0' to a tensor name.",
        ),
        (
            lambda d: d.node[-1].attr["_class"].list.s.append(b"loc:@nowhere"),
            ValueError,
            "op that does not exist during import: nowhere in beside",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(
    change: Any, error: type[Exception], message: str
) -> None:
    graph_def = definition()
    added = change(graph_def)
    if added is not None and added.op == "Neg":
        added.attr["T"].type = tf.float32.as_datatype_enum
    with pytest.raises(error, match=message):
        tf.import_graph_def(graph_def)
    assert tf.get_default_graph().get_operations() == []


def test_arguments_are_checked() -> None:
    with pytest.raises(TypeError, match="^graph_def must be a GraphDef proto.$"):
        tf.import_graph_def("")
    with pytest.raises(TypeError, match="input_map must be a dictionary"):
        tf.import_graph_def(definition(), [tf.constant(1.0)])
    with pytest.raises(ValueError, match="requires a non-empty `name`"):
        tf.import_graph_def(definition(), {"x": 4.0}, name="")
    with pytest.raises(ValueError, match="type int32 to an input of type float32."):
        tf.import_graph_def(definition(), {"x": tf.constant(1)})


def test_unknown_inputs_are_named_as_they_were_given() -> None:
    with tf.Graph().as_default() as source:
        tf.constant(1, name="a")
    with tf.Graph().as_default():
        one = tf.constant(1)
        with pytest.raises(ValueError, match=r"not found in graph_def: \[b:0, c\]"):
            tf.import_graph_def(source.as_graph_def(), {"b:0": one, "c": one, "a:0": one})


def test_outputs_that_are_not_there_cannot_be_replaced() -> None:
    with tf.Graph().as_default() as source:
        tf.unstack(tf.constant([1, 2], name="a"), name="parts")
    source_def = source.as_graph_def()
    source_def.node.add(name="unknown", op="NobodyDeclaresThis")
    pair = tf.constant([1, 2])
    for name in ("a:1", "parts:2", "parts:7"):
        with pytest.raises(ValueError) as caught:
            tf.import_graph_def(source_def, {name: pair, "parts:1": pair})
        said = f"Attempted to map inputs that were not found in graph_def: [{name}]"
        assert str(caught.value) == said
    unused = {"a:0": pair, "parts": pair, "parts:1": pair, "unknown:5": pair}
    tf.import_graph_def(source_def, unused)


def test_graphs_for_other_versions_are_refused() -> None:
    graph_def = tf.GraphDef()
    for producer, min_consumer, bad, said in [
        (-1, 0, [], "producer version -1 below min producer 0 supported by TensorFlow"),
        (24, 25, [], "min consumer version 25 above current version 24 for TensorFlow"),
        (24, 0, [24], "disallows consumer version 24.  Please upgrade TensorFlow: this"),
    ]:
        versions = graph_def.versions
        versions.producer, versions.min_consumer = producer, min_consumer
        versions.bad_consumers[:] = bad
        with pytest.raises(ValueError, match=f"^GraphDef {said}"):
            tf.import_graph_def(graph_def)


def test_graphs_have_the_versions_of_what_was_imported() -> None:
    graph = tf.get_default_graph()
    assert (graph.graph_def_versions.producer, graph.graph_def_versions.min_consumer) == (24, 0)
    bare = tf.GraphDef()
    bare.node.add(name="nothing", op="NoOp")
    tf.import_graph_def(bare)
    assert graph.graph_def_versions.producer == 24
    for producer, min_consumer, bad, expected in [
        (1395, 12, [30], (24, 12, [30])),
        (21, 5, [27], (21, 12, [27, 30])),
        (22, 0, [], (21, 12, [27, 30])),
    ]:
        imported = definition()
        versions = imported.versions
        versions.producer, versions.min_consumer = producer, min_consumer
        versions.bad_consumers[:] = bad
        tf.import_graph_def(imported)
        for found in (graph.graph_def_versions, graph.as_graph_def().versions):
            assert (found.producer, found.min_consumer, list(found.bad_consumers)) == expected
