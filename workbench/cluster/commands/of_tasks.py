"""What those who lead sessions ask of a task."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from workbench.cluster.commands import reading
from workbench.cluster.commands.serving import Command, Serving
from workbench.cluster.commands.version import check_version
from workbench.cluster.execution.enclosed import Enclosed, done
from workbench.cluster.execution.leaders import Leader
from workbench.cluster.remote_errors import to_fields
from workbench.cluster.wire.message import Message
from workbench.core.errors import AbortedError


def _greet(server: Serving, message: Message) -> Message:
    check_version(server, message.fields)
    return Message("greeting", {"devices": server.device_count})


def _open(server: Serving, message: Message) -> Message:
    check_version(server, message.fields)
    sessions, session = server.sessions, reading.text(message.fields, "session")
    sessions.open(session, reading.config(message))
    sessions.leases.begin(session, time.monotonic())
    found = _leader(message.fields)
    if found is not None:
        leader, count, leads = found
        sessions.end(sessions.leaders.begin(session, leader, count))
        sessions.end(sessions.leaders.leads(leader, leads, count))
    return Message("opened", {"incarnation": server.task.incarnation})


def _register(server: Serving, message: Message) -> Message:
    fields = message.fields
    graph = message.blobs[0] if message.blobs else b""
    part = reading.part(fields.get("part"), graph)
    server.task.register(reading.text(fields, "session"), reading.number(fields, "handle"), part)
    return Message("registered")


def _leader(fields: Mapping[str, Any]) -> tuple[Leader, int, list[str]] | None:
    """Who leads, how many sessions it had led, and those that it leads; None for a client."""
    if "leader" not in fields:
        return None
    leader = Leader(reading.text(fields, "leader"), reading.number(fields, "incarnation"))
    return leader, reading.number(fields, "count"), reading.names(fields, "leads")


def _keep(server: Serving, message: Message) -> Message:
    found = _leader(message.fields)
    if found is not None:
        leader, count, leads = found
        server.sessions.end(server.sessions.leaders.leads(leader, leads, count))
    names, now = reading.names(message.fields, "sessions"), time.monotonic()
    unknown, losses = server.sessions.leases.renew(names, now), server.losses.ages(now)
    return Message("kept", {"unknown": unknown, "losses": losses})


def _waiting(server: Serving, message: Message) -> Message:
    session = reading.text(message.fields, "session")
    return Message("told", {"waiting": server.task.waiting(session)})


def _label(server: Serving, message: Message) -> Message:
    fields = message.fields
    told = reading.optional_text(fields, "text")
    return Message("label", {"text": server.task.label(reading.text(fields, "session"), told)})


def _run(server: Serving, message: Message) -> Message:
    fields = message.fields
    traces: list[bytes] | None = [] if fields.get("traced") else None
    results = server.task.run(
        reading.text(fields, "session"),
        reading.number(fields, "handle"),
        reading.number(fields, "step"),
        reading.number(fields, "oldest"),
        dict(message.arrays),
        reading.seconds(fields),
        traces,
    )
    return done(results, None, traces or ())


def begin_run(server: Serving, message: Message, ended: Callable[[Message], None]) -> None:
    """Begins a part of a step; `ended` is called with the answer."""
    fields = message.fields
    traces: list[bytes] | None = [] if fields.get("traced") else None

    def end(outcome: dict[str, Any] | BaseException, enclosed: Enclosed | None) -> None:
        if isinstance(outcome, BaseException):
            ended(Message("error", to_fields(outcome)))
        else:
            ended(done(outcome, enclosed, traces or ()))

    server.task.begin(
        reading.text(fields, "session"),
        reading.number(fields, "handle"),
        reading.number(fields, "step"),
        reading.number(fields, "oldest"),
        dict(message.arrays),
        traces,
        end,
        reading.optional_text(fields, "leader"),
    )


def _close(server: Serving, message: Message) -> Message:
    server.sessions.end([reading.text(message.fields, "session")])
    return Message("closed")


def _forget(server: Serving, message: Message) -> Message:
    server.task.containers.reset(reading.names(message.fields, "containers"))
    return Message("forgotten")


def _values(server: Serving, message: Message) -> Message:
    fields = message.fields
    session, step = reading.text(fields, "session"), reading.number(fields, "step")
    ended = reading.optional_number(fields, "ended")
    server.task.deliver(session, step, message.arrays, ended)
    return Message("taken")


def _abort(server: Serving, message: Message) -> Message:
    fields = message.fields
    error = AbortedError(None, None, str(fields.get("reason", "")))
    server.task.abort(reading.text(fields, "session"), reading.number(fields, "step"), error)
    return Message("aborted")


#: Done in the thread that receives, in the order in which they come.
AT_ONCE: dict[str, Command] = {
    "greet": _greet,
    "keep": _keep,
    "open": _open,
    "close": _close,
    "values": _values,
    "abort": _abort,
}
#: Done in a thread of its own, and answered.
ANSWERED: dict[str, Command] = {
    "register": _register,
    "run": _run,
    "forget": _forget,
    "waiting": _waiting,
    "label": _label,
}
