"""The tables of a graph, read back as the front end reads them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import workbench as tf
from tests.notebook.fakes import FakeView
from workbench.notebook import protocol
from workbench.notebook.hub import Hub

CONTROL = 65535


class Tables:
    """An answer to `graph.get`, decoded."""

    def __init__(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self.header = message["result"]
        kinds = ["<u2", "<u2", "u1", "<u4", "<u4", "<u2", "<u4", "u1", "u1"]
        kinds += ["<u2", "<u4", "u1", "<u2"]
        columns = [np.frombuffer(b, k) for b, k in zip(buffers[1:], kinds, strict=True)]
        names = bytes(buffers[0]).decode()
        self.names = names.split("\n") if names else []
        self.types, self.devices, self.roles = columns[:3]
        self.sources, self.targets, self.outputs, self.kinds = columns[3:7]
        self.status, self.edge_status = columns[7:9]
        self.bodies, self.owners, self.back, places = columns[9:]
        #: Where each operation runs.
        self.places = [self.header["places"][i] for i in places]

    def edges(self) -> list[tuple[str, str, str]]:
        """Each edge: tensor or operation, target, dtype and shape."""
        found = []
        for source, target, output, kind in zip(
            self.sources, self.targets, self.outputs, self.kinds, strict=True
        ):
            name = self.names[source]
            tensor = f"^{name}" if output == CONTROL else f"{name}:{output}"
            found.append((tensor, self.names[target], self.header["shapes"][kind]))
        return found


def training_graph() -> tf.Graph:
    graph = tf.Graph()
    with graph.as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        with tf.device("/cpu:0"):
            w = tf.Variable(tf.ones([3, 2]), name="w")
        top, bottom = tf.split(tf.matmul(x, w, name="product"), 2, axis=1, name="halves")
        loss = tf.reduce_mean(top - bottom, name="loss")
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, name="train")
        with tf.control_dependencies([train]):
            tf.no_op(name="after")
    return graph


def test_the_tables_say_what_the_graph_is(hub: Hub) -> None:
    graph = training_graph()
    operations = graph.get_operations()
    hub.graphs.add(graph, "net")
    tables = Tables(*FakeView(hub).ask("graph.get", graph="net"))
    assert tables.names == [op.name for op in operations]
    types = [tables.header["types"][i] for i in tables.types]
    assert types == [op.type for op in operations]
    assert [tables.header["devices"][i] for i in tables.devices] == [op.device for op in operations]
    expected = []
    for op in operations:
        for tensor in op.inputs:
            shape = re.sub(r"[() ]", "", str(tensor.shape)).rstrip(",")
            kind = f"{tensor.dtype.name}[{shape}]"
            if tensor.shape.ndims is None:
                kind = tensor.dtype.name
            expected.append((tensor.name, op.name, kind))
        expected += [(f"^{waited.name}", op.name, "") for waited in op.control_inputs]
    assert tables.edges() == expected
    assert ("^train", "after", "") in expected
    role = dict(zip(tables.names, tables.roles.tolist(), strict=True))
    assert (role["x"], role["train"], role["w/Assign"]) == (0, 2, 3)
    assert any(value == 1 for value in role.values())
    assert tables.header["operations"] == len(operations)
    assert tables.header["edges"] == len(expected)
    assert not len(tables.status) and not len(tables.edge_status)
    assert tables.header["bodies"] == []
    assert not len(tables.bodies) and not len(tables.owners) and not len(tables.back)


def test_an_empty_graph_has_empty_tables(hub: Hub) -> None:
    hub.graphs.add(tf.Graph(), "empty")
    tables = Tables(*FakeView(hub).ask("graph.get", graph="empty"))
    assert tables.header["operations"] == tables.header["edges"] == 0
    assert tables.names == []


def test_two_graphs_are_laid_over_each_other(hub: Hub) -> None:
    before, after = tf.Graph(), tf.Graph()
    with before.as_default():
        x = tf.placeholder(tf.float32, [2], name="x")
        tf.exp(tf.negative(x, name="gone"), name="y")
    with after.as_default():
        x = tf.placeholder(tf.float32, [2], name="x")
        tf.log(x, name="y")
        tf.square(x, name="new")
    for name, graph in (("before", before), ("after", after)):
        hub.graphs.add(graph, name)
    view = FakeView(hub)
    tables = Tables(*view.ask("graph.get", graph="after", against="before"))
    assert tables.header["against"] == "before"
    status = dict(zip(tables.names, tables.status.tolist(), strict=True))
    assert status == {"x": 0, "gone": 2, "y": 3, "new": 1}
    edges = {edge[:2]: s for edge, s in zip(tables.edges(), tables.edge_status, strict=True)}
    assert edges == {
        ("x:0", "gone"): 2,
        ("gone:0", "y"): 2,
        ("x:0", "y"): 1,
        ("x:0", "new"): 1,
    }
    changed = view.result("graph.node", graph="after", node=tables.names.index("y"))
    assert (changed["type"], changed["was"]["type"]) == ("Log", "Exp")
    assert "type Exp -> Log" in changed["changes"]
    gone = view.result("graph.node", graph="after", node=tables.names.index("gone"))
    assert (gone["type"], gone["was"]) == ("Neg", None)


def test_tells_everything_about_a_node(hub: Hub) -> None:
    graph = training_graph()
    hub.graphs.add(graph, "net")
    view = FakeView(hub)
    operations = graph.get_operations()
    node = next(i for i, op in enumerate(operations) if op.name == "halves")
    details = view.result("graph.node", graph="net", node=node)
    assert details["type"] == "Split"
    assert details["role"] == 0
    assert [i["tensor"] for i in details["inputs"]] == ["halves/split_dim:0", "product:0"]
    assert [o["shape"] for o in details["outputs"]] == ["float32[?,1]"] * 2
    assert details["outputs"][0]["consumers"][0] == "sub"
    assert ["num_split", "2"] in details["attributes"]
    assert details["line"]["file"].endswith("test_graph_message.py")
    assert details["line"]["text"].startswith("top, bottom = tf.split(")
    assert details["line"]["cell"] is None
    error = view.error("graph.node", graph="net", node=len(operations))
    assert error["code"] == protocol.BAD_PARAMETERS


def test_every_operation_can_be_described(hub: Hub) -> None:
    hub.graphs.add(training_graph(), "net")
    view = FakeView(hub)
    count = view.result("graph.get", graph="net")["operations"]
    for node in range(count):
        details = view.result("graph.node", graph="net", node=node)
        assert all(isinstance(text, str) and len(text) <= 200 for _, text in details["attributes"])


def test_a_name_that_went_to_another_graph_is_stale(hub: Hub) -> None:
    first, second = training_graph(), training_graph()
    view = FakeView(hub)
    hub.graphs.add(first, "net")
    view.result("graph.get", graph="net")
    hub.graphs.add(second, "net")
    assert view.error("graph.node", graph="net", node=0)["code"] == protocol.STALE
    view.wait(lambda m: m.get("method") == "graph.changed")
    view.result("graph.get", graph="net")
    assert view.result("graph.node", graph="net", node=0)["name"] == "x"


def test_encodes_again_only_what_has_changed(hub: Hub) -> None:
    graph = training_graph()
    first = hub.graph_cache.encoded(graph)
    assert hub.graph_cache.encoded(graph) is first
    with graph.as_default():
        tf.constant(1)
    second = hub.graph_cache.encoded(graph)
    assert second is not first and second.version > first.version
    graph.get_tensor_by_name("x:0").set_shape([5, 3])
    third = hub.graph_cache.encoded(graph)
    assert "float32[5,3]" in third.message.header["shapes"]


def test_a_graph_that_nobody_holds_is_forgotten(hub: Hub) -> None:
    import gc

    graph = training_graph()
    key = hub.graphs.add(graph)
    view = FakeView(hub)
    view.result("graph.get", graph=key)
    assert hub.graphs.add(graph) == key
    del graph
    gc.collect()
    error = view.error("graph.get", graph=key)
    assert "no longer in the kernel" in error["message"]
    assert [summary["graph"] for summary in view.result("hello")["graphs"]] == ["default"]
