"""Connections and the thread that sends."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings

import workbench as tf
from tests.notebook.fakes import FakeView
from tests.notebook.test_protocol import COMMAND, JSON, NEARLY
from workbench.notebook import connection as connection_module
from workbench.notebook import protocol
from workbench.notebook.connection import Answer
from workbench.notebook.hub import Hub


class Counter:
    """A feed that tells how often it was polled."""

    def __init__(self, view: FakeView, cost: float = 0.0) -> None:
        self.view, self.cost, self.polls, self.closed = view, cost, 0, False

    def poll(self) -> None:
        self.polls += 1
        end = time.thread_time() + self.cost
        while time.thread_time() < end:
            pass
        self.view.connection.notify("count", {"polls": self.polls})

    def close(self) -> None:
        self.closed = True


def test_every_method_has_an_answer(hub: Hub) -> None:
    assert set(hub.answers) == set(protocol.METHODS)


def test_answers_in_the_order_of_the_requests(hub: Hub) -> None:
    view = FakeView(hub)
    for i in range(50):
        view.connection.receive({"id": i, "method": "hello"})
    view.settle()
    assert [message["id"] for message, _ in view.messages] == list(range(50))


@settings(max_examples=100, deadline=None)
@given(JSON | NEARLY | COMMAND)
def test_answers_garbage_with_one_error_and_changes_nothing(message: Any) -> None:
    hub = Hub()
    # What is in range would be done: nobody wants pools that are made up.
    acting = ("pool.start", "pool.restart", "pool.scale", "pool.stop")
    hub.answers |= dict.fromkeys(acting, lambda call: Answer({}))
    try:
        view = FakeView(hub)
        view.connection.receive(message)
        view.settle()
        [answer] = [message for message, _ in view.messages if "id" in message]
        assert ("result" in answer) != ("error" in answer)
        if "error" in answer:
            assert answer["error"]["code"] != protocol.FAILED_INSIDE
    finally:
        hub.close()


def test_a_view_that_is_gone_is_forgotten(hub: Hub) -> None:
    view, other = FakeView(hub), FakeView(hub)
    feed = Counter(view)
    view.connection.follow(("count",), feed)
    view.broken = True
    deadline = time.monotonic() + 10
    while not feed.closed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert feed.closed
    assert hub.connections == [other.connection]
    assert other.result("hello")["protocol"] == 1


def test_a_feed_that_fails_does_not_silence_the_others(hub: Hub) -> None:
    view = FakeView(hub)

    class Failing(Counter):
        def poll(self) -> None:
            raise RuntimeError("no")

    feed = Counter(view)
    view.connection.follow(("failing",), Failing(view))
    view.connection.follow(("count",), feed)
    view.wait(lambda m: m.get("method") == "count" and m["params"]["polls"] == 3)
    assert feed.polls >= 3 and not feed.closed


def test_polls_ten_times_a_second_and_less_when_it_costs(hub: Hub) -> None:
    view = FakeView(hub)

    def seconds(feed: Counter, polls: int) -> float:
        """How long it took to be polled so often: a busy machine only makes it longer."""
        start = time.monotonic()
        view.connection.follow(("feed",), feed)
        view.wait(lambda m: m.get("method") == "count" and m["params"]["polls"] == polls)
        view.connection.unfollow(("feed",))
        view.messages.clear()
        return time.monotonic() - start

    assert seconds(Counter(view), 5) > 4 * 0.08
    assert seconds(Counter(view, cost=0.05), 3) > 2 * 0.4


def test_holds_back_what_a_view_does_not_take(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "WINDOW", 3)
    view = FakeView(hub)
    view.result("received", sequence=0)
    feed = Counter(view)
    view.connection.follow(("count",), feed)
    view.wait(lambda m: m.get("sequence") == 3)
    time.sleep(0.5)
    assert feed.polls == 3
    view.result("received", sequence=3)
    view.wait(lambda m: m.get("sequence") == 4)


def test_waits_for_no_word_that_a_busy_shell_cannot_hear(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "WINDOW", 3)
    view = FakeView(hub)
    view.result("received", sequence=0)
    hub.busy = True
    view.connection.follow(("count",), Counter(view))
    view.wait(lambda m: m.get("sequence") == 6)
    hub.busy = False
    sent = len(view.notifications("count"))
    time.sleep(0.4)
    assert len(view.notifications("count")) <= sent + 1


def test_asks_a_silent_view_for_a_sign_of_life_and_then_closes_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "WINDOW", 1)
    monkeypatch.setattr(connection_module, "PROBE_INTERVAL", 0.3)
    view = FakeView(hub)
    view.result("received", sequence=0)
    view.connection.follow(("count",), Counter(view))
    view.wait(lambda m: m.get("sequence") == 2)
    monkeypatch.setattr(connection_module, "SILENCE", 0.1)
    deadline = time.monotonic() + 10
    while not view.connection.closed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert view.connection.closed


def test_close_sends_what_was_posted_and_ends_the_thread() -> None:
    hub = Hub()
    view = FakeView(hub)
    view.connection.receive({"id": 1, "method": "hello"})
    hub.publisher.close()
    assert [message["id"] for message, _ in view.messages] == [1]
    hub.close()
    assert "workbench-publisher" not in {t.name for t in threading.enumerate()}


def test_tells_that_a_graph_has_grown(hub: Hub) -> None:
    view = FakeView(hub)
    first = view.result("graph.get", graph="default")
    tf.constant(1.0)
    told, _ = view.wait(lambda m: m.get("method") == "graph.changed")
    assert told["params"]["operations"] == first["operations"] + 1
    assert told["params"]["version"] > first["version"]
    error = view.error("graph.node", graph="default", node=0, version=first["version"])
    assert error["code"] == protocol.STALE
