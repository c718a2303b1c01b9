"""Where the operations of a graph run, as the graph view is told."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf
from tests.notebook.fakes import FakeView
from tests.notebook.test_graph_message import Tables
from workbench.core.graph.nested import NestedGraph
from workbench.notebook import graph_places
from workbench.notebook.graph_places import places_of
from workbench.notebook.hub import Hub

HERE = "/job:localhost/replica:0/task:0/device:CPU:0"


def split_graph() -> tf.Graph:
    """Weights on one task, what works on them beside, and a loop that is pinned nowhere."""
    graph = tf.Graph()
    with graph.as_default():
        with tf.device("/job:ps/task:1"):
            weights = tf.Variable(tf.ones([2]), name="weights")
        tf.assign_add(weights, [1.0, 1.0], name="grow")
        tf.while_loop(lambda i: i < 3, lambda i: tf.add(i, 1, name="next"), [0])
        alone = tf.constant(1.0, name="alone")
        with tf.colocate_with(alone):
            tf.constant(2.0, name="beside")
    return graph


def told(graph: tf.Graph) -> dict[str, tuple[str, str]]:
    """The place and the reason of each operation, by its name."""
    nested = NestedGraph(graph)
    found = places_of(nested, graph)
    rows = zip(nested.operations, found.devices, found.reasons, strict=True)
    return {op.name: (device, reason) for op, device, reason in rows}


def test_what_no_session_has_run_is_where_it_would_be() -> None:
    found = told(split_graph())
    parameters = "/job:ps/replica:0/task:1/device:CPU:0"
    assert found["weights"] == (parameters, "pinned to /job:ps/task:1")
    assert found["grow"] == (parameters, "pinned to /job:ps/task:1")
    assert found["beside"] == (HERE, "with alone")
    assert found["alone"] == (HERE, "default device")
    [(inside, reason)] = [found[name] for name in found if name.endswith("next")]
    assert inside == HERE and found[reason.removeprefix("in ")] == (HERE, "default device")


def test_without_other_devices_all_is_here() -> None:
    graph = tf.Graph()
    with graph.as_default(), tf.device("/gpu:1"):
        tf.constant(1.0, name="one")
    assert told(graph) == {"one": (HERE, "the only device")}


def test_what_contradicts_itself_is_where_it_asks_to_be() -> None:
    graph = tf.Graph()
    with graph.as_default():
        with tf.device("/job:ps"):
            one = tf.constant(1.0, name="one")
        with tf.device("/job:worker"), tf.colocate_with(one, ignore_existing=True):
            tf.constant(2.0, name="two")
        graph.get_operation_by_name("two")._set_device("/job:worker")
    device, reason = told(graph)["two"]
    assert device == "/job:worker" and "two" in reason


def test_a_session_on_servers_says_where_it_runs(hub: Hub) -> None:
    server = tf.train.Server({"there": ["localhost:0"]})
    try:
        graph = tf.Graph()
        with graph.as_default():
            total = tf.add(1.0, 2.0, name="total")
        hub.graphs.add(graph, "net")
        view = FakeView(hub)
        before = Tables(*view.ask("graph.get", graph="net"))
        assert set(before.places) == {HERE}
        with tf.Session(server.target, graph=graph) as session:
            assert session.run(total) == 3.0
        there = "/job:there/replica:0/task:0/device:CPU:0"
        # The view is told that it has an old picture.
        view.wait(lambda m: m.get("method") == "graph.changed")
        after = Tables(*view.ask("graph.get", graph="net"))
        assert set(after.places) == {there}
        node = after.names.index("total")
        details = view.result("graph.node", graph="net", node=node)
        assert details["device"] == ""
        assert details["runs_on"] == {"device": there, "why": "the only device"}
    finally:
        server.stop()


class _RunElsewhere:
    """A run that a worker of a pool has."""

    is_live = True

    def __init__(self, graph: tf.Graph, replicas: tuple[str, ...]) -> None:
        self._graph = graph
        self.place = type("Place", (), {"name": "worker 1 of pool 'trial'"})()
        self._replicas = replicas

    def status(self) -> Any:
        replicas = [{"worker": name} for name in self._replicas]
        return type("Status", (), {"replicas": replicas})()


@pytest.mark.parametrize(
    "replicas, place",
    [
        ((), "worker 1 of pool 'trial'"),
        (("worker 0", "worker 1"), "each of worker 0, worker 1"),
    ],
)
def test_a_run_of_a_pool_is_there_as_a_whole(
    replicas: tuple[str, ...], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = split_graph()
    run = _RunElsewhere(graph, replicas)
    monkeypatch.setattr(graph_places.registry, "runs", lambda: [run])
    assert {device for device, _ in told(graph).values()} == {place}
    run.is_live = False
    assert told(graph)["alone"][0] == HERE
