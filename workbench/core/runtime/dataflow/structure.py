"""What a dataflow program knows before it runs: its nodes, their edges, the frames they are in."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple


class Kind(enum.Enum):
    """How a node treats dead inputs and frames."""

    #: Runs a kernel once all inputs are there; dead when one of them is.
    PLAIN = "plain"
    #: Has its values from the start.
    SOURCE = "source"
    #: Runs once its control inputs have, dead or alive.
    TRIGGER = "trigger"
    #: Passes its only input on.
    FORWARD = "forward"
    SWITCH = "switch"
    MERGE = "merge"
    ENTER = "enter"
    EXIT = "exit"
    NEXT_ITERATION = "next iteration"


class NodeSpec(NamedTuple):
    """One node as the state machine sees it; nodes are known by their places in a list."""

    name: str
    kind: Kind
    #: The node and the output that each input comes from.
    inputs: tuple[tuple[int, int], ...] = ()
    #: The nodes that must have run before.
    controls: tuple[int, ...] = ()
    #: For ENTER: which frame, whether all of its turns see the value, and how many of them may be
    #: under way at a time.
    frame_name: str = ""
    is_constant: bool = False
    parallel_iterations: int = 10


class Edge(NamedTuple):
    """From an output of a node to an input of another one."""

    consumer: int
    #: The place among the consumer's inputs; negative where the edge only orders.
    place: int
    output: int


class FrameSpec(NamedTuple):
    """A loop, or what lies outside of all loops (number 0)."""

    name: str
    parent: int
    nodes: tuple[int, ...]
    #: How many values enter it.
    enters: int
    parallel_iterations: int


class StructureError(ValueError):
    """Nodes that can never run: `node` is the first of them."""

    def __init__(self, message: str, node: int) -> None:
        super().__init__(message)
        self.node = node


class Structure:
    """Nodes with their consumers and frames, and what the state machine counts down from.

    Raises StructureError for a node whose inputs are in different frames, and for cycles that no
    NextIteration closes.
    """

    def __init__(self, nodes: Sequence[NodeSpec], wanted: Sequence[int] = ()) -> None:
        self.nodes = tuple(nodes)
        #: Nodes that must have finished when a run is over.
        self.wanted = tuple(wanted)
        self.consumers: list[tuple[Edge, ...]] = _consumers(self.nodes)
        #: The frame that each node runs in.
        self.frame_of, parents = _place(self.nodes, self.consumers)
        self.frames = _frames(self.nodes, self.frame_of, parents)
        #: The frame that each ENTER leads to.
        self.inner = {
            i: _child(parents, self.frame_of[i], n.frame_name)
            for i, n in enumerate(self.nodes)
            if n.kind is Kind.ENTER
        }
        #: The place of each node among those of its frame.
        self.slots = [0] * len(self.nodes)
        for frame in self.frames:
            for slot, node in enumerate(frame.nodes):
                self.slots[node] = slot
        #: For each frame what its nodes wait for at the beginning of a turn.
        self.pending = [[self._pending(n) for n in frame.nodes] for frame in self.frames]
        #: For a MERGE: how many dead inputs make it dead.
        self.dead_limit = [self._dead_limit(n) for n in self.nodes]

    def pending_of(self, node: int) -> int:
        """How many inputs a node waits for."""
        return self.pending[self.frame_of[node]][self.slots[node]]

    def _pending(self, node: int) -> int:
        spec = self.nodes[node]
        if spec.kind is Kind.MERGE:
            # The first value counts, or that there will be none.
            return len(spec.controls) + 1
        return len(spec.controls) + len(spec.inputs)

    def _dead_limit(self, spec: NodeSpec) -> int:
        """Turns that have not begun tell of no dead values: only what comes from outside counts."""
        forward = sum(self.nodes[i].kind is not Kind.NEXT_ITERATION for i, _ in spec.inputs)
        return forward or len(spec.inputs)

    def frame_path(self, frame: int) -> str:
        """The names of a frame and of those around it."""
        names: list[str] = []
        while frame:
            names.append(self.frames[frame].name)
            frame = self.frames[frame].parent
        return " > ".join(reversed(names))


def _consumers(nodes: Sequence[NodeSpec]) -> list[tuple[Edge, ...]]:
    found: list[list[Edge]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for place, (source, output) in enumerate(node.inputs):
            found[source].append(Edge(number, place, output))
        for source in node.controls:
            found[source].append(Edge(number, -1, 0))
    return [tuple(edges) for edges in found]


#: The parent of each frame and its name; frame 0 is outside of all.
_Parents = list[tuple[int, str]]


def _child(parents: _Parents, parent: int, name: str) -> int:
    return parents.index((parent, name))


def _place(
    nodes: Sequence[NodeSpec], consumers: Sequence[Sequence[Edge]]
) -> tuple[list[int], _Parents]:
    """The frame of each node; StructureError where there is none."""
    parents: _Parents = [(0, "")]
    frames: list[int | None] = [None] * len(nodes)
    came_from = [-1] * len(nodes)
    missing = [
        len(n.controls) + sum(not _closes_loop(nodes, n, i) for i, _ in n.inputs) for n in nodes
    ]
    waiting = deque(i for i, count in enumerate(missing) if not count)
    placed = 0
    while waiting:
        node = waiting.popleft()
        placed += 1
        frames[node] = frames[node] or 0
        leads_to = _leads_to(nodes[node], frames[node] or 0, parents, node)
        for edge in consumers[node]:
            target = edge.consumer
            if frames[target] is None:
                frames[target], came_from[target] = leads_to, node
            elif frames[target] != leads_to:
                raise StructureError(
                    f"{nodes[target].name!r} has inputs from different frames. The input "
                    f"{nodes[came_from[target]].name!r} is in frame "
                    f"{parents[frames[target] or 0][1]!r}. The input {nodes[node].name!r} is in "
                    f"frame {parents[leads_to][1]!r}",
                    target,
                )
            if edge.place < 0 or not _closes_loop(nodes, nodes[target], node):
                missing[target] -= 1
                if not missing[target]:
                    waiting.append(target)
    if placed < len(nodes):
        lost = [i for i, count in enumerate(missing) if count]
        raise StructureError(_in_circles(nodes, lost), lost[0])
    return [frame or 0 for frame in frames], parents


def _closes_loop(nodes: Sequence[NodeSpec], node: NodeSpec, source: int) -> bool:
    """True for the edge from the end of a loop's turn back to its beginning."""
    return node.kind is Kind.MERGE and nodes[source].kind is Kind.NEXT_ITERATION


def _leads_to(spec: NodeSpec, frame: int, parents: _Parents, node: int) -> int:
    """The frame that the outputs of a node are in."""
    if spec.kind is Kind.ENTER:
        key = (frame, spec.frame_name)
        if key not in parents:
            parents.append(key)
        return parents.index(key)
    if spec.kind is Kind.EXIT:
        if not frame:
            raise StructureError(f"{spec.name!r} leaves a frame that nothing entered", node)
        return parents[frame][0]
    return frame


def _in_circles(nodes: Sequence[NodeSpec], lost: Sequence[int]) -> str:
    names = ", ".join(nodes[i].name for i in lost[:8])
    more = f" and {len(lost) - 8} more" if len(lost) > 8 else ""
    return (
        f"Graph is invalid, contains a cycle with {len(lost)} nodes that no NextIteration closes, "
        f"including: {names}{more}"
    )


def _frames(
    nodes: Sequence[NodeSpec], frame_of: Sequence[int], parents: _Parents
) -> list[FrameSpec]:
    members: list[list[int]] = [[] for _ in parents]
    enters = [0] * len(parents)
    parallel = [1] * len(parents)
    for number, node in enumerate(nodes):
        members[frame_of[number]].append(number)
        if node.kind is Kind.ENTER:
            inner = _child(parents, frame_of[number], node.frame_name)
            enters[inner] += 1
            parallel[inner] = max(1, node.parallel_iterations)
    return [
        FrameSpec(name, parent, tuple(members[i]), enters[i], parallel[i])
        for i, (parent, name) in enumerate(parents)
    ]
