"""Element-wise arithmetic on two tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.binary import binary, is_integral
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import sample


def _power(x: Any, y: Any) -> Any:
    if is_integral(x) and np.any(np.less(y, 0)):
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
