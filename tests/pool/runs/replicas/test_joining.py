"""How a worker comes to take part in a run: once, whenever and however often it is asked."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.cluster.replication.strategy import Share
from workbench.core.errors import InternalError, UnavailableError
from workbench.live.errors import NoWayBackError
from workbench.pool.runs.data import ReceivedData
from workbench.pool.runs.replicas import team as team_module
from workbench.pool.runs.replicas.engine import ReplicatedEngine
from workbench.pool.runs.replicas.team import Team
from workbench.pool.runs.replicas.terms import Identity

ORDER = {"run": "r", "from": "tcp://127.0.0.1:1", "board": "tcp://127.0.0.1:2"}
SEVERAL = 3


class Board:
    """The board of a run, as a worker that is asked to take part has it."""

    opening: str | None = None

    def __init__(self, *given: Any) -> None:
        pass

    def ask(self, command: str, **fields: Any) -> Any:
        assert command == "who"
        return {"leader": "tcp://127.0.0.1:1", "meeting": "tcp://127.0.0.1:3", "opening": "first"}


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr(team_module, "BoardClient", Board)
    identity = Identity("tcp://127.0.0.1:4", "worker 1", "127.0.0.1")
    serve: Any = None
    return Team(identity, str(tmp_path), ReceivedData(str(tmp_path)), serve)


@pytest.mark.parametrize("is_over", [False, True])
def test_who_is_about_to_leave_takes_part_no_more(
    team: Team, is_over: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so before it has left, and may be asked again by then."""
    awaited: list[float] = []
    earlier: Any = SimpleNamespace(
        board=SimpleNamespace(opening="first"),
        is_over=is_over,
        await_end=awaited.append,
        start=lambda: None,
    )
    team.followers.start("r", earlier)

    def fetch(*given: Any) -> Any:
        raise InternalError(None, None, "it comes anew")

    monkeypatch.setattr(team_module, "fetch", fetch)
    if is_over:
        with pytest.raises(InternalError, match="it comes anew"):
            team.join(ORDER)
    else:
        assert team.join(ORDER).kind == "joined"
    assert len(awaited) == is_over


def test_a_worker_looks_once_at_a_time_into_a_run_that_it_is_to_join(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, most, others = 0, 0, threading.Event()

    def fetch(*given: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if most > 1:
            others.set()
        # Others would come in by then.
        others.wait(0.2)
        inside -= 1
        raise UnavailableError(None, None, "nobody is there")

    monkeypatch.setattr(team_module, "fetch", fetch)
    caught: list[Exception] = []

    def join() -> None:
        try:
            team.join(ORDER)
        except UnavailableError as error:
            caught.append(error)

    threads = [threading.Thread(target=join) for _ in range(SEVERAL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(caught), most) == (SEVERAL, 1)


def _alone(said: Any) -> ReplicatedEngine:
    """The engine of a leader that is alone; `said` is called when it hears what was said."""
    engine: Any = ReplicatedEngine.__new__(ReplicatedEngine)
    engine.replication = SimpleNamespace(share=Share(0, 0, 1, 0), is_awaited=False)
    engine.role = SimpleNamespace(hear=said)
    made: ReplicatedEngine = engine
    return made


def test_what_another_replica_failed_with_ends_a_replay_at_once() -> None:
    heard: list[int] = []

    def hear() -> list[str]:
        heard.append(0)
        if len(heard) > 1:
            raise InternalError(None, None, "its part failed")
        return []

    with pytest.raises(InternalError, match="its part failed"):
        _alone(hear).repeat_with(2, 600.0)


def test_a_replay_tells_why_there_are_too_few() -> None:
    missing = _alone(lambda: ["worker 1 cannot take part: no room"])
    with pytest.raises(NoWayBackError, match=r"1 can here \(worker 1 cannot .*: no room\)$"):
        missing.repeat_with(2, 0.0)
    with pytest.raises(NoWayBackError, match=r"1 can here$"):
        _alone(list).repeat_with(2, 0.0)
