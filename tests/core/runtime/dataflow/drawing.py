"""Small dataflow structures written by name, and all orders in which their kernels may finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workbench.core.runtime.dataflow.frames import DEAD
from workbench.core.runtime.dataflow.machine import Machine, Run
from workbench.core.runtime.dataflow.structure import Kind, NodeSpec, Structure

Kernel = Callable[..., Any]


class Drawing:
    """Nodes by name, `"name"` or `"name:output"` where one takes what another one gives."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._drawn: dict[str, tuple[Kind, list[str], list[str], dict[str, Any]]] = {}
        self.kernels: dict[str, Kernel] = {}
        self.values: dict[str, Any] = {}

    def source(self, name: str, value: Any) -> None:
        self.values[name] = value
        self.node(name, Kind.SOURCE)

    def plain(
        self, name: str, kernel: Kernel, *inputs: str, after: list[str] | None = None
    ) -> None:
        self.kernels[name] = kernel
        self.node(name, Kind.PLAIN, *inputs, after=after)

    def node(
        self, name: str, kind: Kind, *inputs: str, after: list[str] | None = None, **more: Any
    ) -> None:
        self._names.append(name)
        self._drawn[name] = (kind, list(inputs), after or [], more)

    def structure(self, *wanted: str) -> Structure:
        """The structure of what is drawn."""
        number = {name: i for i, name in enumerate(self._names)}
        specs = []
        for name in self._names:
            kind, inputs, after, more = self._drawn[name]
            places = [tuple(i.split(":")) for i in inputs]
            specs.append(
                NodeSpec(
                    name,
                    kind,
                    tuple((number[p[0]], int(p[1]) if len(p) > 1 else 0) for p in places),
                    tuple(number[a] for a in after),
                    **more,
                )
            )
        return Structure(specs, [number[w] for w in wanted])

    def sources(self, structure: Structure) -> dict[int, tuple[Any, ...]]:
        """The values of the sources by number."""
        return {
            i: (self.values[n.name],)
            for i, n in enumerate(structure.nodes)
            if n.kind is Kind.SOURCE
        }

    def outcomes(self, *wanted: str, most: int = 4000) -> Iterator[tuple[Any, list[str]]]:
        """For each order in which kernels may finish: the wanted values, and that order.

        Each order is run anew from the beginning, up to `most` of them.
        """
        structure = self.structure(*wanted)
        choices: list[tuple[int, int]] = []
        for _ in range(most):
            machine = Machine(structure)
            ready = machine.start(self.sources(structure))
            order: list[str] = []
            for step in range(10_000):
                if not ready:
                    break
                if step == len(choices):
                    choices.append((0, len(ready)))
                chosen, count = choices[step]
                assert count == len(ready), "the machine does not repeat itself"
                run = ready.pop(chosen)
                order.append(described(structure, run))
                ready += machine.finish(run, self._outputs(structure, run))
            assert machine.is_done
            yield results(structure, machine, wanted), order
            while choices and choices[-1][0] + 1 == choices[-1][1]:
                choices.pop()
            if not choices:
                return
            chosen, count = choices[-1]
            choices[-1] = (chosen + 1, count)

    def _outputs(self, structure: Structure, run: Run) -> tuple[Any, ...]:
        found = self.kernels[structure.nodes[run.node].name](*run.inputs)
        return found if isinstance(found, tuple) else (found,)

    # -- what many drawings have -------------------------------------------------------------

    def loop(self, name: str, start: str, limit: str, body: Kernel, parallel: int = 10) -> None:
        """`name`.exit: `start`, turned by `body` while it is less than `limit`."""
        n = name
        inside: dict[str, Any] = {"frame_name": n, "parallel_iterations": parallel}
        self.node(f"{n}.enter", Kind.ENTER, start, **inside)
        self.node(f"{n}.limit", Kind.ENTER, limit, is_constant=True, **inside)
        self.node(f"{n}.merge", Kind.MERGE, f"{n}.enter", f"{n}.next")
        self.plain(f"{n}.less", lambda a, b: a < b, f"{n}.merge", f"{n}.limit")
        self.node(f"{n}.condition", Kind.FORWARD, f"{n}.less")
        self.node(f"{n}.switch", Kind.SWITCH, f"{n}.merge", f"{n}.condition")
        self.plain(f"{n}.body", body, f"{n}.switch:1")
        self.node(f"{n}.next", Kind.NEXT_ITERATION, f"{n}.body")
        self.node(f"{n}.exit", Kind.EXIT, f"{n}.switch:0")


def described(structure: Structure, run: Run) -> str:
    """A run in words: the node, and the turns of the loops around it from the outside in."""
    turns = "".join(f"@{turn}" for _, turn in run.frame.path(run.turn))
    return structure.nodes[run.node].name + turns


def results(structure: Structure, machine: Machine, wanted: tuple[str, ...]) -> Any:
    """The first output of each wanted node, DEAD where it is dead, None where it never ran."""
    number = {n.name: i for i, n in enumerate(structure.nodes)}
    found = []
    for name in wanted:
        node = number[name]
        outputs = machine.results.get(node, (None,))
        found.append(DEAD if outputs is None else outputs[0])
    return found
