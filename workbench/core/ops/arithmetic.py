"""Element-wise arithmetic on two tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.broadcast_gradient import sum_to_shapes
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, Declaration, declare, sample

Array = np.ndarray[Any, Any]


def binary(
    type_name: str,
    kernel: Callable[..., Any],
    partials: Callable[[Any, Tensor], tuple[Any, Any]] | None,
    types: str,
    *,
    commutative: bool = False,
    samples: Any = (),
) -> Declaration:
    """Declares z = f(x, y) with broadcasting; `partials(op, dz)` gives both full-size gradients."""

    def gradient(op: Any, dz: Tensor) -> Any:
        x, y = op.inputs
        for_x, for_y = partials(op, dz)  # type: ignore[misc]
        return sum_to_shapes(x, y, for_x, for_y)

    return declare(
        type_name,
        inputs="x: T, y: T",
        outputs="z: T",
        attrs=f"T: {types}",
        shape=shape_rules.broadcast,
        kernel=kernel,
        gradient=NOT_DIFFERENTIABLE if partials is None else gradient,
        elementwise=True,
        commutative=commutative,
        samples=samples,
    )


def _is_integral(array: Any) -> bool:
    return np.asarray(array).dtype.kind in "iu"


def _check_divisor(x: Any, y: Any) -> None:
    if not np.all(y) and np.size(x):
        from workbench.core.errors import InvalidArgumentError

        raise InvalidArgumentError(None, None, "Integer division by zero")


def _divide(x: Any, y: Any) -> Any:
    """Division that keeps integers: towards zero, as C has it."""
    if not _is_integral(x):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.divide(x, y)
    return _truncate_divide(x, y)


def _truncate_divide(x: Any, y: Any) -> Any:
    _check_divisor(x, y)
    quotient = np.floor_divide(x, y)
    # Flooring and truncating differ by one where the signs differ and the division is not exact.
    return quotient + ((quotient < 0) & (quotient * y != x)).astype(np.asarray(x).dtype)


def _floor_divide(x: Any, y: Any) -> Any:
    if _is_integral(x):
        _check_divisor(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.floor_divide(x, y)


def _floor_modulo(x: Any, y: Any) -> Any:
    if _is_integral(x):
        _check_divisor(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.mod(x, y)


def _truncate_modulo(x: Any, y: Any) -> Any:
    if _is_integral(x):
        _check_divisor(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmod(x, y)


def _power(x: Any, y: Any) -> Any:
    if _is_integral(x) and np.any(np.less(y, 0)):
        from workbench.core.errors import InvalidArgumentError

        raise InvalidArgumentError(
            None, None, "Integers to negative integer powers are not allowed"
        )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.power(x, y)


def _power_partials(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    z = op.outputs[0]
    # d/dy is z log(x), which is 0 (not NaN) where x is 0.
    safe = x > 0 if x.dtype.is_floating else api.not_equal(x, 0)
    logarithm = api.where(safe, api.log(api.where(safe, x, api.ones_like(x))), api.zeros_like(x))
    x, y, z, logarithm = (api.conj(t) for t in (x, y, z, logarithm))
    return dz * y * api.pow(x, y - 1), dz * z * logarithm


def _extreme_partials(compare: str) -> Callable[[Any, Tensor], tuple[Any, Any]]:
    def partials(op: Any, dz: Tensor) -> tuple[Any, Any]:
        x, y = op.inputs
        chosen = getattr(api, compare)(x, y)
        zeros = api.zeros_like(dz)
        return api.where(chosen, dz, zeros), api.where(chosen, zeros, dz)

    return partials


def _atan2_partials(op: Any, dz: Tensor) -> tuple[Any, Any]:
    y, x = op.inputs
    inverse = dz / (api.square(x) + api.square(y))
    return x * inverse, -y * inverse


_TWO = ([1.0, -2.0, 3.5], [2.0, 0.5, -1.5])
_GRID = ([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0])

for _type_name in ("Add", "AddV2"):
    binary(
        _type_name,
        np.add,
        lambda op, dz: (dz, dz),
        "{number, string}",
        commutative=True,
        samples=[
            sample(*_TWO, want=[3.0, -1.5, 2.0]),
            sample(*_GRID, want=[[11.0, 22.0], [13.0, 24.0]]),
            sample([1, 2], [3, 4], dtype="int64", want=[4, 6]),
        ],
    )
binary(
    "Sub",
    np.subtract,
    lambda op, dz: (dz, -dz),
    "{number}",
    samples=[sample(*_TWO, want=[-1.0, -2.5, 5.0]), sample(*_GRID, want=[[-9, -18], [-7, -16]])],
)
binary(
    "Mul",
    np.multiply,
    lambda op, dz: (dz * api.conj(op.inputs[1]), dz * api.conj(op.inputs[0])),
    "{number}",
    commutative=True,
    samples=[
        sample(*_TWO, want=[2.0, -1.0, -5.25]),
        sample(*_GRID, want=[[10.0, 40.0], [30.0, 80.0]]),
    ],
)


def _quotient_partials(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    x, y = api.conj(x), api.conj(y)
    return dz / y, -dz * (x / y) / y


binary(
    "RealDiv",
    np.divide,
    _quotient_partials,
    "{differentiable}",
    samples=[sample(*_TWO, want=[0.5, -4.0, -3.5 / 1.5])],
)
binary(
    "Div",
    _divide,
    _quotient_partials,
    "{number}",
    samples=[
        sample(*_TWO, want=[0.5, -4.0, -3.5 / 1.5]),
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
binary(
    "Pow",
    _power,
    _power_partials,
    "{number}",
    samples=[
        sample([2.0, 3.0], [3.0, 0.5], want=[8.0, 3.0**0.5]),
        sample([2, 3], [3, 2], want=[8, 9]),
    ],
)
binary(
    "Maximum",
    np.maximum,
    _extreme_partials("greater_equal"),
    "{real}",
    commutative=True,
    samples=[sample(*_TWO, want=[2.0, 0.5, 3.5])],
)
binary(
    "Minimum",
    np.minimum,
    _extreme_partials("less_equal"),
    "{real}",
    commutative=True,
    samples=[sample(*_TWO, want=[1.0, -2.0, -1.5])],
)


def _squared_difference(x: Any, y: Any) -> Any:
    return np.square(np.subtract(x, y))


def _squared_difference_partials(op: Any, dz: Tensor) -> tuple[Any, Any]:
    x, y = op.inputs
    slope = 2 * dz * (x - y)
    return slope, -slope


binary(
    "SquaredDifference",
    _squared_difference,
    _squared_difference_partials,
    "{number}",
    commutative=True,
    samples=[sample(*_TWO, want=[1.0, 6.25, 25.0])],
)
binary(
    "Atan2",
    np.arctan2,
    _atan2_partials,
    "{floating}",
    samples=[sample([1.0, -1.0], [1.0, 2.0], want=[np.pi / 4, np.arctan2(-1.0, 2.0)])],
)


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x + y, element by element with broadcasting.

    >>> import workbench as tf
    >>> tf.add([1, 2], 10).eval().tolist()
    [11, 12]
    """
    return call("Add", name, x=x, y=y)


def subtract(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x - y, element by element with broadcasting."""
    return call("Sub", name, x=x, y=y)


def multiply(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x * y, element by element with broadcasting."""
    return call("Mul", name, x=x, y=y)


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 3 divides: integers give floats."""
    return truediv(x, y, name)


def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y as Python 2 divides: integers give the floor, floats the quotient."""
    from workbench.core.graph.context import name_scope
    from workbench.core.graph.convert import convert_to_tensor

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
    from workbench.core.graph.context import name_scope
    from workbench.core.graph.convert import convert_to_tensor

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


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x to the power of y."""
    return call("Pow", name, x=x, y=y)


def maximum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The larger of x and y, element by element; NaN where either is NaN."""
    return call("Maximum", name, x=x, y=y)


def minimum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The smaller of x and y, element by element; NaN where either is NaN."""
    return call("Minimum", name, x=x, y=y)


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """(x - y) squared, element by element."""
    return call("SquaredDifference", name, x=x, y=y)


def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle of the point (x, y), in radians from -pi to pi."""
    return call("Atan2", name, x=y, y=x)
