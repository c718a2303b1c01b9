"""The frames and turns of a dataflow program that runs."""

from __future__ import annotations

from typing import Any

#: A node's outputs; None where all of them are dead.
Outputs = tuple[Any, ...] | None


class _Dead:
    """What stands for the value that an output does not have."""

    def __repr__(self) -> str:
        return "DEAD"


DEAD = _Dead()


class Turn:
    """One turn of a frame: what its nodes have got and what they wait for.

    A node is known by its place in the frame.
    """

    __slots__ = ("children", "dead", "inputs", "outstanding", "pending")

    def __init__(self, pending: list[int]) -> None:
        #: How many inputs each node still waits for.
        self.pending = pending.copy()
        #: The inputs that have come, by node.
        self.inputs: dict[int, list[Any] | tuple[Any, ...]] = {}
        #: How many dead inputs came, by node.
        self.dead: dict[int, int] = {}
        #: Nodes that were begun and have not finished.
        self.outstanding = 0
        #: Frames that were entered from here and are not done.
        self.children = 0


class Frame:
    """A loop that runs, in one turn of what is around it."""

    __slots__ = (
        "children",
        "dead_exits",
        "finished",
        "invariants",
        "last",
        "number",
        "parent",
        "parent_turn",
        "pending_enters",
        "running",
        "turns",
        "waiting",
    )

    def __init__(
        self, number: int, enters: int, parent: Frame | None, parent_turn: int, pending: list[int]
    ) -> None:
        #: Which of the structure's frames it is.
        self.number = number
        self.parent = parent
        self.parent_turn = parent_turn
        #: Values that are still to enter.
        self.pending_enters = enters
        self.turns: dict[int, Turn] = {0: Turn(pending)}
        #: The newest turn.
        self.last = 0
        #: How many turns are under way.
        self.running = 1
        #: What all turns see: ENTER nodes with their outputs.
        self.invariants: list[tuple[int, Outputs]] = []
        #: NEXT_ITERATION nodes whose turn may not begin yet.
        self.waiting: list[tuple[int, Outputs]] = []
        #: EXIT nodes that were dead in the newest turn.
        self.dead_exits: list[int] = []
        #: Frames inside, by their number and the turn that they were entered in.
        self.children: dict[tuple[int, int], Frame] = {}
        self.finished = False

    def path(self, turn: int) -> tuple[tuple[int, int], ...]:
        """The frames from the outside in, each with the turn that is meant."""
        outer = () if self.parent is None else self.parent.path(self.parent_turn)
        return outer if self.parent is None else (*outer, (self.number, turn))
