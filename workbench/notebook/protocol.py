"""What a view may ask of the kernel, as a table, and the check of every message against it.

`docs/protocol.md` is the page that both sides keep to. Nothing here does anything: a message goes
in, and either a checked `Request` comes out or a `Refusal` is raised whose code and words are the
answer. A message that is refused has changed nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple

from workbench.notebook.parameters import (
    Parameter,
    Problem,
    choice,
    integer,
    list_of,
    mapping,
    number,
    optional,
    required,
    scalar,
    text,
)

#: The protocol's number, as `hello` answers it and a panel opens its comm with it.
VERSION = 1

NOT_AN_OBJECT = -32700
NO_REQUEST = -32600
UNKNOWN_METHOD = -32601
BAD_PARAMETERS = -32602
FAILED_INSIDE = -32603
RUN_ENDED = -32001
STALE = -32002

#: The most a message may hold, in bytes of JSON.
MAXIMUM_BYTES = 1 << 20
_MAXIMUM_DEPTH = 32
_MAXIMUM_ID = 2**53 - 1


class Refusal(Exception):
    """Why a request is not done: a code of the protocol and words for a person."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Request(NamedTuple):
    """A request whose method is known and whose parameters are complete and in range."""

    id: int
    method: str
    params: dict[str, Any]


_NAME = text(1000)
_CHANNELS = (
    "time",
    "memory",
    "calls",
    "mean",
    "deviation",
    "zeros",
    "nonfinite",
    "passes",
    "taken",
)
_RUN = {"run": required(_NAME)}
_POOL = {"pool": required(_NAME)}
_LOG = {**_POOL, "worker": optional(integer(0, 2**31))}
_POINTS = optional(integer(2, 100_000), 2000)
_STEP = integer(0, 2**62)

#: Every method with its parameters.
METHODS: dict[str, dict[str, Parameter]] = {
    "hello": {},
    "received": {"sequence": required(integer(0, 2**53))},
    "graph.get": {"graph": required(_NAME), "against": optional(_NAME)},
    "graph.node": {
        "graph": required(_NAME),
        "node": required(integer(0, 2**31)),
        "against": optional(_NAME),
        "version": optional(integer(0, 2**53)),
    },
    "runs.list": {},
    "runs.subscribe": {},
    "runs.unsubscribe": {},
    "runs.delete": _RUN,
    "run.subscribe": {**_RUN, "points": _POINTS},
    "run.unsubscribe": _RUN,
    "run.history": {
        **_RUN,
        "points": _POINTS,
        "first": optional(_STEP),
        "last": optional(_STEP),
    },
    "run.command": {
        **_RUN,
        "command": required(text(32)),
        "arguments": optional(mapping(64), {}),
        "epoch": optional(integer(0, 2**53)),
    },
    "overlay.subscribe": {
        **_RUN,
        "channels": required(list_of(choice(*_CHANNELS), len(_CHANNELS), distinct=True)),
        "subscription": optional(text(100)),
    },
    "overlay.unsubscribe": {**_RUN, "subscription": optional(text(100))},
    "tap.open": {**_RUN, "tensor": required(_NAME)},
    "tap.close": {"tap": required(_NAME)},
    "bokeh.script": {},
    "pools.subscribe": {},
    "pools.unsubscribe": {},
    "pool.start": {
        "name": optional(text(64)),
        "workers": optional(integer(0, 1024), 2),
        "devices": optional(integer(1, 64), 1),
    },
    "pool.restart": _POOL,
    "pool.scale": {**_POOL, "workers": required(integer(0, 1024))},
    "pool.stop": {**_POOL, "despite": optional(list_of(_NAME, 1000), [])},
    "log.subscribe": _LOG,
    "log.unsubscribe": _LOG,
}

#: Every command of `run.command` with its arguments; None: hyperparameters under their own names.
COMMANDS: dict[str, dict[str, Parameter] | None] = {
    "pause": {},
    "resume": {},
    "stop": {},
    "snapshot": {},
    "step": {"count": optional(integer(1, 2**31), 1)},
    "set": None,
    "rewind": {"step": required(_STEP)},
    "fork": {
        "step": optional(_STEP),
        "values": optional(mapping(64, scalar), {}),
        "name": optional(text(200)),
    },
    "watch": {
        "tensor": required(_NAME),
        "when": required(choice("not finite", "above", "below")),
        "threshold": optional(number()),
    },
    "unwatch": {"watch": required(_NAME)},
}


def parse(message: object, buffers: object = ()) -> Request:
    """The request a message is; `Refusal` where it is none.

    >>> parse({"id": 1, "method": "run.history", "params": {"run": "a"}}).params
    {'run': 'a', 'points': 2000, 'first': None, 'last': None}
    >>> parse({"id": 2, "method": "helo", "params": {}})
    Traceback (most recent call last):
    ...
    workbench.notebook.protocol.Refusal: unknown method 'helo'; the nearest is hello
    """
    if not isinstance(message, Mapping):
        raise Refusal(NOT_AN_OBJECT, "a message is a JSON object")
    _check_size(message)
    if buffers:
        raise Refusal(NO_REQUEST, "no message to the kernel carries buffers")
    identity = message.get("id")
    if identity_of(message) is None:
        raise Refusal(NO_REQUEST, f"id must be a number that counts up, not {_shown(identity)}")
    strangers = sorted(str(key) for key in message if key not in ("id", "method", "params"))
    if strangers:
        raise Refusal(NO_REQUEST, f"a request has id, method and params, not {_shown(strangers)}")
    method = message.get("method")
    if not isinstance(method, str):
        raise Refusal(NO_REQUEST, f"method must be a name, not {_shown(method)}")
    table = METHODS.get(method)
    if table is None:
        raise Refusal(UNKNOWN_METHOD, f"unknown method {_shown(method)}{nearest(method, METHODS)}")
    given = message.get("params", {})
    if not isinstance(given, Mapping):
        raise Refusal(BAD_PARAMETERS, f"params must be an object, not {_shown(given)}")
    params = _check(method, table, given)
    if method == "run.command":
        params["arguments"] = _check_command(params["command"], params["arguments"])
    return Request(int(identity), method, params)  # type: ignore[arg-type]


def identity_of(message: object) -> int | None:
    """The id that an answer to `message` carries, None where it has no usable one."""
    identity = message.get("id") if isinstance(message, Mapping) else None
    usable = type(identity) is int and 0 <= identity <= _MAXIMUM_ID
    return identity if usable else None


def nearest(name: str, known: Any) -> str:
    """The end of a sentence about an unknown name: the names it may have meant, if any."""
    near = difflib.get_close_matches(name[:200], list(known), n=3)
    return f"; the nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}" if near else ""


def _check_command(command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if command not in COMMANDS:
        raise Refusal(
            BAD_PARAMETERS, f"unknown command {_shown(command)}{nearest(command, COMMANDS)}"
        )
    table = COMMANDS[command]
    if table is None:
        if not arguments:
            raise Refusal(BAD_PARAMETERS, "set needs a value, such as {'lr': 0.01}")
        return {name: _value(f"set: {name}", scalar, value) for name, value in arguments.items()}
    checked = _check(command, table, arguments)
    if command == "watch":
        asks = checked["when"] != "not finite"
        if asks != (checked["threshold"] is not None):
            needs = "needs a threshold" if asks else "has no threshold"
            raise Refusal(BAD_PARAMETERS, f"watch when {checked['when']!r} {needs}")
    return checked


def _check(what: str, table: Mapping[str, Parameter], given: Mapping[Any, Any]) -> dict[str, Any]:
    for name in given:
        if name not in table:
            known = f"it takes {', '.join(table)}" if table else "it takes none"
            raise Refusal(BAD_PARAMETERS, f"{what} has no parameter {_shown(name)}: {known}")
    checked: dict[str, Any] = {}
    for name, parameter in table.items():
        value = given.get(name)
        if value is None:
            if parameter.required:
                raise Refusal(BAD_PARAMETERS, f"{what} needs {name}")
            checked[name] = parameter.fresh_default()
        else:
            checked[name] = _value(f"{what}: {name}", parameter.kind, value)
    return checked


def _value(what: str, kind: Any, value: Any) -> Any:
    try:
        return kind(value)
    except Problem as problem:
        raise Refusal(BAD_PARAMETERS, f"{what} must be {problem}, not {_shown(value)}") from None


def _shown(value: object) -> str:
    """The value in an error, never longer than a line."""
    if isinstance(value, str):
        value = value[:80]
    elif isinstance(value, (Mapping, list)) and len(value) > 8:
        return f"{type(value).__name__} of {len(value)}"
    shown = repr(value)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."


def _check_size(message: object) -> None:
    """Refuses what is larger or deeper than a view ever sends, having looked no further."""
    left = MAXIMUM_BYTES
    stack: list[tuple[object, int]] = [(message, 0)]
    while stack:
        value, depth = stack.pop()
        if depth > _MAXIMUM_DEPTH:
            raise Refusal(NO_REQUEST, f"a message is at most {_MAXIMUM_DEPTH} levels deep")
        left -= 2
        if isinstance(value, str):
            left -= len(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            left -= value.bit_length() // 3
        elif isinstance(value, Mapping):
            left -= 2 * len(value)
            if left >= 0:
                stack.extend((item, depth + 1) for pair in value.items() for item in pair)
        elif isinstance(value, (list, tuple)):
            left -= len(value)
            if left >= 0:
                stack.extend((item, depth + 1) for item in value)
        if left < 0:
            raise Refusal(NO_REQUEST, f"a message holds at most {MAXIMUM_BYTES} bytes")
