"""Sums of lists, element by element, and lists of zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.list_elements import VARIANT, is_full, merged, zeros
from workbench.core.kernels.tensor_list import ListKind, TensorList


def added(a: TensorList, b: TensorList) -> TensorList:
    """The sums of the elements of two lists; what was never written counts as 0.

    Raises InvalidArgumentError where the longer list has elements that the other one lacks.
    """
    a.check_dtype(b.kind.dtype)
    shape = merged(a.kind.shape, b.kind.shape)
    long, short = (a, b) if a.length >= b.length else (b, a)
    items = long.items()
    # The gradient of an array that grew has the gradient's elements, none of them written.
    if any(item is not None for item in items[short.length :]):
        raise InvalidArgumentError(
            None,
            None,
            "Trying to add two lists of tensors with different lengths. One is "
            f"{a.length} and the other is {b.length}.",
        )
    for i, item in enumerate(short.items()):
        items[i] = add_elements(items[i], item)
    return TensorList(ListKind(a.kind.dtype, shape), items)


def add_elements(x: Any, y: Any) -> Any:
    """The sum of two elements as lists store them."""
    if x is None:
        return y
    if y is None:
        return x
    if np.shape(x) != np.shape(y):
        raise InvalidArgumentError(
            None,
            None,
            f"Cannot add list elements of shapes {list(np.shape(x))} and {list(np.shape(y))}",
        )
    return np.add(x, y)


def zeros_like(values: TensorList) -> TensorList:
    """A list of zeros with the lengths and shapes of another."""
    kind = ListKind(values.kind.dtype, values.kind.shape)
    if is_full(kind.shape) and kind.dtype is not VARIANT:
        return TensorList(kind, [None] * values.length)
    # Elements are never changed: those of one shape share one array.
    made: dict[Any, Any] = {}
    items = []
    for item in values.items():
        if isinstance(item, TensorList):
            items.append(zeros_like(item))
            continue
        shape = None if item is None else np.shape(item)
        if shape not in made:
            made[shape] = None if shape is None else zeros(shape, kind.dtype)
        items.append(made[shape])
    return TensorList(kind, items)
