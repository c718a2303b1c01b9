"""Sums and products that run along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import scan as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _checked(scan: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: Any, *, exclusive: bool, reverse: bool) -> Any:
        if np.ndim(axis):
            raise InvalidArgumentError(
                None, None, f"axis must be a scalar, not of shape {list(np.shape(axis))}"
            )
        return scan(x, axis, exclusive=exclusive, reverse=reverse)

    return kernel


def _cumsum_gradient(op: Any, dy: Any) -> Any:
    exclusive, reverse = op.attrs["exclusive"], op.attrs["reverse"]
    return cumsum(dy, op.inputs[1], exclusive=exclusive, reverse=not reverse), None


def _cumprod_gradient(op: Any, dy: Any) -> Any:
    x, axis = op.inputs
    exclusive, reverse = op.attrs["exclusive"], op.attrs["reverse"]

    def pulled_back(source: Tensor) -> Any:
        products = cumprod(source, axis, exclusive=exclusive, reverse=reverse)
        return cumsum(api.conj(products) * dy, axis, exclusive=exclusive, reverse=not reverse)

    # sum(dy * product) / x is the gradient before the first zero; at the first zero it is the same
    # sum with that factor left out; behind it every product holds a zero.
    zero = api.equal(x, api.zeros_like(x))
    count = cumsum(api.cast(zero, "int32"), axis, reverse=reverse)
    first = api.logical_and(zero, api.equal(count, 1))
    ones = api.ones_like(x)
    before = pulled_back(x) / api.conj(api.where(zero, ones, x))
    there = pulled_back(api.where(first, ones, x))
    behind = api.where(first, there, api.zeros_like(x))
    return api.where(api.equal(count, 0), before, behind), None


for _type_name, _kernel, _gradient, _wants in (
    (
        "Cumsum",
        _checked(kernels.cumsum),
        _cumsum_gradient,
        ([2.0, 5.0, 9.0], [0.0, 2.0, 5.0], [9.0, 7.0, 4.0], [7.0, 4.0, 0.0]),
    ),
    (
        "Cumprod",
        _checked(kernels.cumprod),
        _cumprod_gradient,
        ([2.0, 6.0, 24.0], [1.0, 2.0, 6.0], [24.0, 12.0, 4.0], [12.0, 4.0, 1.0]),
    ),
):
    declare(
        _type_name,
        inputs="x: T, axis: Tidx",
        outputs="out: T",
        attrs="exclusive: bool = false, reverse: bool = false, T: {number}, "
        "Tidx: {int32, int64} = DT_INT32",
        shape=shape_rules.first,
        kernel=_kernel,
        gradient=_gradient,
        samples=[
            sample([2.0, 3.0, 4.0], 0, want=_wants[0]),
            sample([2.0, 3.0, 4.0], 0, exclusive=True, want=_wants[1]),
            sample([2.0, 3.0, 4.0], 0, reverse=True, want=_wants[2]),
            sample([[2.0, 3.0, 4.0]], -1, exclusive=True, reverse=True, want=[_wants[3]]),
        ],
    )


def cumsum(
    x: Any,
    axis: Any = 0,
    exclusive: bool = False,
    reverse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The running sum along an axis.

    With `exclusive` each element counts only those before it, with `reverse` it runs from the end.

    >>> import workbench as tf
    >>> tf.cumsum([1, 2, 3]).eval().tolist()
    [1, 3, 6]
    >>> tf.cumsum([1, 2, 3], exclusive=True, reverse=True).eval().tolist()
    [5, 3, 0]
    """
    with name_scope(name, "Cumsum", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return call("Cumsum", scope, x=x, axis=axis, exclusive=exclusive, reverse=reverse)


def cumprod(
    x: Any,
    axis: Any = 0,
    exclusive: bool = False,
    reverse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The running product along an axis; see `cumsum` for the arguments.

    >>> import workbench as tf
    >>> tf.cumprod([1, 2, 3]).eval().tolist()
    [1, 2, 6]
    """
    with name_scope(name, "Cumprod", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return call("Cumprod", scope, x=x, axis=axis, exclusive=exclusive, reverse=reverse)
