"""The watches of a run: whether the step that is done meets one of them, and what then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench.core.graph.tensor import Tensor
from workbench.live import machine as m
from workbench.live.inspection import inputs_of, inspect
from workbench.live.watches import Condition

if TYPE_CHECKING:
    from workbench.live.loop import Loop


class Watching:
    """The conditions that a run is watched for; used in the loop's thread."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._count = 0
        self.conditions: dict[str, Condition] = {}

    def next_condition(self, tensor: Tensor, when: Any, threshold: Any) -> Condition:
        """A condition with a name of its own, which is not watched for yet."""
        return Condition(f"watch-{self._count + 1}", tensor, when, threshold)

    def add(self, condition: Condition) -> None:
        """Watches for a condition from the next step on."""
        self._count += 1
        self.conditions[condition.name] = condition
        self._refresh()

    def remove(self, name: str) -> None:
        """Watches for a condition no more."""
        del self.conditions[name]
        self._refresh()

    @property
    def described(self) -> list[dict[str, Any]]:
        """The conditions as plain data; what a function decides is not among them."""
        return [
            {"name": c.name, "tensor": c.tensor.name, "when": c.when, "threshold": c.threshold}
            for c in list(self.conditions.values())
            if not callable(c.when)
        ]

    def take_up(self, described: Iterable[Mapping[str, Any]]) -> None:
        """Watches for what another process watched for; what the graph lacks is left out."""
        for each in described:
            with suppress(KeyError, ValueError, TypeError):
                tensor = self._loop.engine.graph.get_tensor_by_name(each["tensor"])
                name, when, threshold = each["name"], each["when"], each["threshold"]
                self.conditions[name] = Condition(name, tensor, when, threshold)
                number = str(name).rpartition("-")[2]
                self._count = max(self._count, int(number))
        self._refresh()

    def _refresh(self) -> None:
        """Has the engine give the values that are watched now."""
        watched = [c.tensor for c in self.conditions.values()]
        if self._loop.engine.is_replicated:
            # Others would have to take the step again, for what went into these.
            watched += [t for tensor in watched for t in inputs_of(tensor.op)]
        self._loop.engine.watch(dict.fromkeys(watched))

    def look(self, values: list[Any]) -> None:
        """Pauses the run where a watched value of the step that is done meets its condition."""
        found = dict(zip(self._loop.engine.watched, values, strict=False))
        for condition in list(self.conditions.values()):
            try:
                if not condition.meets(found[condition.tensor]):
                    continue
            except Exception as error:  # a user's function may raise anything
                self.remove(condition.name)
                text = f"the watch {condition} raised {error!r} and is no more"
                self._loop.record("log", text)
                continue
            self._hit(condition, found)
            return

    def _hit(self, condition: Condition, found: Mapping[Tensor, Any]) -> None:
        loop = self._loop
        engine, past = loop.engine, loop.past
        is_repeatable = engine.repeats and engine.source.unrepeatable is None and past.lost is None

        def go_back(to: int) -> None:
            engine.return_to(past.frame_for(to), to, past.changes)

        report = inspect(engine, condition, found, go_back if is_repeatable else None)
        loop.stopped_by = report
        loop.record("watch", f"paused at {report.headline}")
        loop.perform(loop.machine.handle(m.WatchHit()))
        loop.settled.set()
