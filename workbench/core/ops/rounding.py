"""Rounding, and which numbers are finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.unary import FLOATING, unary

unary(
    "Floor",
    np.floor,
    NOT_DIFFERENTIABLE,
    FLOATING,
    samples=[sample([1.5, -1.5, 2.0], want=[1.0, -2.0, 2.0])],
)
unary(
    "Ceil",
    np.ceil,
    NOT_DIFFERENTIABLE,
    FLOATING,
    samples=[sample([1.5, -1.5, 2.0], want=[2.0, -1.0, 2.0])],
)
unary(
    "Rint",
    np.rint,
    NOT_DIFFERENTIABLE,
    FLOATING,
    samples=[sample([0.5, 1.5, 2.5, -1.7], want=[0.0, 2.0, 2.0, -2.0])],
)


def _round(x: Any, *, out: Any = None) -> Any:
    if np.asarray(x).dtype.kind in "iu":
        return np.positive(x, out=out)
    return np.rint(x, out=out)


unary(
    "Round",
    _round,
    NOT_DIFFERENTIABLE,
    "{number}",
    samples=[
        sample([0.5, 1.5, 2.5, -1.7], want=[0.0, 2.0, 2.0, -2.0]),
        sample([3, -4], want=[3, -4]),
    ],
)

for _type_name, _kernel, _want in (
    ("IsNan", np.isnan, [False, True, False]),
    ("IsInf", np.isinf, [False, False, True]),
    ("IsFinite", np.isfinite, [True, False, False]),
):
    declare(
        _type_name,
        inputs="x: T",
        outputs="y: bool",
        attrs=f"T: {FLOATING}",
        shape=shape_rules.first,
        kernel=_kernel,
        gradient=NOT_DIFFERENTIABLE,
        elementwise=True,
        samples=[sample([1.0, float("nan"), float("-inf")], want=_want)],
    )


def floor(x: Any, name: str | None = None) -> Tensor:
    """The largest whole number that is not above x."""
    return call("Floor", name, x=x)


def ceil(x: Any, name: str | None = None) -> Tensor:
    """The smallest whole number that is not below x."""
    return call("Ceil", name, x=x)


def rint(x: Any, name: str | None = None) -> Tensor:
    """The nearest whole number, the even one of two."""
    return call("Rint", name, x=x)


def round(x: Any, name: str | None = None) -> Tensor:
    """The nearest whole number, the even one of two; integers stay as they are.

    >>> import workbench as tf
    >>> tf.round([0.9, 2.5, -4.5]).eval().tolist()
    [1.0, 2.0, -4.0]
    """
    x = convert_to_tensor(x, name="x")
    return x if x.dtype.is_integer else call("Round", name, x=x)


def is_nan(x: Any, name: str | None = None) -> Tensor:
    """True where x is not a number."""
    return call("IsNan", name, x=x)


def is_inf(x: Any, name: str | None = None) -> Tensor:
    """True where x is infinite."""
    return call("IsInf", name, x=x)


def is_finite(x: Any, name: str | None = None) -> Tensor:
    """True where x is neither infinite nor NaN."""
    return call("IsFinite", name, x=x)
