"""Products that sum over chosen axes: tensordot."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.static_shapes import size_or_dynamic


def static_or_packed(sizes: list[Any]) -> Any:
    """Sizes as `reshape` takes them: ints with at most one tensor as -1, else one tensor."""
    dynamic = [i for i, s in enumerate(sizes) if not isinstance(s, int)]
    if not dynamic:
        return sizes
    if len(dynamic) == 1 and 0 not in sizes:
        return [-1 if i in dynamic else s for i, s in enumerate(sizes)]
    return api.stack(sizes)


def product_of(sizes: list[Any]) -> Any:
    """The product of ints and scalar tensors."""
    known = math.prod(s for s in sizes if isinstance(s, int))
    result: Any = known
    for size in sizes:
        if not isinstance(size, int):
            result = size if isinstance(result, int) and result == 1 else result * size
    return result


def axis_sizes(tensor: Tensor, axes: list[int]) -> list[Any]:
    """The sizes along `axes`: ints where they are known, else scalar tensors."""
    return [size_or_dynamic(tensor, axis) for axis in axes]


def in_order(tensor: Tensor, axes: list[int]) -> Tensor:
    """`tensor` with its axes in the given order; itself where that is their order already."""
    if axes == list(range(len(axes))):
        return tensor
    moved: Tensor = api.transpose(tensor, np.array(axes, np.int32))
    return moved


def as_matrix(tensor: Tensor, rows: list[int], columns: list[int]) -> tuple[Tensor, bool]:
    """The axes `rows` against the axes `columns`, and whether the matrix is the transposed one.

    Where the columns come first in memory the matrix is left transposed, which costs nothing in a
    product.
    """
    swapped = bool(rows) and columns + rows == list(range(len(rows) + len(columns)))
    first, last = (columns, rows) if swapped else (rows, columns)
    moved = in_order(tensor, first + last)
    if len(first) == 1 and len(last) == 1:
        return moved, swapped
    sizes = [product_of(axis_sizes(tensor, first)), product_of(axis_sizes(tensor, last))]
    return api.reshape(moved, static_or_packed(sizes)), swapped


def _static_axes(axes: Any, rank: int, which: str) -> list[int]:
    found = [int(a) for a in np.asarray(axes).reshape(-1)]
    for axis in found:
        if not -rank <= axis < rank:
            raise IndexError(f"Axis {axis} is out of range for {which}, which has rank {rank}")
    return [a % rank for a in found]


def _axes_of(a: Tensor, b: Tensor, axes: Any) -> tuple[Any, Any]:
    """The axes of `a` and of `b` to sum over, in any form that `tensordot` takes."""
    if hasattr(axes, "__index__") and not isinstance(axes, Tensor) and np.ndim(axes) == 0:
        count = int(axes)
        if count < 0:
            raise ValueError(f"'axes' must not be negative, got {count}")
        if a.shape.ndims is None:
            rank = api.rank(a)
            return api.range(rank - count, rank), list(range(count))
        if count > a.shape.ndims:
            raise ValueError(f"'axes' must not be larger than the rank of 'a', {a.shape.ndims}")
        return list(range(a.shape.ndims - count, a.shape.ndims)), list(range(count))
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            raise ValueError("'axes' must be an integer or have length 2.")
        first, second = ([x] if np.ndim(x) == 0 else list(x) for x in axes)
        if len(first) != len(second):
            raise ValueError(
                f"Different number of contraction axes 'a' and 'b', {len(first)} != {len(second)}."
            )
        return first, second
    tensor: Any = convert_to_tensor(axes, "int32", "axes")
    value = constant_value(tensor)
    return (tensor[0], tensor[1]) if value is None else (value[0], value[1])


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products of `a` and `b` over pairs of axes; the other axes follow each other.

    `axes` is a number n (the last n axes of `a` with the first n of `b`), or two lists of axes.

    >>> import workbench as tf
    >>> tf.tensordot([[1, 2], [3, 4]], [10, 100], axes=1).eval().tolist()
    [210, 430]
    """
    with name_scope(name, "Tensordot", [a, b]) as scope:
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, name="b")
        first, second = _axes_of(a, b, axes)
        if (
            a.shape.ndims is None
            or b.shape.ndims is None
            or isinstance(first, Tensor)
            or isinstance(second, Tensor)
        ):
            return _dynamic(a, b, first, second, scope)
        first = _static_axes(first, a.shape.ndims, "a")
        second = _static_axes(second, b.shape.ndims, "b")
        for i, j in zip(first, second, strict=True):
            a.shape[i].assert_is_compatible_with(b.shape[j])
        free_a = [i for i in range(a.shape.ndims) if i not in first]
        free_b = [i for i in range(b.shape.ndims) if i not in second]
        left, turned_a = as_matrix(a, free_a, first)
        right, turned_b = as_matrix(b, second, free_b)
        sizes = axis_sizes(a, free_a) + axis_sizes(b, free_b)
        if len(free_a) == 1 and len(free_b) == 1:
            product: Tensor = api.matmul(left, right, turned_a, turned_b, name=scope)
            return product
        product = api.matmul(left, right, turned_a, turned_b)
        result: Tensor = api.reshape(product, static_or_packed(sizes), name=scope)
        return result


def _dynamic(a: Tensor, b: Tensor, first: Any, second: Any, scope: str) -> Tensor:
    """`tensordot` where a rank, or the axes, are known in the run only."""

    def split(tensor: Tensor, axes: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rank = api.rank(tensor)
        axes = convert_to_tensor(axes, "int32", "axes")
        axes = api.floormod(axes, rank)
        free, _ = api.setdiff1d(api.range(rank), axes)
        shape = api.shape(tensor)
        return axes, free, api.gather(shape, free), api.reduce_prod(api.gather(shape, axes))

    axes_a, free_a, sizes_a, inner_a = split(a, first)
    axes_b, free_b, sizes_b, inner_b = split(b, second)
    left = api.reshape(
        api.transpose(a, api.concat([free_a, axes_a], 0)),
        api.stack([api.reduce_prod(sizes_a), inner_a]),
    )
    right = api.reshape(
        api.transpose(b, api.concat([axes_b, free_b], 0)),
        api.stack([inner_b, api.reduce_prod(sizes_b)]),
    )
    result: Tensor = api.reshape(
        api.matmul(left, right), api.concat([sizes_a, sizes_b], 0), name=scope
    )
    return result
