"""Where replicas that step together meet."""

from __future__ import annotations

import threading
from typing import Any

from workbench.cluster.replication.desk import KINDS, Desk, identity_of
from workbench.cluster.replication.membership import Membership, View
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.keys import Keys
from workbench.cluster.wire.message import Message


class Roster:
    """Keeps the members of a training, in a process that lives as long as the training.

    When it is gone all the same, the replicas go on; when one of them dies then, or leaves, the
    first of those that are left takes its place, but nobody can join them. When there is a roster
    at its address again, they tell it who they are, and others can.

    Args:
      replicas: how many there must be to begin.
      address: where they reach it; port 0 for any that is free.
      grace: how long replicas that are late are awaited when the others form anew, in seconds.
      keys: the keys of the wire; those of the process where left out.
      training: what tells the training from others: who is of another one, that met at the same
        address before, is not heard. All replicas have the same.

    >>> from workbench.cluster.replication.roster import Roster
    >>> with Roster(replicas=2) as roster:
    ...     roster.members
    ()
    """

    def __init__(
        self,
        replicas: int,
        address: str = "tcp://127.0.0.1:0",
        grace: float = 10.0,
        keys: Keys | None = None,
        training: str = "",
    ) -> None:
        self._is_open = threading.Event()
        self._training = training
        self._endpoint = Endpoint(address, self._handle, identity=identity_of(training), keys=keys)
        assert self._endpoint.address is not None
        self.address: str = self._endpoint.address
        self._desk = Desk(self._endpoint, Membership(replicas, grace))
        self._is_open.set()

    @property
    def view(self) -> View:
        """The members of the current epoch, and what they had when it began."""
        return self._desk.view

    @property
    def members(self) -> tuple[str, ...]:
        """The addresses of the replicas that take part, by rank."""
        return self.view.members

    def lost(self, member: str) -> None:
        """Whoever watches the processes knows that a member, by its address, is dead."""
        self._desk.lost(member)

    def _handle(self, sender: Any, message: Message) -> None:
        # Who knew the address before may have come before the desk was there.
        self._is_open.wait(10)
        if message.kind in KINDS:
            self._desk.handle(sender, message)

    def end(self) -> None:
        """The training is over: replicas that still take part, or wait, fail with AbortedError;
        where the training has no name, they go on as after `close`."""
        self._desk.end(self._training)
        self.close()

    def close(self) -> None:
        """Nobody meets here any more."""
        self._desk.close()
        self._endpoint.close()

    def __enter__(self) -> Roster:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
