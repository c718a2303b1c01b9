"""The boards of a pool, asked by workers: who means an earlier board is told so."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core.errors import AbortedError
from workbench.pool.runs.replicas.board_client import BoardClient
from workbench.pool.runs.replicas.boards import Boards


@pytest.fixture
def boards() -> Iterator[Boards]:
    with closing(Boards()) as made:
        yield made


def test_what_is_about_a_board_that_was_opened_again_is_refused(boards: Boards) -> None:
    """A replica of before the run ended must not speak for one of after."""
    before = BoardClient(boards.address, "run", "tcp://a:1", "worker 0")
    before.opening = before.ask("open", wanted=1, strategy="sync")["opening"]
    before.ask("enter", replica="tcp://a:2")
    after = BoardClient(boards.address, "run", "tcp://a:1", "worker 0")
    after.opening = after.ask("open", wanted=1, strategy="sync")["opening"]
    assert after.ask("enter", replica="tcp://a:3") == 1
    for command, fields in (
        ("words", {"since": 0, "hold": 0.0}),
        ("failed", {"error": {}}),
        ("leave", {"ends": True}),
        ("close", {}),
    ):
        with pytest.raises(AbortedError, match="are let go"):
            before.ask(command, **fields)
    words = after.ask("words", since=0, hold=0.0)["words"]
    assert [word["kind"] for word in words] == ["joined"]


@contextmanager
def two_wanted(boards: Boards, refusals: int) -> Iterator[tuple[Any, Any, Any]]:
    """The leader of a run of two, the worker that is asked to join, and what it was asked: it
    refuses so often, and joins then."""
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()

    def answer(sender: Any, message: Message) -> None:
        asked.put(message.fields["command"])
        refusal = {"kind": "OpError", "message": "Nobody joins the run", "code": 9}
        refuses = asked.qsize() <= refusals
        kind, fields = ("refused", {"refusal": refusal}) if refuses else ("joined", {})
        worker.answer(sender, message, Message(kind, fields))

    worker = Endpoint("tcp://127.0.0.1:0", answer)
    with closing(worker):
        assert worker.address is not None
        boards.joined(worker.address, "worker 1")
        leader = BoardClient(boards.address, "run", "tcp://a:1", "worker 0")
        leader.ask("open", wanted=2, strategy="sync")
        yield leader, worker, asked


def test_a_worker_that_cannot_take_part_yet_is_asked_again(boards: Boards) -> None:
    """The worker that it would have the run from may be about to lead it."""
    with two_wanted(boards, refusals=1) as (leader, _, asked):
        deadline = time.monotonic() + 30
        while asked.qsize() < 2:
            assert time.monotonic() < deadline, "it was not asked again"
            time.sleep(0.01)
        words = leader.ask("words", since=0, hold=0.0)["words"]
        assert [word["why"] for word in words] == ["cannot take part: Nobody joins the run"]


def test_who_said_that_it_takes_part_and_could_not_is_asked_again(boards: Boards) -> None:
    """Not at once, whoever else leaves meanwhile."""
    with two_wanted(boards, refusals=0) as (leader, worker, asked):
        assert asked.get(timeout=30) == "join"
        follower = BoardClient(boards.address, "run", worker.address, "worker 1")
        follower.ask("cannot", why="the leader says nothing")
        follower.ask("leave")
        follower.ask("leave", worker="tcp://b:1")
        assert boards._open["run"].board.places.keys() == {"tcp://a:1"}
        assert asked.get(timeout=30) == "join"
        words = leader.ask("words", since=0, hold=0.0)["words"]
        assert [word["why"] for word in words] == ["cannot take part: the leader says nothing"]
