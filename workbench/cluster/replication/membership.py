"""Who takes part in a training, as a state machine: members come, die, and form anew.

A group has an epoch. It is left by all at once, between two steps or when a step fails; each then
says that it is ready, and after which step. The next epoch begins when all are there that are not
known to be gone, or when those that are late have been awaited for long enough. Who comes too late
is a newcomer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """The members of an epoch by rank, and the last step that each has done."""

    epoch: int
    members: tuple[str, ...]
    steps: tuple[int, ...]

    @property
    def root(self) -> int:
        """The rank whose state the others take: the first of those that are furthest."""
        return self.steps.index(max(self.steps))


@dataclass(frozen=True)
class Form:
    """Tell the members of a view that it begins."""

    view: View


@dataclass(frozen=True)
class Invite:
    """Tell these members that somebody waits to be let in."""

    members: tuple[str, ...]


Instruction = Form | Invite


class Membership:
    """The members of a training.

    Args:
      expected: how many there must be to begin.
      grace: how long those that are late are awaited, in seconds.
    """

    def __init__(self, expected: int, grace: float = 10.0) -> None:
        self._expected, self._grace = expected, grace
        self.view = View(0, (), ())
        #: Who is ready, in the order in which they came: after which step.
        self._ready: dict[str, int] = {}
        self._gone: set[str] = set()
        #: Since when a member of this epoch is ready for the next one.
        self._since: float | None = None

    def ready(
        self, member: str, step: int, missing: Iterable[str], now: float
    ) -> list[Instruction]:
        """A member has left the group, and may have found that others are gone."""
        self._ready[member] = step
        self._gone.discard(member)
        self._gone.update(name for name in missing if name not in self._ready)
        instructions: list[Instruction] = []
        if member in self.view.members:
            self._since = now if self._since is None else self._since
        elif self._since is None and self.view.members:
            instructions = [Invite(self.view.members)]
        return instructions + self.tick(now)

    def gone(self, member: str, now: float) -> list[Instruction]:
        """A member leaves for good, or is known to be dead."""
        self._ready.pop(member, None)
        self._gone.add(member)
        return self.tick(now)

    def late(self) -> list[str]:
        """Members that are awaited."""
        return [m for m in self.view.members if m not in self._ready and m not in self._gone]

    def tick(self, now: float) -> list[Instruction]:
        """Time passes; a new epoch begins when it can."""
        if not self._ready:
            return []
        if not self.view.members:
            if len(self._ready) < self._expected:
                return []
        elif self.late() and (self._since is None or now - self._since < self._grace):
            return []
        old = [m for m in self.view.members if m in self._ready]
        members = (*old, *(m for m in self._ready if m not in old))
        steps = tuple(self._ready[m] for m in members)
        self.view = View(self.view.epoch + 1, members, steps)
        self._ready, self._gone, self._since = {}, set(), None
        return [Form(self.view)]
