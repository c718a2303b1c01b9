"""Random graphs on random devices, and stages run by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

import workbench as tf
from workbench.core.plan.partition.extract import extract_parts
from workbench.core.plan.partition.parts import Part, StagePart
from workbench.core.plan.partition.stages import make_stages
from workbench.core.plan.placement.choice import choose_devices
from workbench.core.plan.placement.devices import device_name
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.dataflow.choice import may_wait
from workbench.core.runtime.session import LocalSession

DEVICES = [device_name("worker", 0), device_name("worker", 0, 1), device_name("ps", 0)]
PINS = ["", "/job:worker/cpu:0", "/job:worker/cpu:1", "/job:ps"]


def cut(fetches: Sequence[Any], targets: Iterable[Any] = (), fed: Iterable[Any] = ()) -> Any:
    """The operations of a step, its stages, the stage of each, and the parts."""
    order = needed_operations(fetches, targets, fed)
    devices = choose_devices(order, DEVICES, DEVICES[0])
    stages, stage_of = make_stages(order, devices, fed, fetches, may_wait)
    return order, stages, stage_of, extract_parts(stages, stage_of, fed, fetches)


class Task:
    """A task of the cluster, run by hand: its part's graph, and a session with its variables."""

    def __init__(self, part: Part, initial: dict[str, Any]) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            tf.import_graph_def(tf.GraphDef.FromString(part.graph), name="")
        # It runs everything here, wherever it is pinned.
        self.session = LocalSession(graph=self.graph, tier="interpreted")
        for op in self.graph.get_operations():
            if op.type == "VariableV2" and op.name in initial:
                with self.graph.as_default():
                    start = tf.assign(op.outputs[0], initial[op.name])
                self.session.run(start.op)

    def run(self, stage: StagePart, values: dict[str, Any]) -> None:
        """Runs a stage on what others made, and adds what it makes."""
        feeds = {place: values[name] for name, place in stage.takes}
        names = [place for _, place in stage.gives]
        targets = [self.graph.get_operation_by_name(t) for t in stage.targets]
        found = self.session.run([names, targets], feeds)[0]
        values.update(zip([name for name, _ in stage.gives], found, strict=True))


def run_by_hand(
    parts: list[Part],
    feeds: dict[str, Any],
    initial: dict[str, Any],
    choose: Callable[[list[Any]], Any],
) -> dict[str, Any]:
    """The values after all stages ran, one after the other as `choose` takes them."""
    tasks = {part.task: Task(part, initial) for part in parts}
    waiting = [(part.task, stage) for part in parts for stage in part.stages]
    values, done = dict(feeds), set()
    while waiting:
        allowed = [
            (task, stage)
            for task, stage in waiting
            if all(name in values for name, _ in stage.takes) and done.issuperset(stage.after)
        ]
        assert allowed, "the stages wait for each other"
        task, stage = choose(allowed)
        tasks[task].run(stage, values)
        done.add(stage.number)
        waiting.remove((task, stage))
    for each in tasks.values():
        each.session.close()
    return values


class Builder:
    """A random graph whose results do not depend on the order of what may run at once: what uses
    a variable waits for what used it before."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.x = tf.placeholder(tf.float32, [3], name="x")
        self.values = [self.x]
        self.variables: list[Any] = []
        self.initial: dict[str, Any] = {}
        #: What the next one that uses a variable waits for.
        self.last: dict[str, Any] = {}

    def value(self) -> Any:
        """Any of the values so far."""
        return self._data.draw(st.sampled_from(self.values))

    def grow(self, number: int) -> None:
        """Adds something on some device."""
        kind = self._data.draw(st.sampled_from(["add", "mix", "variable", "use", "use", "flow"]))
        with tf.device(self._data.draw(st.sampled_from(PINS))):
            if kind == "variable" or (kind in ("use", "flow") and not self.variables):
                start = np.full(3, number, np.float32)
                # What uses it follows it, wherever that is pinned.
                with tf.device(None), tf.device(self._data.draw(st.sampled_from(PINS[1:]))):
                    variable = tf.Variable(start, name=f"v{number}")
                self.initial[variable.op.name] = start
                self.variables.append(variable)
            elif kind == "add":
                self.values.append(tf.add(self.value(), self.value()))
            elif kind == "mix":
                self.values.append(tf.tanh(self.value()) * 0.5 - self.value())
            else:
                self._use(kind)

    def _use(self, kind: str) -> None:
        variable = self._data.draw(st.sampled_from(self.variables))
        name = variable.op.name
        with tf.control_dependencies([self.last[name]] if name in self.last else []):
            if kind == "flow":
                made = self._flow(variable)
            elif self._data.draw(st.booleans()):
                made = tf.identity(variable.assign_add(tf.tanh(self.value())))
            else:
                made = variable.read_value() + 1.0
        self.last[name] = made.op
        self.values.append(made)

    def _flow(self, variable: Any) -> Any:
        value, held = self.value(), variable.op.outputs[0]
        if self._data.draw(st.booleans()):
            return tf.cond(tf.reduce_sum(value) > 0, lambda: held * 2.0, lambda: value + 0.0)
        return tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a * 0.5 + held), [0, value])[
            1
        ]
