"""A graph with the bodies of its conditionals and loops laid out behind it, to look at.

Operations of bodies stand after those of the graph, body after body, to any depth. What is handed
over is drawn through: the inputs of a conditional or loop end at the arguments of its bodies, its
outputs begin at their results, and what a loop's body gives goes back to the arguments. What the
condition of a loop gives is an input of the loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.core.graph.body import BODY_ATTRIBUTES, CONDITIONALS, LOOPS, Body
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor

#: The output index of a control edge.
CONTROL = 65535
#: What the bodies are called, by the attributes that hold them.
PARTS = {"then_branch": "then", "else_branch": "else", "cond": "cond", "body": "body"}


class NestedBody(NamedTuple):
    """A body: the place of the operation that has it, and which of its bodies it is."""

    operation: int
    part: str
    body: Body


class Incoming(NamedTuple):
    """An edge: from which operation it is drawn, and which tensor it stands for.

    `source` is the place that it is drawn from; `owner` that of the operation whose output it is,
    another one where that is a conditional or loop. `tensor` is None for control edges; `is_back`
    tells that it goes from one pass of a loop to the next.
    """

    source: int
    owner: int
    output: int
    tensor: Tensor | None
    is_back: bool


class NestedGraph:
    """The operations of a graph and of all bodies in it, by their places.

    `bodies` are listed in the order of their operations; `body_of` has for each operation 0 for the
    graph itself, else the number of its body, counted from 1. Arguments that a body does not use
    are left out.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph:
    ...     last = tf.while_loop(lambda i: i < 3, lambda i: i + 1, [0], name="count")
    >>> nested = NestedGraph(graph)
    >>> [(body.part, nested.operations[body.operation].name) for body in nested.bodies]
    [('cond', 'count/While'), ('body', 'count/While')]
    >>> len(graph.get_operations()) < len(nested.operations)
    True
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        #: Those of the graph itself, then those of the bodies.
        self.operations: list[Operation] = graph.get_operations()
        #: How many there are of the graph itself.
        self.outer_count = len(self.operations)
        self.body_of = [0] * self.outer_count
        self.bodies: list[NestedBody] = []
        self.places: dict[Operation, int] = {op: i for i, op in enumerate(self.operations)}
        #: For each argument that is shown the number of its body, and which argument it is.
        self._arguments: dict[Operation, tuple[int, int]] = {}
        #: Which inputs of conditionals and loops end at arguments, and their bodies by their names.
        self._handed: dict[Operation, set[int]] = {}
        self._parts: dict[Operation, dict[str, Body]] = {}
        place = 0
        while place < len(self.operations):
            op = self.operations[place]
            if op.type in BODY_ATTRIBUTES:
                self._open(place, op)
            place += 1

    def _open(self, place: int, op: Operation) -> None:
        parts: dict[str, Body] = {}
        handed: set[int] = set()
        for attribute in BODY_ATTRIBUTES[op.type]:
            body = op.attrs.get(attribute)
            # What an importer could not read stays a name.
            if not isinstance(body, Body):
                continue
            parts[PARTS[attribute]] = body
            self.bodies.append(NestedBody(place, PARTS[attribute], body))
            self._list(body, handed, first_input=int(op.type in CONDITIONALS))
        self._parts[op] = parts
        self._handed[op] = handed

    def _list(self, body: Body, handed: set[int], first_input: int) -> None:
        """Adds the operations of the newest body."""
        number = len(self.bodies)
        unused = _unused_arguments(body)
        for op in body.graph.get_operations():
            if op not in unused and op not in self.places:
                self.places[op] = len(self.operations)
                self.operations.append(op)
                self.body_of.append(number)
        for position, argument in enumerate(body.arguments):
            if argument.op not in unused:
                self._arguments[argument.op] = (number, position)
                handed.add(first_input + position)

    def body(self, place: int) -> NestedBody | None:
        """The body that an operation stands in."""
        number = self.body_of[place]
        return self.bodies[number - 1] if number else None

    def incoming(self, place: int) -> Iterator[Incoming]:
        """The edges of an operation: those of its inputs in order, control edges last."""
        op = self.operations[place]
        if op in self._arguments:
            yield from self._given(*self._arguments[op])
        condition = self._parts.get(op, {}).get("cond")
        if condition is not None:
            for result in condition.results:
                yield from self._edges(result)
        handed = self._handed.get(op, ())
        for position, tensor in enumerate(op.inputs):
            if position not in handed:
                yield from self._edges(tensor)
        for waited in op._control_inputs:
            source = self.places.get(waited)
            if source is not None:
                yield Incoming(source, source, CONTROL, None, False)

    def given(self, place: int) -> list[Tensor]:
        """What an argument of a body is: the tensor outside, then that of the pass before."""
        found = self._arguments.get(self.operations[place])
        return [] if found is None else [tensor for tensor, _ in self._values(*found)]

    def _given(self, number: int, position: int) -> Iterator[Incoming]:
        for tensor, is_back in self._values(number, position):
            yield from self._edges(tensor, is_back)

    def _values(self, number: int, position: int) -> Iterator[tuple[Tensor, bool]]:
        op = self.operations[self.bodies[number - 1].operation]
        position_outside = position + int(op.type in CONDITIONALS)
        if position_outside < len(op.inputs):
            yield op.inputs[position_outside], False
        turn = self._parts[op].get("body") if op.type in LOOPS else None
        if turn is not None and position < len(turn.results):
            result = turn.results[position]
            if result is not turn.arguments[position]:
                yield result, True

    def _edges(self, tensor: Tensor, is_back: bool = False) -> Iterator[Incoming]:
        owner = self.places.get(tensor.op)
        if owner is None:
            return
        for source in self._sources(tensor):
            yield Incoming(source, owner, tensor.value_index, tensor, is_back)

    def _sources(self, tensor: Tensor) -> Sequence[int]:
        """Where a tensor comes from: inside the bodies, where a conditional or loop gives it."""
        op = tensor.op
        parts = self._parts.get(op)
        if parts is None:
            return (self.places[op],)
        found: dict[int, None] = {}
        for part, body in parts.items():
            if part != "cond" and tensor.value_index < len(body.results):
                result = body.results[tensor.value_index]
                if result.op in self.places:
                    found.update(dict.fromkeys(self._sources(result)))
        return tuple(found) or (self.places[op],)


def _unused_arguments(body: Body) -> set[Operation]:
    """Those that nothing in the body takes, and that are not handed on to another place."""
    kept = {
        result
        for position, result in enumerate(body.results)
        if position >= len(body.arguments) or result is not body.arguments[position]
    }
    return {tensor.op for tensor in body.arguments if not tensor._consumers and tensor not in kept}
