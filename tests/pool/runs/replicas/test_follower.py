"""What a follower hears and records, without a thread of its own and without others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workbench.cluster.replication.strategy import Share
from workbench.core.errors import AbortedError, DeadlineExceededError, UnavailableError
from workbench.live.history import History
from workbench.pool.runs.replicas.follower import Follower
from workbench.pool.runs.replicas.positions import Positions

NEWS = {"kind": "run", "epoch": 0, "step": 0, "values": {"rate": 0.5}, "watches": [],
        "first_event": 0, "events": []}  # fmt: skip


class Board:
    """What was said to all; it comes when it is asked for."""

    run, worker = "r", "tcp://me:1"

    def __init__(self, words: list[dict[str, Any]]) -> None:
        self._said, self._words = words, list[Any]()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def listen(self) -> None:
        """Nothing has come yet when it takes part."""

    def ask(self, command: str, **fields: Any) -> None:
        self.asked.append((command, fields))

    def fetch(self) -> None:
        self._words, self._said = self._said, []

    def peek(self) -> Any:
        return self._words[0] if self._words else None

    def next(self) -> Any:
        return self._words.pop(0)


class Engine:
    """The steps of a replica."""

    in_step, tracked = True, ("loss",)
    epoch = step = 0
    replication: Any = None
    doing = ("rests", 0.0)
    session = SimpleNamespace(close=lambda: None)

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def join(self, share: Share) -> None:
        self.step = share.step

    def set(self, values: Any) -> None:
        self.values.update(values)

    def frame(self) -> None:
        raise UnavailableError(None, None, "no frames here")

    def finish(self, state: str) -> None:
        """Nobody is told."""


def follower(words: list[dict[str, Any]], recorded: dict[int, float]) -> tuple[Follower, Engine]:
    """One that joins a run of which the leader has recorded so much."""
    engine, board = Engine(), Board(words)
    share = Share(max(recorded, default=0), 1, 2, 1)
    replication = SimpleNamespace(join=lambda: share, address="tcp://me:2", until=None)

    def catch_up(history: History, leader: str | None) -> Positions:
        if leader == "tcp://gone:1":
            raise UnavailableError(None, None, "nobody is there")
        history.truncate(0)
        history.extend(list(recorded), np.array([list(recorded.values())]))
        return Positions()

    spec: Any = SimpleNamespace(tracked=["loss"], options=SimpleNamespace(snapshot_bytes=1))
    made = Follower(
        "run", spec, engine, board, lambda: replication,  # type: ignore[arg-type]
        lambda: None, catch_up, lambda follower: None, lambda: None,
    )  # fmt: skip
    return made, engine


@pytest.mark.parametrize("in_step", [True, False])
def test_takes_its_first_step_with_what_was_said_before(in_step: bool) -> None:
    words = [{"kind": "hold", "state": "paused", "epoch": -1}, NEWS,
             {"kind": "go", "until": 20, "then": "running"}]  # fmt: skip
    found, engine = follower(words, {})
    engine.in_step = in_step
    found._take_part()
    assert engine.values == {"rate": 0.5}
    assert (found.known.is_held, found.known.until, found.known.state) == (False, 20, "running")


def test_asks_for_the_steps_that_others_took() -> None:
    recorded = {1: 4.0, 2: 3.0}
    found, engine = follower([], recorded)
    found._take_part()
    engine.step = 3
    found._record([2.5])
    assert found.known.history.steps.tolist() == [1, 2, 3]
    recorded |= {3: 2.25, 4: 2.0, 5: 1.0}
    engine.step = 6
    found._record([0.5])
    assert found.known.history.steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.known.history["loss"].tolist() == [4.0, 3.0, 2.25, 2.0, 1.0, 0.5]
    # Where nobody can tell, it goes on.
    found.known.leader = "tcp://gone:1"
    engine.step = 8
    found._record([0.25])
    assert found.known.history.steps.tolist() == [1, 2, 3, 4, 5, 6, 8]


@pytest.mark.parametrize(
    ("error", "takes_part", "told"),
    [
        (UnavailableError(None, None, "the leader says nothing"), False, "cannot"),
        (DeadlineExceededError(None, None, "no answer for 30 s"), False, "cannot"),
        (ValueError("another graph"), False, "failed"),
        (UnavailableError(None, None, "a server is gone"), True, "failed"),
        (AbortedError(None, None, "the run is over"), False, None),
    ],
)
def test_the_run_fails_only_with_what_takes_part_in_it(
    error: Exception, takes_part: bool, told: str | None
) -> None:
    """Who does not reach the others is asked again; and what came before is over by then."""
    found, _ = follower([], {})
    board: Any = found.board
    ask, was_over, begun = board.ask, list[bool](), list[int]()

    def fails(*given: Any) -> Any:
        begun.append(0)
        raise error

    def noted(command: str, **fields: Any) -> None:
        was_over.append(found.is_over)
        ask(command, **fields)

    board.ask = noted
    monkey: Any = found
    if takes_part:
        monkey._round = fails
    else:
        monkey._catch_up = fails
    found._main()
    assert begun == [0] and found.is_over
    entered = ["enter"] if takes_part else []
    assert [command for command, _ in board.asked] == [*entered, *([told] if told else [])]
    assert was_over[-1:] == ([True] if told else [])
    if told == "cannot":
        assert board.asked[-1][1] == {"why": str(error)}
