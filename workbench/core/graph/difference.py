"""What differs between two graphs: operations and edges that are new, gone or changed.

Operations are matched by name first. Those without a counterpart are matched by what they are and
what stands around them, so that a renamed layer is shown as renamed, not as one gone and one new.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.graph.nested import NestedBody, NestedGraph
from workbench.core.graph.operation_changes import changes_of

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation

SAME, ADDED, REMOVED, CHANGED = range(4)
#: How far from an operation its surroundings reach when a renamed one is looked for.
_ROUNDS = 3
_MOST_LINES = 40


class Edge(NamedTuple):
    """An edge between two operations of the union, by their places in it.

    `output` is the index of the tensor at its `owner`, `CONTROL` for a control edge; that is the
    source, or the conditional or loop which the source is inside. `status` is that of the edge: a
    changed one carries a tensor of another dtype or shape than before. `is_back` tells that it goes
    from one pass of a loop to the next.
    """

    source: int
    target: int
    output: int
    status: int
    owner: int
    is_back: bool


class Difference:
    """Two graphs laid over each other; made by :func:`difference`.

    `operations` are the operations of the graph, then those of its bodies, in order, each removed
    one after the one that stood before it; `status` (uint8) has SAME, ADDED, REMOVED or CHANGED for
    each, `was` its counterpart in the other graph or None, and `changes` says of each changed one,
    by its place, what is other.
    `edges` are ordered by target, then by input, control edges last, then those that are gone.
    `bodies` are those of conditionals and loops, and `body_of` has for each operation the number of
    its body, counted from 1; 0 for the graph itself.
    """

    def __init__(
        self,
        operations: list[Operation],
        status: np.ndarray[Any, np.dtype[np.uint8]],
        was: list[Operation | None],
        changes: dict[int, tuple[str, ...]],
        edges: list[Edge],
        bodies: list[NestedBody],
        body_of: list[int],
    ) -> None:
        self.operations = operations
        self.status = status
        self.was = was
        self.changes = changes
        self.edges = edges
        self.bodies = bodies
        self.body_of = body_of

    @property
    def edge_status(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The status of each edge."""
        return np.array([edge.status for edge in self.edges], np.uint8)

    def __bool__(self) -> bool:
        return bool(self.status.any()) or any(edge.status for edge in self.edges)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        counts = np.bincount(self.status, minlength=4).tolist()
        if not self:
            yield f"The graphs are the same: {counts[SAME]} operations"
            return
        yield (
            f"{counts[ADDED]} operations added, {counts[REMOVED]} removed, "
            f"{counts[CHANGED]} changed, {counts[SAME]} the same"
        )
        shown = [i for i, status in enumerate(self.status.tolist()) if status != SAME]
        for i in shown[:_MOST_LINES]:
            op, status = self.operations[i], self.status[i]
            if status == CHANGED:
                yield f"~ {op.name} ({op.type}): {'; '.join(self.changes[i])}"
            else:
                yield f"{'+' if status == ADDED else '-'} {op.name} ({op.type})"
        if len(shown) > _MOST_LINES:
            yield f"  and {len(shown) - _MOST_LINES} more"


def difference(graph: Graph, against: Graph) -> Difference:
    """What `graph` has, lacks and does otherwise than `against`.

    An operation is changed where it has another type, device, attribute, shape or input than the
    one of its name; a renamed one is found by type and neighbours, and is changed.

    >>> import workbench as tf
    >>> before, after = tf.Graph(), tf.Graph()
    >>> with before.as_default():
    ...     y = tf.exp(tf.placeholder(tf.float32, [2], name="x"), name="y")
    >>> with after.as_default():
    ...     y = tf.log(tf.placeholder(tf.float32, [3], name="x"), name="y")
    >>> print(difference(after, before))
    0 operations added, 0 removed, 2 changed, 0 the same
    ~ x (Placeholder): shape [2] -> [3]; output 0 float32[2] -> float32[3]
    ~ y (Log): type Exp -> Log; output 0 float32[2] -> float32[3]
    """
    nested, before_nested = NestedGraph(graph), NestedGraph(against)
    new, old = nested.operations, before_nested.operations
    pairs = _matched(new, old)
    operations = _union(new, old, pairs)
    was = [pairs.get(op) for op in operations]
    back = {before: op for op, before in pairs.items()}
    index = {op: i for i, op in enumerate(operations)}
    place = {op: index[back.get(op, op)] for op in old}
    place.update(index)
    own = set(new)
    status = np.zeros(len(operations), np.uint8)
    changes: dict[int, tuple[str, ...]] = {}
    for i, (op, before) in enumerate(zip(operations, was, strict=True)):
        if before is None:
            status[i] = ADDED if op in own else REMOVED
            continue
        found = tuple(changes_of(op, before, back))
        if found:
            status[i] = CHANGED
            changes[i] = found
    incoming = _Incoming((nested, before_nested), place)
    edges = list(_edges(operations, was, status, incoming))
    bodies, body_of = _bodies(operations, (nested, before_nested), place)
    return Difference(operations, status, was, changes, edges, bodies, body_of)


# -- matching ------------------------------------------------------------------------------------


def _matched(new: Sequence[Operation], old: Sequence[Operation]) -> dict[Operation, Operation]:
    """For operations of the new graph their counterparts in the old one."""
    by_name = {op.name: op for op in old}
    pairs = {op: by_name[op.name] for op in new if op.name in by_name}
    taken = set(pairs.values())
    rest_new = [op for op in new if op not in pairs]
    rest_old = [op for op in old if op not in taken]
    if not rest_new or not rest_old:
        return pairs
    # Matched neighbours are anchors: both sides know them by one number.
    anchors: dict[Operation, Hashable] = {}
    for number, (op, before) in enumerate(pairs.items()):
        anchors[op] = anchors[before] = number
    hashes = [_surroundings(rest, anchors) for rest in (rest_new, rest_old)]
    # The widest surroundings are compared first: they say most about who is who.
    for rounds in reversed(range(_ROUNDS + 1)):
        waiting: dict[int, list[Operation]] = defaultdict(list)
        for op in reversed(rest_old):
            if op not in taken:
                waiting[hashes[1][op][rounds]].append(op)
        for op in rest_new:
            alike = waiting.get(hashes[0][op][rounds])
            if op not in pairs and alike:
                pairs[op] = alike.pop()
                taken.add(pairs[op])
    return pairs


def _surroundings(
    rest: Sequence[Operation], anchors: dict[Operation, Hashable]
) -> dict[Operation, list[int]]:
    """For each operation hashes of itself and of ever wider surroundings.

    The narrowest is of its type, its shapes and the operations around it that are matched; without
    any such it is its own, since a type alone tells nothing apart.
    """

    def fixed(op: Operation) -> Hashable:
        return anchors.get(op, -1)

    inside = set(rest)
    lonely: list[Operation] = []
    found: dict[Operation, list[int]] = {}
    for op in rest:
        shapes = tuple((t.dtype.name, t.entries) for t in op.outputs)
        sources = tuple((fixed(t.op), t.value_index) for t in op.inputs)
        around = [fixed(user) for t in op.outputs for user in t._consumers]
        users = frozenset(Counter(around).items())
        found[op] = [hash((op.type, shapes, sources, users))]
        if all(each == -1 for each in [*around, *(source for source, _ in sources)]):
            lonely.append(op)
    for _ in range(_ROUNDS):
        widened = {}
        for op in rest:
            before = tuple(found[t.op][-1] for t in op.inputs if t.op in inside)
            after = sorted(
                found[user][-1] for t in op.outputs for user in t._consumers if user in inside
            )
            widened[op] = hash((found[op][-1], before, tuple(after)))
        for op, value in widened.items():
            found[op].append(value)
    for op in lonely:
        found[op][0] = id(op)
    return found


def _union(
    new: Sequence[Operation], old: Sequence[Operation], pairs: dict[Operation, Operation]
) -> list[Operation]:
    """The new operations in order, each removed one after the one that stood before it."""
    back = {before: op for op, before in pairs.items()}
    follows: dict[Operation | None, list[Operation]] = defaultdict(list)
    previous: Operation | None = None
    for op in old:
        if op in back:
            previous = back[op]
        else:
            follows[previous].append(op)
    operations = list(follows[None])
    for op in new:
        operations.append(op)
        operations += follows.get(op, ())
    return operations


# -- edges ---------------------------------------------------------------------------------------


class _Incoming:
    """The edges of an operation of either graph, between places in the union."""

    def __init__(self, graphs: Sequence[NestedGraph], place: dict[Operation, int]) -> None:
        self._graphs = graphs
        self._place = place

    def __call__(self, op: Operation) -> Iterator[tuple[_Key, Hashable]]:
        """What tells each edge from others with its target, and what it carries."""
        nested = next(each for each in self._graphs if op in each.places)
        for edge in nested.incoming(nested.places[op]):
            source, owner = (self._place[nested.operations[i]] for i in (edge.source, edge.owner))
            tensor = edge.tensor
            kind = None if tensor is None else (tensor.dtype.name, tensor.entries)
            yield _Key(source, owner, edge.output, edge.is_back), kind


class _Key(NamedTuple):
    source: int
    owner: int
    output: int
    is_back: bool


def _edges(
    operations: Sequence[Operation],
    was: Sequence[Operation | None],
    status: np.ndarray[Any, np.dtype[np.uint8]],
    incoming: _Incoming,
) -> Iterator[Edge]:
    for target, (op, before) in enumerate(zip(operations, was, strict=True)):
        if before is None:
            for key, _ in incoming(op):
                yield _edge(key, target, int(status[target]))
            continue
        kinds = dict(incoming(before))
        gone = Counter(key for key, _ in incoming(before))
        for key, kind in incoming(op):
            if not gone[key]:
                yield _edge(key, target, ADDED)
                continue
            gone[key] -= 1
            yield _edge(key, target, SAME if kinds[key] == kind else CHANGED)
        for key, count in gone.items():
            for _ in range(count):
                yield _edge(key, target, REMOVED)


def _edge(key: _Key, target: int, status: int) -> Edge:
    return Edge(key.source, target, key.output, status, key.owner, key.is_back)


def _bodies(
    operations: Sequence[Operation],
    graphs: Sequence[NestedGraph],
    place: dict[Operation, int],
) -> tuple[list[NestedBody], list[int]]:
    """The bodies of both graphs, those of the same operation and part once."""
    numbers: dict[tuple[int, str], int] = {}
    bodies: list[NestedBody] = []
    known: dict[Operation, int] = {}
    for nested in graphs:
        own = [0]
        for body in nested.bodies:
            owner = place[nested.operations[body.operation]]
            number = numbers.get((owner, body.part))
            if number is None:
                bodies.append(body._replace(operation=owner))
                number = numbers[owner, body.part] = len(bodies)
            own.append(number)
        for op, number in zip(nested.operations, nested.body_of, strict=True):
            known[op] = own[number]
    return bodies, [known[op] for op in operations]
