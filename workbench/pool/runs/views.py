"""What one client looks at in a run: channels of all operations, and single tensors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.nested import NestedGraph

#: A client looks at so many things of a run at most.
_MOST = 64
#: A client that has not asked for so long looks no more, in seconds.
PATIENCE = 30.0


class ClientView:
    """The observations and taps of a client, which says with each question what they are to be."""

    def __init__(self) -> None:
        self.asked = time.monotonic()
        self._open: dict[str, Any] = {}
        self._wanted: dict[str, Any] = {}
        self._told: dict[str, Any] = {}
        self._inside: tuple[int, Any] | None = None
        #: What the client was told last.
        self.signature: Any = None

    def want(self, run: Any, observe: Any, tap: Any) -> None:
        """Opens what is new and closes what is not wanted any more."""
        self.asked = time.monotonic()
        wanted = _checked(observe, ("channels", "rate")) | _checked(tap, ("tensor", "samples"))
        for key in [k for k in self._open if self._wanted.get(k) != wanted.get(k)]:
            self._open.pop(key).close()
            self._told.pop(key, None)
        for key, each in wanted.items():
            if key not in self._open:
                self._open[key] = (
                    run.observe(each["channels"], each["rate"])
                    if "channels" in each
                    else run.tap(each["tensor"], each["samples"])
                )
        self._wanted = wanted

    def has_news(self) -> bool:
        """True where something was sampled that the client was not told."""
        return any(self._newest(k) is not self._told.get(k) for k in list(self._open))

    def _newest(self, key: str) -> Any:
        try:
            return self._open[key].latest()
        except Exception as error:
            told = self._told.get(key)
            return told if isinstance(told, Failed) and told.text == str(error) else Failed(error)

    def news(self, run: Any) -> tuple[list[dict[str, Any]], list[tuple[str, Any]]]:
        """What was sampled since the client was told."""
        found: list[dict[str, Any]] = []
        arrays: list[tuple[str, Any]] = []
        for key, each in list(self._open.items()):
            newest = self._newest(key)
            if newest is None or newest is self._told.get(key):
                continue
            self._told[key] = newest
            if isinstance(newest, Failed):
                found.append({"id": key, "failed": newest.text})
            elif "channels" in self._wanted[key]:
                found.append({"id": key, "step": newest.step})
                places = self._places(run, newest)
                for name, values in newest.channels.items():
                    arrays.append((f"{key}/{name}", values))
                    arrays.append((f"{key}/inside/{name}", _taken(newest.inside[name], places)))
            else:
                steps, values = each.history
                known = newest.statistics
                said = None if known is None else known._asdict()
                shape = list(newest.shape)
                found.append({"id": key, "step": newest.step, "shape": shape, "statistics": said})
                arrays += [
                    (f"{key}/value", newest.array),
                    (f"{key}/steps", steps),
                    (f"{key}/values", values),
                ]
        return found, arrays

    def _places(self, run: Any, frame: Any) -> Any:
        """Where a frame has the operations in bodies, in the order in which all know them."""
        count = len(frame.inside_operations)
        if self._inside is None or self._inside[0] != count:
            nested = NestedGraph(run.graph)
            numbers = {op: i for i, op in enumerate(frame.inside_operations)}
            listed = nested.operations[nested.outer_count :]
            self._inside = count, np.array([numbers.get(op, -1) for op in listed], np.int64)
        return self._inside[1]

    def close(self) -> None:
        """Looks at nothing any more."""
        for each in self._open.values():
            each.close()
        self._open.clear()


class Failed:
    """Why there is nothing to be seen."""

    def __init__(self, error: Exception) -> None:
        self.text = str(error)


def _checked(listed: Any, names: tuple[str, str]) -> dict[str, Any]:
    first, second = names
    if not isinstance(listed, list) or len(listed) > _MOST:
        raise InvalidArgumentError(None, None, f"A client looks at {_MOST} things at most")
    found = {}
    for each in listed:
        if not isinstance(each, Mapping) or set(each) != {"id", first, second}:
            raise InvalidArgumentError(None, None, f"{each!r:.80} cannot be looked at")
        if not isinstance(each[second], (int, float)):
            raise InvalidArgumentError(None, None, f"{second} must be a number")
        found[str(each["id"])] = {first: each[first], second: each[second]}
    return found


def _taken(values: Any, places: Any) -> Any:
    known = np.concatenate([values, np.full(1, np.nan, np.float32)])
    is_there = (places >= 0) & (places < len(values))
    return known[np.where(is_there, places, len(values))]
