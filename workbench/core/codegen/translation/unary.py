"""Functions of one input, and the gradients that are formulas of an output and its gradient."""

from __future__ import annotations

from workbench.core.codegen.translation.arithmetic import check_divisor
from workbench.core.codegen.translation.description import (
    FLOATS,
    NUMBERS,
    Expression,
    require,
)
from workbench.core.codegen.translation.table import broadcast, describes, elementwise
from workbench.core.codegen.translation.term import Term, in_float32
from workbench.core.plan.node import Node

#: One function of the code generator each, rounded once to the dtype.
_FUNCTIONS = {
    "Acos": "acos",
    "Acosh": "acosh",
    "Asin": "asin",
    "Asinh": "asinh",
    "Atan": "atan",
    "Atanh": "atanh",
    "Ceil": "ceil",
    "Cos": "cos",
    "Cosh": "cosh",
    "Erf": "erf",
    "Erfc": "erfc",
    "Exp": "exp",
    "Expm1": "expm1",
    "Floor": "floor",
    "Log": "log",
    "Log1p": "log1p",
    "Rint": "rint",
    "Sigmoid": "sigmoid",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Tan": "tan",
    "Tanh": "tanh",
}

for _type_name, _name in _FUNCTIONS.items():
    elementwise(_type_name, FLOATS, lambda x, name=_name: x.apply(name))
for _type_name, _name in (("IsNan", "is_nan"), ("IsInf", "is_inf"), ("IsFinite", "is_finite")):
    elementwise(_type_name, FLOATS, lambda x, name=_name: x.apply(name, dtype="bool"))

elementwise("Neg", NUMBERS, lambda x: -x)
elementwise("Abs", NUMBERS, lambda x: abs(x))
elementwise("Sign", NUMBERS, lambda x: x.apply("sign"))
elementwise("Square", NUMBERS, lambda x: x.square())
elementwise("Round", NUMBERS, lambda x: x.apply("rint") if x.is_floating else x)

# Two roundings, as the kernel has them: the root's and the reciprocal's.
elementwise("Rsqrt", FLOATS, in_float32(lambda x: 1 / x.sqrt()))


@describes("Reciprocal Inv")
def _reciprocal(node: Node) -> Expression:
    require(NUMBERS, *node.inputs)

    def write(x: Term) -> Term:
        if x.is_floating:
            return 1 / x
        check_divisor(node, x)
        return x.like(1).apply("truncate_divide", x)

    return broadcast(node, write)


elementwise("SqrtGrad", FLOATS, in_float32(lambda y, dy: dy / y * 0.5))
elementwise("RsqrtGrad", FLOATS, in_float32(lambda y, dy: y.square() * y * -0.5 * dy))
elementwise("ReciprocalGrad InvGrad", FLOATS, in_float32(lambda y, dy: -y.square() * dy))
elementwise("SigmoidGrad", FLOATS, in_float32(lambda y, dy: (1 - y) * y * dy))
elementwise("TanhGrad", FLOATS, in_float32(lambda y, dy: (1 - y.square()) * dy))
