"""A view's commands as those that a run obeys, and as the line of Python that does the same."""

from __future__ import annotations

from typing import Any

from workbench.live import commands as c


def command_of(name: str, arguments: dict[str, Any]) -> c.Command:
    """The command of that name; its arguments have been checked against the protocol."""
    if name == "set":
        return c.Set(arguments)
    kinds: dict[str, type[c.Command]] = {
        "pause": c.Pause,
        "resume": c.Resume,
        "stop": c.Stop,
        "snapshot": c.Snapshot,
        "step": c.Step,
        "rewind": c.Rewind,
        "fork": c.Fork,
        "watch": c.Watch,
        "unwatch": c.Unwatch,
    }
    return kinds[name](**arguments)


def python_line(name: str, arguments: dict[str, Any]) -> str:
    """The line that does the same, for a run in the variable `run`.

    >>> python_line("fork", {"step": 500, "values": {"lr": 0.01}, "name": None})
    'other = run.fork(step=500, lr=0.01)'
    >>> python_line("watch", {"tensor": "loss:0", "when": "above", "threshold": 10.0})
    "run.watch('loss:0', when='above', threshold=10.0)"
    """
    if name == "unwatch":
        return f"run.unwatch({arguments['watch']!r})"
    if name == "step":
        count = arguments["count"]
        return "run.step()" if count == 1 else f"run.step({count})"
    named = {k: v for k, v in arguments.items() if v is not None and k not in ("values", "tensor")}
    named.update(arguments.get("values") or {})
    words = [repr(arguments["tensor"])] if name == "watch" else []
    words += [f"{k}={v!r}" for k, v in named.items()]
    start = "other = " if name == "fork" else ""
    return f"{start}run.{name}({', '.join(words)})"
