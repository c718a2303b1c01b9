"""Quotients and remainders of two tensors, in each of the ways that Python and C know."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.binary import binary, is_integral
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import sample


def _check_divisor(x: Any, y: Any) -> None:
    if not np.all(y) and np.size(x):
        from workbench.core.errors import InvalidArgumentError

        raise InvalidArgumentError(None, None, "Integer division by zero")


def _divide(x: Any, y: Any) -> Any:
    """Division that keeps integers: towards zero, as C has it."""
    if not is_integral(x):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.divide(x, y)
    return _truncate_divide(x, y)


def _truncate_divide(x: Any, y: Any) -> Any:
    _check_divisor(x, y)
    quotient = np.floor_divide(x, y)
    # Flooring and truncating differ by one where the signs differ and the division is not exact.
    return quotient + ((quotient < 0) & (quotient * y != x)).astype(np.asarray(x).dtype)


def _floor_divide(x: Any, y: Any) -> Any:
    if is_integral(x):
        _check_divisor(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.floor_divide(x, y)


def _floor_modulo(x: Any, y: Any) -> Any:
    if is_integral(x):
        _check_divisor(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.mod(x, y)


def _truncate_modulo(x: Any, y: Any) -> Any:
    if is_integral(x):
        _check_divisor(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmod(x, y)


_PAIR = ([1.0, -2.0, 3.5], [2.0, 0.5, -1.5])


def _quotient_partials(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    x, y = api.conj(x), api.conj(y)
    return dz / y, -dz * (x / y) / y


binary(
    "RealDiv",
    np.divide,
    _quotient_partials,
    "{differentiable}",
    samples=[sample(*_PAIR, want=[0.5, -4.0, -3.5 / 1.5])],
)
binary(
    "Div",
    _divide,
    _quotient_partials,
    "{number}",
    samples=[
        sample(*_PAIR, want=[0.5, -4.0, -3.5 / 1.5]),
        sample([7, -7], [2, 2], want=[3, -3]),
    ],
)
binary(
    "TruncateDiv",
    _truncate_divide,
    None,
    "{integer}",
    samples=[sample([7, -7], [2, 2], want=[3, -3])],
)
binary("FloorDiv", _floor_divide, None, "{number}", samples=[sample([7, -7], [2, 2], want=[3, -4])])
binary(
    "FloorMod",
    _floor_modulo,
    lambda op, dz: (dz, -dz * api.floor_div(op.inputs[0], op.inputs[1])),
    "{number}",
    samples=[sample([7, -7], [3, 3], want=[1, 2]), sample([7.5], [2.0], want=[1.5])],
)
binary(
    "TruncateMod",
    _truncate_modulo,
    None,
    "{number}",
    samples=[sample([7, -7], [3, 3], want=[1, -1])],
)
binary("Mod", _truncate_modulo, None, "{number}", samples=[sample([7, -7], [3, 3], want=[1, -1])])


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 3 divides: integers give floats."""
    return truediv(x, y, name)


def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 2 divides: integers give the floor, floats the quotient."""
    with name_scope(name, "div", [x, y]) as scope:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        if x.dtype.is_floating or x.dtype.is_complex:
            return call("RealDiv", scope, x=x, y=y)
        return call("FloorDiv", scope, x=x, y=y)


#: The type that integers are divided in, as in TensorFlow: wide ones in float64.
_QUOTIENT_TYPES = {
    "uint8": "float32",
    "int8": "float32",
    "uint16": "float32",
    "int16": "float32",
    "int32": "float64",
    "int64": "float64",
    "uint32": "float64",
    "uint64": "float64",
}


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 3 divides: integers are cast to floats first.

    >>> import workbench as tf
    >>> tf.truediv(3, 2).eval()
    np.float64(1.5)
    """
    with name_scope(name, "truediv", [x, y]) as scope:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        if x.dtype.base_dtype is not y.dtype.base_dtype:
            raise TypeError(f"x and y must have the same dtype, got {x.dtype!r} != {y.dtype!r}")
        quotient = _QUOTIENT_TYPES.get(x.dtype.base_dtype.name)
        if quotient is not None:
            x, y = api.cast(x, quotient), api.cast(y, quotient)
        return call("RealDiv", scope, x=x, y=y)


def realdiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y for real types."""
    return call("RealDiv", name, x=x, y=y)


def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The largest integer not above x / y."""
    return call("FloorDiv", name or "floordiv", x=x, y=y)


def floor_div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The largest integer not above x / y."""
    return call("FloorDiv", name, x=x, y=y)


def floormod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The remainder with the sign of y, as Python's %."""
    return call("FloorMod", name, x=x, y=y)


mod = floormod


def truncatediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y rounded towards zero, for integers."""
    return call("TruncateDiv", name, x=x, y=y)


def truncatemod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The remainder with the sign of x, as C's %."""
    return call("TruncateMod", name, x=x, y=y)
