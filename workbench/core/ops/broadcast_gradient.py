"""Gradients through broadcasting: summing back over the axes an input was stretched along."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _broadcast_gradient_args(s0: Any, s1: Any) -> tuple[Any, Any]:
    """The axes along which each of two shapes was stretched, as NumPy arrays."""
    a, b = [int(v) for v in s0], [int(v) for v in s1]
    rank = max(len(a), len(b))
    a, b = [1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b
    first = [i for i in range(rank) if a[i] == 1 and (b[i] != 1 or i < rank - len(s0))]
    second = [i for i in range(rank) if b[i] == 1 and (a[i] != 1 or i < rank - len(s1))]
    kind = np.asarray(s0).dtype
    return np.array(first, kind), np.array(second, kind)


declare(
    "BroadcastGradientArgs",
    inputs="s0: T, s1: T",
    outputs="r0: T, r1: T",
    attrs="T: {int32, int64} = DT_INT32",
    shape=shape_rules.vector,
    kernel=_broadcast_gradient_args,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([2, 3], [3], want=([], [0])),
        sample([2, 1], [1, 3], want=([1], [0])),
    ],
)


def sum_to_shapes(x: Tensor, y: Tensor, for_x: Tensor, for_y: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of the stretched `x` and `y`, summed to the shapes of `x` and `y`."""
    if x.entries == y.entries and x.shape.is_fully_defined():
        return for_x, for_y
    static_x, static_y = (
        _stretched(x.entries, y.entries),
        _stretched(y.entries, x.entries),
    )
    if static_x is not None and static_y is not None:
        return _sum_static(for_x, x, static_x), _sum_static(for_y, y, static_y)
    shape_x, shape_y = api.shape(x), api.shape(y)
    axes_x, axes_y = create("BroadcastGradientArgs", None, s0=shape_x, s1=shape_y).outputs
    return (
        api.reshape(api.reduce_sum(for_x, axes_x), shape_x),
        api.reshape(api.reduce_sum(for_y, axes_y), shape_y),
    )


def _stretched(own: Entries, other: Entries) -> list[int] | None:
    """The axes along which `own` is stretched to meet `other`; None when that is not known."""
    if own is None or other is None:
        return None
    rank = max(len(own), len(other))
    a, b = (1,) * (rank - len(own)) + own, (1,) * (rank - len(other)) + other
    axes = []
    for i in range(rank):
        if i < rank - len(own) or (a[i] == 1 and isinstance(b[i], int) and b[i] != 1):
            axes.append(i)
            continue
        keeps = b[i] == 1 or (isinstance(a[i], int) and a[i] != 1)
        if not keeps and not (isinstance(a[i], str) and a[i] == b[i]):
            return None
    return axes


def _sum_static(gradient: Tensor, target: Tensor, axes: list[int]) -> Tensor:
    if not axes:
        return gradient
    total: Tensor = api.reduce_sum(gradient, axes)
    if total.entries == target.entries and total.shape.is_fully_defined():
        return total
    kept: Tensor
    if target.shape.is_fully_defined():
        kept = api.reshape(total, target.shape.as_list())
    else:
        kept = api.reshape(total, api.shape(target))
    return kept
