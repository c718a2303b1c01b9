"""Lanes of attempts: in turn or not, cancelled, over once."""

from __future__ import annotations

import pytest

from workbench.core.errors import CancelledError, DeadlineExceededError
from workbench.core.sync.attempts import Attempt, Done, Failed, Lane, Machine


class Numbers(Machine):
    """Serves a request, a number, once so many were allowed."""

    def __init__(self, in_turn: bool) -> None:
        super().__init__([Lane(in_turn)])
        self.allowed = 0
        self.taken_back: list[int] = []

    def serve(self, request: int) -> Done | bool:
        return Done(request) if request <= self.allowed else False

    def take_back(self, request: int) -> None:
        self.taken_back.append(request)

    def given_up(self, request: int) -> str:
        return f"{request} was cancelled"


def enter(machine: Machine, *requests: int) -> list[Attempt]:
    attempts = [Attempt(request) for request in requests]
    for attempt in attempts:
        machine.enter(attempt)
    return attempts


@pytest.mark.parametrize(("in_turn", "served"), [(True, [1]), (False, [1, 2])])
def test_first_in_a_lane_holds_up_others_only_in_turn(in_turn: bool, served: list[int]) -> None:
    machine = Numbers(in_turn)
    machine.allowed = 2
    attempts = enter(machine, 1, 3, 2)
    assert [a.request for a in attempts if a.outcome == Done(a.request)] == served
    machine.allowed = 3
    assert [a.request for a in machine.settle()] == ([3, 2] if in_turn else [3])
    assert machine.waiting == []


def test_withdrawn_attempt_lets_the_next_one_through() -> None:
    machine = Numbers(in_turn=True)
    machine.allowed = 2
    first, second = enter(machine, 5, 2)
    failure = Failed(DeadlineExceededError, "too late")
    assert machine.withdraw(first, failure) == [second]
    assert first.outcome == failure
    assert second.outcome == Done(2)
    assert machine.taken_back == [5]
    with pytest.raises(DeadlineExceededError, match="too late"):
        first.outcome.result()


def test_attempt_that_was_served_gives_back_what_it_got() -> None:
    machine = Numbers(in_turn=True)
    machine.allowed = 9
    (served,) = enter(machine, 4)
    assert machine.withdraw(served) == []
    assert machine.taken_back == [4]
    assert served.outcome == Failed(CancelledError, "4 was cancelled")


def test_all_are_cancelled_newest_first() -> None:
    machine = Numbers(in_turn=True)
    attempts = enter(machine, 1, 2, 3)
    assert machine.cancel_all() == attempts
    assert machine.taken_back == [3, 2, 1]
    for attempt in attempts:
        with pytest.raises(CancelledError, match=f"{attempt.request} was cancelled"):
            attempt.outcome.result()  # type: ignore[union-attr]
