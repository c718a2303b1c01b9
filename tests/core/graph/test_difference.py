"""Two graphs laid over each other."""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph.difference import (
    ADDED,
    CHANGED,
    REMOVED,
    SAME,
    difference,
)
from workbench.core.graph.nested import CONTROL


def network(units=8, activation=tf.nn.relu, name="hidden", extra=False, rate=0.1, depth=1):
    """A graph with a hidden layer, trained; every argument changes one thing about it."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        hidden = x
        for i in range(depth):
            hidden = tf.layers.dense(hidden, units, activation, name=f"{name}{i or ''}")
        if extra:
            hidden = tf.nn.dropout(hidden, 0.5, name="dropout")
        loss = tf.reduce_mean(tf.layers.dense(hidden, 1, name="output"), name="loss")
        tf.train.GradientDescentOptimizer(rate).minimize(loss, name="train")
    return graph


def by_name(found):
    names = [op.name for op in found.operations]
    return dict(zip(names, found.status.tolist(), strict=True))


def reconstructed_edges(found, side):
    """The edges of one of the two graphs as the union has them, by names of that graph."""
    left_out = REMOVED if side == "new" else ADDED
    edges = Counter()
    for edge in found.edges:
        if edge.status == left_out:
            continue
        ends = []
        for place in (edge.source, edge.target):
            op, was = found.operations[place], found.was[place]
            ends.append(op.name if side == "new" or was is None else was.name)
        edges[(*ends, edge.output)] += 1
    return edges


def edges_of(graph):
    edges = Counter()
    for op in graph.get_operations():
        for tensor in op.inputs:
            edges[tensor.op.name, op.name, tensor.value_index] += 1
        for control in op.control_inputs:
            edges[control.name, op.name, CONTROL] += 1
    return edges


VARIANTS = {
    "same": {},
    "wider": {"units": 16},
    "activation": {"activation": tf.tanh},
    "renamed": {"name": "concealed"},
    "extra": {"extra": True},
    "rate": {"rate": 0.2},
    "deeper": {"depth": 3},
    "all": {"units": 16, "activation": tf.tanh, "name": "concealed", "extra": True, "rate": 0.2},
}


@pytest.mark.parametrize("now", VARIANTS)
@pytest.mark.parametrize("then", VARIANTS)
def test_the_union_holds_both_graphs(now, then):
    new, old = network(**VARIANTS[now]), network(**VARIANTS[then])
    found = difference(new, old)
    kept = [op for op, status in zip(found.operations, found.status, strict=True) if status != 2]
    assert kept == new.get_operations()
    removed = [op for op, status in zip(found.operations, found.status, strict=True) if status == 2]
    counterparts = [was for was in found.was if was is not None]
    assert len(set(counterparts)) == len(counterparts)
    assert {*removed, *counterparts} == set(old.get_operations())
    assert not {*removed} & {*counterparts}
    assert reconstructed_edges(found, "new") == edges_of(new)
    assert reconstructed_edges(found, "old") == edges_of(old)
    assert set(found.changes) == set(np.flatnonzero(found.status == CHANGED).tolist())
    assert all(found.changes.values())
    assert [edge.target for edge in found.edges] == sorted(edge.target for edge in found.edges)
    assert bool(found) == (now != then)


def test_a_graph_and_itself():
    graph = network()
    found = difference(graph, graph)
    assert not found
    assert set(found.status.tolist()) == set(found.edge_status.tolist()) == {SAME}
    count = len(graph.get_operations())
    assert str(found) == f"The graphs are the same: {count} operations"


def test_removed_operations_follow_the_one_before_them():
    with tf.Graph().as_default() as old:
        a = tf.placeholder(tf.float32, [], name="a")
        b = tf.exp(a, name="b")
        tf.log(b, name="c")
        tf.sin(a, name="d")
    with tf.Graph().as_default() as new:
        a = tf.placeholder(tf.float32, [], name="a")
        tf.tan(a, name="new")
        tf.sin(a, name="d")
    found = difference(new, old)
    assert by_name(found) == {"a": SAME, "b": REMOVED, "c": REMOVED, "new": ADDED, "d": SAME}
    edges = [tuple(edge)[:4] for edge in found.edges]
    assert edges == [(0, 1, 0, REMOVED), (1, 2, 0, REMOVED), (0, 3, 0, ADDED), (0, 4, 0, SAME)]


def scalar(build):
    """A graph of what `build` makes of a placeholder x."""
    with tf.Graph().as_default() as graph:
        build(tf.placeholder(tf.float32, [2, 2], name="x"))
    return graph


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [
        (lambda x: tf.exp(x, name="y"), lambda x: tf.log(x, name="y"), "type Log -> Exp"),
        (
            lambda x: tf.matmul(x, x, transpose_b=True, name="y"),
            lambda x: tf.matmul(x, x, name="y"),
            "transpose_b False -> True",
        ),
        (
            lambda x: tf.add(x, tf.constant(2.0, name="c"), name="y"),
            lambda x: tf.add(x, tf.constant(1.0, name="c"), name="y"),
            "value 1.0 -> 2.0",
        ),
        (
            lambda x: tf.constant(np.arange(20.0), name="c"),
            lambda x: tf.constant(np.arange(20.0) + 1, name="c"),
            "value has other values",
        ),
        (
            lambda x: tf.reshape(x, [4], name="y"),
            lambda x: tf.reshape(x, [1, 4], name="y"),
            "output 0 float32[1,4] -> float32[4]",
        ),
        (
            lambda x: tf.subtract(x, tf.exp(x, name="e"), name="y"),
            lambda x: tf.subtract(tf.exp(x, name="e"), x, name="y"),
            "inputs (e:0, x:0) -> (x:0, e:0)",
        ),
        (
            lambda x: tf.group(tf.exp(x, name="e"), tf.log(x, name="l"), name="y"),
            lambda x: tf.group(tf.exp(x, name="e"), name="y") and tf.log(x, name="l"),
            "waits for e -> e, l",
        ),
    ],
)
def test_what_changed_is_said(now, then, words):
    found = difference(scalar(now), scalar(then))
    assert any(words in change for changes in found.changes.values() for change in changes)
    assert words in str(found)


def test_devices():
    def placed(x):
        with tf.device("/cpu:0"):
            tf.exp(x, name="y")

    found = difference(scalar(placed), scalar(lambda x: tf.exp(x, name="y")))
    assert found.changes == {1: ("device none -> /device:CPU:0",)}


def test_a_value_that_is_not_a_number_is_the_same():
    build = lambda x: tf.constant([np.nan, 1.0], name="c")  # noqa: E731
    assert not difference(scalar(build), scalar(build))


def test_a_renamed_layer_is_renamed():
    found = difference(network(name="concealed"), network())
    status = by_name(found)
    assert ADDED not in status.values()
    assert REMOVED not in status.values()
    renamed = {
        found.operations[i].name: changes[0]
        for i, changes in found.changes.items()
        if changes[0].startswith("renamed")
    }
    assert renamed["concealed/kernel"] == "renamed from hidden/kernel"
    assert renamed["concealed/MatMul"] == "renamed from hidden/MatMul"
    assert set(found.edge_status.tolist()) == {SAME}


def test_renamed_twins_are_told_apart_by_where_they_stand():
    def twins(names):
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [2], name="x")
            for name, outer in zip(names, (tf.sin, tf.cos), strict=True):
                outer(tf.exp(x, name=name), name=f"outer_{outer.__name__}")
        return graph

    found = difference(twins(["c", "d"]), twins(["a", "b"]))
    pairs = {op.name: was and was.name for op, was in zip(found.operations, found.was, strict=True)}
    assert pairs["c"] == "a"
    assert pairs["d"] == "b"


def test_operations_that_share_only_their_type_are_not_renamed():
    with tf.Graph().as_default() as old:
        tf.exp(tf.placeholder(tf.float32, [2], name="a"), name="b")
    with tf.Graph().as_default() as new:
        tf.sin(tf.exp(tf.log(tf.placeholder(tf.float32, [2, 1], name="c"))))
    found = difference(new, old)
    assert CHANGED not in found.status.tolist()


def test_a_changed_tensor_is_a_changed_edge():
    found = difference(network(units=16), network())
    changed = {found.operations[edge.target].name for edge in found.edges if edge.status == CHANGED}
    assert {"hidden/MatMul", "hidden/Relu", "output/MatMul"} <= changed
    assert by_name(found)["x"] == SAME


def test_the_text_is_short():
    with tf.Graph().as_default() as empty:
        pass
    new = network(depth=10)
    text = str(difference(new, empty))
    assert text.startswith(f"{len(new.get_operations())} operations added, 0 removed, 0 changed")
    assert len(text.splitlines()) == 42
    assert text.endswith("more")
    assert str(difference(empty, empty)) == "The graphs are the same: 0 operations"


def chain(length, name):
    with tf.Graph().as_default() as graph:
        value = tf.placeholder(tf.float32, [2], name="x")
        for i in range(length):
            value = tf.tanh(value, name=f"{name}{i}")
    return graph


def calls_of(action):
    """How many functions an action calls: its work, whatever else the machine does."""
    counts = Counter()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: counts.update([event]))
    try:
        action()
    finally:
        sys.setprofile(before)
    return counts["call"] + counts["c_call"]


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_work_grows_with_the_graph_and_no_faster(name):
    work = [
        calls_of(partial(difference, chain(length, "a"), chain(length, name)))
        for length in (250, 1000)
    ]
    assert work[1] < 5 * work[0]
