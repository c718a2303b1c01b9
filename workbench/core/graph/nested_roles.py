"""What each operation of a graph and of its bodies is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.graph.body import LOOPS
from workbench.core.graph.nested import NestedBody, NestedGraph
from workbench.core.graph.operation import Operation
from workbench.core.graph.roles import BACKWARD, FORWARD, operation_roles


def nested_roles(nested: NestedGraph) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The role of each operation: that of the conditional or loop around it, or its own there.

    What a loop keeps of its passes for gradients alone is backward.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph:
    ...     x = tf.Variable(2.0, name="x")
    ...     y = tf.while_loop(lambda y: y < 9.0, lambda y: y * y, [x], name="loop")
    ...     g = tf.gradients(y, x)
    >>> nested = NestedGraph(graph)
    >>> found = zip(nested.operations, nested_roles(nested))
    >>> {op.type: int(role) for op, role in found if op.type in ("Mul", "TensorListPopBack")}
    {'Mul': 1, 'TensorListPopBack': 1}
    """
    roles = np.zeros(len(nested.operations), np.uint8)
    # An operation that is added meanwhile is not among them.
    roles[: nested.outer_count] = operation_roles(nested.graph)[: nested.outer_count]
    body_of = np.array(nested.body_of)
    for number, body in enumerate(nested.bodies, 1):
        inside = np.flatnonzero(body_of == number)
        around = roles[body.operation]
        if around != FORWARD:
            roles[inside] = around
            continue
        operations = body.body.graph.get_operations()
        known = dict(zip(operations, operation_roles(body.body.graph), strict=False))
        roles[inside] = [known.get(nested.operations[place], FORWARD) for place in inside]
        for op in _kept_for_gradients(nested, body, roles):
            if op in nested.places:
                roles[nested.places[op]] = BACKWARD
    return roles


def _kept_for_gradients(
    nested: NestedGraph, body: NestedBody, roles: np.ndarray[Any, np.dtype[np.uint8]]
) -> Iterator[Operation]:
    """The operations that make, hand round and grow lists that only gradients read."""
    loop = nested.operations[body.operation]
    if loop.type not in LOOPS or body.part != "body":
        return
    arguments, results = body.body.arguments, body.body.results
    for argument, result, output, given in zip(
        arguments, results, loop.outputs, loop.inputs, strict=True
    ):
        users = [nested.places[user] for user in output._consumers if user in nested.places]
        if result.op.type != "TensorListPushBack" or result.op.inputs[0] is not argument:
            continue
        if not users or any(roles[user] != BACKWARD for user in users):
            continue
        yield argument.op
        yield result.op
        start = given.op
        if start.type == "EmptyTensorList" and given._consumers == [loop]:
            yield start
            yield from (t.op for t in start.inputs if t._consumers == [start])
