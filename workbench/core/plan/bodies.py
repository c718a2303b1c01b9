"""What the bodies of conditionals and loops need, read and change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from workbench.core.graph.body import BODY_ATTRIBUTES, CONTROL_FLOW, LOOPS, Body
from workbench.core.graph.body_graph import VARIABLES, variable_of
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.reach import needed_inside, taken_inputs, used_outputs


def bodies_of(op: Operation) -> tuple[Body, ...]:
    """The bodies of an operation: none for most."""
    return tuple(op.attrs[name] for name in BODY_ATTRIBUTES.get(op.type, ()))


def handed_over(op: Operation) -> tuple[Tensor, ...]:
    """The inputs that an operation hands over to its bodies."""
    return op.inputs if op.type in LOOPS else op.inputs[1:]


def updated_arguments(body: Body, results: Sequence[Tensor]) -> set[int]:
    """The numbers of the arguments that stand for variables to which the body gives new values."""
    place = {t: i for i, t in enumerate(body.arguments)}
    found: set[int] = set()
    for op in needed_inside(body, results):
        for tensor in updated_inputs(op):
            variable = variable_of(tensor)
            if variable in place:
                found.add(place[variable])
    return found


def updated_inputs(op: Operation) -> list[Tensor]:
    """The inputs of an operation that stand for variables it gives new values to."""
    if op.type in CONTROL_FLOW:
        tensors = handed_over(op)
        numbers: set[int] = set()
        for body in bodies_of(op):
            numbers |= updated_arguments(body, body.results)
        return [tensors[i] for i in sorted(numbers)]
    declaration = registry.lookup(op.type)
    if declaration is None or not declaration.stateful or not declaration.updated_variables:
        return []
    variables = [t for t in op.inputs if variable_of(t) is not None]
    return variables[: declaration.updated_variables]


def is_stateful(bodies: Iterable[Body]) -> bool:
    """True where what bodies do is more than their results, or not told by their arguments."""
    for body in bodies:
        if any(t.op.type in VARIABLES for t in body.arguments):
            return True
        arguments = {t.op for t in body.arguments}
        for op in body.graph.get_operations():
            if op in arguments:
                continue
            declaration = registry.lookup(op.type)
            if declaration is None or declaration.stateful:
                return True
    return False


def inner_operations(op: Operation) -> Iterable[Operation]:
    """The operations that the bodies of an operation need; those may have bodies, too."""
    for body in bodies_of(op):
        yield from needed_inside(body, body.results)


def fed_arguments(body: Body) -> list[Tensor]:
    """The arguments that have values: all but those that stand for variables."""
    return [t for t in body.arguments if t.op.type not in VARIABLES]


class Part(NamedTuple):
    """What is left of a conditional or loop when only some of its outputs are used."""

    #: The numbers of the inputs and outputs that are left. A loop goes on with each of its
    #: variables that is left, a conditional gives nothing but what is used.
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    #: The attributes of the plan's node: the bodies, cut to size; `used`, the outputs among those
    #: left that have values; `updated`, the inputs among those left that stand for variables with
    #: new values.
    attrs: Mapping[str, Any]


def used_parts(
    order: Sequence[Operation], fetches: Iterable[Tensor], targets: Iterable[Operation]
) -> dict[Operation, Part]:
    """For each conditional and loop among the needed operations what is left of it."""
    found = used_outputs(order, fetches, targets)
    return {op: used_part(op, used) for op, used in found.items()}


def used_part(op: Operation, used: tuple[int, ...]) -> Part:
    """The part of an operation with bodies that some of its outputs need."""
    inputs = taken_inputs(op, used)
    attrs: dict[str, Any]
    if op.type in LOOPS:
        outputs, first, handed = inputs, 0, inputs
        attrs = {
            "cond": _cut(op.attrs["cond"], handed, (0,)),
            "body": _cut(op.attrs["body"], handed, outputs),
        }
    else:
        outputs, first, handed = used, 1, tuple(i - 1 for i in inputs[1:])
        attrs = {name: _cut(op.attrs[name], handed, outputs) for name in BODY_ATTRIBUTES[op.type]}
    updated = {i for body in attrs.values() for i in updated_arguments(body, body.results)}
    attrs["used"] = tuple(outputs.index(i) for i in used)
    attrs["updated"] = tuple(first + i for i in sorted(updated))
    return Part(inputs, outputs, attrs)


def _cut(body: Body, arguments: Sequence[int], results: Sequence[int]) -> Body:
    """A body with some of its arguments and results."""
    return Body(
        body.graph,
        [body.arguments[i] for i in arguments],
        [body.results[i] for i in results],
        body.name,
    )
