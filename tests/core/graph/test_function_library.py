"""Bodies as functions of a GraphDef: written, read back, and refused where they make no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.protos import AttrValue, FunctionDef, NodeDef


def evaluate(graph_def: Any, feeds: list[dict[str, Any]]) -> list[Any]:
    """What `out` is for each feed in the graph of a definition."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        operations = {op.name for op in graph.get_operations()}
        found = []
        for feed in feeds:
            with tf.Session() as session:
                if "init" in operations:
                    session.run("init")
                found.append(session.run("out:0", feed))
        return found


def conditional() -> Any:
    x = tf.placeholder(tf.float32, [2], name="x")
    return tf.cond(x[0] > 0.0, lambda: tf.square(x), lambda: x - 1.0)


def conditional_gradient() -> Any:
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.cond(x[0] > 0.0, lambda: tf.exp(x) * x, lambda: tf.sin(x))
    return tf.gradients(tf.gradients(y, x)[0], x)[0]


def loop_gradient() -> Any:
    x = tf.placeholder(tf.float32, [2], name="x")
    v = tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, tf.sin(v) * x), [0, x])[1]
    return tf.gradients(v, x)[0]


def nested() -> Any:
    x = tf.placeholder(tf.float32, [2], name="x")

    def body(i: Any, v: Any) -> Any:
        inner = tf.while_loop(lambda j, w: j < i, lambda j, w: (j + 1, w * x), [0, v])[1]
        return i + 1, tf.cond(tf.reduce_sum(inner) > 2.0, lambda: inner - x, lambda: inner + x)

    return tf.while_loop(lambda i, v: i < 4, body, [0, x])[1]


def arrays() -> Any:
    x = tf.placeholder(tf.float32, [2], name="x")
    return tf.scan(lambda total, e: total + e * e, x)


def variables() -> Any:
    x = tf.placeholder(tf.float32, [2], name="x")
    variable = tf.Variable([1.0, 2.0], name="v")
    tf.group(variable.initializer, name="init")

    def body(i: Any) -> Any:
        with tf.control_dependencies([tf.assign_add(variable, x)]):
            return tf.identity(i + 1)

    turns = tf.while_loop(lambda i: i < 3, body, [0])
    with tf.control_dependencies([turns]):
        return variable.read_value()


BUILDERS = [conditional, conditional_gradient, loop_gradient, nested, arrays, variables]
FEEDS = [{"x:0": [0.5, 1.5]}, {"x:0": [-0.5, 0.25]}]


@pytest.mark.parametrize("build", BUILDERS)
def test_what_is_exported_comes_back(build: Callable[[], Any]) -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.identity(build(), name="out")
        definition = graph.as_graph_def()
        expected = []
        for feed in FEEDS:
            if build is variables:
                session.run("init")
            expected.append(session.run("out:0", feed))
    again = tf.GraphDef.FromString(definition.SerializeToString())
    np.testing.assert_allclose(evaluate(again, FEEDS), expected, rtol=1e-5)
    lowered = tf.graph_util.lower_control_flow(definition)
    np.testing.assert_allclose(evaluate(lowered, FEEDS), expected, rtol=1e-5)
    scoped = tf.Graph()
    with scoped.as_default():
        tf.import_graph_def(definition, name="copy")
        third = scoped.as_graph_def()
    assert {f.signature.name for f in third.library.function}
    assert all(node.name.startswith("copy/") for node in third.node)


def test_gradients_flow_through_what_came_back() -> None:
    with tf.Graph().as_default() as graph:
        tf.identity(nested(), name="out")
        definition = graph.as_graph_def()
        x = graph.get_tensor_by_name("x:0")
        (wanted,) = tf.gradients(graph.get_tensor_by_name("out:0"), x)
        with tf.Session() as session:
            expected = session.run(wanted, {x: [0.5, 1.5]})
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        x = graph.get_tensor_by_name("x:0")
        (gradient,) = tf.gradients(graph.get_tensor_by_name("out:0"), x)
        with tf.Session() as session:
            np.testing.assert_allclose(session.run(gradient, {x: [0.5, 1.5]}), expected, rtol=1e-5)


def test_a_node_names_the_functions_that_the_graph_has() -> None:
    with tf.Graph().as_default() as graph:
        op = conditional().op
        names = {f.signature.name for f in graph.as_graph_def().library.function}
        assert {op.node_def.attr[a].func.name for a in ("then_branch", "else_branch")} == names


def test_meta_graphs_have_their_functions() -> None:
    with tf.Graph().as_default() as graph:
        tf.identity(variables(), name="out")
        meta = tf.train.export_meta_graph(graph=graph)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(meta)
        session.run(tf.global_variables_initializer())
        assert session.run("out:0", {"x:0": [1.0, 1.0]}).tolist() == [4.0, 5.0]


# -- functions by hand -----------------------------------------------------------------------


def node(name: str, op: str, *inputs: str, **attrs: Any) -> Any:
    made = NodeDef(name=name, op=op)
    made.input.extend(inputs)
    for key, value in attrs.items():
        if isinstance(value, list):
            made.attr[key].list.type.extend(value)
        elif isinstance(value, str):
            made.attr[key].func.name = value
        else:
            made.attr[key].CopyFrom(value)
    return made


FLOAT = tf.float32.as_datatype_enum


def a_type(value: int = FLOAT) -> Any:
    return AttrValue(type=value)


def function(name: str, nodes: list[Any], result: str, arguments: int = 1) -> Any:
    made = FunctionDef()
    made.signature.name = name
    for index in range(arguments):
        argument = made.signature.input_arg.add()
        argument.name, argument.type = f"x{index}" if index else "x", FLOAT
    output = made.signature.output_arg.add()
    output.name, output.type = "y", FLOAT
    for each in nodes:
        made.node_def.add().CopyFrom(each)
    made.ret["y"] = result
    return made


def doubling() -> Any:
    return function("double", [node("sum", "Add", "x", "x", T=a_type())], "sum:z:0")


def calling(*functions: Any, called: str = "double", op: str = "PartitionedCall") -> Any:
    definition = tf.GraphDef()
    placeholder = node("x", "Placeholder", dtype=a_type())
    call = node("call", op, "x", Tin=[FLOAT], Tout=[FLOAT], f=called)
    definition.node.extend([placeholder, call])
    definition.node.add().CopyFrom(node("out", "Identity", "call", T=a_type()))
    for each in functions:
        definition.library.function.add().CopyFrom(each)
    return definition


@pytest.mark.parametrize("op", ["PartitionedCall", "StatefulPartitionedCall"])
def test_calls_are_put_in_place(op: str) -> None:
    quadruple = function(
        "quadruple",
        [
            node("one", op, "x", Tin=[FLOAT], Tout=[FLOAT], f="double"),
            node("two", op, "one:output:0", Tin=[FLOAT], Tout=[FLOAT], f="double"),
        ],
        "two:output:0",
    )
    definition = calling(doubling(), quadruple, called="quadruple", op=op)
    assert evaluate(definition, [{"x:0": 3.0}]) == [12.0]
    assert evaluate(tf.graph_util.lower_control_flow(definition), [{"x:0": 3.0}]) == [12.0]


def test_a_function_is_called_by_its_name() -> None:
    definition = tf.GraphDef()
    definition.node.extend([node("x", "Placeholder", dtype=a_type()), node("call", "double", "x")])
    definition.node.add().CopyFrom(node("out", "Identity", "call", T=a_type()))
    definition.library.function.add().CopyFrom(doubling())
    assert evaluate(definition, [{"x:0": 3.0}]) == [6.0]


def test_a_function_takes_attributes_of_its_call() -> None:
    inner = doubling()
    inner.node_def[0].attr["T"].placeholder = "T"
    definition = calling(inner)
    with pytest.raises(ValueError, match="'double' is called without its attribute 'T'"):
        evaluate(definition, [])
    definition.node[1].attr["f"].func.attr["T"].type = FLOAT
    assert evaluate(definition, [{"x:0": 3.0}]) == [6.0]


def endless() -> Any:
    return function(
        "double",
        [node("again", "PartitionedCall", "x", Tin=[FLOAT], Tout=[FLOAT], f="double")],
        "again:output:0",
    )


def doubled_again_and_again(times: int) -> list[Any]:
    """Functions that would have 2 ** times nodes, all put in place."""
    made = [doubling()]
    for index in range(times):
        inner = made[-1].signature.name
        attrs: dict[str, Any] = {"Tin": [FLOAT], "Tout": [FLOAT], "f": inner}
        made.append(
            function(
                f"level_{index}",
                [
                    node("one", "PartitionedCall", "x", **attrs),
                    node("two", "PartitionedCall", "one:output:0", **attrs),
                ],
                "two:output:0",
            )
        )
    return made


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (lambda: calling(), "'double' is not defined"),
        (lambda: calling(endless()), "'double' calls itself: double -> double"),
        (lambda: calling(doubling(), doubling()), "two functions 'double'"),
        (
            lambda: calling(function("double", [], "nothing:z:0")),
            "a result needs 'nothing:z:0', which is neither an argument nor an output",
        ),
        (
            lambda: calling(function("double", [node("a", "Neg", "b:y:0", T=a_type())], "a:y:0")),
            "node 'a' needs 'b:y:0'",
        ),
        (
            lambda: calling(function("double", [node("a", "Neg", "x", T=a_type())], "a:other:0")),
            "'a:other'",
        ),
        (
            lambda: calling(function("double", [], "x", arguments=2)),
            "'double' takes 2 arguments, but is called with 1",
        ),
    ],
)
@pytest.mark.parametrize("reader", ["import", "lower"])
def test_libraries_that_make_no_sense_are_refused(
    definition: Callable[[], Any], message: str, reader: str
) -> None:
    given = definition()
    with tf.Graph().as_default() as graph:
        with pytest.raises(ValueError, match=message):
            if reader == "import":
                tf.import_graph_def(given, name="")
            else:
                tf.graph_util.lower_control_flow(given)
        assert not graph.get_operations()


@pytest.mark.parametrize("reader", ["import", "lower"])
def test_a_library_that_would_fill_the_memory_is_refused(reader: str) -> None:
    definition = calling(*doubled_again_and_again(60), called="level_59")
    with (
        tf.Graph().as_default(),
        pytest.raises(ValueError, match="call each other so often"),
    ):
        if reader == "import":
            tf.import_graph_def(definition, name="")
        else:
            tf.graph_util.lower_control_flow(definition)


def test_functions_of_other_operations_stay_in_the_graph() -> None:
    definition = tf.GraphDef()
    mapped = node("mapped", "SomeMapDataset", f="double")
    definition.node.add().CopyFrom(mapped)
    definition.library.function.add().CopyFrom(doubling())
    definition.library.function.add().CopyFrom(function("unused", [], "x"))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        exported = graph.as_graph_def()
    assert [f.signature.name for f in exported.library.function] == ["double"]
    assert exported.node[0].attr["f"].func.name == "double"
    lowered = tf.graph_util.lower_control_flow(definition)
    assert [f.signature.name for f in lowered.library.function] == ["double"]


def raw_conditional(index_is_used: bool) -> Any:
    """A function that gives -x where x is less than 0, else x, with Switch and Merge."""
    nodes = [
        node("zero", "Const", dtype=a_type(), value=AttrValue(tensor=tf.make_tensor_proto(0.0))),
        node("less", "Less", "x", "zero:output:0", T=a_type()),
        node("switch", "Switch", "x", "less:z:0", T=a_type()),
        node("minus", "Neg", "switch:output_true:0", T=a_type()),
        node("merge", "Merge", "switch:output_false:0", "minus:y:0", T=a_type(), N=AttrValue(i=2)),
        node(
            "index",
            "Cast",
            "merge:value_index:0",
            SrcT=a_type(tf.int32.as_datatype_enum),
            DstT=a_type(),
        ),
    ]
    result = "index:y:0" if index_is_used else "merge:output:0"
    return function("double", nodes if index_is_used else nodes[:-1], result)


def test_raw_control_flow_in_functions_that_are_called() -> None:
    feeds = [{"x:0": -3.0}, {"x:0": 2.0}]
    assert evaluate(calling(raw_conditional(False)), feeds) == [3.0, 2.0]
    assert evaluate(calling(raw_conditional(True)), feeds) == [1.0, 0.0]


def in_a_branch(inner: Any) -> Any:
    definition = tf.GraphDef()
    boolean = tf.bool.as_datatype_enum
    definition.node.extend(
        [node("x", "Placeholder", dtype=a_type()), node("p", "Placeholder", dtype=a_type(boolean))]
    )
    attrs: dict[str, Any] = {"Tin": [FLOAT], "Tout": [FLOAT], "Tcond": a_type(boolean)}
    branches = {"then_branch": "double", "else_branch": "same"}
    definition.node.add().CopyFrom(node("choice", "If", "p", "x", **attrs, **branches))
    definition.node.add().CopyFrom(node("out", "Identity", "choice", T=a_type()))
    for each in (inner, function("same", [], "x")):
        definition.library.function.add().CopyFrom(each)
    return definition


def test_raw_control_flow_in_branches_of_functional_control_flow() -> None:
    feeds = [{"x:0": -3.0, "p:0": True}, {"x:0": 2.0, "p:0": True}, {"x:0": -3.0, "p:0": False}]
    assert evaluate(in_a_branch(raw_conditional(False)), feeds) == [3.0, 2.0, -3.0]
    with pytest.raises(ValueError, match="'double' has loops or branches in raw form"):
        evaluate(in_a_branch(raw_conditional(True)), [])
