"""How replicas get into groups, where one of them is late to know what the others have done, and
how they hear that a training is over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from tests.cluster.replication.models import in_threads
from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.replication import circle as circle_module
from workbench.cluster.replication.circle import BROKEN, Circle
from workbench.cluster.replication.membership import Mark, View
from workbench.cluster.replication.roster import Roster
from workbench.cluster.wire import direct, hello
from workbench.cluster.wire.hello import Identity
from workbench.core.errors import AbortedError, OpError

DEADLINE = 20.0


class Late(Circle):
    """Notes when others have left a group."""

    def __init__(self, roster: str) -> None:
        self.told = threading.Event()
        super().__init__(roster, "tcp://127.0.0.1:0", DEADLINE, DEADLINE, False, None)

    def _recall(self, epoch: Any) -> None:
        super()._recall(epoch)
        self.told.set()


@pytest.fixture
def two() -> Iterator[tuple[Circle, Late]]:
    """Two that meet; who is late is awaited for as long as it takes."""
    with Roster(2, grace=600.0) as roster, ExitStack() as stack:
        first = _circle(roster)
        stack.callback(first.leave)
        late = Late(roster.address)
        stack.callback(late.leave)
        yield first, late


def _circle(roster: Roster, training: str = "") -> Circle:
    return Circle(
        roster.address, "tcp://127.0.0.1:0", DEADLINE, DEADLINE, False, None, None, training
    )


def _both(first: Any, second: Any) -> list[View]:
    found = in_threads(2, lambda number: (first, second)[number]())
    assert all(isinstance(view, View) for view in found), found
    return found


def test_who_has_not_noted_its_group_yet_hears_that_others_have_left_it(
    two: tuple[Circle, Late], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, late = two
    form = circle_module.form

    def form_late(exchange: Any, name: str, epoch: int, *rest: Any) -> Any:
        group = form(exchange, name, epoch, *rest)
        if exchange is late._exchange and epoch == 1:
            assert late.told.wait(DEADLINE)
        return group

    monkeypatch.setattr(circle_module, "form", form_late)

    def lead() -> View:
        first.form(Mark())
        return first.form(Mark(0, 0), at_once=True)

    def follow() -> View:
        assert late.form(Mark()).epoch == 1 and late.group is not None
        assert late.recalled.is_set()
        with pytest.raises(BROKEN, match="others have left it") as caught:
            late.group.barrier(DEADLINE)
        return late.form(Mark(0, 0), caught.value)

    views = _both(lead, follow)
    assert views[0] == views[1] and views[0].epoch == 2 and len(views[0].members) == 2


def test_who_is_taken_for_gone_while_a_group_is_formed_comes_again_at_once(
    two: tuple[Circle, Late], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, late = two
    form = circle_module.form

    def form_apart(exchange: Any, name: str, epoch: int, members: Any, *rest: Any) -> Any:
        if epoch == 1 and exchange is first._exchange:
            raise LostMembersError("its connection was closed", [members.index(late.address)])
        if epoch == 1:
            # The other one waits for this one no more.
            assert late.told.wait(DEADLINE)
        return form(exchange, name, epoch, members, *rest)

    monkeypatch.setattr(circle_module, "form", form_apart)

    def lead() -> View:
        alone = first.form(Mark())
        assert alone.members == (first.address,)
        assert first.invited.wait(DEADLINE)
        return first.form(Mark(0, 0), at_once=True)

    views = _both(lead, lambda: late.form(Mark()))
    assert views[0] == views[1] and views[0].members == (first.address, late.address)


def test_who_is_of_a_training_that_met_there_before_takes_no_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks for the others of its own, where another training has got the address since."""
    # As between processes.
    monkeypatch.setattr(direct, "neighbour_at", lambda address: None)
    mismatch, was_refused = hello.mismatch, threading.Event()

    def noted(own: Identity, other: Any) -> str | None:
        reason = mismatch(own, other)
        if reason is not None:
            was_refused.set()
        return reason

    monkeypatch.setattr(hello, "mismatch", noted)
    with ExitStack() as stack:
        with Roster(2, training="before") as roster:
            address = roster.address
            first, last = _circle(roster, "before"), _circle(roster, "before")
            stack.callback(first.leave)
            _both(lambda: first.form(Mark()), lambda: last.form(Mark()))
        roster = stack.enter_context(Roster(2, address, training="after"))
        assert last.group is not None
        lost = LostMembersError("it is gone", [last.group.members.index(first.address)])

        def knock() -> None:
            with suppress(OpError):
                last.form(Mark(0, 6), lost)

        knocks = threading.Thread(target=knock)
        knocks.start()
        stack.callback(knocks.join, DEADLINE)
        stack.callback(last.leave)
        assert was_refused.wait(DEADLINE)
        later = [_circle(roster, "after") for _ in range(2)]
        for circle in later:
            stack.callback(circle.leave)
        views = _both(lambda: later[0].form(Mark()), lambda: later[1].form(Mark()))
        assert views[0] == views[1] and views[0].epoch == 1
        assert set(views[0].members) == {circle.address for circle in later}


@pytest.mark.parametrize("awaits", ["the others", "another group", "nothing"])
def test_replicas_hear_that_a_training_is_over(awaits: str) -> None:
    with Roster(2, grace=600.0, training="t") as roster, ExitStack() as stack:
        circles = [_circle(roster, "t") for _ in range(2)]
        for circle in circles:
            stack.callback(circle.leave)
        _both(lambda: circles[0].form(Mark()), lambda: circles[1].form(Mark()))
        group = circles[1].group
        assert group is not None
        waits = {
            "the others": lambda: group.barrier(600.0),
            "another group": lambda: circles[1].form(Mark(0, 0)),
            "nothing": lambda: None,
        }[awaits]
        begun = threading.Event()

        def end() -> None:
            assert begun.wait(DEADLINE)
            roster.end()

        def wait() -> str:
            begun.set()
            try:
                waits()
            except AbortedError as error:
                return error.message
            return ""

        _, found = in_threads(2, lambda number: (end, wait)[number]())
        assert ("the training is over" in found) == (awaits != "nothing")
        # Nor does it look for others from then on.
        with pytest.raises(AbortedError, match="the training is over"):
            circles[1].form(Mark(0, 0))
