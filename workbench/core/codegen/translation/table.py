"""The table of translations: operation types and what describes their nodes."""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.codegen.translation.description import (
    Access,
    Description,
    Expression,
    Shape,
    Write,
    input_shape,
    output_shape,
    require,
)
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node

Describe = Callable[[Node], Description]

#: The function that describes the nodes of a type; it raises Unsupported with a reason.
TRANSLATIONS: dict[str, Describe] = {}


def describes(types: str) -> Callable[[Describe], Describe]:
    """Decorates the function that describes nodes of some types (separated by spaces)."""

    def enter(describe: Describe) -> Describe:
        for type_name in types.split():
            assert type_name not in TRANSLATIONS, type_name
            TRANSLATIONS[type_name] = describe
        return describe

    return enter


def elementwise(types: str, allowed: frozenset[str], write: Write) -> None:
    """Enters operations that apply a formula to all inputs, which broadcast to the output."""

    @describes(types)
    def describe(node: Node) -> Expression:
        require(allowed, *node.inputs)
        return broadcast(node, write)


def broadcast(node: Node, write: Write) -> Expression:
    """A formula over all inputs of a node, which broadcast to its output."""
    space = output_shape(node)
    inputs = tuple(Access(i, input_shape(node, i)) for i in range(len(node.inputs)))
    for access in inputs:
        require_broadcast(access.shape, space)
    return Expression("elementwise", space, inputs, (space,), write)


def require_broadcast(shape: Shape, space: Shape) -> None:
    """Unsupported unless a shape broadcasts to the space."""
    tail = space[len(space) - len(shape) :]
    if len(shape) > len(space) or any(s not in (1, t) for s, t in zip(shape, tail, strict=True)):
        raise Unsupported(f"the shape {list(shape)} does not broadcast to {list(space)}")
