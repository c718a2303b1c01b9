"""Patterns over plan nodes: what the rewrite rules are written in.

A pattern is a tree: `op("Mul", x, Constant("c"))` matches a product with a constant and binds `x`
and `c`. Operations that are declared commutative match in either order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from workbench.core.plan.node import CONSTANT, Node, NodeTable, Value

Bindings = dict[str, Value]


class Any_(NamedTuple):
    """Matches every value, the same one wherever the name occurs."""

    name: str


class Constant(NamedTuple):
    """Matches constants that fulfil a condition."""

    name: str
    condition: Callable[[np.ndarray[Any, Any]], bool] | None = None


class P(NamedTuple):
    """Matches a pure operation by type and inputs; `name` binds the operation's own value."""

    types: frozenset[str]
    inputs: tuple[Any_ | Constant | P, ...] = ()
    name: str = ""

    @property
    def needs(self) -> frozenset[str] | None:
        """Types of which one of the inputs must be for a match; None where any may be."""
        for pattern in self.inputs:
            if isinstance(pattern, P):
                return pattern.types
            if isinstance(pattern, Constant):
                return frozenset({CONSTANT})
        return None


def op(types: str, *inputs: Any_ | Constant | P, name: str = "") -> P:
    """A pattern of an operation of one of the types (separated by spaces)."""
    return P(frozenset(types.split()), inputs, name)


def all_equal(number: float) -> Callable[[np.ndarray[Any, Any]], bool]:
    """The condition that every element of a constant is `number`."""

    def condition(array: np.ndarray[Any, Any]) -> bool:
        if array.dtype == object or array.size == 0:
            return False
        if array.strides and any(array.strides):
            return bool((array == number).all())
        return bool(array.flat[0] == number)

    return condition


class Rule(NamedTuple):
    """One rewrite: where `pattern` matches and `when` holds, `replace` gives the new value.

    `replace` may return None where it finds, on a closer look, nothing to do.
    """

    name: str
    pattern: P
    replace: Callable[[Bindings, Node, NodeTable], Value | None]


def match(pattern: P, value: Value) -> Iterator[Bindings]:
    """All ways in which `value` fits `pattern`."""
    yield from _match(pattern, value, {})


def _match(pattern: Any_ | Constant | P, value: Value, bound: Bindings) -> Iterator[Bindings]:
    if isinstance(pattern, Any_):
        if bound.get(pattern.name, value) == value:
            yield {**bound, pattern.name: value}
        return
    node = value.node
    if isinstance(pattern, Constant):
        if node.is_constant and (pattern.condition is None or pattern.condition(node.constant)):
            yield {**bound, pattern.name: value}
        return
    if node.type not in pattern.types or node.after or not node.is_pure:
        return
    if pattern.name:
        bound = {**bound, pattern.name: value}
    orders = [node.inputs]
    if node.declaration is not None and node.declaration.commutative and len(node.inputs) == 2:
        orders.append(node.inputs[::-1])
    for inputs in orders:
        if len(inputs) == len(pattern.inputs):
            yield from _match_all(pattern.inputs, inputs, bound)


def _match_all(
    patterns: tuple[Any_ | Constant | P, ...], values: tuple[Value, ...], bound: Bindings
) -> Iterator[Bindings]:
    if not patterns:
        yield bound
        return
    for found in _match(patterns[0], values[0], bound):
        yield from _match_all(patterns[1:], values[1:], found)
