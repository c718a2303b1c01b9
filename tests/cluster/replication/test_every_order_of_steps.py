"""Synchronous steps in every order of what replicas do, with deaths: none is lost or done twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.interleavings import explore
from workbench.cluster.replication.membership import Form, Mark, Membership, Recall, View
from workbench.cluster.replication.mixing import Mixing
from workbench.cluster.replication.parameter_server import Apply, ParameterServer

Event = tuple[Any, ...]
STEPS = 2


class Training:
    """Replicas that put up their gradients, wait for all, and apply them, by the rules of a board.

    A history is what a replica's variables are made of: by step, whose gradients it was made with.
    On the wire (`wire`), who finds others gone may have missed what it needs to apply a step that
    others have applied.
    """

    def __init__(self, names: str, deaths: int, wire: bool) -> None:
        self.wire = wire
        self.membership = Membership(len(names))
        for name in names:
            (self.view,) = [
                i.view
                for i in self.membership.ready(name, Mark(0, 0), (), 0.0)
                if isinstance(i, Form)
            ] or [None]
        self.views: dict[str, View | None] = dict.fromkeys(names, self.view)
        self.history: dict[str, tuple[Any, ...]] = dict.fromkeys(names, ())
        #: By epoch and replica: how many steps it has put up there, from the first of the epoch.
        self.put_up: dict[tuple[int, str], int] = {}
        self.applied: dict[tuple[int, str], int] = {}
        self.recalled: set[tuple[int, str]] = set()
        #: The views on their way.
        self.told: dict[str, View] = {}
        #: Who has joined a view, and waits for the others of it, to get their state.
        self.entering: set[str] = set()
        self.deaths, self.dead = deaths, set[str]()

    def events(self) -> list[Event]:
        found: list[Event] = [("told", n) for n in self.told if n not in self.dead]
        for name, view in self.views.items():
            if name in self.dead or view is None:
                continue
            if name in self.entering:
                if any(m in self.dead and m not in self.entering for m in view.members):
                    found.append(("leaves", name))
                elif all(m in self.entering or self.has_entered(m, view) for m in view.members):
                    found.append(("enters", name))
                continue
            own = self.put_up.get((view.epoch, name), 0)
            if own == self.applied.get((view.epoch, name), 0):
                if len(self.history[name]) < STEPS:
                    found.append(("puts up", name))
                elif (view.epoch, name) in self.recalled:
                    # Before it goes it gives what it has to those who have missed the last step.
                    found.append(("leaves", name))
                continue
            late = [m for m in view.members if self.put_up.get((view.epoch, m), 0) < own]
            if not late:
                found.append(("applies", name))
            missed = view.members if self.wire else late
            is_recalled = (view.epoch, name) in self.recalled
            if missed and (is_recalled or any(m in self.dead for m in missed)):
                found.append(("leaves", name))
        if self.deaths:
            found += [("dies", name) for name in self.views if name not in self.dead]
        return found

    def has_entered(self, name: str, view: View) -> bool:
        return name not in self.dead and self.views[name] == view and name not in self.entering

    def do(self, event: Event) -> None:
        what, name = event
        view = self.views[name]
        if what == "told":
            self.views[name] = self.told.pop(name)
            self.entering.add(name)
        elif what == "dies":
            self.deaths -= 1
            self.dead.add(name)
            self.told.pop(name, None)
            # What it has said to the others about its entering is said.
            self.perform(self.membership.gone(name, 0.0))
        elif what == "leaves":
            assert view is not None
            self.entering.discard(name)
            self.views[name] = None
            missing = [m for m in view.members if m in self.dead]
            mark = Mark(0, len(self.history[name]))
            self.perform(self.membership.ready(name, mark, missing, 0.0, True, True))
        elif what == "enters":
            # All of them at once: the state comes from the root, which is there.
            assert view is not None
            root = view.members[view.root]
            for member in view.members:
                own = self.history[member]
                assert self.history[root][: len(own)] == own, f"{member} has lost a step"
                self.history[member] = self.history[root]
                self.entering.discard(member)
        else:
            assert view is not None
            count = self.put_up if what == "puts up" else self.applied
            count[view.epoch, name] = count.get((view.epoch, name), 0) + 1
            if what == "applies":
                self.history[name] += ((len(self.history[name]), view.members),)

    def perform(self, instructions: list[Any]) -> None:
        for each in instructions:
            if isinstance(each, Form):
                self.told.update(dict.fromkeys(each.view.members, each.view))
            elif isinstance(each, Recall):
                self.recalled.update((each.epoch, member) for member in each.members)

    def check(self) -> None:
        for history in self.history.values():
            assert [step for step, _ in history] == list(range(len(history)))
        # What only the dead have applied, and told nobody, may be done by the others in their way.
        known = {n: h for n, h in self.history.items() if n not in self.dead or not self.wire}
        longest = max(known.values(), key=len, default=())
        for name, history in known.items():
            assert history == longest[: len(history)], f"{name} has another step than others"

    def check_end(self) -> None:
        for name, history in self.history.items():
            assert name in self.dead or len(history) == STEPS, f"{name} waits for ever"


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("deaths", [0, 1])
def test_steps_of_two_replicas(deaths: int, wire: bool) -> None:
    assert explore(Training("ab", deaths, wire)).ends >= 1 + deaths


@pytest.mark.slow
@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("deaths", [0, 1, 2])
def test_steps_of_three_replicas(deaths: int, wire: bool) -> None:
    assert explore(Training("abc", deaths, wire), most=500_000).ends >= 1 + deaths


class Served:
    """Two replicas and a parameter server: what they send may come twice, or not be answered."""

    def __init__(self, staleness: int | None) -> None:
        self.server = ParameterServer(1, 0, 2, staleness)
        #: By replica: the number of its gradients, after which step they are, and its batch.
        self.at = {"a": (1, 0, 0), "b": (1, 0, 1)}
        self.on_the_way: list[tuple[str, int, int, int]] = []
        self.applied: list[int] = []
        self.repeats = 2

    def events(self) -> list[Event]:
        found: list[Event] = []
        for name, (number, _, batch) in self.at.items():
            on_the_way = sum(m == name and n == number for m, n, _, _ in self.on_the_way)
            if number <= STEPS and not on_the_way:
                found.append(("sends", name))
            elif number <= STEPS and self.repeats and on_the_way == 1:
                found.append(("sends again", name))
            assert batch < self.server.batch
        return found + [("comes", n) for n in range(len(self.on_the_way))]

    def do(self, event: Event) -> None:
        what, which = event
        if what != "comes":
            number, seen, batch = self.at[which]
            self.on_the_way.append((which, number, seen, batch))
            self.repeats -= what == "sends again"
            return
        name, number, seen, batch = self.on_the_way.pop(which)
        decision = self.server.came(1, name, number, seen)
        if isinstance(decision, Apply):
            self.applied.append(batch)
        if number != self.at[name][0]:
            return
        was_dropped = not isinstance(decision, Apply) and getattr(decision, "was_dropped", False)
        following = batch if was_dropped else self.server.take_batch()
        steps = number + (not was_dropped)
        self.at[name] = (steps if not was_dropped else number + 1, self.server.step, following)

    def check(self) -> None:
        assert len(set(self.applied)) == len(self.applied), "a batch was applied twice"
        assert len(self.applied) == self.server.step

    def check_end(self) -> None:
        assert self.server.step + self.server.dropped == 2 * STEPS


@pytest.mark.parametrize("staleness", [None, 0, 1])
def test_gradients_that_come_twice_or_late(staleness: int | None) -> None:
    explored = explore(Served(staleness))
    assert explored.ends >= 1


class Wandering:
    """Two replicas that mix, and wait for each other only where one is too far behind."""

    def __init__(self) -> None:
        self.mixing = {n: Mixing(1, [m], 1, 1) for n, m in (("a", "b"), ("b", "a"))}
        self.on_the_way: list[tuple[str, int]] = []
        self.dead: str | None = None
        self.seen: list[tuple[str, int]] = []

    def events(self) -> list[Event]:
        found: list[Event] = [("comes", n) for n in range(len(self.on_the_way))]
        for name, mixing in self.mixing.items():
            if name == self.dead:
                continue
            if not mixing.behind() and mixing.own_steps < 3:
                found.append(("steps", name))
            if self.dead in mixing.behind():
                found.append(("notices", name))
            if self.dead is None:
                found.append(("dies", name))
        return found

    def do(self, event: Event) -> None:
        what, which = event
        if what == "comes":
            sender, steps = self.on_the_way.pop(which)
            other = "b" if sender == "a" else "a"
            if self.mixing[other].came(1, sender, steps, (sender, steps)):
                self.seen += self.mixing[other].take()
        elif what == "steps":
            assert self.mixing[which].stepped()
            self.on_the_way.append((which, self.mixing[which].own_steps))
        elif what == "dies":
            self.dead = which
        else:
            assert self.dead is not None
            self.mixing[which].lost(self.dead)

    def check(self) -> None:
        assert len(set(self.seen)) == len(self.seen), "something was mixed in twice"
        a, b = (self.mixing[n].own_steps for n in "ab")
        assert self.dead is not None or abs(a - b) <= 2

    def check_end(self) -> None:
        for name, mixing in self.mixing.items():
            assert name == self.dead or mixing.own_steps == 3, f"{name} waits for ever"


def test_variables_that_come_late_or_never() -> None:
    assert explore(Wandering()).ends >= 2
