"""The commands of a run as plain fields and arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.graph import Graph
from workbench.core.runtime.feeds import feed_array, flatten_feeds
from workbench.core.runtime.fetches import FetchPlan
from workbench.live import commands as c
from workbench.live.hyperparameters import Hyperparameter, checked_values


class Packed:
    """A command for the wire: its name, plain arguments, arrays, and what its answer is made into.

    `made` gets the plain value and the arrays of the answer.
    """

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        arrays: tuple[tuple[str, Any], ...] = (),
        made: Callable[[Any, Mapping[str, Any]], Any] | None = None,
    ) -> None:
        self.name = name
        self.arguments = dict(arguments or {})
        self.arrays = arrays
        self.made = made or (lambda value, arrays: value)


def pack_command(
    command: c.Command, graph: Callable[[], Graph], known: Mapping[str, Hyperparameter]
) -> Packed:
    """A command for the wire.

    Raises:
      ValueError, TypeError, KeyError: it cannot be obeyed.
    """
    match command:
        case c.Pause() | c.Resume() | c.Stop() | c.Snapshot():
            return Packed(type(command).__name__.lower())
        case c.Step(count):
            return Packed("step", {"count": _number(count)})
        case c.Rewind(step):
            return Packed("rewind", {"step": _number(step)})
        case c.Set(values):
            return Packed("set", {"values": checked_values(known, values)})
        case c.Fork(step=step, name=name, values=values, paused=paused):
            arguments = {
                "step": None if step is None else _number(step),
                "name": name,
                "values": checked_values(known, values),
                "paused": bool(paused),
            }
            return Packed("fork", arguments)
        case c.Replay(name):
            return Packed("replay", {"name": name})
        case c.Descend(of):
            inner = pack_command(of, graph, known)
            return Packed("descend", {"of": inner.name, "arguments": inner.arguments})
        case c.Watch(tensor, when, threshold):
            return Packed("watch", _watch(graph(), tensor, when, threshold))
        case c.Unwatch(watch):
            return Packed("unwatch", {"watch": str(watch)})
        case c.Peek(tensor):
            element = graph().as_graph_element(tensor, allow_operation=False)
            return Packed("peek", {"tensor": element.name}, made=lambda _, arrays: arrays["0"])
        case c.Evaluate(fetches, feed):
            return _evaluate(graph(), fetches, feed)
        case c.Call(function):
            # Called here, when the loop there has come to it: what it is for is the moment.
            return Packed("call", made=lambda value, arrays: function())
    raise TypeError(f"{command!r} cannot be sent to a worker")


def _watch(graph: Graph, tensor: Any, when: Any, threshold: Any) -> dict[str, Any]:
    if callable(when):
        raise ValueError(
            "A function cannot watch a run of a worker, because code is not sent there: use "
            "'not finite', 'above' or 'below' on a tensor that computes what the function does"
        )
    name = graph.as_graph_element(tensor, allow_operation=False).name
    if isinstance(threshold, np.generic):
        threshold = threshold.item()
    return {"tensor": name, "when": when, "threshold": threshold}


def _evaluate(graph: Graph, fetches: Any, feed: Any) -> Packed:
    plan = FetchPlan(graph, fetches)
    pairs = flatten_feeds(graph, feed) if feed else []
    arrays = tuple((t.name, feed_array(t, value)) for t, value in pairs)
    names = [e.name for e in plan.elements]
    tensors = [str(i) for i in plan.tensor_positions]

    def made(value: Any, found: Mapping[str, Any]) -> Any:
        return plan.results(tuple(found[i] for i in tensors))

    return Packed("evaluate", {"fetches": names}, arrays, made)


def unpack_command(name: Any, arguments: Any, arrays: Mapping[str, Any], graph: Graph) -> c.Command:
    """The command that came; InvalidArgumentError where it is none."""
    maker = _MAKERS.get(name) if isinstance(name, str) else None
    if maker is None or not isinstance(arguments, dict):
        raise InvalidArgumentError(None, None, f"{name!r} is no command of a run")
    if name == "evaluate":
        fetches = arguments.get("fetches")
        if not isinstance(fetches, list) or not all(isinstance(f, str) for f in fetches):
            raise InvalidArgumentError(None, None, "What is evaluated goes by its names")
        return c.Evaluate(fetches, dict(arrays))
    if name == "descend":
        inner = unpack_command(arguments.get("of"), arguments.get("arguments"), {}, graph)
        if not isinstance(inner, (c.Fork, c.Replay)):
            raise InvalidArgumentError(None, None, "A fork or a replay descends from a run")
        return c.Descend(inner)
    if name == "call":
        return c.Call(lambda: None)
    kind, expected = maker
    if set(arguments) != set(expected):
        raise InvalidArgumentError(None, None, f"{name!r} takes {', '.join(expected) or 'nothing'}")
    for key, types in expected.items():
        value = arguments[key]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise InvalidArgumentError(None, None, f"{key} of {name!r} cannot be {value!r:.80}")
    command: c.Command = kind(**arguments)
    return command


def value_arrays(command: c.Command, value: Any) -> tuple[tuple[str, Any], ...]:
    """The arrays in what a command gave."""
    if isinstance(command, c.Peek):
        return (("0", value),)
    if isinstance(command, c.Evaluate):
        return tuple((str(i), each) for i, each in enumerate(value) if each is not None)
    return ()


def _number(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"A number of steps must be a whole number, but got {value!r}")
    return int(value.__index__())


_NOTHING = type(None)
_MAKERS: dict[str, tuple[Any, dict[str, tuple[type, ...]]]] = {
    "pause": (c.Pause, {}),
    "resume": (c.Resume, {}),
    "stop": (c.Stop, {}),
    "snapshot": (c.Snapshot, {}),
    "step": (c.Step, {"count": (int,)}),
    "rewind": (c.Rewind, {"step": (int,)}),
    "set": (c.Set, {"values": (dict,)}),
    "fork": (
        c.Fork,
        {
            "step": (int, _NOTHING),
            "name": (str, _NOTHING),
            "values": (dict,),
            "paused": (bool,),
        },
    ),
    "replay": (c.Replay, {"name": (str, _NOTHING)}),
    "watch": (
        c.Watch,
        {"tensor": (str,), "when": (str,), "threshold": (int, float, _NOTHING)},
    ),
    "unwatch": (c.Unwatch, {"watch": (str,)}),
    "peek": (c.Peek, {"tensor": (str,)}),
    "evaluate": (c.Evaluate, {}),
    "call": (c.Call, {}),
    "descend": (c.Descend, {}),
}
