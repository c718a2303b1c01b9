"""Accumulators as state machines; gradients are fractions here."""

from __future__ import annotations

from fractions import Fraction

from workbench.core.sync.accumulators import AccumulatorMachine, TakeMean
from workbench.core.sync.attempts import Attempt, Done


class Fractions:
    """Exact sums."""

    def first(self, gradient: int) -> Fraction:
        return Fraction(gradient)

    def add(self, total: Fraction, gradient: int) -> Fraction:
        return total + gradient

    def mean(self, total: Fraction, count: int) -> Fraction:
        return total / count


def made() -> AccumulatorMachine:
    return AccumulatorMachine(Fractions(), "accumulator")


def take(machine: AccumulatorMachine, count: int) -> Attempt:
    attempt = Attempt(TakeMean(count))
    machine.enter(attempt)
    return attempt


def test_mean_of_all_gradients_is_taken_when_there_are_enough() -> None:
    machine = made()
    taker = take(machine, 2)
    assert machine.apply(1, step=0) == []
    assert machine.apply(4, step=0) == [taker]
    assert taker.outcome == Done(Fraction(5, 2))
    assert (machine.count, machine.step) == (0, 1)


def test_more_gradients_than_asked_for_all_count() -> None:
    machine = made()
    for gradient in (1, 2, 6):
        machine.apply(gradient, step=0)
    assert take(machine, 1).outcome == Done(Fraction(3))


def test_stale_gradients_are_dropped() -> None:
    machine = made()
    machine.apply(1, step=0)
    take(machine, 1)
    machine.apply(100, step=0)
    assert machine.count == 0
    machine.apply(5, step=1)
    machine.apply(7, step=9)
    assert take(machine, 2).outcome == Done(Fraction(6))


def test_takers_are_served_in_turn() -> None:
    machine = made()
    two, one = take(machine, 2), take(machine, 1)
    machine.apply(1, step=0)
    assert one.outcome is None
    machine.apply(3, step=0)
    assert two.outcome == Done(Fraction(2))
    assert one.outcome is None
    machine.apply(9, step=1)
    assert one.outcome == Done(Fraction(9))


def test_mean_of_one_who_gives_up_comes_back_while_nothing_came_since() -> None:
    machine = made()
    machine.apply(4, step=0)
    machine.withdraw(take(machine, 1))
    assert (machine.count, machine.step, machine.total) == (1, 0, 4)


def test_saved_state_goes_on_in_another_accumulator() -> None:
    machine = made()
    machine.apply(3, step=0)
    other = made()
    waiting = take(other, 1)
    assert other.restore(machine.saved()) == [waiting]
    assert waiting.outcome == Done(Fraction(3))
    assert machine.count == 1


def test_a_giver_that_is_named_counts_once_in_a_sum() -> None:
    machine = made()
    taker = take(machine, 2)
    machine.apply(1, step=0, giver="a")
    machine.apply(100, step=0, giver="a")
    assert taker.outcome is None
    machine.apply(3, step=0, giver="b")
    assert taker.outcome == Done(Fraction(2))
    machine.apply(7, step=1, giver="a")
    assert machine.count == 1


def test_what_was_taken_for_nothing_comes_back_with_its_givers() -> None:
    machine = made()
    machine.apply(1, step=0, giver="a")
    taker = take(machine, 1)
    machine.withdraw(taker)
    machine.apply(100, step=0, giver="a")
    assert take(machine, 1).outcome == Done(Fraction(1))


def test_a_step_that_begins_leaves_nothing_of_others_by_named_givers() -> None:
    machine = made()
    machine.begin(5)
    machine.apply(100, step=5, giver="a")
    machine.begin(3)
    assert machine.count == 0
    machine.apply(2, step=3, giver="a")
    machine.begin(3)
    assert take(machine, 1).outcome == Done(Fraction(2))
    # Without names all stays that is not stale when it comes.
    machine.apply(4, step=9)
    machine.begin(2)
    assert take(machine, 1).outcome == Done(Fraction(4))


def test_givers_are_kept_with_the_sum() -> None:
    machine, other = made(), made()
    machine.apply(1, step=0, giver="a")
    other.restore(machine.saved())
    other.apply(100, step=0, giver="a")
    assert take(other, 1).outcome == Done(Fraction(1))


def test_named_givers_give_for_the_step_that_has_begun_only() -> None:
    machine = made()
    machine.begin(3)
    machine.apply(100, step=5, giver="a")
    assert machine.count == 0
    machine.apply(2, step=3, giver="a")
    assert take(machine, 1).outcome == Done(Fraction(2))
