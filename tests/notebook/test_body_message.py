"""Bodies of conditionals and loops in the tables of a graph."""

from __future__ import annotations

from typing import Any

import workbench as tf
from tests.notebook.fakes import FakeView
from tests.notebook.test_graph_message import CONTROL, Tables
from workbench.notebook.hub import Hub


def looping_graph(factor: float = 2.0) -> tf.Graph:
    """A loop around a conditional, the result of which is used."""
    graph = tf.Graph()
    with graph.as_default():
        x = tf.placeholder(tf.float32, [], name="x")
        limit = tf.placeholder(tf.float32, [], name="limit")

        def body(i: Any, total: Any) -> Any:
            grown = tf.cond(
                total > limit,
                lambda: tf.subtract(total, limit, name="less"),
                lambda: tf.multiply(total, factor, name="more"),
                name="choice",
            )
            return tf.add(i, 1, name="next"), grown

        start = tf.constant(0, name="start")
        _, total = tf.while_loop(lambda i, _: tf.less(i, 5, name="goes_on"), body, [start, x])
        tf.square(total, name="result")
    return graph


class Drawn:
    """The edges of an answer as a reader draws them."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        names = tables.names
        rows = zip(
            tables.sources, tables.targets, tables.owners, tables.outputs, tables.back, strict=True
        )
        self.edges = {
            (
                names[source],
                names[target],
                f"^{names[owner]}" if output == CONTROL else f"{names[owner]}:{output}",
                bool(back),
            )
            for source, target, owner, output, back in rows
        }

    def path(self, name: str) -> str:
        """The bodies around an operation, outermost first."""
        parts: list[str] = []
        place = self.tables.names.index(name)
        while number := self.tables.bodies[place]:
            body = self.tables.header["bodies"][number - 1]
            place = body["operation"]
            parts.insert(0, f"{self.tables.names[place]} {body['part']}")
        return ", ".join(parts)


def asked(hub: Hub, graph: tf.Graph, name: str = "net", **parameters: Any) -> Drawn:
    hub.graphs.add(graph, name)
    return Drawn(Tables(*FakeView(hub).ask("graph.get", graph=name, **parameters)))


def test_bodies_are_behind_the_graph_that_has_them(hub: Hub) -> None:
    graph = looping_graph()
    drawn = asked(hub, graph)
    names = drawn.tables.names
    outer = [op.name for op in graph.get_operations()]
    assert names[: len(outer)] == outer
    assert len(set(names)) == len(names) == drawn.tables.header["operations"]
    loop, choice = "while/While", "while/choice/If"
    assert loop in outer and choice not in outer
    assert drawn.path("result") == ""
    assert drawn.path("while/goes_on") == f"{loop} cond"
    assert drawn.path("while/next") == drawn.path(choice) == f"{loop} body"
    assert drawn.path("while/choice/less") == f"{loop} body, {choice} then"
    assert drawn.path("while/choice/more") == f"{loop} body, {choice} else"


def argument(drawn: Drawn, source: str, body: str) -> str:
    """The argument of a body that an operation's tensor goes into."""
    [found] = {
        t for s, t, _, back in drawn.edges if s == source and drawn.path(t) == body and not back
    }
    return found


def test_what_is_handed_over_is_drawn_through(hub: Hub) -> None:
    graph = looping_graph()
    drawn = asked(hub, graph)
    inside = "while/While body"
    last = graph.get_operation_by_name("result").inputs[0].name
    assert last.startswith("while/While:")
    counted = argument(drawn, "start", "while/While cond")
    assert (counted, "while/goes_on", f"{counted}:0", False) in drawn.edges
    given = argument(drawn, "x", inside)
    captured = argument(drawn, "limit", inside)
    # The two branches give what the conditional gives, and that is what the loop gives in the end
    # and what goes round.
    for branch, which in (("less", "then"), ("more", "else")):
        result = f"while/choice/{branch}"
        assert (result, "result", last, False) in drawn.edges
        assert (result, given, "while/choice/If:0", True) in drawn.edges
        inner = argument(drawn, given, f"{inside}, while/choice/If {which}")
        assert (inner, result, f"{inner}:0", False) in drawn.edges
    assert argument(drawn, captured, f"{inside}, while/choice/If then")
    assert ("while/goes_on", "while/While", "while/goes_on:0", False) in drawn.edges
    # The predicate ends at the conditional itself; what never changes does not go round.
    assert any(t == "while/choice/If" for _, t, _, _ in drawn.edges)
    assert not any(t == captured and back for _, t, _, back in drawn.edges)
    back = {(s, t) for s, t, _, back in drawn.edges if back}
    assert ("while/next", counted) in back


def test_bodies_of_gradients_are_there(hub: Hub) -> None:
    graph = looping_graph()
    with graph.as_default():
        tensor = graph.get_tensor_by_name
        tf.gradients(tensor("result:0"), tensor("x:0"))
    tables = asked(hub, graph).tables
    parts = [(tables.names[b["operation"]], b["part"]) for b in tables.header["bodies"]]
    backward = [name for name, part in parts if part == "body" and name.startswith("gradients/")]
    assert len(backward) == 1
    assert any(name.startswith("gradients/") and part == "then" for name, part in parts)
    roles = dict(zip(tables.names, tables.roles.tolist(), strict=True))
    assert roles["while/choice/more"] == roles["while/next"] == 0
    # What the forward loop keeps for the backward one is no part of what it does.
    kept = [n for n in tables.names if "TensorListPushBack" in n and not n.startswith("gradients/")]
    assert kept
    assert {roles[name] for name in kept} == {1}
    inside = [
        role
        for role, number in zip(tables.roles, tables.bodies, strict=True)
        if number and tables.names[tables.header["bodies"][number - 1]["operation"]] == backward[0]
    ]
    assert set(inside) == {1}


def test_bodies_of_an_imported_graph_are_there(hub: Hub) -> None:
    graph = looping_graph()
    imported = tf.Graph()
    with imported.as_default():
        tf.import_graph_def(graph.as_graph_def(), name="")
    mine, theirs = asked(hub, graph, "mine"), asked(hub, imported, "theirs")
    assert theirs.path("while/choice/less") == mine.path("while/choice/less") != ""
    assert sorted(theirs.tables.bodies) == sorted(mine.tables.bodies)
    signatures = [
        sorted(b["signature"] for b in each.tables.header["bodies"]) for each in (mine, theirs)
    ]
    assert signatures[0] == signatures[1]


def test_a_body_that_stays_keeps_its_signature(hub: Hub) -> None:
    graph = looping_graph()
    hub.graphs.add(graph, "net")

    def signatures() -> dict[tuple[int, str], int]:
        tables = Tables(*FakeView(hub).ask("graph.get", graph="net"))
        return {(b["operation"], b["part"]): b["signature"] for b in tables.header["bodies"]}

    before = signatures()
    with graph.as_default():
        tf.square(graph.get_tensor_by_name("result:0"), name="more")
        tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], name="another")
    after = signatures()
    assert len(after) == len(before) + 2
    assert set(before.values()) <= set(after.values())
    hub.graphs.add(looping_graph(factor=3.0), "net")
    other = set(signatures().values())
    # The condition and the branch without the factor are the same; what is around it is not.
    assert len(other & set(before.values())) == 2


def test_two_graphs_are_compared_inside_of_bodies(hub: Hub) -> None:
    hub.graphs.add(looping_graph(factor=3.0), "before")
    drawn = asked(hub, looping_graph(), "after", against="before")
    tables = drawn.tables
    status = dict(zip(tables.names, tables.status.tolist(), strict=True))
    differing = {name for name, value in status.items() if value}
    assert differing == {"while/While", "while/choice/If", "while/choice/more/y"}
    assert drawn.path("while/choice/more/y") == "while/While body, while/choice/If else"
    assert not tables.edge_status.any()


def test_tells_of_an_operation_inside(hub: Hub) -> None:
    graph = looping_graph()
    drawn = asked(hub, graph)
    names = drawn.tables.names
    view = FakeView(hub)
    view.result("graph.get", graph="net")
    found = view.result("graph.node", graph="net", node=names.index("while/choice/more"))
    assert (found["type"], found["name"]) == ("Mul", "while/choice/more")
    assert found["inside"] == {"operation": "while/choice/If", "part": "else"}
    assert found["line"]["text"].startswith("lambda: tf.multiply(total, factor")
    assert found["outputs"][0]["shape"] == "float32[]"
    given = argument(drawn, "x", "while/While body")
    found = view.result("graph.node", graph="net", node=names.index(given))
    assert [each["tensor"] for each in found["inputs"]] == ["x:0", "while/choice/If:0"]
    assert view.result("graph.node", graph="net", node=names.index("x"))["inside"] is None
    assert view.error("graph.node", graph="net", node=len(names))["code"] == -32602
