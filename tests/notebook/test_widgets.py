"""The views in cells: what they carry, and their own messages as a channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("anywidget")

import workbench as wb
from workbench.notebook import widgets
from workbench.notebook.hub import close_hub, get_hub


@pytest.fixture(autouse=True)
def _own_hub() -> Iterator[None]:
    close_hub()
    yield
    close_hub()


def settled(view: Any, monkeypatch: pytest.MonkeyPatch, message: Any) -> list[tuple[Any, Any]]:
    """What the view sends in answer to a custom message."""
    import threading

    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr(view, "send", lambda content, buffers: sent.append((content, buffers)))
    view._handle_custom_msg(message, [])
    done = threading.Event()
    get_hub().publisher.post(done.set)
    assert done.wait(20)
    return sent


def test_a_view_names_what_it_shows() -> None:
    graph = widgets.GraphWidget("net", against="other")
    run = widgets.RunWidget("abc")
    runs = widgets.RunsWidget()
    state = graph.get_state()
    assert (state["kind"], state["key"], state["protocol"]) == ("graph", "net", 1)
    assert state["options"] == {"against": "other"}
    assert (run.kind, run.key, runs.kind) == ("run", "abc", "runs")
    data, _ = graph._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == graph.model_id
    for view in (graph, run, runs):
        view.close()


def test_custom_messages_are_a_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    wb.constant(1.0, name="one")
    view = widgets.GraphWidget("default")
    message = {"id": 1, "method": "graph.get", "params": {"graph": "default"}}
    [(answer, buffers)] = settled(view, monkeypatch, message)
    assert answer["id"] == 1 and answer["result"]["operations"] == 1
    assert bytes(buffers[0]) == b"one"
    assert len(get_hub().connections) == 1
    view.close()
    assert not get_hub().connections


def test_garbage_in_a_custom_message_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    view = widgets.GraphWidget("default")
    [(answer, _)] = settled(view, monkeypatch, "what?")
    assert answer == {"id": None, "error": answer["error"]} and answer["error"]["code"] == -32700
    view.close()


def test_a_view_without_its_script_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(widgets, "_SCRIPT", tmp_path / "widget.js")
    assert not widgets.assets_built()
    script = widgets._script()
    assert "npm run build" in script and "export default {" in script
