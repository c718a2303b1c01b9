"""Who takes part, as data."""

from __future__ import annotations

import itertools

import pytest

from workbench.cluster.replication.membership import (
    Form,
    Instruction,
    Invite,
    Mark,
    Membership,
    Recall,
    View,
)


def formed(instructions: list[Instruction]) -> View:
    (found,) = [i for i in instructions if isinstance(i, Form)]
    return found.view


def at(step: int) -> Mark:
    return Mark(0, step)


def marks(*steps: int) -> tuple[Mark, ...]:
    return tuple(map(at, steps))


def started(*names: str, grace: float = 10.0) -> Membership:
    membership = Membership(len(names), grace)
    for name in names:
        last = membership.ready(name, at(-1), (), 0.0)
    assert formed(last) == View(1, names, marks(*[-1] * len(names)))
    return membership


def test_it_begins_when_all_are_there() -> None:
    membership = Membership(2)
    assert membership.ready("a", at(-1), (), 0.0) == []
    assert membership.tick(1e6) == []
    assert formed(membership.ready("b", at(-1), (), 1e6)) == View(1, ("a", "b"), marks(-1, -1))


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_who_leads_is_the_first_whenever_it_comes(order: tuple[str, ...]) -> None:
    membership = Membership(3)
    for name in order:
        found = membership.ready(name, at(-1), (), 0.0, leads=name == "c")
    others = tuple(name for name in order if name != "c")
    view = formed(found)
    assert view.members == ("c", *others) and view.root == 0
    # The one that follows it as the leader, and a newcomer that has led before.
    membership.lost("c", 1.0)
    membership.ready("d", at(-1), (), 1.0, leads=True)
    membership.ready(others[0], at(4), (), 1.0)
    view = formed(membership.ready(others[1], at(5), (), 1.0, leads=True))
    assert view.members == (others[1], "d", others[0]) and view.root == 0
    # Where nobody says so any more, they stay in their order.
    membership.lost("d", 2.0)
    membership.ready(others[0], at(6), (), 2.0)
    found = membership.ready(others[1], at(6), (), 2.0)
    assert formed(found).members == (others[1], others[0])


@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize("first", ["a", "b"])
def test_who_was_left_out_does_not_part_those_who_go_on(first: str, certain: bool) -> None:
    """It was stopped, and misses those who formed without it meanwhile: they stay together."""
    membership = started("a", "b", "c")
    before = membership.view
    membership.lost("c", 1.0)
    membership.ready("a", at(4), (), 1.0, after=before)
    view = formed(membership.ready("b", at(4), (), 1.0, after=before))
    found = membership.ready("c", at(4), ["a", "b"], 2.0, True, certain, after=before)
    assert found == [Invite(("a", "b"))]
    second = "b" if first == "a" else "a"
    assert membership.ready(first, at(7), (), 3.0, after=view) == []
    found = membership.ready(second, at(7), (), 3.0, after=view)
    assert formed(found).members == ("a", "b", "c")


def test_a_newcomer_is_let_in_between_steps() -> None:
    membership = started("a", "b")
    assert membership.ready("c", at(-1), (), 1.0) == [Invite(("a", "b"))]
    assert membership.tick(1e6) == [], "those who train are not given up for a newcomer"
    assert membership.ready("b", at(7), (), 1e6) == []
    view = formed(membership.ready("a", at(7), (), 1e6))
    assert view == View(2, ("a", "b", "c"), marks(7, 7, -1))
    assert view.root == 0


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
@pytest.mark.parametrize("says", ["first", "last", "roster"])
def test_survivors_form_at_once_when_the_dead_are_known(order: tuple[str, ...], says: str) -> None:
    membership = started("a", "b", "c", "d")
    if says == "roster":
        assert membership.lost("d", 1.0) == [Recall(("a", "b", "c"), 1)]
    found: list[Instruction] = []
    for place, name in enumerate(order):
        # It may be out of reach only, and would wait for the others where they were.
        assert found == ([Recall(("d",), 1)] if says == "first" and place == 1 else [])
        knows = place == (0 if says == "first" else 2) and says != "roster"
        found = membership.ready(name, at(5), ["d"] if knows else (), 2.0)
    assert formed(found) == View(2, ("a", "b", "c"), marks(5, 5, 5))


def test_who_is_late_is_left_out_and_comes_as_a_newcomer() -> None:
    membership = started("a", "b", "c", grace=3.0)
    assert membership.ready("a", at(4), (), 10.0) == []
    assert membership.ready("c", at(5), (), 12.0) == []
    assert membership.late() == ["b"]
    assert membership.tick(12.9) == []
    view = formed(membership.tick(13.0))
    assert view == View(2, ("a", "c"), marks(4, 5))
    assert view.root == 1, "who has done the step has the state"
    assert membership.ready("b", at(4), (), 14.0) == [Invite(("a", "c"))]


def test_who_was_taken_for_dead_may_be_ready_all_the_same() -> None:
    membership = started("a", "b", "c")
    assert membership.ready("b", at(3), (), 1.0) == []
    # b left the group that a and c had, so they find it gone; but b has said that it is ready.
    assert membership.ready("a", at(3), ["b", "c"], 1.1) != []
    assert membership.view.members == ("a", "b")


def test_all_that_trained_are_dead() -> None:
    membership = started("a", "b")
    membership.ready("c", at(-1), (), 1.0)
    membership.gone("a", 2.0)
    assert formed(membership.gone("b", 2.0)) == View(2, ("c",), marks(-1))


def test_a_newcomer_that_dies_while_it_waits() -> None:
    membership = started("a")
    membership.ready("b", at(-1), (), 1.0)
    assert membership.gone("b", 2.0) == []
    assert formed(membership.ready("a", at(3), (), 3.0)).members == ("a",)


def test_who_leaves_alone_has_the_others_recalled() -> None:
    membership = started("a", "b", "c")
    found = membership.ready("b", Mark(1, 2), (), 1.0, at_once=True)
    assert found == [Recall(("a", "c"), 1)]
    assert membership.ready("a", at(9), (), 1.0, at_once=True) == [Recall(("c",), 1)]
    view = formed(membership.ready("c", at(9), (), 1.0, at_once=True))
    assert view.members[view.root] == "b", "a state that was restored is further than any before"


def test_no_more_than_half_are_left_out() -> None:
    membership = started("a", "b", "c", "d", grace=3.0)
    membership.ready("a", at(4), (), 0.0)
    assert membership.tick(1e6) == []
    assert formed(membership.ready("b", at(4), (), 1e6)).members == ("a", "b")


@pytest.mark.parametrize("certain", [False, True])
def test_an_heir_needs_most_of_those_that_may_live(certain: bool) -> None:
    last = View(4, ("a", "b", "c", "d"), marks(1, 1, 1, 1))
    heir = Membership(0, grace=3.0, after=last)
    recall = [] if certain else [Recall(("c", "d"), 4)]
    assert heir.ready("a", at(7), ["c", "d"], 0.0, certain=certain) == recall
    found = heir.ready("b", at(7), (), 1.0)
    if certain:
        assert formed(found) == View(5, ("a", "b"), marks(7, 7))
    else:
        assert found == [] == heir.tick(1e6), "c and d may go on with another heir"
        assert formed(heir.ready("c", at(6), (), 2e6)).members == ("a", "b", "c")


def test_who_was_left_out_and_went_on_alone_is_not_further() -> None:
    view = View(7, ("a", "b"), (Mark(0, 40, 6), Mark(0, 90, 5)))
    assert view.root == 0
    restored = View(7, ("a", "b"), (Mark(0, 40, 6), Mark(1, 3, 5)))
    assert restored.root == 1


LAST = View(4, ("a", "b", "c"), marks(1, 1, 1))


def test_a_roster_that_begins_anew_goes_on_from_what_members_tell() -> None:
    roster = Membership(3, grace=3.0)
    assert roster.ready("d", at(-1), (), 0.0) == []
    found = roster.ready("a", at(7), ["c"], 1.0, at_once=True, after=LAST)
    assert found == [Invite(("a", "b", "c")), Recall(("b", "c"), 4)]
    assert roster.tick(1e6) == [], "b and c may go on elsewhere"
    view = formed(roster.ready("b", at(7), (), 2e6, after=LAST))
    assert view == View(5, ("a", "b", "d"), marks(7, 7, -1))
    # What is told of earlier epochs is no news.
    assert roster.ready("c", at(3), (), 3e6, after=LAST) == [Invite(("a", "b", "d"))]
    assert roster.view.epoch == 5


def test_whoever_kept_the_members_gives_them_back() -> None:
    roster = Membership(3)
    assert roster.ready("d", at(-1), (), 0.0) == []
    assert roster.adopt(LAST) == [Invite(("a", "b", "c"))]
    assert roster.adopt(LAST) == []
    heir = Membership(0, grace=3.0, after=LAST)
    heir.ready("a", at(7), (), 0.0)
    heir.ready("b", at(7), (), 0.0)
    heir.let_go()
    assert heir.tick(1e6) == [], "those who were ready ask the roster now"


def test_one_who_was_stopped_asks_for_most_of_the_members() -> None:
    membership = started("a", "b", grace=3.0)
    membership.ready("a", at(5), (), 0.0)
    membership.let_go()
    assert membership.ready("a", at(5), (), 1e6) == [] == membership.tick(2e6)
    assert formed(membership.ready("b", at(5), (), 2e6)).members == ("a", "b")


def test_who_begins_anew_at_its_old_address_has_the_others_come() -> None:
    membership = started("a", "b", "c")
    assert membership.ready("b", at(-1), (), 1.0) == [Recall(("a", "c"), 1)]
    membership.ready("a", at(4), (), 2.0)
    assert formed(membership.ready("c", at(4), (), 2.0)).members == ("a", "b", "c")


def test_a_member_that_begins_anew_has_no_voice() -> None:
    heir = Membership(0, grace=3.0, after=LAST)
    assert heir.ready("a", at(-1), (), 0.0) == [Recall(("b", "c"), 4)]
    assert heir.ready("b", at(7), (), 0.0) == []
    # b is half of those who may have the state; the other one may be in a later epoch with a.
    assert heir.tick(1e6) == []
    assert formed(heir.ready("c", at(7), (), 1e6)).members == ("a", "b", "c")
