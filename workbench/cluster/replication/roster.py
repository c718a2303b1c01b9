"""Keeps the members of a training: performs what its `Membership` decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from workbench.cluster.replication.membership import Form, Instruction, Membership, View
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message

_TICK_SECONDS = 0.1


class Roster:
    """Where replicas meet. It is in a process that lives as long as the training.

    Args:
      replicas: how many there must be to begin.
      address: where they reach it; port 0 for any that is free.
      grace: how long replicas that are late are awaited when the others form anew, in seconds.

    >>> from workbench.cluster.replication.roster import Roster
    >>> with Roster(replicas=2) as roster:
    ...     roster.view.members
    ()
    """

    def __init__(
        self, replicas: int, address: str = "tcp://127.0.0.1:0", grace: float = 10.0
    ) -> None:
        self._membership = Membership(replicas, grace)
        self._lock = threading.Lock()
        #: Whom to answer when the next epoch begins.
        self._asking: dict[str, tuple[Any, Message]] = {}
        self._closed = threading.Event()
        self._endpoint = Endpoint(address, self._handle)
        assert self._endpoint.address is not None
        self.address: str = self._endpoint.address
        self._clock = threading.Thread(target=self._tick, name="workbench-roster", daemon=True)
        self._clock.start()

    @property
    def view(self) -> View:
        """The members of the current epoch."""
        return self._membership.view

    def lost(self, member: str) -> None:
        """Whoever watches the processes knows that a member, by its address, is dead."""
        with self._lock:
            self._perform(self._membership.gone(member, time.monotonic()))

    def _handle(self, sender: Any, message: Message) -> None:
        fields = message.fields
        try:
            member = str(fields["member"])
            step = int(fields.get("step", 0))
            missing = [str(m) for m in fields.get("missing", ())]
        except (KeyError, TypeError, ValueError):
            # Nobody of ours sent that, and nobody waits for an answer.
            return
        with self._lock:
            if message.kind == "ready":
                self._asking[member] = (sender, message)
                found = self._membership.ready(member, step, missing, time.monotonic())
                self._perform(found)
            elif message.kind == "leave":
                self._perform(self._membership.gone(member, time.monotonic()))

    def _tick(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            with self._lock:
                self._perform(self._membership.tick(time.monotonic()))

    def _perform(self, instructions: Sequence[Instruction]) -> None:
        for instruction in instructions:
            if isinstance(instruction, Form):
                self._form(instruction.view)
            else:
                for member in instruction.members:
                    self._endpoint.send(member, Message("invite"))

    def _form(self, view: View) -> None:
        fields = {
            "epoch": view.epoch,
            "members": list(view.members),
            "steps": list(view.steps),
        }
        for member in view.members:
            sender, request = self._asking.pop(member)
            self._endpoint.answer(sender, request, Message("view", fields))

    def close(self) -> None:
        """The training is over."""
        self._closed.set()
        self._clock.join(10)
        self._endpoint.close()

    def __enter__(self) -> Roster:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
