"""Algebraic simplification: rules that change no bit of any result.

IEEE arithmetic stays as it is: x * 0 is not 0 where x is NaN, and (a + b) + c is not a + (b + c).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries
from workbench.core.plan.node import Node, NodeTable, Value
from workbench.core.plan.pattern import Any_, Bindings, Constant, Rule, all_equal, op

x, y, z = Any_("x"), Any_("y"), Any_("z")
one = Constant("one", all_equal(1))
zero = Constant("zero", all_equal(0))
constant = Constant("c")


def _known(entries: Entries) -> bool:
    return entries is not None and all(isinstance(e, int) for e in entries)


def _same_shape(a: Value, b: Value) -> bool:
    return _known(a.entries) and a.entries == b.entries


def _take(name: str) -> Any:
    """The bound value, where it has the shape and type of the whole."""

    def replace(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
        value = bound[name]
        whole = node.output()
        return value if _same_shape(value, whole) and value.dtype is whole.dtype else None

    return replace


def _make(type_name: str, *names: str, **attrs: Any) -> Any:
    """Another operation on the bound values, with the shape and type of the whole."""

    def replace(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
        inputs = tuple(bound[n] for n in names)
        own = {"T": node.dtypes[0], **attrs}
        return table.make(type_name, inputs, own, node.dtypes, node.shapes, node.origin).output()

    return replace


def _is_positive_zero(array: np.ndarray[Any, Any]) -> bool:
    """True for +0.0 and 0: x - 0.0 is x, but x - (-0.0) is +0.0 for x = -0.0."""
    return all_equal(0)(array) and not bool(np.signbit(array.astype(np.float64)).any())


def _power_of_two(array: np.ndarray[Any, Any]) -> bool:
    """True for one power of two of modest size: dividing by it is multiplying by its inverse."""
    if array.dtype.kind != "f" or array.size == 0 or not all_equal(float(array.flat[0]))(array):
        return False
    mantissa, exponent = np.frexp(array.flat[0])
    return bool(abs(mantissa) == 0.5) and abs(int(exponent)) < 14


def _scalar_constant(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    """A constant of one repeated number, beside a full-size operand, needs to be a scalar only."""
    value, other = bound["c"], bound["x"]
    array = value.node.constant
    if array.ndim == 0 or array.size <= 1 or array.dtype == object:
        return None
    if not _same_shape(other, node.output()) or other.node.is_constant:
        return None
    first = array.flat[0]
    if not all_equal(first)(array) or bool(np.isnan(first)) or _signed_zero(array):
        return None
    scalar = table.constant(np.asarray(first), value.dtype, value.node.origin).output()
    inputs = tuple(scalar if v == value else v for v in node.inputs)
    return table.like(node, inputs, node.after).output()


def _signed_zero(array: np.ndarray[Any, Any]) -> bool:
    """True where equal numbers differ in sign: 0.0 and -0.0."""
    if array.dtype.kind != "f" or array.flat[0] != 0 or not any(array.strides):
        return False
    signs = np.signbit(array)
    return bool(signs.any() != signs.all())


def _inverse_constant(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    value = bound["c"]
    inverse = np.reciprocal(value.node.constant)
    other = table.constant(inverse, value.dtype, value.node.origin).output()
    inputs = (bound["x"], other)
    return table.make("Mul", inputs, node.attrs, node.dtypes, node.shapes, node.origin).output()


def _reshape(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    source = bound["x"]
    if _same_shape(source, node.output()):
        return source
    inner = source.node
    if inner.type == "Reshape" and not inner.after and _known(node.shapes[0]):
        return table.like(node, (inner.inputs[0], node.inputs[1]), ()).output()
    return None


def _cast(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    return bound["x"] if bound["x"].dtype is node.dtypes[0] else None


def _no_axes(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    """A reduction over no axes."""
    empty = bound["c"].node.constant.size == 0
    return bound["x"] if empty and _same_shape(bound["x"], node.output()) else None


def _broadcast(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    return bound["x"] if _same_shape(bound["x"], node.output()) else None


def _operand_broadcast(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    """An element-wise operation broadcasts by itself: BroadcastTo before it is not needed."""
    stretched, other = bound["b"], bound["y"]
    if not _same_shape(other, node.output()):
        return None
    # Only one of two equal operands: the other gives the result its shape.
    inputs = list(node.inputs)
    inputs[inputs.index(stretched)] = bound["x"]
    return table.like(node, tuple(inputs), node.after).output()


def _transposed(side: int) -> Any:
    """The transpose of a matrix before a product becomes the product's flag."""
    flag = "transpose_a" if side == 0 else "transpose_b"

    def replace(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
        order = bound["c"].node.constant.tolist()
        if order != [1, 0] or bound["x"].dtype.is_complex:
            return None
        attrs = {**node.attrs, flag: not node.attrs[flag]}
        inputs = (bound["x"], node.inputs[1]) if side == 0 else (node.inputs[0], bound["x"])
        return table.make("MatMul", inputs, attrs, node.dtypes, node.shapes, node.origin).output()

    return replace


def _identity_transpose(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    order = bound["c"].node.constant.tolist()
    return bound["x"] if order == list(range(len(order))) else None


def _single(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    return bound["x"]


def _two_terms(bound: Bindings, node: Node, table: NodeTable) -> Value | None:
    if not _same_shape(bound["x"], bound["y"]):
        return None
    return _make("Add", "x", "y")(bound, node, table)  # type: ignore[no-any-return]


_ELEMENTWISE_PAIRS = "Add AddV2 Sub Mul RealDiv Maximum Minimum Pow SquaredDifference"

RULES: tuple[Rule, ...] = (
    Rule("x * 1 -> x", op("Mul", x, one), _take("x")),
    Rule("x / 1 -> x", op("RealDiv Div", x, one), _take("x")),
    Rule("x - 0 -> x", op("Sub", x, Constant("zero", _is_positive_zero)), _take("x")),
    Rule("x ^ 1 -> x", op("Pow", x, one), _take("x")),
    Rule("x ^ 2 -> square(x)", op("Pow", x, Constant("c", all_equal(2))), _make("Square", "x")),
    Rule("x * x -> square(x)", op("Mul", x, x), _make("Square", "x")),
    Rule("x / 2^n -> x * 2^-n", op("RealDiv", x, Constant("c", _power_of_two)), _inverse_constant),
    Rule("x - (-y) -> x + y", op("Sub", x, op("Neg", y)), _make("Add", "x", "y")),
    Rule("x + (-y) -> x - y", op("Add AddV2", x, op("Neg", y)), _make("Sub", "x", "y")),
    Rule("(-x) * (-y) -> x * y", op("Mul", op("Neg", x), op("Neg", y)), _make("Mul", "x", "y")),
    Rule("-(-x) -> x", op("Neg", op("Neg", x)), _take("x")),
    Rule("uniform constant -> scalar", op(_ELEMENTWISE_PAIRS, x, constant), _scalar_constant),
    Rule("uniform constant -> scalar", op(_ELEMENTWISE_PAIRS, constant, x), _scalar_constant),
    Rule(
        "broadcast before element-wise",
        op(_ELEMENTWISE_PAIRS, op("BroadcastTo", x, z, name="b"), y),
        _operand_broadcast,
    ),
    Rule(
        "broadcast before element-wise",
        op(_ELEMENTWISE_PAIRS, y, op("BroadcastTo", x, z, name="b")),
        _operand_broadcast,
    ),
    Rule("broadcast to own shape", op("BroadcastTo", x, y), _broadcast),
    Rule("reshape of reshape", op("Reshape", x, y), _reshape),
    Rule("cast to own type", op("Cast", x), _cast),
    Rule("reduction over no axes", op("Sum Mean Max Min Prod All Any", x, constant), _no_axes),
    Rule("transpose into product", op("MatMul", op("Transpose", x, constant), y), _transposed(0)),
    Rule("transpose into product", op("MatMul", y, op("Transpose", x, constant)), _transposed(1)),
    Rule("transpose in order", op("Transpose", x, constant), _identity_transpose),
    Rule("sum of one", op("AddN AccumulateNV2", x), _single),
    Rule("sum of two", op("AddN AccumulateNV2", x, y), _two_terms),
    Rule("identity", op("Identity StopGradient PreventGradient", x), _single),
)
