"""Steps on scalars as Python's own operators."""

from __future__ import annotations

from workbench.core.plan.node import Node

#: Scalars are computed with Python's operators: ten times as fast as calling a ufunc on them.
_SCALAR_OPERATORS = {
    "Add": "{0} + {1}",
    "AddV2": "{0} + {1}",
    "Sub": "{0} - {1}",
    "Mul": "{0} * {1}",
    "RealDiv": "{0} / {1}",
    "Square": "{0} * {0}",
    "Neg": "-{0}",
}
#: The same for integers, where NumPy's operators do what its functions do.
_INTEGER_OPERATORS = frozenset({"Add", "AddV2", "Sub", "Mul"})
_SCALAR_COMPARISONS = {
    "Less": "{0} < {1}",
    "LessEqual": "{0} <= {1}",
    "Greater": "{0} > {1}",
    "GreaterEqual": "{0} >= {1}",
    "LogicalAnd": "{0} & {1}",
    "LogicalOr": "{0} | {1}",
}


def scalar_operator(node: Node) -> str | None:
    """Python's way to write a step on scalars; None for other steps."""
    template = _SCALAR_OPERATORS.get(node.type) or _SCALAR_COMPARISONS.get(node.type)
    if template is None or node.shapes[0] != () or any(v.entries != () for v in node.inputs):
        return None
    dtype = node.inputs[0].dtype
    if dtype.is_floating or dtype.is_complex:
        return template
    if dtype.is_bool:
        return template if node.type in ("LogicalAnd", "LogicalOr") else None
    plain = node.type in _INTEGER_OPERATORS or node.type in _SCALAR_COMPARISONS
    return template if dtype.is_integer and plain else None
