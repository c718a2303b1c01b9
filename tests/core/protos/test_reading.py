"""Messages from files: whole and right, or an error that names the file and what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core import protos
from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError
from workbench.core.protos import reading


def graph_def() -> Any:
    """A small graph with an attribute of each common kind."""
    graph = protos.GraphDef(versions=protos.VersionDef(producer=24))
    for name in ("a", "b"):
        node = graph.node.add(name=name, op="Placeholder")
        node.attr["dtype"].type = protos.DataType.DT_FLOAT
        node.attr["shape"].shape.dim.add(size=-1)
    total = graph.node.add(name="total", op="Add", input=["a", "b"], device="/cpu:0")
    total.attr["T"].type = protos.DataType.DT_FLOAT
    total.attr["_class"].list.s.append(b"loc:@a")
    return graph


def test_binary_and_text_round_trip(tmp_path: Path) -> None:
    graph = graph_def()
    for name, content in (
        ("graph.pb", reading.serialize(graph)),
        ("graph.pbtxt", reading.to_text(graph).encode()),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert reading.read_graph_def(path) == graph
        assert reading.parse_graph_def(content) == graph
    assert reading.parse_graph_def(reading.to_text(graph)) == graph


def test_serialisation_is_deterministic() -> None:
    keys = [f"attribute_{index}" for index in range(50)]
    forward, backward = protos.NodeDef(), protos.NodeDef()
    for key in keys:
        forward.attr[key].i = 1
    for key in reversed(keys):
        backward.attr[key].i = 1
    assert reading.serialize(forward) == reading.serialize(backward)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", DataLossError, ["f.pb", "GraphDef", "empty"]),
        ("", DataLossError, ["f.pb", "GraphDef", "empty"]),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), DataLossError, ["f.pb", "GraphDef"]),
        (b"hello world, this is a letter", InvalidArgumentError, ["f.pb", "GraphDef", "1:"]),
        ('node { name: "x" opp: "y" }', InvalidArgumentError, ["f.pb", "opp"]),
        ('node { name: "x" op: "y"', InvalidArgumentError, ["f.pb"]),
        ('node { op: "y" }', DataLossError, ["f.pb", "node 0 (y) has no name"]),
    ],
)
def test_damaged_or_foreign_content(
    content: bytes | str, error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(error) as raised:
        reading.parse_graph_def(content, "f.pb")
    for word in words:
        assert word in str(raised.value)


def test_a_graph_cut_inside_a_node_is_refused() -> None:
    content = reading.serialize(graph_def())
    for length in range(1, len(content)):
        try:
            parsed = reading.parse_graph_def(content[:length], "f.pb")
        except (DataLossError, InvalidArgumentError) as error:
            assert "f.pb" in str(error)
        else:
            # A cut between two nodes leaves a smaller graph of whole nodes.
            whole = graph_def().node
            assert list(parsed.node) == list(whole)[: len(parsed.node)]


def test_other_known_kinds_are_named() -> None:
    meta = protos.MetaGraphDef(graph_def=graph_def())
    meta.meta_info_def.stripped_op_list.op.add(name="Add", summary="\x08")
    with pytest.raises(DataLossError, match="import_meta_graph"):
        reading.parse_graph_def(reading.serialize(meta), "model.meta")
    saved = protos.SavedModel(saved_model_schema_version=1, meta_graphs=[meta])
    with pytest.raises(DataLossError, match="SavedModel"):
        reading.parse_graph_def(reading.serialize(saved), "saved_model.pb")


def test_meta_graph(tmp_path: Path) -> None:
    meta = protos.MetaGraphDef(graph_def=graph_def())
    meta.collection_def["variables"].node_list.value.append("a")
    path = tmp_path / "model.meta"
    for content in (reading.serialize(meta), reading.to_text(meta).encode()):
        path.write_bytes(content)
        assert reading.read_meta_graph_def(path) == meta
    path.write_bytes(reading.serialize(meta)[:-3])
    with pytest.raises(DataLossError, match=r"model\.meta"):
        reading.read_meta_graph_def(path)
    with pytest.raises(DataLossError, match="empty"):
        reading.parse_meta_graph_def(b"")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"nowhere\.pb"):
        reading.read_graph_def(tmp_path / "nowhere.pb")


@given(st.binary(max_size=200))
def test_any_bytes_either_parse_or_raise_ours(content: bytes) -> None:
    try:
        graph = reading.parse_graph_def(content, "f.pb")
    except (DataLossError, InvalidArgumentError) as error:
        assert str(error).startswith("f.pb")
    else:
        assert all(node.name and node.op for node in graph.node)


def test_messages_of_other_libraries_are_taken() -> None:
    foreign = pytest.importorskip("tensorboardX.proto.graph_pb2").GraphDef()
    foreign.node.add(name="x", op="NoOp")
    ours = reading.as_message(protos.GraphDef, foreign, "graph_def")
    assert ours == protos.GraphDef(node=[protos.NodeDef(name="x", op="NoOp")])
    assert reading.as_message(protos.GraphDef, ours, "graph_def") is ours
    assert reading.as_message(protos.GraphDef, reading.serialize(ours), "graph_def") == ours
    assert reading.as_message(protos.GraphDef, b"", "graph_def") == protos.GraphDef()


@pytest.mark.parametrize("value", [3, "text", None, protos.VersionDef()])
def test_other_values_are_refused_by_name(value: Any) -> None:
    with pytest.raises(TypeError, match="graph_def must be a tensorflow.GraphDef"):
        reading.as_message(protos.GraphDef, value, "graph_def")
