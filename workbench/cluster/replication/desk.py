"""Keeps the members of a training at an end of the wire: performs what a `Membership` decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from workbench.cluster.replication.membership import (
    Form,
    Instruction,
    Invite,
    Mark,
    Membership,
    View,
)
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core.errors import OpError

_TICK_SECONDS = 0.1
#: The messages that come here.
KINDS = ("ready", "leave")


class Desk:
    """Where members say that they are ready; `close` ends its thread.

    Args:
      endpoint: the end of the wire that what comes to `handle` came to.
      membership: the members.
    """

    def __init__(self, endpoint: Endpoint, membership: Membership) -> None:
        self._endpoint, self._membership = endpoint, membership
        self._lock = threading.Lock()
        #: Whom to answer when the next epoch begins.
        self._asking: dict[str, tuple[Any, Message]] = {}
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="workbench-roster", daemon=True)
        self._clock.start()

    @property
    def view(self) -> View:
        """The members of the current epoch."""
        return self._membership.view

    def gone(self, member: str) -> None:
        """A member, by its address, is known to be dead."""
        with self._lock:
            self._perform(self._membership.gone(member, time.monotonic()))

    def handle(self, sender: Any, message: Message) -> None:
        """Takes a message of one of `KINDS`; it does not wait."""
        fields = message.fields
        try:
            member = str(fields["member"])
            mark = Mark(*(int(n) for n in fields.get("mark", ())))
            missing = [str(m) for m in fields.get("missing", ())]
        except (KeyError, TypeError, ValueError):
            # Nobody of ours sent that, and nobody waits for an answer.
            return
        now = time.monotonic()
        with self._lock:
            if self._closed.is_set():
                return
            if message.kind == "ready":
                self._asking[member] = (sender, message)
                flags = bool(fields.get("at_once")), bool(fields.get("certain"))
                self._perform(self._membership.ready(member, mark, missing, now, *flags))
            elif message.kind == "leave":
                self._perform(self._membership.gone(member, now))

    def _tick(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            with self._lock:
                self._perform(self._membership.tick(time.monotonic()))

    def _perform(self, instructions: Sequence[Instruction]) -> None:
        for instruction in instructions:
            if isinstance(instruction, Form):
                self._form(instruction.view)
                continue
            if isinstance(instruction, Invite):
                message = Message("invite")
            else:
                message = Message("recall", {"epoch": instruction.epoch})
            for member in instruction.members:
                self._send(member, message)

    def _form(self, view: View) -> None:
        message = Message("view", view_fields(view))
        for member in view.members:
            sender, request = self._asking.pop(member)
            self._endpoint.answer(sender, request, message)

    def _send(self, member: str, message: Message) -> None:
        try:
            self._endpoint.send(member, message)
        except (OpError, ValueError):
            # No address of anybody's: who is there is found out by those who wait for it.
            return

    def close(self) -> None:
        """Nobody is answered any more."""
        with self._lock:
            self._closed.set()
        self._clock.join(10)


def view_fields(view: View) -> dict[str, Any]:
    """A view as fields of a message."""
    return {
        "epoch": view.epoch,
        "members": list(view.members),
        "marks": [list(mark) for mark in view.marks],
    }


def view_of(fields: Any) -> View:
    """The view of a message's fields. KeyError, TypeError or ValueError where there is none."""
    members = tuple(str(m) for m in fields["members"])
    marks = tuple(Mark(*(int(n) for n in mark)) for mark in fields["marks"])
    if len(members) != len(marks):
        raise ValueError(f"{len(members)} members have {len(marks)} marks")
    return View(int(fields["epoch"]), members, marks)
