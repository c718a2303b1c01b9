"""Membership in every order of messages: members that die, a roster that dies, false suspicions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.interleavings import Channels, explore
from workbench.cluster.replication.membership import Form, Invite, Mark, Membership, Recall, View

Event = tuple[Any, ...]
ROSTER = "roster"
#: When those who are late have been awaited for long enough.
LATE = 1e6


class Members:
    """Members that know each other by a view, their keepers, and what is on its way between them.

    Members have formed the first epoch. Who finds out that another one is dead leaves the group and
    asks the roster, or, where that is dead, the first of its view that it does not think dead. The
    dead may begin anew, and know nothing then; a roster that does is told who there is by those who
    kept the members meanwhile.
    """

    def __init__(
        self,
        names: str,
        newcomer: str = "",
        deaths: int = 1,
        suspicions: int = 0,
        mortal: tuple[str, ...] | None = None,
        births: int = 0,
    ) -> None:
        self.channels = Channels()
        first = View(1, tuple(names), tuple(Mark(0, 1) for _ in names))
        roster = Membership(len(names))
        for name in names:
            roster.ready(name, Mark(0, -1), (), 0.0)
        self.keepers = {ROSTER: roster}
        self.views: dict[str, View | None] = dict.fromkeys(names, first)
        #: What each waits for: nothing, or the answer of a keeper.
        self.asks: dict[str, str | None] = dict.fromkeys(names)
        self.thinks_dead: dict[str, tuple[str, ...]] = dict.fromkeys((*names, *newcomer), ())
        for name in newcomer:
            self.views[name] = None
            self.asks[name] = None
        self.mortal = mortal if mortal is not None else tuple(names + newcomer)
        self.deaths, self.suspicions, self.births = deaths, suspicions, births
        self.is_watched = bool(births)
        #: How often each has begun, and which of its lives asked a keeper last.
        self.lives: dict[str, int] = {}
        self.asked: dict[tuple[str, str], int] = {}
        #: Which life of a keeper each asks.
        self.asks_life: dict[str, int] = {}
        #: Keepers in the place of the roster, and members, that have told a new one who there is.
        self.have_told: set[str] = set()
        self.told_by_members: set[str] = set(self.views)
        self.dead: set[str] = set()
        self.invited: set[str] = set()
        self.time_is_over = False
        #: Every view that was formed, by whom.
        self.formed: dict[int, View] = {1: View(1, first.members, ())}

    # -- what happens ------------------------------------------------------------------------

    def events(self) -> list[Event]:
        found: list[Event] = [("arrive", *pair) for pair in self.channels.ready()]
        for name in self.alive():
            view = self.views[name]
            keeper = self.asks[name]
            if keeper is not None:
                is_new = self.asks_life.get(name) != self.lives.get(keeper, 0)
                # One that nobody knows gives up without the roster, and begins when that is there.
                may_ask = view is not None or ROSTER not in self.dead or not self.births
                if (keeper in self.dead or is_new) and not self.channels.has_from(keeper):
                    found += [("asks another", name)] if may_ask else []
                continue
            if view is None:
                found.append(("leaves", name))
                continue
            others = [m for m in view.members if m != name and m in self.dead]
            if others or name in self.invited or self.has_left(view, name):
                found.append(("leaves", name))
            if self.suspicions:
                found += [("suspects", name, m) for m in view.members if m != name]
        if self.deaths:
            found += [("dies", name) for name in self.mortal if name not in self.dead]
        if self.births:
            found += [("begins anew", name) for name in sorted(self.dead)]
        if ROSTER not in self.dead:
            heirs = [k for k in self.keepers if k not in self.dead and k != ROSTER]
            found += [("gives back", k) for k in heirs if k not in self.have_told]
            members = [m for m in self.alive() if self.views[m] and self.asks[m] is None]
            found += [("tells", m) for m in members if m not in self.told_by_members]
        if not self.time_is_over and not found:
            found.append(("time is over",))
        return found

    def alive(self) -> list[str]:
        return [name for name in self.views if name not in self.dead]

    def has_left(self, view: View, name: str) -> bool:
        """Whether another member is not in the group of a view any more: it is seen to be gone."""
        for other in view.members:
            if other == name or other in self.dead:
                continue
            seen = self.views[other]
            if seen is not None and (
                seen.epoch > view.epoch or (seen == view and self.asks[other] is not None)
            ):
                return True
        return False

    def do(self, event: Event) -> None:
        match event:
            case ("arrive", source, target):
                self.arrive(source, target, self.channels.take((source, target)))
            case ("leaves", name):
                view = self.views[name]
                seen = tuple(m for m in view.members if m in self.dead) if view else ()
                self.leave(name, seen)
            case ("suspects", name, other):
                self.suspicions -= 1
                self.leave(name, (other,))
            case ("asks another", name):
                self.ask(name)
            case ("dies", name):
                self.deaths -= 1
                self.dead.add(name)
                self.channels.lose_to(name)
            case ("begins anew", name):
                self.births -= 1
                self.dead.discard(name)
                self.keepers.pop(name, None)
                self.lives[name] = self.lives.get(name, 0) + 1
                if name == ROSTER:
                    self.keepers[ROSTER] = Membership(len(self.formed[1].members))
                    self.have_told.clear()
                    self.told_by_members.clear()
                else:
                    self.have_told.discard(name)
                    self.views[name], self.asks[name], self.thinks_dead[name] = None, None, ()
            case ("tells", name):
                self.told_by_members.add(name)
                self.channels.send(name, ROSTER, ("tell", self.views[name]))
            case ("gives back", keeper):
                self.have_told.add(keeper)
                self.channels.send(keeper, ROSTER, ("keep", self.keepers[keeper].view))
            case ("time is over",):
                self.time_is_over = True
                if self.is_watched and ROSTER not in self.dead:
                    # Whoever watches the processes tells of those that nobody else is left to miss.
                    for name in sorted(self.dead):
                        self.perform(ROSTER, self.keepers[ROSTER].gone(name, LATE))
                for keeper in list(self.keepers):
                    if keeper not in self.dead:
                        self.perform(keeper, self.keepers[keeper].tick(LATE))

    def leave(self, name: str, missing: tuple[str, ...]) -> None:
        self.invited.discard(name)
        self.thinks_dead[name] = missing
        self.ask(name)

    def ask(self, name: str) -> None:
        """Asks the first keeper that is not dead: the connection with the dead fails."""
        view = self.views[name]
        heirs = [m for m in view.members if m not in self.thinks_dead[name]] if view else []
        for keeper in (ROSTER, *heirs):
            if keeper not in self.dead:
                self.asks[name] = keeper
                self.asks_life[name] = self.lives.get(keeper, 0)
                asked = ("ready", view, self.thinks_dead[name], self.lives.get(name, 0))
                self.channels.send(name, keeper, asked)
                return
        self.asks[name] = "nobody"

    def arrive(self, source: str, target: str, message: Any) -> None:
        if target in self.dead:
            return
        match message:
            case ("ready", view, missing, life):
                keeper = self.keepers.get(target)
                if keeper is None:
                    if view is None or target not in view.members:
                        return
                    own = self.views[target]
                    if own is not None and view.epoch < own.epoch:
                        return
                    keeper = self.keepers[target] = Membership(0, after=view)
                self.have_told.discard(target)
                self.asked[target, source] = life
                mark = Mark(0, view.epoch, view.epoch) if view else Mark()
                # Only what is so is certain.
                certain = bool(missing) and all(m in self.dead for m in missing)
                now = LATE if self.time_is_over else 0.0
                self.perform(target, keeper.ready(source, mark, missing, now, True, certain, view))
            case ("tell", view):
                self.perform(target, self.keepers[target].adopt(view))
            case ("keep", view):
                self.perform(target, self.keepers[target].adopt(view))
                self.channels.send(target, source, "kept")
            case "kept" if target in self.keepers:
                self.keepers[target].let_go()
                for name in self.alive():
                    if self.asks[name] == target:
                        self.channels.send(target, name, "elsewhere")
            case "elsewhere":
                if self.asks[target] == source:
                    self.ask(target)
            case ("view", view, life):
                # An answer to an earlier life is nobody's.
                if life == self.lives.get(target, 0):
                    self.asks[target], self.views[target] = None, view
            case ("recall", epoch):
                view = self.views[target]
                if view is not None and view.epoch == epoch and self.asks[target] is None:
                    self.invited.add(target)
            case "invite":
                # Whoever waits there is in the group that is asked for, as long as nobody else
                # keeps the members.
                if self.asks[target] is None or self.is_watched:
                    self.invited.add(target)

    def perform(self, keeper: str, instructions: list[Any]) -> None:
        for each in instructions:
            if isinstance(each, Form):
                view = each.view
                plain = View(view.epoch, view.members, ())
                other = self.formed.setdefault(view.epoch, plain)
                assert other == plain, f"two views of epoch {view.epoch}: {other} and {plain}"
                best = view.marks[view.root].epoch
                left = [m for m in self.alive() if self.epoch_of(m) > best]
                assert not left, f"what {left} have is left behind in {view}"
                for member in view.members:
                    life = self.asked[keeper, member]
                    self.channels.send(keeper, member, ("view", view, life))
            elif isinstance(each, Recall):
                for member in each.members:
                    self.channels.send(keeper, member, ("recall", each.epoch))
            elif isinstance(each, Invite):
                for member in each.members:
                    self.channels.send(keeper, member, "invite")

    def epoch_of(self, name: str) -> int:
        view = self.views[name]
        return view.epoch if view is not None else 0

    # -- what must be so ---------------------------------------------------------------------

    def check(self) -> None:
        for view in self.formed.values():
            assert len(set(view.members)) == len(view.members)

    def check_end(self) -> None:
        if ROSTER in self.dead or not self.alive():
            return
        waiting = [name for name in self.alive() if self.asks[name] is not None]
        assert not waiting, f"{waiting} wait for ever"
        (view,) = {self.views[name] for name in self.alive()}
        assert view is not None and set(view.members) == set(self.alive())


@pytest.mark.parametrize(("names", "deaths"), [("ab", 1), ("abc", 1), ("abc", 2)])
def test_members_that_die(names: str, deaths: int) -> None:
    assert explore(Members(names, deaths=deaths)).ends >= len(names)


def test_a_newcomer_while_one_dies() -> None:
    assert explore(Members("ab", newcomer="c")).ends >= 3


def test_a_member_that_is_suspected_in_vain_comes_back() -> None:
    assert explore(Members("abc", deaths=0, suspicions=1)).ends


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_the_roster_dies_and_so_does_a_member(names: str) -> None:
    """Whatever is lost on the way, no epoch has two views."""
    assert explore(Members(names, deaths=2, mortal=(ROSTER, *names))).ends


def test_the_roster_dies_and_a_member_is_suspected_in_vain() -> None:
    assert explore(Members("ab", deaths=1, suspicions=1, mortal=(ROSTER,))).ends


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_roster_dies_and_one_of_three_is_suspected_in_vain() -> None:
    """In half a million states, which take a minute."""
    assert explore(Members("abc", deaths=1, suspicions=1, mortal=(ROSTER,)), most=500_000).ends


@pytest.mark.parametrize("names", ["a", "ab"])
def test_the_roster_begins_anew_while_a_member_dies(names: str) -> None:
    """No epoch has two views, and those who live are in one group in the end."""
    assert explore(Members(names, deaths=2, mortal=(ROSTER, *names), births=1)).ends


def test_the_roster_and_a_member_begin_anew() -> None:
    assert explore(Members("ab", deaths=2, mortal=(ROSTER, "b"), births=2)).ends
