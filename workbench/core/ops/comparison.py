"""Comparisons, element by element, and logic on their results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, Sample, declare, sample

_X, _Y = [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]


def _comparison(
    type_name: str, kernel: Callable[..., Any], types: str, want: list[bool], extra: Any = ()
) -> None:
    """Declares z = x ? y, a bool for each pair, with broadcasting."""
    declare(
        type_name,
        inputs="x: T, y: T",
        outputs="z: bool",
        attrs=f"T: {{{types}}}",
        shape=shape_rules.broadcast,
        kernel=kernel,
        gradient=NOT_DIFFERENTIABLE,
        elementwise=True,
        commutative=type_name.endswith("qual") and not type_name.startswith(("Less", "Great")),
        samples=[
            sample(_X, _Y, want=want),
            sample([1, 2, 3], 2, want=want),
            *extra,
        ],
    )


_ANY = "number, bool, string, quint8, qint8, qint32"
_STRINGS = [b"a", b"bc"]
_comparison(
    "Equal",
    np.equal,
    _ANY,
    [False, True, False],
    [
        sample(_STRINGS, b"bc", want=[False, True]),
        sample([True, False], [False, False], want=[False, True]),
        sample([1 + 2j], [1 + 2j], want=[True]),
    ],
)
_comparison(
    "NotEqual",
    np.not_equal,
    _ANY,
    [True, False, True],
    [sample(_STRINGS, b"bc", want=[True, False])],
)
_comparison("Less", np.less, "real", [True, False, False])
_comparison("LessEqual", np.less_equal, "real", [True, True, False])
_comparison("Greater", np.greater, "real", [False, False, True])
_comparison("GreaterEqual", np.greater_equal, "real", [False, True, True])

_P, _Q = [True, True, False, False], [True, False, True, False]
for _type_name, _kernel, _want in (
    ("LogicalAnd", np.logical_and, [True, False, False, False]),
    ("LogicalOr", np.logical_or, [True, True, True, False]),
):
    declare(
        _type_name,
        inputs="x: bool, y: bool",
        outputs="z: bool",
        shape=shape_rules.broadcast,
        kernel=_kernel,
        gradient=NOT_DIFFERENTIABLE,
        elementwise=True,
        commutative=True,
        samples=[sample(_P, _Q, want=_want)],
    )
declare(
    "LogicalNot",
    inputs="x: bool",
    outputs="y: bool",
    shape=shape_rules.first,
    kernel=np.logical_not,
    gradient=NOT_DIFFERENTIABLE,
    elementwise=True,
    samples=[sample([True, False], want=[False, True])],
)


def _approximate_equal(x: Any, y: Any, *, tolerance: float) -> Any:
    return np.less(np.absolute(np.subtract(x, y)), tolerance)


declare(
    "ApproximateEqual",
    inputs="x: T, y: T",
    outputs="z: bool",
    attrs="T: {number}, tolerance: float = 0.00001",
    shape=shape_rules.merged,
    kernel=_approximate_equal,
    gradient=NOT_DIFFERENTIABLE,
    elementwise=True,
    commutative=True,
    samples=[
        sample([1.0, 2.0], [1.000001, 2.1], want=[True, False]),
        Sample(([1.0, 2.0], [1.5, 2.1]), {"tolerance": 0.2}, [False, True]),
    ],
)


def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where x equals y, with broadcasting.

    >>> import workbench as tf
    >>> tf.equal([1, 2], [1, 3]).eval().tolist()
    [True, False]
    """
    return call("Equal", name, x=x, y=y)


def not_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where x differs from y."""
    return call("NotEqual", name, x=x, y=y)


def less(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where x < y."""
    return call("Less", name, x=x, y=y)


def less_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where x <= y."""
    return call("LessEqual", name, x=x, y=y)


def greater(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where x > y."""
    return call("Greater", name, x=x, y=y)


def greater_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where x >= y."""
    return call("GreaterEqual", name, x=x, y=y)


def logical_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where both are."""
    return call("LogicalAnd", name, x=x, y=y)


def logical_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """True where one or both are."""
    return call("LogicalOr", name, x=x, y=y)


def logical_not(x: Any, name: str | None = None) -> Tensor:
    """True where x is False."""
    return call("LogicalNot", name, x=x)


def logical_xor(x: Any, y: Any, name: str | None = "LogicalXor") -> Tensor:
    """True where exactly one is: (x | y) & ~(x & y)."""
    either = logical_or(x, y)
    return logical_and(either, logical_not(logical_and(x, y)), name=name)


def approximate_equal(x: Any, y: Any, tolerance: float = 1e-5, name: str | None = None) -> Tensor:
    """True where x and y differ by less than `tolerance`."""
    return call("ApproximateEqual", name, x=x, y=y, tolerance=tolerance)
