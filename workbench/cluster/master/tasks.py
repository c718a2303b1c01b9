"""Tasks at the other end of the wire, as the master of a session asks them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from workbench.cluster.execution.task import Task
from workbench.cluster.remote_errors import from_fields
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.peers import Sent
from workbench.core.plan.partition.parts import Part

#: Tasks and clients of different versions do not understand each other.
VERSION = 1


@dataclass(frozen=True)
class Lead:
    """What a leader says of itself: its task, and the sessions that it leads now.

    `count` is how many it had led when it last looked at them.
    """

    task: str
    incarnation: int
    count: int
    sessions: tuple[str, ...]

    @staticmethod
    def of(own: Task, led: Collection[str]) -> Lead:
        """What a task says that leads these sessions. Who begins one adds it, and counts then."""
        count = own.led
        return Lead(own.leader, own.incarnation, count, tuple(led))

    def fields(self) -> dict[str, Any]:
        """What is sent of it."""
        return {
            "leader": self.task,
            "incarnation": self.incarnation,
            "count": self.count,
            "leads": list(self.sessions),
        }


class RemoteTask:
    """A task of another process.

    Where it is not `named` it may call itself otherwise, as in the cluster of one session.
    """

    def __init__(self, name: str, address: str, endpoint: Endpoint, named: bool = True) -> None:
        self.name = name
        self._to = {"task": name} if named else {}
        self.address = address
        self._endpoint = endpoint

    def _ask(self, message: Message, about: str) -> Future[Message]:
        return self._endpoint.request(self.address, message, f"{about} by {self.name}")

    def open_session(self, session: str, config: bytes, lead: Lead) -> Future[Message]:
        """A session begins."""
        fields = {**self._to, "session": session, "version": VERSION, **lead.fields()}
        message = Message("open", fields, blobs=(config,))
        return self._ask(message, "the opening of a session")

    def register(self, session: str, handle: int, part: Part) -> Future[Message]:
        """The task's part of a step."""
        fields = {**self._to, "session": session, "handle": handle}
        message = Message("register", {**fields, "part": part.description()}, blobs=(part.graph,))
        return self._ask(message, "taking in its part of a step")

    def run(
        self,
        session: str,
        handle: int,
        number: int,
        oldest: int,
        feeds: Mapping[str, Any],
        seconds: float | None,
        traced: bool = False,
        leader: str | None = None,
    ) -> Future[Message]:
        """Runs the part; with `traced` the answer has what is recorded of it.

        Where `leader` is the task that asks, the answer may enclose values for it.
        """
        fields = {
            **self._to,
            "session": session,
            "handle": handle,
            "step": number,
            "oldest": oldest,
            "seconds": seconds,
        }
        if traced:
            fields["traced"] = True
        if leader is not None:
            fields["leader"] = leader
        return self._ask(Message("run", fields, tuple(feeds.items())), f"step {number}")

    def deliver(
        self,
        session: str,
        number: int,
        values: tuple[tuple[str, Any], ...],
        ended: int | None,
        encodings: Mapping[str, Encoding],
    ) -> Sent | None:
        """Sends values of a step: what that took."""
        fields = {**self._to, "session": session, "step": number, "ended": ended}
        message = Message("values", fields, values, encodings=encodings)
        return self._endpoint.send(self.address, message)

    def abort(self, session: str, number: int, reason: str) -> None:
        """Ends a step."""
        fields = {**self._to, "session": session, "step": number, "reason": reason}
        self._endpoint.send(self.address, Message("abort", fields))

    def forget(self, containers: list[str]) -> Future[Message]:
        """Forgets what is in containers."""
        message = Message("forget", {**self._to, "containers": containers})
        return self._ask(message, "forgetting containers")

    def keep(self, sessions: list[str], lead: Lead) -> Future[Message]:
        """Sessions are still wanted; the answer names those that are unknown there."""
        fields = {**self._to, "sessions": sessions, **lead.fields()}
        return self._ask(Message("keep", fields), "a sign")

    def waiting(self, session: str) -> Future[Message]:
        """What the session's steps wait for there."""
        message = Message("waiting", {**self._to, "session": session})
        return self._ask(message, "what its steps wait for")

    def label(self, session: str, text: str | None) -> Future[Message]:
        """Whose its state is, which is set where it is given."""
        message = Message("label", {**self._to, "session": session, "text": text})
        return self._ask(message, "whose its variables are")

    def greet(self) -> Future[Message]:
        """What the task is: its devices."""
        return self._ask(Message("greet", {**self._to, "version": VERSION}), "a greeting")

    def close_session(self, session: str) -> None:
        """The session ends."""
        fields = {**self._to, "session": session}
        self._endpoint.send(self.address, Message("close", fields))


def checked(answer: Message, where: str) -> Message:
    """An answer; the error that it tells of, if it does."""
    if answer.kind == "error":
        raise from_fields(answer.fields, where)
    return answer
