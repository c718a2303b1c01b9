"""Assignments to variables."""

from __future__ import annotations

from workbench.core.codegen.translation.description import (
    ANY,
    NUMBERS,
    Access,
    Expression,
    input_shape,
    require,
    require_same_shape,
)
from workbench.core.codegen.translation.table import describes
from workbench.core.codegen.translation.term import Term
from workbench.core.plan.node import Node


@describes("Assign AssignVariableOp")
def _assign(node: Node) -> Expression:
    """The old value is not read: there may be none."""
    require(ANY, node.inputs[1])
    space = require_same_shape(node, 0, 1)
    return Expression("update", space, (Access(1, space),), (space,), lambda value: value, (0,))


@describes("AssignAdd AssignSub AssignAddVariableOp AssignSubVariableOp")
def _accumulate(node: Node) -> Expression:
    require(NUMBERS, *node.inputs)
    space = require_same_shape(node, 0, 1)
    function = "add" if node.type.startswith("AssignAdd") else "subtract"

    def write(variable: Term, value: Term) -> Term:
        return variable.apply(function, value)

    inputs = (Access(0, space), Access(1, input_shape(node, 1)))
    return Expression("update", space, inputs, (space,), write, (0,))
