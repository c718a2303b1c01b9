"""The state machine of dataflow programs: events in, instructions out, no kernels, no threads.

Its events are `start` and `finish`; the instructions that it gives for each are the nodes whose
kernels are to run next. Which branch is dead, which turn begins, what leaves a loop, it decides by
itself. The rules are those of TensorFlow's executor:

- a node runs once all of its inputs are there; with a dead one among them it is dead itself;
- MERGE runs with the first value that comes; it is dead when all that could come is dead;
- ENTER hands its value to the first turn of a frame, or to every turn where it is constant;
- NEXT_ITERATION hands it to the next turn, once so few turns are under way as the frame allows;
  a dead one stops there;
- EXIT hands it to the turn around the frame; a dead one counts only when the frame is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from workbench.core.runtime.dataflow.frames import DEAD, Frame, Outputs, Turn
from workbench.core.runtime.dataflow.structure import Kind, Structure

#: Stands for the inputs of a MERGE that has run.
_RAN: tuple[Any, ...] = ()


class Run(NamedTuple):
    """An instruction: run the kernel of a node, and tell `Machine.finish` what it gave."""

    node: int
    frame: Frame
    turn: int
    inputs: tuple[Any, ...]


class Stalled(NamedTuple):
    """A node that got some of its inputs and will never get the others."""

    node: int
    #: The frames around it from the outside in, each with its turn.
    path: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]


class Machine:
    """One run of a structure."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._nodes = structure.nodes
        outermost = structure.frames[0]
        self._root = Frame(0, 0, None, 0, structure.pending[0])
        #: The outputs of the wanted nodes that have finished, DEAD where they are dead.
        self.results: dict[int, Outputs] = {}
        #: The first nodes that were left with a part of their inputs.
        self.stalled: list[Stalled] = []
        self._wanted = frozenset(structure.wanted)
        self._sources = [n for n in outermost.nodes if not structure.pending_of(n)]
        self._begun: deque[tuple[int, Frame, int, Outputs, bool]] = deque()
        self._instructions: list[Run] = []

    @property
    def is_done(self) -> bool:
        """True when nothing is left to run and nothing is running."""
        return self._root.finished

    @property
    def missing(self) -> list[int]:
        """The wanted nodes that have not finished."""
        return [n for n in self._structure.wanted if n not in self.results]

    def start(self, values: Mapping[int, tuple[Any, ...]]) -> list[Run]:
        """The first instructions; `values` are the outputs of the SOURCE nodes."""
        turn = self._root.turns[0]
        # Held until all sources are through: a frame must not be done before it has begun.
        turn.outstanding += 1
        for node in self._sources:
            if self._nodes[node].kind is Kind.SOURCE:
                self._keep(node, values[node])
                self._deliver(node, self._root, 0, values[node])
            else:
                self._begin(node, self._root, 0, turn, ())
        self._advance()
        turn.outstanding -= 1
        self._settle(self._root, 0)
        return self._take()

    def finish(self, run: Run, outputs: tuple[Any, ...]) -> list[Run]:
        """What is to run next, now that `run` gave `outputs`."""
        self._complete(run.node, run.frame, run.turn, outputs)
        self._advance()
        return self._take()

    def _take(self) -> list[Run]:
        found, self._instructions = self._instructions, []
        return found

    # -- nodes -------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Does what needs no kernel: dead nodes, branches and frames."""
        begun = self._begun
        while begun:
            node, frame, turn, inputs, dead = begun.popleft()
            kind = self._nodes[node].kind
            if dead:
                self._complete(node, frame, turn, None)
            elif kind is Kind.PLAIN or kind is Kind.SOURCE:
                self._instructions.append(Run(node, frame, turn, inputs or ()))
            elif kind is Kind.SWITCH:
                value, chosen = inputs or ()
                self._complete(node, frame, turn, (DEAD, value) if chosen else (value, DEAD))
            else:
                # A trigger has no outputs; all others pass on what they got.
                self._complete(node, frame, turn, inputs)

    def _begin(
        self, node: int, frame: Frame, number: int, turn: Turn, inputs: Outputs, dead: bool = False
    ) -> None:
        turn.outstanding += 1
        self._begun.append((node, frame, number, inputs, dead))

    def _complete(self, node: int, frame: Frame, number: int, outputs: Outputs) -> None:
        """Hands on what a node gave, None where it is dead."""
        kind = self._nodes[node].kind
        if kind is Kind.ENTER:
            self._enter(node, frame, number, outputs)
        elif kind is Kind.NEXT_ITERATION:
            self._next(node, frame, number, outputs)
        elif kind is Kind.EXIT:
            self._exit(node, frame, number, outputs)
        else:
            if not frame.number:
                self._keep(node, outputs)
            self._deliver(node, frame, number, outputs)
        frame.turns[number].outstanding -= 1
        self._settle(frame, number)

    def _keep(self, node: int, outputs: Outputs) -> None:
        if node in self._wanted:
            self.results[node] = outputs

    def _deliver(self, node: int, frame: Frame, number: int, outputs: Outputs) -> None:
        """Gives the consumers of a node its outputs, in one turn of their frame."""
        structure = self._structure
        turn = frame.turns[number]
        for consumer, place, output in structure.consumers[node]:
            if outputs is None:
                value, dead = None, True
            elif place < 0:
                value, dead = None, False
            else:
                value = outputs[output]
                dead = value is DEAD
            if self._nodes[consumer].kind is Kind.MERGE:
                self._give_merge(consumer, place, value, dead, frame, number, turn)
            else:
                self._give(consumer, place, value, dead, frame, number, turn)

    def _give(
        self, node: int, place: int, value: Any, dead: bool, frame: Frame, number: int, turn: Turn
    ) -> None:
        slot = self._structure.slots[node]
        spec = self._nodes[node]
        if dead and spec.kind is not Kind.TRIGGER:
            turn.dead[slot] = 1
        elif place >= 0:
            inputs = turn.inputs.get(slot)
            if inputs is None:
                inputs = turn.inputs[slot] = [None] * len(spec.inputs)
            inputs[place] = value  # type: ignore[index]
        turn.pending[slot] -= 1
        if turn.pending[slot]:
            return
        values = turn.inputs.pop(slot, ())
        self._begin(node, frame, number, turn, tuple(values), slot in turn.dead)

    def _give_merge(
        self, node: int, place: int, value: Any, dead: bool, frame: Frame, number: int, turn: Turn
    ) -> None:
        slot = self._structure.slots[node]
        if place >= 0:
            if slot in turn.inputs:
                return
            if dead:
                turn.dead[slot] = turn.dead.get(slot, 0) + 1
                if turn.dead[slot] != self._structure.dead_limit[node]:
                    return
            else:
                turn.inputs[slot] = [value, np.int32(place)]
        turn.pending[slot] -= 1
        if turn.pending[slot]:
            return
        values = turn.inputs.get(slot)
        # It stays known that it ran: what comes later does not count.
        turn.inputs[slot] = _RAN
        if values is None:
            self._begin(node, frame, number, turn, None, True)
        else:
            self._begin(node, frame, number, turn, tuple(values))

    # -- frames ------------------------------------------------------------------------------

    def _enter(self, node: int, frame: Frame, number: int, outputs: Outputs) -> None:
        structure = self._structure
        inner = structure.inner[node]
        key = (inner, number)
        child = frame.children.get(key)
        if child is None:
            child = Frame(
                inner, structure.frames[inner].enters, frame, number, structure.pending[inner]
            )
            frame.children[key] = child
            frame.turns[number].children += 1
        if self._nodes[node].is_constant:
            child.invariants.append((node, outputs))
            for turn in range(child.last + 1):
                self._deliver(node, child, turn, outputs)
        else:
            self._deliver(node, child, 0, outputs)
        if not frame.number:
            self._keep(node, outputs)
        child.pending_enters -= 1
        self._settle(child, 0)

    def _next(self, node: int, frame: Frame, number: int, outputs: Outputs) -> None:
        if outputs is None:
            return
        if number == frame.last:
            if frame.running >= self._structure.frames[frame.number].parallel_iterations:
                frame.waiting.append((node, outputs))
                return
            self._begin_turn(frame)
        self._deliver(node, frame, number + 1, outputs)

    def _begin_turn(self, frame: Frame) -> None:
        frame.last += 1
        frame.running += 1
        frame.turns[frame.last] = Turn(self._structure.pending[frame.number])
        frame.dead_exits.clear()
        for node, outputs in frame.invariants:
            self._deliver(node, frame, frame.last, outputs)

    def _exit(self, node: int, frame: Frame, number: int, outputs: Outputs) -> None:
        if outputs is None:
            if number == frame.last:
                frame.dead_exits.append(node)
            return
        self._leave(node, frame, outputs)

    def _leave(self, node: int, frame: Frame, outputs: Outputs) -> None:
        assert frame.parent is not None
        if not frame.parent.number:
            self._keep(node, outputs)
        self._deliver(node, frame.parent, frame.parent_turn, outputs)

    def _settle(self, frame: Frame, number: int) -> None:
        """Ends the turns, from `number` on, in which nothing can happen any more."""
        while True:
            turn = frame.turns.get(number)
            if turn is None or turn.outstanding or turn.children:
                break
            if frame.pending_enters if number == 0 else number - 1 in frame.turns:
                break
            self._note_stalled(frame, number, turn)
            del frame.turns[number]
            frame.running -= 1
            if frame.waiting:
                waiting, frame.waiting = frame.waiting, []
                self._begin_turn(frame)
                for node, outputs in waiting:
                    self._deliver(node, frame, frame.last, outputs)
            number += 1
        if not frame.running and not frame.finished and not frame.pending_enters:
            self._end(frame)

    def _end(self, frame: Frame) -> None:
        frame.finished = True
        parent = frame.parent
        if parent is None:
            return
        for node in frame.dead_exits:
            if not parent.number:
                self._keep(node, None)
            self._deliver(node, parent, frame.parent_turn, None)
        del parent.children[frame.number, frame.parent_turn]
        parent.turns[frame.parent_turn].children -= 1
        self._settle(parent, frame.parent_turn)

    def _note_stalled(self, frame: Frame, number: int, turn: Turn) -> None:
        if len(self.stalled) >= 10:
            return
        members = self._structure.frames[frame.number].nodes
        for slot, got in sorted(turn.inputs.items()):
            if got is _RAN:
                continue
            node = members[slot]
            missing = tuple(
                source
                for place, (source, _) in enumerate(self._nodes[node].inputs)
                if got[place] is None and self._nodes[node].kind is not Kind.MERGE
            )
            self.stalled.append(Stalled(node, frame.path(number), missing))
