"""What clients ask of a server that leads their sessions."""

from __future__ import annotations

import time

from workbench.cluster.commands import reading
from workbench.cluster.commands.serving import Command, Serving
from workbench.cluster.commands.version import check_version
from workbench.cluster.session_options import blob_of
from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError
from workbench.core.sync.scope import Scope, entered


def _begin(server: Serving, message: Message) -> Message:
    check_version(server, message.fields)
    session = server.open_master(reading.config(message))
    server.sessions.leases.begin(session.name, time.monotonic())
    fields = {"session": session.name, "devices": session.devices}
    return Message("begun", fields, blobs=(blob_of(session.config),))


def _prepare(server: Serving, message: Message) -> Message:
    session = server.sessions.find(reading.text(message.fields, "session"))
    descriptions = message.fields.get("parts")
    if not isinstance(descriptions, list) or len(descriptions) != len(message.blobs):
        raise InvalidArgumentError(None, None, "A step needs a graph for each of its parts")
    pairs = zip(descriptions, message.blobs, strict=True)
    return Message("prepared", {"handle": session.register([reading.part(d, g) for d, g in pairs])})


def _step(server: Serving, message: Message) -> Message:
    fields = message.fields
    session = server.sessions.find(reading.text(fields, "session"))
    token = (session.name, reading.number(fields, "token"))
    traces: list[bytes] | None = [] if fields.get("traced") else None
    scope = Scope(reading.seconds(fields))
    server.running[token] = scope
    try:
        with entered(scope):
            results = session.run(reading.number(fields, "handle"), dict(message.arrays), traces)
    finally:
        # Somebody may have said the same number twice.
        server.running.pop(token, None)
    return Message("done", {}, tuple(results.items()), blobs=traces or ())


def _cancel(server: Serving, message: Message) -> Message:
    fields = message.fields
    scope = server.running.get((reading.text(fields, "session"), reading.number(fields, "token")))
    if scope is not None:
        scope.cancel()
    return Message("cancelled")


def _whom(server: Serving, message: Message) -> Message:
    session = server.sessions.find(reading.text(message.fields, "session"))
    return Message("told", {"waiting": session.waiting()})


def _labels(server: Serving, message: Message) -> Message:
    session = server.sessions.find(reading.text(message.fields, "session"))
    told = reading.optional_text(message.fields, "text")
    return Message("labels", {"labels": session.labels(told)})


def _end(server: Serving, message: Message) -> Message:
    name = reading.text(message.fields, "session")
    server.sessions.leases.end(name)
    server.sessions.find(name).close()
    return Message("ended")


def _reset(server: Serving, message: Message) -> Message:
    server.reset(reading.names(message.fields, "containers"))
    return Message("reset")


#: Done in the thread that receives, in the order in which they come.
AT_ONCE: dict[str, Command] = {"cancel": _cancel}
#: Done in a thread of its own, and answered.
ANSWERED: dict[str, Command] = {
    "begin": _begin,
    "prepare": _prepare,
    "step": _step,
    "whom": _whom,
    "labels": _labels,
    "end": _end,
    "reset": _reset,
}
