"""Gates between the steps of replicas, as state machines."""

from __future__ import annotations

from workbench.core.sync.attempts import Attempt, Done
from workbench.core.sync.step_gates import Pass, StepGateMachine


def wait(machine: StepGateMachine, after: int) -> Attempt:
    attempt = Attempt(Pass(after))
    machine.enter(attempt)
    return attempt


def begun(step: int = 0, free: int = 0) -> StepGateMachine:
    machine = StepGateMachine("gate")
    machine.open(step, free)
    return machine


def test_all_are_let_on_when_the_step_is_over() -> None:
    machine = begun()
    waiting = [wait(machine, 0) for _ in range(3)]
    assert [a.outcome for a in waiting] == [None] * 3
    assert machine.advance(1) == waiting
    assert [a.outcome for a in waiting] == [Done(1)] * 3
    # Nothing was used up: who comes later is let on too.
    assert wait(machine, 0).outcome == Done(1)
    assert wait(machine, 1).outcome is None


def test_nobody_is_let_on_before_a_training_begins() -> None:
    machine = StepGateMachine("gate")
    early, other = wait(machine, 5), wait(machine, 9)
    assert early.outcome is None and other.outcome is None
    machine.open(5, free=0)
    assert early.outcome == Done(5) and other.outcome == Done(5)


def test_who_has_gone_further_than_the_training_goes_back_with_it() -> None:
    machine = begun(163)
    waiting = wait(machine, 163)
    machine.open(160, free=0)
    assert waiting.outcome == Done(160)
    # It has come only now with what it did for a step that was given up.
    assert wait(machine, 163).outcome == Done(160)
    assert wait(machine, 160).outcome is None


def test_the_first_are_let_in_with_the_step_that_has_begun() -> None:
    machine = begun(4, free=2)
    machine.advance(5)
    assert [wait(machine, 4).outcome for _ in range(3)] == [Done(4), Done(4), Done(5)]


def test_who_gives_up_leaves_the_others_waiting() -> None:
    machine = begun()
    first, second = wait(machine, 0), wait(machine, 0)
    machine.withdraw(first)
    assert second.outcome is None
    machine.advance(1)
    assert second.outcome == Done(1)


def test_what_was_saved_is_put_back() -> None:
    other = StepGateMachine("gate")
    other.restore(begun(7, free=1).saved())
    assert [wait(other, 7).outcome for _ in range(2)] == [Done(7), None]
