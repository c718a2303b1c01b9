"""Keeps the members of a training at an end of the wire: performs what a `Membership` decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
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
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.message import MISREAD, Message
from workbench.core.errors import OpError

_TICK_SECONDS = 0.1
#: Who has done nothing for so long was stopped, or its machine was: shorter than it takes others to
#: take it for gone.
_AWAY_SECONDS = 5.0
#: So often it is tried to give the members back, in seconds.
_GIVE_BACK_SECONDS = 2.0
#: The messages that come here: a member is ready, or leaves; others kept the members until now.
KINDS = ("ready", "leave", "keep")


class Desk:
    """Where members say that they are ready; `close` ends its thread.

    Args:
      endpoint: the end of the wire that what comes to `handle` came to.
      membership: the members.
      instead_of: the address of the roster, which is gone: when it is there again it gets the
        members back, and `is_over` is set; None for the desk of the roster.
    """

    def __init__(
        self, endpoint: Endpoint, membership: Membership, instead_of: str | None = None
    ) -> None:
        self._endpoint, self._membership = endpoint, membership
        self._instead_of = instead_of
        #: Whether the roster has the members again.
        self.is_over = False
        self._tried: Future[Message] | None = None
        self._try_at = 0.0
        self._ticked = time.monotonic()
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

    def lost(self, member: str) -> None:
        """A member, by its address, is known to be dead."""
        with self._lock:
            self._perform(self._membership.lost(member, time.monotonic()))

    def handle(self, sender: Any, message: Message) -> None:
        """Takes a message of one of `KINDS`; it does not wait."""
        fields = message.fields
        try:
            member = str(fields.get("member", ""))
            mark = Mark(*(int(n) for n in fields.get("mark", ())))
            missing = [str(m) for m in fields.get("missing", ())]
            after = view_of(fields["after"]) if "after" in fields else None
        except MISREAD:
            # Nobody of ours sent that, and nobody waits for an answer.
            return
        now = time.monotonic()
        with self._lock:
            if self._closed.is_set():
                return
            self._look_back(now)
            if message.kind == "ready":
                # Whoever got the members back may be gone again.
                self.is_over = False
                self._asking[member] = (sender, message)
                flags = bool(fields.get("at_once")), bool(fields.get("certain"))
                leads = bool(fields.get("leads"))
                self._perform(
                    self._membership.ready(member, mark, missing, now, *flags, after, leads)
                )
            elif message.kind == "keep" and after is not None:
                self._perform(self._membership.adopt(after))
                if not fields.get("stays"):
                    # Who stays is not answered: so it finds out when this one is gone.
                    self._endpoint.answer(sender, message, Message("kept"))
            elif message.kind == "leave":
                self._perform(self._membership.gone(member, now))

    def _tick(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            now = time.monotonic()
            with self._lock:
                self._look_back(now)
                self._perform(self._membership.tick(now))
                if self._instead_of is not None and not self.is_over:
                    self._give_back(self._instead_of, now)

    def _look_back(self, now: float) -> None:
        """Where it was stopped, nobody knows who of those who asked before still waits here."""
        if now - self._ticked > _AWAY_SECONDS:
            self._let_go()
        self._ticked = now

    def _let_go(self) -> None:
        """Has those who wait here ask the roster; that may be to ask here again."""
        self._membership.let_go()
        for sender, request in self._asking.values():
            self._endpoint.answer(sender, request, Message("elsewhere"))
        self._asking.clear()

    def _give_back(self, to: str, now: float) -> None:
        """Tells the roster who the members are, again and again until it hears."""
        if self._tried is None:
            if now >= self._try_at:
                told = Message("keep", {"after": view_fields(self.view)})
                self._tried = self._endpoint.request(to, told, "the roster of a training")
            return
        if not self._tried.done():
            return
        tried, self._tried, self._try_at = self._tried, None, now + _GIVE_BACK_SECONDS
        if tried.exception() is not None or tried.result().kind != "kept":
            return
        self.is_over = True
        for member in self.view.members:
            self._send(member, Message("roster"))
        self._let_go()

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
                if self._instead_of is None:
                    # It is there, whatever they thought.
                    self._send(member, Message("roster"))
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

    def end(self, training: str) -> None:
        """The training is over: its members, and those who ask, are told, and nobody is answered
        any more."""
        over = Message("over", {"training": training})
        with self._lock:
            self._closed.set()
            for sender, request in self._asking.values():
                self._endpoint.answer(sender, request, over)
            for member in self.view.members:
                self._send(member, over)

    def close(self) -> None:
        """Nobody is answered any more."""
        with self._lock:
            self._closed.set()
        self._clock.join(10)


def identity_of(training: str) -> Identity | None:
    """What those who take part in a training, and where they meet, say of themselves: who is of
    another one is not heard."""
    return Identity(cluster=f"training={training}") if training else None


def view_fields(view: View) -> dict[str, Any]:
    """A view as fields of a message."""
    return {
        "epoch": view.epoch,
        "members": list(view.members),
        "marks": [list(mark) for mark in view.marks],
    }


def view_of(fields: Any) -> View:
    """The view of a message's fields. An error of `MISREAD` where there is none."""
    members = tuple(str(m) for m in fields["members"])
    marks = tuple(Mark(*(int(n) for n in mark)) for mark in fields["marks"])
    if len(members) != len(marks):
        raise ValueError(f"{len(members)} members have {len(marks)} marks")
    return View(int(fields["epoch"]), members, marks)
