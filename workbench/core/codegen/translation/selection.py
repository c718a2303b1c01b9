"""Conversions, choices, constants and checks, element by element."""

from __future__ import annotations

from workbench.core.codegen.translation.builder import Builder, Flag
from workbench.core.codegen.translation.description import (
    ANY,
    FLOATS,
    Access,
    Expression,
    attribute,
    constant_input,
    input_shape,
    output_shape,
    require,
    require_same_shape,
    row_space,
)
from workbench.core.codegen.translation.table import (
    broadcast,
    describes,
    require_broadcast,
)
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.node import Node


@describes("Cast")
def _cast(node: Node) -> Expression:
    require(ANY, *node.inputs, node.output())
    dtype = node.dtypes[0].name
    return broadcast(node, lambda x: x.cast(dtype))


@describes("Select")
def _select(node: Node) -> Expression:
    require(ANY, *node.inputs)
    space = require_same_shape(node, 1, 2)
    condition = input_shape(node, 0)
    # A vector chooses rows: it lies along the first axis, not along the last.
    aligned = condition + (1,) * (len(space) - len(condition)) if condition else ()
    require_broadcast(aligned, space)
    inputs = (Access(0, aligned), Access(1, space), Access(2, space))
    return Expression("elementwise", space, inputs, (space,), lambda c, t, e: c.where(t, e))


@describes("OneHot")
def _one_hot(node: Node) -> Expression:
    require(ANY, node.inputs[0], *node.inputs[2:])
    constant_input(node, 1, "the number of columns and thereby its shape")
    indices = input_shape(node, 0)
    if attribute(node, "axis") not in (-1, len(indices)):
        raise Unsupported("its new axis is not the last one")
    space = row_space(output_shape(node))

    def write(index: Term, on: Term, off: Term) -> Term:
        return index.cast("int64").equals(index.column()).where(on, off)

    inputs = (Access(0, (*indices, 1)), Access(2, ()), Access(3, ()))
    return Expression("row", space, inputs, (space,), write)


@describes("ZerosLike OnesLike")
def _filled_like(node: Node) -> Expression:
    require(ANY, *node.inputs)
    space, dtype = output_shape(node), node.dtypes[0].name
    number = int(node.type == "OnesLike")

    def write(builder: Builder) -> Term:
        return Term(builder, builder.constant(number, dtype))

    return Expression("elementwise", space, (), (space,), write)


@describes("Fill")
def _fill(node: Node) -> Expression:
    require(ANY, node.inputs[1])
    space = output_shape(node)
    return Expression("elementwise", space, (Access(1, ()),), (space,), lambda value: value)


@describes("CheckNumerics")
def _check_numerics(node: Node) -> Expression:
    require(FLOATS, *node.inputs)
    message = attribute(node, "message")
    message = message.decode(errors="replace") if isinstance(message, bytes) else message

    def write(x: Term) -> Term:
        # Where both occur, the failure names the one that is checked first.
        for function, name in (("is_inf", "Inf"), ("is_nan", "NaN")):
            found = x.apply(function, dtype="bool").apply("logical_not")
            x.builder.check(found.step, Flag(node, f"{message} : Tensor had {name} values"))
        return x

    return broadcast(node, write)
