"""Who is in a pool: pure data, told who enters, serves and leaves.

The epoch grows with each change, so that what was said of an earlier membership can be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Member:
    """A worker whose runtime serves."""

    #: How the control plane knows it.
    control: str
    #: The name it was started with; a worker that is started again keeps it.
    name: str
    #: The number of its task.
    index: int
    #: Where its runtime is reached.
    address: str
    #: Tells this process from an earlier one of the same name.
    incarnation: int
    #: What else is known: pid, host, folder, devices.
    facts: Mapping[str, Any] = field(default_factory=dict)

    def description(self) -> dict[str, Any]:
        """The member as plain data."""
        return {
            "control": self.control,
            "name": self.name,
            "index": self.index,
            "address": self.address,
            "incarnation": self.incarnation,
            **self.facts,
        }


@dataclass(frozen=True)
class Change:
    """A worker joined or left: what those who watch are told."""

    epoch: int
    kind: str
    member: Member

    def description(self) -> dict[str, Any]:
        """The change as plain data."""
        return {"epoch": self.epoch, "kind": self.kind, "worker": self.member.description()}


class Membership:
    """The members of a pool by how the control plane knows them.

    >>> from workbench.pool.membership import Membership
    >>> pool = Membership()
    >>> pool.enter("tcp://a:1", "first")
    0
    >>> change = pool.serve("tcp://a:1", "tcp://a:2", incarnation=7, facts={})
    >>> change.epoch, change.kind, pool.leave("tcp://a:1").epoch
    (1, 'joined', 2)
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.members: dict[str, Member] = {}
        #: The names and numbers of those that entered; they may not serve yet.
        self._entered: dict[str, tuple[str, int]] = {}
        #: The number that a name last had.
        self._numbers: dict[str, int] = {}

    def enter(self, control: str, name: str) -> int:
        """A worker has started: its number, the one it had before where nobody took it."""
        if control in self._entered:
            return self._entered[control][1]
        taken = {index for _, index in self._entered.values()}
        index = self._numbers.get(name, -1)
        if index < 0 or index in taken:
            kept = {i for n, i in self._numbers.items() if n != name and self._is_here(n)}
            index = next(i for i in range(len(taken | kept) + 1) if i not in taken | kept)
        self._entered[control] = (name, index)
        self._numbers[name] = index
        return index

    def _is_here(self, name: str) -> bool:
        return any(name == entered for entered, _ in self._entered.values())

    def serve(
        self, control: str, address: str, incarnation: int, facts: Mapping[str, Any]
    ) -> Change | None:
        """A worker's runtime serves. None where the worker has left meanwhile, or is known."""
        if control not in self._entered:
            return None
        known = self.members.get(control)
        if known is not None and known.incarnation == incarnation:
            return None
        name, index = self._entered[control]
        self.members[control] = Member(control, name, index, address, incarnation, dict(facts))
        return self._changed("joined", self.members[control])

    def leave(self, control: str) -> Change | None:
        """A worker has gone. None where it had not joined."""
        self._entered.pop(control, None)
        member = self.members.pop(control, None)
        return None if member is None else self._changed("left", member)

    def _changed(self, kind: str, member: Member) -> Change:
        self.epoch += 1
        return Change(self.epoch, kind, member)

    def name_of(self, control: str) -> str | None:
        """The name of a worker that entered; None of one that did not."""
        return self._entered.get(control, (None, 0))[0]

    def waiting(self) -> list[tuple[str, int]]:
        """The names and numbers of those that entered and do not serve yet."""
        entered = [place for control, place in self._entered.items() if control not in self.members]
        return sorted(entered, key=lambda place: place[1])

    def in_order(self) -> list[Member]:
        """The members by their numbers."""
        return sorted(self.members.values(), key=lambda member: member.index)
