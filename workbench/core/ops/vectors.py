"""Norms and cross products."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import linalg
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _cross_shape(op: Any) -> list[Any]:
    entries = shape_rules.merged(op)[0]
    if entries is not None and (not entries or entries[-1] not in (3, None)):
        raise ValueError(f"Cross-products are only defined for 3-element vectors, got {entries}")
    return [entries]


def _cross_gradient(op: Any, dy: Any) -> Any:
    a, b = op.inputs
    return cross(b, dy), cross(dy, a)


declare(
    "Cross",
    inputs="a: T, b: T",
    outputs="product: T",
    attrs="T: {real}",
    shape=_cross_shape,
    kernel=linalg.cross,
    gradient=_cross_gradient,
    samples=[
        sample([1.0, 2.0, 3.0], [4.0, 5.0, 7.0], want=[-1.0, 5.0, -3.0]),
        sample([[1, 0, 0], [0, 1, 0]], [[0, 1, 0], [1, 0, 0]], want=[[0, 0, 1], [0, 0, -1]]),
    ],
)


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """The cross product of the three-element vectors along the last axis.

    >>> import workbench as tf
    >>> tf.cross([1, 0, 0], [0, 1, 0]).eval().tolist()
    [0, 0, 1]
    """
    return call("Cross", name, a=a, b=b)


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    keepdims: Any = None,
) -> Tensor:
    """The norm of vectors or matrices.

    `axis` is None (all elements, as one vector), an int (vectors) or two ints (matrices). `ord` is
    "euclidean" (also "fro" for matrices), 1, np.inf, 2 (of matrices the largest singular value), or
    any positive number for vectors. Raises ValueError for others.

    >>> import workbench as tf
    >>> tf.norm([[3.0, 4.0], [6.0, 8.0]], axis=1).eval().tolist()
    [5.0, 10.0]
    """
    axes = _axes(axis)
    _check_order(ord, len(axes) == 2)
    keep = bool(keepdims if keepdims is not None else keep_dims)
    with name_scope(name, "norm", [tensor]):
        x = convert_to_tensor(tensor)
        over = list(axes) or None
        if ord == 2 and len(axes) == 2:
            largest_value: Tensor = _spectral_norm(x, axes, keep)
            return largest_value
        if ord in ("fro", "euclidean", 2):
            total = api.reduce_sum(x * api.conj(x), over, keep_dims=keep)
            return call("Sqrt", None, x=total)
        size = api.abs(x)
        if len(axes) < 2:
            length: Tensor = _vector_norm(size, ord, over, keep)
            return length
        # A sum along one axis, then the largest along the other: columns for 1, rows for infinity.
        summed, largest = axes if ord == 1 else axes[::-1]
        sums = api.reduce_sum(size, summed, keep_dims=True)
        extreme = api.reduce_max(sums, largest, keep_dims=True)
        result: Tensor = extreme if keep else api.squeeze(extreme, over)
        return result


def _vector_norm(size: Any, order: Any, axes: Any, keep: bool) -> Any:
    if order == 1:
        return api.reduce_sum(size, axes, keep_dims=keep)
    if order == np.inf:
        return api.reduce_max(size, axes, keep_dims=keep)
    powers = api.reduce_sum(api.pow(size, order), axes, keep_dims=keep)
    return api.pow(powers, 1.0 / order)


def _spectral_norm(x: Tensor, axes: tuple[int, ...], keep: bool) -> Any:
    """The largest singular value of the matrices along two axes."""
    rank: Any = api.rank(x) if x.shape.ndims is None else x.shape.ndims
    places = [a if a >= 0 else a + rank for a in axes]
    if isinstance(rank, int):
        order: Any = [*(i for i in range(rank) if i not in places), *places]
    else:
        others, _ = api.setdiff1d(api.range(rank), api.stack(places))
        order = api.concat([others, api.stack(places)], 0)
    values = api.svd(api.transpose(x, order), compute_uv=False)
    largest = api.reduce_max(values, -1)
    if not keep:
        return largest
    # The two axes come back where they were, with one element each.
    back = api.invert_permutation(order)
    return api.transpose(api.expand_dims(api.expand_dims(largest, -1), -1), back)


def _axes(axis: Any) -> tuple[int, ...]:
    """() for all, one axis for vectors, two for matrices."""
    if axis is None:
        return ()
    if isinstance(axis, (tuple, list)) and len(axis) == 2:
        if all(_is_whole(a) for a in axis) and axis[0] != axis[1]:
            return int(axis[0]), int(axis[1])
    elif _is_whole(axis):
        return (int(axis),)
    raise ValueError(
        f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis!r}"
    )


def _is_whole(axis: Any) -> bool:
    return isinstance(axis, (int, np.integer)) and not isinstance(axis, bool)


def _check_order(order: Any, matrix: bool) -> None:
    if matrix:
        supported: list[Any] = ["euclidean", "fro", 1, 2, np.inf]
        if order not in supported:
            raise ValueError(f"'ord' must be a supported matrix norm in {supported}, got {order!r}")
        return
    positive = isinstance(order, (int, float, np.number)) and order > 0
    if order != "euclidean" and not positive:
        raise ValueError(
            "'ord' must be a supported vector norm ('euclidean', 1, 2, inf or another positive "
            f"number), got {order!r}"
        )
