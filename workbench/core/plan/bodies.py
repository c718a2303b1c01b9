"""What the bodies of conditionals and loops need, read and change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.core.graph.body import BODY_ATTRIBUTES, CONTROL_FLOW, LOOPS, Body
from workbench.core.graph.body_graph import VARIABLES, variable_of
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.reach import needed_operations


def bodies_of(op: Operation) -> tuple[Body, ...]:
    """The bodies of an operation: none for most."""
    return tuple(op.attrs[name] for name in BODY_ATTRIBUTES.get(op.type, ()))


def handed_over(op: Operation) -> tuple[Tensor, ...]:
    """The inputs that an operation hands over to its bodies."""
    return op.inputs if op.type in LOOPS else op.inputs[1:]


def used_outputs(
    order: Sequence[Operation], fetches: Iterable[Tensor], targets: Iterable[Operation]
) -> dict[Operation, tuple[int, ...]]:
    """For each operation with bodies in `order` the outputs that something takes.

    Where something waits for the operation itself, all count that the user has.
    """
    with_bodies = [op for op in order if op.type in CONTROL_FLOW]
    if not with_bodies:
        return {}
    taken = {t for op in order for t in op.inputs}
    taken.update(fetches)
    awaited = {c for op in order for c in op._control_inputs}
    awaited.update(targets)
    return {
        op: tuple(
            i
            for i, t in enumerate(op.outputs)
            if t in taken or (op in awaited and i < visible_outputs(op) and _is_value(op, i))
        )
        for op in with_bodies
    }


def _is_value(op: Operation, index: int) -> bool:
    """False for an output of a loop that stands for a variable which the loop uses."""
    return op.type not in LOOPS or variable_of(op.inputs[index]) is None


def visible_outputs(op: Operation) -> int:
    """How many outputs an operation had before gradients asked it for more."""
    count: int = op.attrs.get("_visible_outputs", len(op.outputs))
    return count


def needed_loop_variables(op: Operation, used: Iterable[int]) -> tuple[int, ...]:
    """The variables of a loop that its condition and the used outputs depend on, in order."""
    condition, body = op.attrs["cond"], op.attrs["body"]
    place = {t: i for i, t in enumerate(body.arguments)}
    needed = set(used)
    waiting = list(needed)
    for argument in _arguments_needed(condition, condition.results):
        index = condition.arguments.index(argument)
        if index not in needed:
            needed.add(index)
            waiting.append(index)
    while waiting:
        results = [body.results[i] for i in waiting]
        waiting = []
        for argument in _arguments_needed(body, results):
            index = place[argument]
            if index not in needed:
                needed.add(index)
                waiting.append(index)
    return tuple(sorted(needed))


def _arguments_needed(body: Body, results: Sequence[Tensor]) -> list[Tensor]:
    arguments = set(body.arguments)
    order = needed_operations(results, (), ())
    found = [t for op in order for t in op.outputs if t in arguments]
    return list(dict.fromkeys(found))


def is_invariant(op: Operation, index: int) -> bool:
    """True where a loop hands one of its variables on as it is."""
    body = op.attrs["body"]
    return body.results[index] is body.arguments[index]


def updated_arguments(body: Body, results: Sequence[Tensor]) -> set[int]:
    """The numbers of the arguments that stand for variables to which the body gives new values."""
    place = {t: i for i, t in enumerate(body.arguments)}
    found: set[int] = set()
    for op in needed_operations(results, (), ()):
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
        yield from needed_operations(body.results, (), ())


def fed_arguments(body: Body) -> list[Tensor]:
    """The arguments that have values: all but those that stand for variables."""
    return [t for t in body.arguments if t.op.type not in VARIABLES]


def node_attributes(op: Operation, used: tuple[int, ...]) -> Mapping[str, Any]:
    """The attributes of the plan's node for an operation with bodies.

    `used` are the outputs that have values, `carried` the variables of a loop that do, `updated`
    the inputs that stand for variables with new values.
    """
    attrs: dict[str, Any] = {name: op.attrs[name] for name in BODY_ATTRIBUTES[op.type]}
    attrs["used"] = used
    first = 0 if op.type in LOOPS else 1
    if op.type in LOOPS:
        attrs["carried"] = needed_loop_variables(op, used)
        results = [[op.attrs["cond"].results[0]]]
        results.append([op.attrs["body"].results[i] for i in attrs["carried"]])
    else:
        results = [[body.results[i] for i in used] for body in bodies_of(op)]
    updated: set[int] = set()
    for body, wanted in zip(bodies_of(op), results, strict=True):
        updated |= updated_arguments(body, wanted)
    attrs["updated"] = tuple(first + i for i in sorted(updated))
    return attrs
