"""What the scheduler of a pool answers, asked without one."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.pool import scheduler_plugin
from workbench.pool.scheduler_plugin import CHANGES, WISHES, MembershipPlugin


class Asked:
    """A plugin in a scheduler that only keeps what it is told; time is what the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, can_scale: bool = True) -> None:
        self.now = 1000.0
        self.told: list[tuple[str, Any]] = []
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(scheduler_plugin, "time", clock)
        self._scheduler = SimpleNamespace(
            handlers={}, workers={}, log_event=lambda topic, event: self.told.append((topic, event))
        )
        self.plugin = MembershipPlugin("p", can_scale=can_scale)
        asyncio.run(self.plugin.start(self._scheduler))

    def __call__(self, command: str, **arguments: Any) -> Any:
        return asyncio.run(self._scheduler.handlers[f"workbench_{command}"](**arguments))

    def live(self, control: str, name: str, seconds: float) -> float:
        """A worker enters, waits as it is told to, serves for `seconds` and dies; its wait."""
        wait: float = self("enter", worker=control, name=name)["wait"]
        self.now += wait
        self("serve", worker=control, address=f"{control}/r", incarnation=hash(control), facts={})
        self.now += seconds
        self.plugin.remove_worker(self._scheduler, control)
        return wait


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


def test_one_that_dies_again_and_again_waits_longer_and_is_shown(ask: Asked) -> None:
    ask("told", wish=0, wanted=1, problem="")
    waits = [ask.live(f"c{number}", "a", 0.5) for number in range(6)]
    assert waits == [0, 0, 0, 1, 2, 4]
    ask("enter", worker="next", name="a")
    [waiting] = ask("status")["waiting"]
    assert waiting == {"name": "a", "index": 0, "deaths": 6, "seconds": 8.0}
    # Another is not held up, and one that lived for long is started again at once.
    assert ask("enter", worker="other", name="b")["wait"] == 0.0
    ask.now += 8.0
    ask("serve", worker="next", address="r", incarnation=1, facts={})
    assert [w["name"] for w in ask("status")["waiting"]] == ["b"]
    ask.now += 60.0
    ask.plugin.remove_worker(None, "next")
    assert ask.live("later", "a", 0.5) == 0.0


def test_those_that_were_wished_to_go_have_not_failed(ask: Asked) -> None:
    for number in range(6):
        ask("told", wish=0, wanted=0, problem="")
        assert ask.live(f"c{number}", "a", 0.5) == 0.0


def test_a_pool_of_others_is_paced_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Asked(monkeypatch, can_scale=False)
    assert [ask.live(f"c{number}", "a", 0.5) for number in range(4)] == [0, 0, 0, 1]
    assert ask("scale", workers=3) == 0 and ask("status")["wanted"] is None


def test_the_last_wish_holds_and_what_is_told_of_earlier_ones_does_not(ask: Asked) -> None:
    assert [ask("scale", workers=3), ask("scale", workers=5)] == [1, 2]
    ask("told", wish=1, wanted=3, problem="no room")
    status = ask("status")
    assert (status["wish"], status["wanted"], status["problem"]) == (2, 5, "")
    ask("told", wish=2, wanted=5, problem="no room")
    assert ask("status")["problem"] == "no room"
    assert ask("scale", workers=4) == 3 and ask("status")["problem"] == ""
    wishes = [event for topic, event in ask.told if topic == WISHES]
    assert [(wish["wish"], wish["workers"]) for wish in wishes] == [(1, 3), (2, 5), (3, 4)]


def test_changes_are_told_in_their_order(ask: Asked) -> None:
    ask.live("c1", "a", 1.0)
    changes = [event for topic, event in ask.told if topic == CHANGES]
    assert [(c["kind"], c["epoch"], c["worker"]["name"]) for c in changes] == [
        ("joined", 1, "a"),
        ("left", 2, "a"),
    ]
    # Of one that never entered there is nothing to tell.
    ask.plugin.remove_worker(None, "stranger")
    assert len(ask.told) == 2
