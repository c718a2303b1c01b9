"""Who takes part in a training, as a state machine: members come, die, and form anew.

A group has an epoch. It is left by all at once, between two steps or when a step fails; each then
says that it is ready, and what it has. The next epoch begins when all are there that are not known
to be gone, or when those that are late have been awaited for long enough. Who comes too late is a
newcomer.

Where the one that keeps the members is gone itself, the first of the members does so from then on,
until somebody keeps them again where all meet: whoever begins to, goes on from the newest epoch
that members tell of. No epoch is followed by two: those who are awaited no longer are fewer than
those who go on, and where they are as many, only the one that began the epoch goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Mark(NamedTuple):
    """What a member has: so many steps, since the training was set back so many times.

    Who was left out may have gone on alone: what it has then is not what the others have, though it
    may be more steps. The epoch in which a member got its state tells that.
    """

    line: int = 0
    #: -1: nothing yet.
    step: int = -1
    #: The last epoch in which it had the state of all.
    epoch: int = 0

    @property
    def done(self) -> tuple[int, int]:
        """What it has, for those who take their steps together."""
        return self.line, self.step

    @property
    def order(self) -> tuple[int, int, int]:
        """Tells whether it is further than another one."""
        return self.line, self.epoch, self.step


@dataclass(frozen=True)
class View:
    """The members of an epoch by rank, and what each of them had when it began."""

    epoch: int
    members: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def root(self) -> int:
        """The rank whose state the others take: the first of those that are furthest."""
        orders = [mark.order for mark in self.marks]
        return orders.index(max(orders))


@dataclass(frozen=True)
class Form:
    """Tell the members of a view that it begins."""

    view: View


@dataclass(frozen=True)
class Invite:
    """Tell these members that somebody waits to be let in."""

    members: tuple[str, ...]


@dataclass(frozen=True)
class Recall:
    """Tell these members that an epoch is over, whatever they wait for in it."""

    members: tuple[str, ...]
    epoch: int


Instruction = Form | Invite | Recall


class Membership:
    """The members of a training.

    Args:
      expected: how many there must be to begin.
      grace: how long those that are late are awaited, in seconds.
      after: the epoch that this goes on from, in the place of a keeper that is gone.
    """

    def __init__(self, expected: int, grace: float = 10.0, after: View | None = None) -> None:
        self._expected, self._grace = expected, grace
        self._takes_over = after is not None
        self.view = after or View(0, (), ())
        #: Who is ready, in the order in which they came: with what.
        self._ready: dict[str, Mark] = {}
        self._gone: set[str] = set()
        #: Those that are to be the first of the members.
        self._leading: set[str] = set()
        #: Those of whom it is certain: not only the connection with them is gone.
        self._dead: set[str] = set()
        #: Since when a member of this epoch is ready for the next one.
        self._since: float | None = None

    def ready(
        self,
        member: str,
        mark: Mark,
        missing: Iterable[str],
        now: float,
        at_once: bool = False,
        certain: bool = False,
        after: View | None = None,
        leads: bool = False,
    ) -> list[Instruction]:
        """A member has left the group, and may have found that others are gone.

        `at_once`: it did so alone, and the others should leave it too. `certain`: those that are
        missing are dead, and not only out of reach. `after`: the epoch of the group that it left.
        `leads`: it is to be the first, whenever it came.
        """
        instructions = [] if after is None else self.adopt(after)
        self._ready[member] = mark
        (self._leading.add if leads else self._leading.discard)(member)
        self._gone.discard(member)
        self._dead.discard(member)
        if after is not None and after.epoch < self.view.epoch:
            # It was left out, and says so of those who have gone on: they are not to be parted.
            missing = ()
        missing = [name for name in missing if name not in self._ready]
        self._gone.update(missing)
        self._dead.update(missing if certain else ())
        if member in self.view.members:
            self._since = now if self._since is None else self._since
            # One that comes with nothing has begun anew: others may not have missed it before.
            # Who is only out of reach may be there, and wait for the others in what they have left.
            doubtful = () if certain else [m for m in self.view.members if m in missing]
            recalled = (*(self.late() if at_once or mark.step < 0 else ()), *doubtful)
            if recalled:
                instructions += [Recall(recalled, self.view.epoch)]
        elif self._since is None and self.view.members:
            instructions += [Invite(self.view.members)]
        return instructions + self.tick(now)

    def adopt(self, view: View) -> list[Instruction]:
        """Members have formed in another place since, or before this one was there."""
        if view.epoch <= self.view.epoch:
            return []
        self.view, self._takes_over, self._since = view, True, None
        others = tuple(member for member in view.members if member not in self._ready)
        return [Invite(others)] if self._ready and others else []

    def let_go(self) -> None:
        """Members may form elsewhere now, or have: those who are ready need to say so again."""
        self._ready, self._since, self._takes_over = {}, None, bool(self.view.epoch)

    def gone(self, member: str, now: float) -> list[Instruction]:
        """A member leaves for good."""
        self._ready.pop(member, None)
        self._gone.add(member)
        self._dead.add(member)
        return self.tick(now)

    def lost(self, member: str, now: float) -> list[Instruction]:
        """Whoever watches it says that a member is dead: nobody is to wait for it any more."""
        late = tuple(name for name in self.late() if name != member)
        recall = [Recall(late, self.view.epoch)] if late and member in self.view.members else []
        return recall + self.gone(member, now)

    def late(self) -> list[str]:
        """Members that are awaited."""
        return [m for m in self.view.members if m not in self._ready and m not in self._gone]

    def tick(self, now: float) -> list[Instruction]:
        """Time passes; a new epoch begins when it can."""
        if not self._ready:
            return []
        if not self.view.members:
            # Those that will not come are told of as gone.
            if len(self._ready) + len(self._gone) < self._expected:
                return []
        elif not self._may_go_on(now):
            return []
        old = [m for m in self.view.members if m in self._ready]
        in_order = [*old, *(m for m in self._ready if m not in old)]
        members = tuple(sorted(in_order, key=lambda member: member not in self._leading))
        marks = tuple(self._ready[m] for m in members)
        self.view = View(self.view.epoch + 1, members, marks)
        self._ready, self._gone, self._dead, self._since = {}, set(), set(), None
        self._takes_over = False
        return [Form(self.view)]

    def _may_go_on(self, now: float) -> bool:
        """Whether those who are ready are enough, without those who are late or out of reach."""
        members = self.view.members
        there = sum(member in self._ready for member in members)
        if self._takes_over:
            # Who comes with nothing, in the place of a member, has begun anew: that one is dead.
            voices = sum(m in self._ready and self._ready[m].step >= 0 for m in members)
            dead = sum(m in self._dead or (m in self._ready and self._ready[m].step < 0)
                       for m in members)  # fmt: skip
            if dead < len(members) and 2 * voices <= len(members) - dead:
                # The others may go on elsewhere.
                return False
        late = len(self.late())
        if not late:
            return True
        has_waited = self._since is not None and now - self._since >= self._grace
        return has_waited and there >= late
