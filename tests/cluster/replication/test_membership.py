"""Who takes part, as data."""

from __future__ import annotations

import itertools

import pytest

from workbench.cluster.replication.membership import Form, Instruction, Invite, Membership, View


def formed(instructions: list[Instruction]) -> View:
    (found,) = [i for i in instructions if isinstance(i, Form)]
    return found.view


def started(*names: str, grace: float = 10.0) -> Membership:
    membership = Membership(len(names), grace)
    for name in names:
        last = membership.ready(name, -1, (), 0.0)
    assert formed(last) == View(1, names, (-1,) * len(names))
    return membership


def test_it_begins_when_all_are_there() -> None:
    membership = Membership(2)
    assert membership.ready("a", -1, (), 0.0) == []
    assert membership.tick(1e6) == []
    assert formed(membership.ready("b", -1, (), 1e6)) == View(1, ("a", "b"), (-1, -1))


def test_a_newcomer_is_let_in_between_steps() -> None:
    membership = started("a", "b")
    assert membership.ready("c", -1, (), 1.0) == [Invite(("a", "b"))]
    assert membership.tick(1e6) == [], "those who train are not given up for a newcomer"
    assert membership.ready("b", 7, (), 1e6) == []
    view = formed(membership.ready("a", 7, (), 1e6))
    assert view == View(2, ("a", "b", "c"), (7, 7, -1))
    assert view.root == 0


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
@pytest.mark.parametrize("says", ["first", "last", "roster"])
def test_survivors_form_at_once_when_the_dead_are_known(order: tuple[str, ...], says: str) -> None:
    membership = started("a", "b", "c", "d")
    if says == "roster":
        assert membership.gone("d", 1.0) == []
    found: list[Instruction] = []
    for place, name in enumerate(order):
        assert found == []
        knows = place == (0 if says == "first" else 2) and says != "roster"
        found = membership.ready(name, 5, ["d"] if knows else (), 2.0)
    assert formed(found) == View(2, ("a", "b", "c"), (5, 5, 5))


def test_who_is_late_is_left_out_and_comes_as_a_newcomer() -> None:
    membership = started("a", "b", "c", grace=3.0)
    assert membership.ready("a", 4, (), 10.0) == []
    assert membership.ready("c", 5, (), 12.0) == []
    assert membership.late() == ["b"]
    assert membership.tick(12.9) == []
    view = formed(membership.tick(13.0))
    assert view == View(2, ("a", "c"), (4, 5))
    assert view.root == 1, "who has done the step has the state"
    assert membership.ready("b", 4, (), 14.0) == [Invite(("a", "c"))]


def test_who_was_taken_for_dead_may_be_ready_all_the_same() -> None:
    membership = started("a", "b", "c")
    assert membership.ready("b", 3, (), 1.0) == []
    # b left the group that a and c had, so they find it gone; but b has said that it is ready.
    assert membership.ready("a", 3, ["b", "c"], 1.1) != []
    assert membership.view.members == ("a", "b")


def test_all_that_trained_are_dead() -> None:
    membership = started("a", "b")
    membership.ready("c", -1, (), 1.0)
    membership.gone("a", 2.0)
    assert formed(membership.gone("b", 2.0)) == View(2, ("c",), (-1,))


def test_a_newcomer_that_dies_while_it_waits() -> None:
    membership = started("a")
    membership.ready("b", -1, (), 1.0)
    assert membership.gone("b", 2.0) == []
    assert formed(membership.ready("a", 3, (), 3.0)).members == ("a",)
