"""A run's program with a probe in it, and which operations of the graph its steps stand for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.memory import static_bytes
from workbench.core.plan.node import CONSTANT, FEED, READ, Node, Value
from workbench.core.runtime.probe import Look, Probe
from workbench.core.runtime.probed_program import ProbedWriter
from workbench.core.runtime.program import Program
from workbench.core.runtime.turns import unrolled_passes
from workbench.live.inside import InsideOperations
from workbench.live.targets import Place, Target, Turns

#: Places that are no slots of the probe.
_FEEDS, _CONSTANTS = -1, -2
#: The row of steps that stand for no operation of the graph.
_NO_ROW = -1

#: Takes a value of a step; it belongs to the program and may be overwritten afterwards.
Job = Callable[[Any], None]


class ObservedProgram:
    """A program that does what the plain one does, and can be looked into.

    Args:
      program: the plain program; its buffers are used.
      session: the session both run in.
      inside: what numbers the operations in bodies; by default one of its own.
      places: those of the operations by name, where the session's graph has copies of them; None
        where it is their graph.
    """

    def __init__(
        self,
        program: Program,
        session: Any,
        inside: InsideOperations | None = None,
        places: Mapping[str, int] | None = None,
    ) -> None:
        self.plain = program
        self._places = places
        self._graph = session.graph
        self._inside = inside or InsideOperations(session.graph)
        self._jobs: dict[int, list[tuple[int, Job]]] = {}
        self.program, self._probe = _probed(program, session, self._look)
        self._slots = {node: slot for slot, node in enumerate(self._probe.nodes)}
        self._constants: list[Any] = []
        self._located: dict[Tensor, Place | None] = {}
        self._turns = Turns(self._targets(), self._probe.cost)
        timed = [self._probe.nodes[slot] for slot in self._probe.timed]
        owners = np.array([self._row_of(node) for node in timed], np.int64)
        found, self._rows, calls = np.unique(owners, return_inverse=True, return_counts=True)
        # The first rows are of operations in bodies, the next of steps that stand for none at all.
        self._first = int((found < 0).sum())
        inside_count = int((found < _NO_ROW).sum())
        #: The numbers of those in bodies, and how many steps each has.
        self.inside = _NO_ROW - 1 - found[:inside_count]
        self.inside_calls = calls[:inside_count].astype(np.float32)
        #: How much longer it takes for the probe in it, in seconds.
        self.expected = self._probe.overhead
        #: The operations that steps of the program stand for, and how many steps each has.
        self.operations = found[self._first :]
        self.calls = calls[self._first :].astype(np.float32)
        #: The bytes of all results of each operation whose shapes are known.
        self.sizes = self._sizes()
        #: The passes of loops that became their passes: they are the same in each step.
        self._unrolled = unrolled_passes(self.program.plan)
        #: Whether what the plan says of the operations was noted.
        self.is_described = False

    # -- what is where -----------------------------------------------------------------------

    def _place(self, operation: Operation | None) -> int:
        """The place of an operation; -1 where it has none."""
        if operation is None or operation.graph is not self._graph:
            return -1
        if self._places is not None:
            return self._places.get(operation.name, -1)
        return operation._id - 1

    def _owner(self, node: Node) -> int:
        """The place of the operation that a node stands for; -1 where there is none."""
        return self._place(node.origin)

    def _row_of(self, node: Node) -> int:
        """A number for the operation that a node stands for: below `_NO_ROW` in bodies."""
        number = None if node.origin is None else self._inside.number(node.origin)
        return self._owner(node) if number is None else _NO_ROW - 1 - number

    def _targets(self) -> list[Target]:
        """The first results of all operations, those that share a value together."""
        operations: dict[Value, list[int]] = defaultdict(list)
        for tensor, value in self.program.plan.values.items():
            owner = self._place(tensor.op) if tensor.value_index == 0 else -1
            if owner >= 0:
                operations[value].append(owner)
        for node, owner in self._reads():
            operations[node.output()].append(owner)
        found = []
        for value, places in operations.items():
            place = self._locate_value(value)
            if place is not None:
                needs = self._probe.needs(place[0]) if place[0] >= 0 else frozenset()
                is_lasting = place[0] == _CONSTANTS
                found.append(Target(place, static_bytes(value), places, needs, is_lasting))
        return found

    def _reads(self) -> Iterator[tuple[Node, int]]:
        """Nodes that read variables, which have no value in the plan, and the variables' places."""
        for node in self._probe.nodes:
            if node.type == READ and self._owner(node) >= 0:
                yield node, self._owner(node)

    def locate(self, tensor: Tensor) -> Place | None:
        """Where the value of a tensor can be looked at; None where the program has it not."""
        if tensor not in self._located:
            self._located[tensor] = self._locate(tensor)
        return self._located[tensor]

    def _locate(self, tensor: Tensor) -> Place | None:
        value = self.program.plan.values.get(tensor)
        if value is not None:
            return self._locate_value(value)
        for node in self._probe.nodes:
            if node.type == READ and node.origin is tensor.op:
                return self._seen(self._slots[node], 0)
        return None

    def _locate_value(self, value: Value) -> Place | None:
        """Where a value of the plan can be looked at."""
        node = value.node
        if node.type == FEED:
            return _FEEDS, node.attrs["index"]
        if node.type == CONSTANT:
            self._constants.append(node.constant)
            return _CONSTANTS, len(self._constants) - 1
        slot = self._slots.get(node)
        return None if slot is None else self._seen(slot, value.index)

    def _seen(self, slot: int, output: int) -> Place | None:
        return (slot, output) if self._probe.sees(slot, output) else None

    def next_targets(self, credit: float) -> list[Target]:
        """The values whose turn it is to be looked at: one, and more as far as the credit goes."""
        return self._turns.take(credit)

    def _sizes(self) -> dict[int, int]:
        found: dict[int, int] = {}
        unknown = set()
        for tensor, value in self.program.plan.values.items():
            size, owner = static_bytes(value), self._place(tensor.op)
            if owner < 0:
                continue
            if size is None:
                unknown.add(owner)
            else:
                found[owner] = found.get(owner, 0) + size
        for node, owner in self._reads():
            size = static_bytes(node.output())
            if size is not None:
                found[owner] = size
        return {owner: size for owner, size in found.items() if owner not in unknown}

    # -- running -----------------------------------------------------------------------------

    def look_at(self, place: Place, job: Job) -> None:
        """Has `job` take the value of a place in the next run; that of a constant at once."""
        slot, output = place
        if slot == _CONSTANTS:
            job(self._constants[output])
            return
        self._jobs.setdefault(slot, []).append((output, job))
        if slot >= 0:
            self._probe.choose(slot)

    def look_at_feeds(self, values: Sequence[Any]) -> None:
        """Looks at what is fed, which is there before the step."""
        for index, job in self._jobs.get(_FEEDS, ()):
            job(values[index])

    def run(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Runs a step."""
        with np.errstate(all="ignore"):
            return self.program.run(*values)

    def seconds(self) -> tuple[Any, Any]:
        """How long the operations that have steps took in the last run: those of `operations`, then
        those of `inside`."""
        size = self._first + self.operations.size
        found = np.bincount(self._rows, self._probe.seconds(), size)
        return found[self._first :], found[: self.inside.size]

    def ways(self) -> Iterator[tuple[str, Operation, float]]:
        """What the last run did in loops and conditionals: the channel, the operation, a number."""
        turns = self._probe.turns
        for operation, passes in {**self._unrolled, **turns.passes}.items():
            yield "passes", operation, passes
        for operation, (no, yes) in turns.taken.items():
            yield "taken", operation, yes / (no + yes)

    @property
    def looking(self) -> float:
        """How long the looks of the last run took, in seconds."""
        return self._probe.looking

    @property
    def work(self) -> float:
        """How long the looks of the last run were worked at, in seconds of this thread."""
        return self._probe.work

    def clear(self) -> None:
        """Forgets what was to be looked at, and the times of the last run."""
        self._jobs.clear()
        self._probe.clear()

    def _look(self, slot: int, values: Sequence[Any]) -> None:
        for output, job in self._jobs.get(slot, ()):
            job(values[output])


def _probed(program: Program, session: Any, look: Look) -> tuple[Program, Probe]:
    """The program once more, with a probe in it."""
    if program.tier == "compiled":
        from workbench.core.runtime.compiled_probe import probed_program

        return probed_program(program, session, look)
    check = None
    if session.check_numerics:
        from workbench.core.runtime.numerics import check_finite

        check = check_finite
    probe = Probe(look)
    return ProbedWriter(program.plan, session, check, probe, program.arena).write(), probe
