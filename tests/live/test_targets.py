"""Whose turn it is to be looked at: all come, within what may be spent."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.live.targets import Target, Turns


def stored(number: int, cost: float = 1e-4, is_lasting: bool = False) -> Target:
    target = Target((number, 0), 100, [number], frozenset(), is_lasting)
    target.cost = cost
    return target


def computed(number: int, *steps: str, cost: float = 1e-4) -> Target:
    needs: Any = frozenset(steps)
    target = Target((number, 0), 100, [number], needs, False)
    target.cost = cost
    return target


def numbers(chosen: list[Target]) -> list[int]:
    return [target.place[0] for target in chosen]


def test_one_always_and_more_as_far_as_the_credit_goes() -> None:
    turns = Turns([stored(i) for i in range(5)], lambda steps: 0.0)
    assert numbers(turns.take(-1.0)) == [0]
    assert numbers(turns.take(2.5e-4)) == [1, 2]
    assert numbers(turns.take(1.0)) == [3, 4, 0, 1, 2]


def test_what_is_settled_is_passed_over() -> None:
    targets = [stored(0), stored(1, is_lasting=True), stored(2)]
    turns = Turns(targets, lambda steps: 0.0)
    assert numbers(turns.take(1.0)) == [0, 1, 2]
    for target in targets:
        target.seen = True
    assert numbers(turns.take(1.0)) == [0, 2]
    assert Turns([], lambda steps: 0.0).take(1.0) == []


def cost(steps: Any) -> float:
    """A millisecond for each step; "long" takes for ever."""
    return sum(1.0 if step == "long" else 1e-3 for step in steps)


def test_half_is_saved_up_for_what_is_computed() -> None:
    turns = Turns([stored(0), computed(1, "a", "b"), computed(2, "a", "b", "c")], cost)
    # Half of what there is more than before is saved, until 3 ms are there.
    taken = [numbers(turns.take(credit)) for credit in (0.0, 2e-3, 3e-3, 4e-3)]
    assert taken == [[0], [0], [0], [0, 1]]
    # Most of it is spent. The next computes "a" and "b" too, so the first one comes again.
    assert [numbers(turns.take(5e-3)) for _ in range(2)] == [[0], [0, 2, 1]]


def test_what_several_need_is_counted_once() -> None:
    targets = [computed(i, *(f"step {k}" for k in range(i + 1))) for i in range(8)]
    turns = Turns([stored(100), *targets], cost)
    for _ in range(20):
        chosen = numbers(turns.take(0.02))[1:]
        if chosen:
            break
    # Alone they would cost 36 ms.
    assert chosen == list(range(8))


def test_what_costs_too_much_keeps_nobody_waiting() -> None:
    turns = Turns([stored(0), computed(1, "long"), computed(2, "a")], cost)
    seen = set()
    for _ in range(20):
        seen.update(numbers(turns.take(0.01)))
    assert seen == {0, 2}


@pytest.mark.parametrize("credit", [-0.01, 0.0, 1e-4, 1e-3, 0.02])
def test_never_more_than_may_be_spent_but_for_one(credit: float) -> None:
    turns = Turns([*(stored(i) for i in range(4)), *(computed(9 + i, "a") for i in range(4))], cost)
    for _ in range(30):
        chosen = turns.take(credit)
        steps = {step for target in chosen for step in target.needs}
        spent = cost(steps) + sum(target.cost for target in chosen)
        assert chosen and (spent <= credit + 1e-9 or len(chosen) == 1)
