"""Raw control flow by hand: what becomes functional, and what stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import workbench as tf
from workbench.core.graph.importer import import_nodes
from workbench.core.ops.control_flow_primitives import (
    control_trigger,
    enter,
    exit,
    loop_cond,
    merge,
    next_iteration,
    switch,
)

RAW = {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"}


def raised(build: Callable[[], Any]) -> tuple[Any, set[str]]:
    """The raised definition of a graph whose result is `out`, and the types in it."""
    with tf.Graph().as_default() as graph:
        tf.identity(build(), name="out")
        definition = tf.graph_util.raise_control_flow(graph.as_graph_def())
    return definition, {node.op for node in definition.node}


def values(definition: Any, feeds: list[dict[str, Any]]) -> list[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        import_nodes(definition, name="", raises=False)
        return [session.run("out:0", {f"{k}:0": v for k, v in feed.items()}) for feed in feeds]


def branches(join: Callable[[Any, Any, Any], Any]) -> Callable[[], Any]:
    def build() -> Any:
        x = tf.placeholder(tf.float32, [], name="x")
        p = tf.placeholder(tf.bool, [], name="p")
        no, yes = switch(x, p)
        return join(no, yes, p)

    return build


FEEDS = [{"x": 3.0, "p": True}, {"x": 3.0, "p": False}]


def test_a_conditional_is_raised() -> None:
    definition, types = raised(
        branches(lambda no, yes, p: merge([tf.square(yes), tf.negative(no)]).output)
    )
    assert not types & RAW
    assert "StatelessIf" in types
    assert values(definition, FEEDS) == [9.0, -3.0]


def test_two_conditionals_of_one_predicate_that_follow_each_other() -> None:
    def join(no: Any, yes: Any, p: Any) -> Any:
        first = merge([tf.negative(no), tf.square(yes)]).output
        again, more = switch(first, p)
        return merge([again + 1.0, more + 2.0]).output

    definition, types = raised(branches(join))
    assert not types & RAW
    assert sum(node.op == "StatelessIf" for node in definition.node) == 2
    assert values(definition, FEEDS) == [11.0, -2.0]


def test_an_effect_in_a_branch_happens_where_it_is_taken() -> None:
    def build() -> Any:
        p = tf.placeholder(tf.bool, [], name="p")
        queue = tf.FIFOQueue(10, [tf.float32], shapes=[[]], name="queue")
        no, yes = switch(tf.constant(5.0), p)
        put = queue.enqueue([yes])
        with tf.control_dependencies([put]):
            trigger = control_trigger()
        with tf.control_dependencies([trigger]):
            return tf.identity(queue.size())

    definition, types = raised(build)
    assert not types & RAW
    assert "If" in types
    assert values(definition, [{"p": True}, {"p": False}, {"p": True}]) == [1, 1, 2]


@pytest.mark.parametrize(
    "join",
    [
        lambda no, yes, p: merge([no, yes]).value_index,
        lambda no, yes, p: merge([yes, tf.constant(1.0)]).output,
        lambda no, yes, p: merge([no, yes, tf.negative(yes)]).output,
        lambda no, yes, p: tf.negative(yes),
    ],
    ids=["the index is used", "one side is always there", "three inputs", "no merge"],
)
def test_what_is_no_conditional_stays_raw(join: Callable[[Any, Any, Any], Any]) -> None:
    definition, types = raised(branches(join))
    assert "Switch" in types
    assert not definition.library.function
    assert values(definition, FEEDS[:1])


def loop(body: Callable[[Any, Any], Any], **options: Any) -> Callable[[], Any]:
    """A loop that goes on while its value is less than 100."""

    def build() -> Any:
        x = tf.placeholder(tf.float32, [], name="x")
        start = enter(x, "loop", **options)
        factor = enter(x, "loop", is_constant=True, **options)
        limit = enter(tf.constant(100.0), "loop", is_constant=True, **options)
        value = merge([start, start]).output
        done, turn = switch(value, loop_cond(value < limit))
        value.op._update_input(1, next_iteration(body(turn, factor)))
        return exit(done)

    return build


def test_a_loop_is_raised() -> None:
    definition, types = raised(loop(lambda v, x: v * x, parallel_iterations=7))
    assert not types & RAW
    (made,) = [node for node in definition.node if node.op == "StatelessWhile"]
    assert made.attr["parallel_iterations"].i == 7
    assert values(definition, [{"x": 3.0}, {"x": 200.0}]) == [243.0, 200.0]


def test_a_loop_that_uses_what_is_not_decided_stays_raw() -> None:
    def build() -> Any:
        start = enter(tf.placeholder(tf.float32, [], name="x"), "loop")
        value = merge([start, start]).output
        limit = enter(tf.constant(10.0), "loop", is_constant=True)
        done, turn = switch(value, loop_cond(value < limit))
        value.op._update_input(1, next_iteration(turn + turn))
        # A value leaves that does not go round.
        return exit(tf.negative(done))

    definition, types = raised(build)
    assert types >= {"Enter", "Exit"}
    assert values(definition, [{"x": 3.0}]) == [-12.0]


def test_what_is_not_well_formed_is_left_alone() -> None:
    definition = tf.GraphDef()
    node = definition.node.add()
    node.name, node.op = "merge", "Merge"
    node.input.extend(["nothing", "merge"])
    assert tf.graph_util.raise_control_flow(definition) == definition
    with pytest.raises(TypeError, match="must be a GraphDef"):
        tf.graph_util.raise_control_flow("graph")
