"""The end of the wire that a process has for its groups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from workbench.cluster.collectives.letters import Letter
from workbench.cluster.collectives.wire_group import WireGroup
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.keys import Keys
from workbench.cluster.wire.message import MISREAD, Message
from workbench.core.errors import FailedPreconditionError, OpError

#: So many letters are kept for groups that are not open here yet.
_MOST_EARLY = 1024


class Exchange:
    """Opens groups over one endpoint and gives them what comes.

    Args:
      address: where others reach this process; port 0 for any that is free.
      other: gets messages that are for no group, with who sent them.
      keys: the keys of the wire; those of the process where left out.
      identity: what it says of itself to those it meets.

    >>> from workbench.cluster.collectives.exchange import Exchange
    >>> exchange = Exchange("tcp://127.0.0.1:0")
    >>> group = exchange.open("all", 0, [exchange.address], 0)
    >>> group.all_gather([7])
    [[array(7)]]
    >>> exchange.close()
    """

    def __init__(
        self,
        address: str = "tcp://127.0.0.1:0",
        other: Callable[[Any, Message], None] | None = None,
        keys: Keys | None = None,
        identity: Identity | None = None,
    ) -> None:
        self._other = other
        self._lock = threading.Lock()
        self._groups: dict[str, WireGroup] = {}
        #: The last epoch of each name that was ended from outside, None for all, and why.
        self._ended: dict[str, tuple[int | None, str]] = {}
        self._early: list[tuple[str, int, Letter]] = []
        self.endpoint = Endpoint(
            address, self._handle, identity=identity, keys=keys, lost=self._lost
        )
        assert self.endpoint.address is not None
        self.address: str = self.endpoint.address

    def open(self, name: str, epoch: int, members: Sequence[str], rank: int) -> WireGroup:
        """The group of `members`, their addresses in the order of ranks; this is `rank`.

        Groups of the same name and an earlier epoch end, and what comes for them is dropped.
        FailedPreconditionError where there was one of this epoch or a later one.
        """
        with self._lock:
            old = self._groups.get(name)
            if old is not None and old.epoch >= epoch:
                raise FailedPreconditionError(
                    None, None, f"Group {name!r} is at epoch {old.epoch}, {epoch} is not later"
                )
            group = WireGroup(self.endpoint, name, epoch, members, rank)
            self._groups[name] = group
            for of_name, of_epoch, letter in self._early:
                if (of_name, of_epoch) == (name, epoch):
                    group.deliver(letter)
            self._early = [e for e in self._early if e[0] != name or e[1] > epoch]
        if old is not None:
            old.abort(f"epoch {epoch} has begun")
        reason = self.end_of(name, epoch)
        if reason is not None:
            group.abort(reason)
        return group

    def end(self, name: str, epoch: int | None, reason: str) -> None:
        """Ends a group, whether it is open here, is about to be, or is being formed: what it does
        fails with AbortedError. Of all epochs, where none is given."""
        with self._lock:
            self._ended[name] = epoch, reason
            group = self._groups.get(name)
        if group is not None and epoch in (None, group.epoch):
            group.abort(reason)

    def end_of(self, name: str, epoch: int) -> str | None:
        """Why a group was ended by `end`; None where it was not."""
        with self._lock:
            ended = self._ended.get(name)
        return ended[1] if ended is not None and ended[0] in (None, epoch) else None

    def _handle(self, sender: Any, message: Message) -> None:
        if message.kind != "collective":
            if self._other is not None:
                self._other(sender, message)
            return
        try:
            name, epoch = str(message.fields["group"]), int(message.fields["epoch"])
            letter = Letter(
                int(message.fields["rank"]),
                int(message.fields["operation"]),
                tuple(int(n) for n in message.fields["tag"]),
                [array for _, array in message.arrays],
            )
        except MISREAD:
            # As with all that is no message of ours: nobody waits for it.
            return
        with self._lock:
            group = self._groups.get(name)
            if group is not None and group.epoch == epoch:
                group.deliver(letter)
            elif (group is None or group.epoch < epoch) and len(self._early) < _MOST_EARLY:
                self._early.append((name, epoch, letter))

    def _lost(self, address: str, error: OpError) -> None:
        """A peer is gone, or the connection with it, and what was on its way with it."""
        with self._lock:
            groups = list(self._groups.values())
        for group in groups:
            if address in group.members:
                group.lost(group.members.index(address), error.message)

    def close(self) -> None:
        """Ends the groups and the endpoint."""
        with self._lock:
            groups = list(self._groups.values())
        for group in groups:
            group.abort("the exchange is closed")
        self.endpoint.close()
