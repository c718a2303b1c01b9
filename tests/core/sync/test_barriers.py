"""Barriers as state machines: the components of elements come in any order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from workbench.core.errors import CancelledError, InvalidArgumentError, OutOfRangeError
from workbench.core.sync.attempts import Attempt, Done
from workbench.core.sync.barriers import BarrierMachine, CloseBarrier, Insert, Take

FIRST = -(2**63)


def entered(machine: BarrierMachine, request: Any) -> Attempt:
    attempt = Attempt(request)
    machine.enter(attempt)
    return attempt


def insert(machine: BarrierMachine, component: int, **values: Any) -> Attempt:
    return entered(machine, Insert(component, list(values), list(values.values())))


def taken(machine: BarrierMachine, count: int, up_to: bool = False) -> Any:
    outcome = entered(machine, Take(count, up_to)).outcome
    return None if outcome is None else outcome.result()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_elements_are_ready_whatever_order_their_components_come_in(order: tuple[int, ...]) -> None:
    machine = BarrierMachine(2, "barrier")
    insertions = [(0, "a", 1), (1, "a", 2), (0, "b", 3), (1, "b", 4)]
    came: list[str] = []
    for number in order:
        component, key, value = insertions[number]
        insert(machine, component, **{key: value})
        if key not in came:
            came.append(key)
    assert (machine.ready_size, machine.incomplete_size) == (2, 0)
    values = {"a": (1, 2), "b": (3, 4)}
    assert taken(machine, 2) == [(FIRST + i, key, *values[key]) for i, key in enumerate(came)]


def test_keys_of_one_insertion_have_one_number() -> None:
    machine = BarrierMachine(1, "barrier")
    insert(machine, 0, a=1, b=2)
    insert(machine, 0, c=3)
    assert taken(machine, 3) == [(FIRST, "a", 1), (FIRST, "b", 2), (FIRST + 1, "c", 3)]


def test_take_waits_for_elements() -> None:
    machine = BarrierMachine(2, "barrier")
    taker = entered(machine, Take(1))
    insert(machine, 0, a=1)
    assert taker.outcome is None
    insert(machine, 1, a=2)
    assert taker.outcome == Done([(FIRST, "a", 1, 2)])


def test_closed_barrier_completes_what_it_has() -> None:
    machine = BarrierMachine(2, "barrier")
    insert(machine, 0, a=1, b=2)
    insert(machine, 1, a=3)
    entered(machine, CloseBarrier(cancels=False))
    taker = entered(machine, Take(2))
    assert taker.outcome is None
    with pytest.raises(CancelledError, match="brand new key"):
        insert(machine, 0, c=1).outcome.result()  # type: ignore[union-attr]
    insert(machine, 1, b=4)
    assert taker.outcome == Done([(FIRST, "a", 1, 3), (FIRST, "b", 2, 4)])
    with pytest.raises(OutOfRangeError, match="insufficient"):
        taken(machine, 1)


def test_cancelling_close_loses_what_is_incomplete() -> None:
    machine = BarrierMachine(2, "barrier")
    insert(machine, 0, a=1, b=2)
    insert(machine, 1, a=3)
    taker = entered(machine, Take(2))
    entered(machine, CloseBarrier(cancels=False))
    entered(machine, CloseBarrier(cancels=True))
    assert machine.incomplete_size == 0
    with pytest.raises(OutOfRangeError):
        taker.outcome.result()  # type: ignore[union-attr]
    with pytest.raises(CancelledError, match="closed"):
        insert(machine, 1, b=4).outcome.result()  # type: ignore[union-attr]
    with pytest.raises(CancelledError, match="already closed"):
        entered(machine, CloseBarrier(cancels=True)).outcome.result()  # type: ignore[union-attr]
    assert taken(machine, 1) == [(FIRST, "a", 1, 3)]


def test_up_to_takes_what_a_closed_barrier_has() -> None:
    machine = BarrierMachine(1, "barrier")
    insert(machine, 0, a=1)
    waiting = entered(machine, Take(3, up_to=True))
    assert waiting.outcome is None
    entered(machine, CloseBarrier(cancels=False))
    assert waiting.outcome == Done([(FIRST, "a", 1)])
    with pytest.raises(OutOfRangeError):
        taken(machine, 1, up_to=True)


@pytest.mark.parametrize("keys", [["a"], ["b", "b"]])
def test_second_value_for_a_component_is_refused_and_nothing_is_done(keys: list[str]) -> None:
    machine = BarrierMachine(2, "barrier")
    insert(machine, 0, a=1)
    before = machine.saved()
    refused = entered(machine, Insert(0, keys, list(range(len(keys)))))
    with pytest.raises(InvalidArgumentError, match="already has a value for component 0"):
        refused.outcome.result()  # type: ignore[union-attr]
    assert machine.saved() == before


def test_saved_state_goes_on_in_another_barrier() -> None:
    machine = BarrierMachine(2, "barrier")
    insert(machine, 0, a=1, b=2)
    insert(machine, 1, b=5)
    saved = machine.saved()
    other = BarrierMachine(2, "other")
    other.restore(saved)
    insert(other, 1, a=6)
    insert(other, 0, c=7)
    insert(other, 1, c=8)
    # Of one insertion, what was complete first comes first.
    assert taken(other, 3) == [(FIRST, "b", 2, 5), (FIRST, "a", 1, 6), (FIRST + 1, "c", 7, 8)]
    assert (machine.ready_size, machine.incomplete_size) == (1, 1)
