"""What tasks and clients ask of a server, and its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workbench.cluster.execution.leaders import Leader, Leaders
from workbench.cluster.execution.leases import Leases
from workbench.cluster.execution.task import Task
from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.master.tasks import VERSION
from workbench.cluster.remote_errors import to_fields
from workbench.cluster.shown import shown
from workbench.cluster.wire.message import Message
from workbench.core.errors import AbortedError, FailedPreconditionError, InvalidArgumentError
from workbench.core.plan.partition.parts import Part
from workbench.core.sync.scope import Scope, entered


class Serving(Protocol):
    """The server that a command is for."""

    #: What ends the steps of clients, by the session's name and a number of the client.
    running: dict[tuple[str, int], Scope]
    #: The sessions that others lead or use.
    leases: Leases
    #: Which of them other tasks lead.
    leaders: Leaders

    @property
    def device_count(self) -> int:
        """How many devices the task has."""

    @property
    def task(self) -> Task:
        """The task that it serves."""

    def open_master(self, config: Any) -> MasterSession:
        """A session that this server leads."""

    def open_session(self, session: str, config: Any) -> None:
        """A session that another server leads."""

    def session(self, name: str) -> MasterSession:
        """A session that a client opened. AbortedError for one that is unknown."""

    def end_sessions(self, sessions: Sequence[str]) -> None:
        """Ends what sessions that others lead do here."""

    def reset(self, containers: list[str]) -> None:
        """Forgets what is in containers of all tasks."""


Command = Callable[[Any, Message], Message]


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise InvalidArgumentError(None, None, f"{key} must be a string, not {shown(value)}")
    return value


def _given(fields: Mapping[str, Any]) -> str | None:
    return None if fields.get("text") is None else _text(fields, "text")


def _number(fields: Mapping[str, Any], key: str) -> int:
    value = fields.get(key)
    if type(value) is not int:
        raise InvalidArgumentError(None, None, f"{key} must be a number, not {shown(value)}")
    return value


def _seconds(fields: Mapping[str, Any]) -> float | None:
    value = fields.get("seconds")
    if value is not None and not isinstance(value, (int, float)):
        raise InvalidArgumentError(None, None, f"seconds must be a number, not {shown(value)}")
    return value


def _config(message: Message) -> Any:
    if not message.blobs or not message.blobs[0]:
        return None
    from google.protobuf.message import DecodeError

    from workbench.core.protos import ConfigProto

    config = ConfigProto()
    try:
        config.ParseFromString(message.blobs[0])
    except DecodeError as error:
        raise InvalidArgumentError(None, None, f"This is no ConfigProto: {error}") from None
    return config


def _part(description: Any, graph: bytes) -> Part:
    try:
        return Part.of(description, graph)
    except ValueError as error:
        raise InvalidArgumentError(None, None, str(error)) from None


# -- of a task ---------------------------------------------------------------------------------


def _check_version(server: Serving, fields: Mapping[str, Any]) -> None:
    version = fields.get("version")
    if version != VERSION:
        raise FailedPreconditionError(
            None,
            None,
            f"{server.task.name} speaks version {VERSION} of the protocol between tasks, and was "
            f"asked by one that speaks {shown(version)}: all processes of a cluster must run the "
            "same version of workbench",
        )


def _greet(server: Serving, message: Message) -> Message:
    _check_version(server, message.fields)
    return Message("greeting", {"devices": server.device_count})


def _open(server: Serving, message: Message) -> Message:
    _check_version(server, message.fields)
    session = _text(message.fields, "session")
    server.open_session(session, _config(message))
    server.leases.begin(session, time.monotonic())
    found = _leader(message.fields)
    if found is not None:
        leader, count, leads = found
        server.end_sessions(server.leaders.begin(session, leader, count))
        server.end_sessions(server.leaders.leads(leader, leads, count))
    return Message("opened", {"incarnation": server.task.incarnation})


def _register(server: Serving, message: Message) -> Message:
    fields = message.fields
    graph = message.blobs[0] if message.blobs else b""
    part = _part(fields.get("part"), graph)
    server.task.register(_text(fields, "session"), _number(fields, "handle"), part)
    return Message("registered")


def _leader(fields: Mapping[str, Any]) -> tuple[Leader, int, list[str]] | None:
    """Who leads, how many sessions it had led, and those that it leads; None for a client."""
    if "leader" not in fields:
        return None
    leads = fields.get("leads")
    if not isinstance(leads, list):
        raise InvalidArgumentError(None, None, f"leads must be a list, not {shown(leads)}")
    leader = Leader(_text(fields, "leader"), _number(fields, "incarnation"))
    return leader, _number(fields, "count"), [str(name) for name in leads]


def _keep(server: Serving, message: Message) -> Message:
    found = _leader(message.fields)
    if found is not None:
        leader, count, leads = found
        server.end_sessions(server.leaders.leads(leader, leads, count))
    sessions = [str(s) for s in message.fields.get("sessions", ())]
    return Message("kept", {"unknown": server.leases.renew(sessions, time.monotonic())})


def _waiting(server: Serving, message: Message) -> Message:
    return Message("told", {"waiting": server.task.waiting(_text(message.fields, "session"))})


def _label(server: Serving, message: Message) -> Message:
    fields = message.fields
    return Message("label", {"text": server.task.label(_text(fields, "session"), _given(fields))})


def _run(server: Serving, message: Message) -> Message:
    fields = message.fields
    traces: list[bytes] | None = [] if fields.get("traced") else None
    results = server.task.run(
        _text(fields, "session"),
        _number(fields, "handle"),
        _number(fields, "step"),
        _number(fields, "oldest"),
        dict(message.arrays),
        _seconds(fields),
        traces,
    )
    return Message("done", {}, tuple(results.items()), blobs=traces or ())


def _begin_run(server: Serving, message: Message, ended: Callable[[Message], None]) -> None:
    fields = message.fields
    traces: list[bytes] | None = [] if fields.get("traced") else None

    def end(outcome: dict[str, Any] | BaseException) -> None:
        if isinstance(outcome, BaseException):
            ended(Message("error", to_fields(outcome)))
        else:
            ended(Message("done", {}, tuple(outcome.items()), blobs=traces or ()))

    server.task.begin(
        _text(fields, "session"),
        _number(fields, "handle"),
        _number(fields, "step"),
        _number(fields, "oldest"),
        dict(message.arrays),
        traces,
        end,
    )


def _close(server: Serving, message: Message) -> Message:
    session = _text(message.fields, "session")
    server.end_sessions([session])
    return Message("closed")


def _forget(server: Serving, message: Message) -> Message:
    server.task.containers.reset([str(c) for c in message.fields.get("containers", ())])
    return Message("forgotten")


# -- of a master -------------------------------------------------------------------------------


def _begin(server: Serving, message: Message) -> Message:
    _check_version(server, message.fields)
    session = server.open_master(_config(message))
    server.leases.begin(session.name, time.monotonic())
    return Message("begun", {"session": session.name, "devices": session.devices})


def _prepare(server: Serving, message: Message) -> Message:
    session = server.session(_text(message.fields, "session"))
    descriptions = message.fields.get("parts")
    if not isinstance(descriptions, list) or len(descriptions) != len(message.blobs):
        raise InvalidArgumentError(None, None, "A step needs a graph for each of its parts")
    pairs = zip(descriptions, message.blobs, strict=True)
    return Message("prepared", {"handle": session.register([_part(d, g) for d, g in pairs])})


def _step(server: Serving, message: Message) -> Message:
    fields = message.fields
    session = server.session(_text(fields, "session"))
    token = (session.name, _number(fields, "token"))
    traces: list[bytes] | None = [] if fields.get("traced") else None
    scope = Scope(_seconds(fields))
    server.running[token] = scope
    try:
        with entered(scope):
            results = session.run(_number(fields, "handle"), dict(message.arrays), traces)
    finally:
        del server.running[token]
    return Message("done", {}, tuple(results.items()), blobs=traces or ())


def _whom(server: Serving, message: Message) -> Message:
    session = server.session(_text(message.fields, "session"))
    return Message("told", {"waiting": session.waiting()})


def _labels(server: Serving, message: Message) -> Message:
    session = server.session(_text(message.fields, "session"))
    return Message("labels", {"labels": session.labels(_given(message.fields))})


def _end(server: Serving, message: Message) -> Message:
    name = _text(message.fields, "session")
    server.leases.end(name)
    server.session(name).close()
    return Message("ended")


def _reset(server: Serving, message: Message) -> Message:
    server.reset([str(c) for c in message.fields.get("containers", ())])
    return Message("reset")


#: Done in a thread of its own, and answered.
ANSWERED: dict[str, Command] = {
    "register": _register,
    "run": _run,
    "forget": _forget,
    "begin": _begin,
    "prepare": _prepare,
    "step": _step,
    "whom": _whom,
    "waiting": _waiting,
    "label": _label,
    "labels": _labels,
    "end": _end,
    "reset": _reset,
}


# -- at once -----------------------------------------------------------------------------------


def _values(server: Serving, message: Message) -> Message:
    fields = message.fields
    ended = fields.get("ended")
    if ended is not None and type(ended) is not int:
        raise InvalidArgumentError(None, None, f"ended must be a number, not {shown(ended)}")
    server.task.deliver(_text(fields, "session"), _number(fields, "step"), message.arrays, ended)
    return Message("taken")


def _abort(server: Serving, message: Message) -> Message:
    fields = message.fields
    error = AbortedError(None, None, str(fields.get("reason", "")))
    server.task.abort(_text(fields, "session"), _number(fields, "step"), error)
    return Message("aborted")


def _cancel(server: Serving, message: Message) -> Message:
    fields = message.fields
    scope = server.running.get((_text(fields, "session"), _number(fields, "token")))
    if scope is not None:
        scope.cancel()
    return Message("cancelled")


#: Done in the thread that receives, in the order in which they come.
AT_ONCE: dict[str, Command] = {
    "greet": _greet,
    "keep": _keep,
    "open": _open,
    "close": _close,
    "values": _values,
    "abort": _abort,
    "cancel": _cancel,
}


def begins(message: Message) -> Callable[[Any, Message, Callable[[Message], None]], None] | None:
    """What begins something that no thread waits for, where a message asks for that.

    It is called in the thread that receives, with the server, the message, and what is to be called
    with the answer. What has a deadline has a thread that looks at it.
    """
    return _begin_run if message.kind == "run" and message.fields.get("seconds") is None else None


#: What ends a step that was asked for, by the kind of what asked; it has the same fields.
FORSAKEN = {"run": "abort", "step": "cancel"}
