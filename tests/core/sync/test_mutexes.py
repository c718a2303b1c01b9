"""Mutexes as state machines."""

from __future__ import annotations

from workbench.core.sync.attempts import Attempt, Done
from workbench.core.sync.mutexes import Acquire, MutexMachine


def entered(machine: MutexMachine, who: str) -> tuple[Attempt, Acquire]:
    request = Acquire(who)
    attempt = Attempt(request)
    machine.enter(attempt)
    return attempt, request


def test_one_holds_it_and_the_others_wait_in_turn() -> None:
    machine = MutexMachine("mutex")
    (first, a), (second, b), (third, _) = (entered(machine, who) for who in "abc")
    assert first.outcome == Done(a)
    assert second.outcome is third.outcome is None
    assert machine.release(a) == [second]
    # Who gave it back has nothing to give back any more.
    assert machine.release(a) == []
    assert machine.describe() == "mutex is held by 'b'"
    assert machine.release(b) == [third]


def test_one_who_gives_up_leaves_the_turn_to_the_next() -> None:
    machine = MutexMachine("mutex")
    (holder, _), (second, _), (third, _) = (entered(machine, who) for who in "abc")
    machine.withdraw(second)
    assert machine.withdraw(holder) == [third]
    assert machine.describe() == "mutex is held by 'c'"
