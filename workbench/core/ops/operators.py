"""What Python's operators do on tensors.

Each makes the operation in a scope named after the operator, as TensorFlow does: `a + 1` is "add"
with the constant "add/y".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops import api

# Imported for the operations they declare.
from workbench.core.ops import arithmetic as arithmetic
from workbench.core.ops import comparison as comparison
from workbench.core.ops import division as division
from workbench.core.ops import unary as unary
from workbench.core.ops.creation import call


def _left(operator: str, make: Callable[[Any, Any, str], Any]) -> Callable[[Any, Any], Any]:
    def apply(x: Any, y: Any) -> Any:
        with name_scope(None, operator, [x, y]) as scope:
            x = convert_to_tensor(x, name="x")
            if isinstance(y, SparseTensor):
                return NotImplemented
            if not isinstance(y, TensorLike):
                try:
                    y = convert_to_tensor(y, dtype=x.dtype.base_dtype, name="y")
                except TypeError:
                    if hasattr(type(y), f"__r{operator}__") and not isinstance(
                        y, (int, float, complex, np.ndarray, np.generic)
                    ):
                        return NotImplemented
                    raise
            return make(x, y, scope)

    return apply


def _right(operator: str, make: Callable[[Any, Any, str], Any]) -> Callable[[Any, Any], Any]:
    def apply(y: Any, x: Any) -> Any:
        with name_scope(None, operator, [x, y]) as scope:
            y = convert_to_tensor(y, name="y")
            x = convert_to_tensor(x, dtype=y.dtype.base_dtype, name="x")
            return make(x, y, scope)

    return apply


def _typed(type_name: str) -> Callable[[Any, Any, str], Tensor]:
    return lambda x, y, scope: call(type_name, scope, x=x, y=y)


def _matmul(x: Any, y: Any, scope: str) -> Tensor:
    product: Tensor = api.matmul(x, y, name=scope)
    return product


def _xor(x: Any, y: Any, scope: str) -> Tensor:
    result: Tensor = api.logical_xor(x, y, name=scope)
    return result


def _divide(x: Any, y: Any, scope: str) -> Tensor:
    return division.div(x, y, scope)


def _true_divide(x: Any, y: Any, scope: str) -> Tensor:
    return division.truediv(x, y, scope)


_BINARY: dict[str, tuple[str, Callable[[Any, Any, str], Any]]] = {
    "add": ("add", _typed("Add")),
    "sub": ("sub", _typed("Sub")),
    "mul": ("mul", _typed("Mul")),
    "div": ("div", _divide),
    "truediv": ("truediv", _true_divide),
    "floordiv": ("floordiv", _typed("FloorDiv")),
    "mod": ("mod", _typed("FloorMod")),
    "pow": ("pow", _typed("Pow")),
    "matmul": ("matmul", _matmul),
    "and": ("and", _typed("LogicalAnd")),
    "or": ("or", _typed("LogicalOr")),
    "xor": ("xor", _xor),
}
for _name, (_scope, _make) in _BINARY.items():
    globals()[_name] = _left(_scope, _make)
    globals()["r" + _name] = _right(_scope, _make)

lt = _left("Less", _typed("Less"))
le = _left("LessEqual", _typed("LessEqual"))
gt = _left("Greater", _typed("Greater"))
ge = _left("GreaterEqual", _typed("GreaterEqual"))


def neg(x: Any) -> Any:
    """-x."""
    return call("Neg", None, x=x)


def abs(x: Any) -> Any:
    """abs(x)."""
    return api.abs(x)


def invert(x: Any) -> Any:
    """~x: logical not."""
    return call("LogicalNot", None, x=x)


def getitem(x: Any, key: Any) -> Any:
    """x[key]: slices, integers, tf.newaxis, Ellipsis, scalar tensors."""
    from workbench.core.ops import indexing

    return indexing.getitem(x, key)
