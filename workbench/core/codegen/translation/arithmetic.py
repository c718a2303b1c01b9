"""Arithmetic, comparisons and logic of two inputs, and sums of many."""

from __future__ import annotations

from typing import Any

from workbench.core.codegen.translation.builder import Flag
from workbench.core.codegen.translation.description import (
    ANY,
    INTEGERS,
    NUMBERS,
    SIGNED,
    Expression,
    attribute,
    require,
)
from workbench.core.codegen.translation.table import broadcast, describes, elementwise
from workbench.core.codegen.translation.term import Term
from workbench.core.plan.node import Node

_BOOL = frozenset({"bool"})
_FLOATING = NUMBERS - INTEGERS

elementwise("Add AddV2", NUMBERS, lambda x, y: x + y)
elementwise("Sub", NUMBERS, lambda x, y: x - y)
elementwise("Mul", NUMBERS, lambda x, y: x * y)
elementwise("RealDiv", _FLOATING, lambda x, y: x / y)
elementwise("Maximum", NUMBERS, lambda x, y: x.maximum(y))
elementwise("Minimum", NUMBERS, lambda x, y: x.minimum(y))
elementwise("SquaredDifference", NUMBERS, lambda x, y: (x - y).square())
elementwise("Atan2", _FLOATING, lambda y, x: y.apply("atan2", x))

elementwise("Equal", ANY, lambda x, y: x.equals(y))
elementwise("NotEqual", ANY, lambda x, y: x.differs(y))
elementwise("Less", NUMBERS, lambda x, y: x < y)
elementwise("LessEqual", NUMBERS, lambda x, y: x <= y)
elementwise("Greater", NUMBERS, lambda x, y: x > y)
elementwise("GreaterEqual", NUMBERS, lambda x, y: x >= y)
elementwise("LogicalAnd", _BOOL, lambda x, y: x & y)
elementwise("LogicalOr", _BOOL, lambda x, y: x | y)
elementwise("LogicalNot", _BOOL, lambda x: x.apply("logical_not"))

elementwise("BitwiseAnd", INTEGERS, lambda x, y: x.apply("bitwise_and", y))
elementwise("BitwiseOr", INTEGERS, lambda x, y: x.apply("bitwise_or", y))
elementwise("BitwiseXor", INTEGERS, lambda x, y: x.apply("bitwise_xor", y))
elementwise("Invert", INTEGERS, lambda x: x.apply("invert"))


def _add_all(first: Term, *others: Term) -> Term:
    for term in others:
        first = first + term
    return first


elementwise("AddN AccumulateNV2", NUMBERS, _add_all)


def check_divisor(node: Node, divisor: Term) -> None:
    """Fails the node where an integer is divided by zero."""
    flag = Flag(node, "Integer division by zero")
    divisor.builder.check(divisor.differs(0).step, flag)


def _division(function: str, integer_function: str) -> Any:
    def describe(node: Node) -> Expression:
        require(NUMBERS, *node.inputs)

        def write(x: Term, y: Term) -> Term:
            if x.is_floating:
                return x.apply(function, y)
            divisor = node.inputs[1].node
            is_sound = divisor.is_constant and divisor.constant.ndim == 0 and divisor.constant != 0
            if not is_sound:
                check_divisor(node, y)
            return x.apply(integer_function, y)

        return broadcast(node, write)

    return describe


describes("Div TruncateDiv")(_division("divide", "truncate_divide"))
describes("FloorDiv")(_division("floor_divide", "floor_divide"))
describes("FloorMod")(_division("remainder", "remainder"))
describes("TruncateMod Mod")(_division("truncate_mod", "truncate_mod"))


@describes("Pow")
def _power(node: Node) -> Expression:
    require(NUMBERS, *node.inputs)

    def write(x: Term, y: Term) -> Term:
        if x.dtype in SIGNED:
            flag = Flag(node, "Integers to negative integer powers are not allowed")
            y.builder.check((y >= 0).step, flag)
        return x.apply("power", y)

    return broadcast(node, write)


@describes("ApproximateEqual")
def _approximate_equal(node: Node) -> Expression:
    require(NUMBERS, *node.inputs)
    tolerance = float(attribute(node, "tolerance"))

    def write(x: Term, y: Term) -> Term:
        distance = abs(x - y)
        # NumPy compares integers with a fraction in float64, and floats in their own type.
        return (distance if x.is_floating else distance.cast("float64")) < tolerance

    return broadcast(node, write)
