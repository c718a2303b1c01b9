"""Runs that stop where they would wait: who has them go on, and what they get then."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from tests.core.sync.test_waiting import Queue, waiting_for
from workbench.core.errors import CancelledError
from workbench.core.sync import registry
from workbench.core.sync.replays import Replay, Stopped, current
from workbench.core.sync.scope import Scope, entered


class Run:
    """A run of a function that may stop."""

    #: Those of a test.
    all: ClassVar[list[Run]] = []

    def __init__(self, work: Any) -> None:
        self.all.append(self)
        self.work = work
        self.calls = 0
        self.told = 0
        self.replay = Replay(self._tell)

    def _tell(self) -> None:
        self.told += 1

    def go(self) -> Any:
        self.calls += 1
        with self.replay.entered():
            return self.work()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    yield
    while Run.all:
        Run.all.pop().replay.give_up()
    assert not registry.waits()


def test_what_need_not_wait_does_not_stop() -> None:
    queue = Queue()
    queue.put("a")
    run = Run(lambda: (queue.take(), queue.put("b")))
    assert run.go() == (["a"], None)
    assert queue.take() == ["b"] and not run.told
    assert current() is None


def test_who_stops_is_told_and_gets_what_it_got_before_again() -> None:
    first, second = Queue(), Queue()
    first.put("a", "b")
    run = Run(lambda: (first.take(), second.take(), first.take()))
    with pytest.raises(Stopped):
        run.go()
    assert first.machine.size == 1 and not run.told
    second.put("x")
    assert run.told == 1
    assert run.go() == (["a"], ["x"], ["b"])
    assert first.machine.size == second.machine.size == 0


def test_places_in_the_line_are_kept() -> None:
    """Who stops waits like anybody else: what comes is for the one that came first."""
    queue = Queue()
    runs = [Run(queue.take) for _ in range(3)]
    for run in runs:
        with pytest.raises(Stopped):
            run.go()
    queue.put("a", "b")
    assert [run.told for run in runs] == [1, 1, 0]
    assert runs[1].go() == ["b"] and runs[0].go() == ["a"]


def test_who_is_told_for_nothing_stops_again() -> None:
    queue = Queue()
    run = Run(queue.take)
    for _ in range(3):
        with pytest.raises(Stopped):
            run.go()
    waiting_for(queue, 1)
    queue.put("a", "b")
    assert run.go() == ["a"] and queue.take() == ["b"]


def test_an_error_is_raised_when_it_goes_on() -> None:
    queue = Queue()
    run = Run(queue.take)
    with pytest.raises(Stopped):
        run.go()
    queue.close()
    assert run.told == 1
    with pytest.raises(CancelledError):
        run.go()


def test_a_scope_that_is_cancelled_has_it_go_on() -> None:
    queue, scope = Queue(), Scope()
    run = Run(queue.take)
    with entered(scope):
        with pytest.raises(Stopped):
            run.go()
        scope.cancel()
        assert run.told == 1 and not queue.machine.waiting
        with pytest.raises(CancelledError):
            run.go()
        # It is cancelled before it begins to wait.
        late = Run(queue.take)
        with pytest.raises(CancelledError):
            late.go()


def test_it_is_among_those_that_wait_and_no_thread_is() -> None:
    queue = Queue()
    run = Run(queue.take)
    with pytest.raises(Stopped):
        run.go()
    (wait,) = registry.waits()
    text = str(wait.describe())
    assert wait.thread is None and "in thread" not in text and "1 more element" in text
    assert not registry.waiting_threads()
    run.replay.give_up()
    assert not registry.waits()


def test_what_is_given_up_is_there_for_others() -> None:
    queue = Queue()
    got, waits = Run(queue.take), Run(queue.take)
    for run in (got, waits):
        with pytest.raises(Stopped):
            run.go()
    queue.put("a")
    got.replay.give_up()
    assert waits.told == 1 and waits.go() == ["a"]
    assert not queue.machine.waiting and not queue.machine.size


def test_runs_within_runs_are_apart() -> None:
    queue = Queue()
    queue.put("a", "b")
    inner = Run(queue.take)
    outer = Run(lambda: (inner.go(), queue.take()))
    assert outer.go() == (["a"], ["b"])


def test_blocks_last_from_the_stop_until_it_goes_on() -> None:
    events: list[str] = []

    @contextmanager
    def noted() -> Any:
        events.append("in")
        yield
        events.append("out")

    replay = Replay(lambda: None)
    with pytest.raises(Stopped), replay.entered():
        replay.stop(noted())
    assert events == ["in"]
    with replay.entered():
        assert events == ["in", "out"]
