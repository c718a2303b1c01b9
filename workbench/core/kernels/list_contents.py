"""Whole lists from tensors, and tensors from whole lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.list_elements import (
    ElementShape,
    common_shape,
    is_full,
    merged,
    show_shape,
    zeros,
)
from workbench.core.kernels.tensor_list import ListKind, TensorList, add_elements

Array = np.ndarray[Any, Any]


def _refuse(problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, problem)


def rows_of(tensor: Any) -> list[Any]:
    """The rows of an array; those of a vector are scalars."""
    if not np.ndim(tensor):
        raise _refuse(f"Tensor must be at least a vector, but saw shape: {list(np.shape(tensor))}")
    return list(tensor)


def full_shape(values: TensorList, asked: ElementShape, items: Sequence[Any], what: str) -> Any:
    """The shape of all of `items`, of which some are there or `asked` says it."""
    shape = merged(values.kind.shape, asked, "The list's element shape and the one asked for")
    shape = common_shape(shape, items)
    if not is_full(shape):
        if items:
            raise _refuse(
                f"Tried to {what} list which only contains uninitialized tensors and has a "
                f"non-fully-defined element shape: {show_shape(shape)}"
            )
        raise _refuse(
            f"Tried to {what} elements of an empty list with non-fully-defined element_shape: "
            f"{show_shape(shape)}"
        )
    return shape


def stacked(values: TensorList, items: Sequence[Any], asked: ElementShape, what: str) -> Array:
    """`items` along a new first axis, with zeros for what was never written."""
    shape = full_shape(values, asked, items, what)
    dtype = values.kind.dtype
    result = np.empty((len(items), *shape), dtype)
    empty = None
    for i, item in enumerate(items):
        if item is None:
            if empty is None:
                empty = zeros(shape, dtype)
            item = empty
        result[i] = item
    return result


def concatenated(
    values: TensorList, asked: ElementShape, leading: Sequence[int]
) -> tuple[Array, Array]:
    """The elements along their first axis, and the length of each.

    `leading` has the lengths of elements that were never written; it may be empty where each was.
    """
    items = values.items()
    dtype = values.kind.dtype
    rest: ElementShape = merged(_behind(values.kind.shape), _behind(asked), "Element shapes")
    for i, item in enumerate(items):
        if item is None:
            continue
        shape = np.shape(item)
        if not shape:
            raise _refuse(
                f"Concat saw a scalar shape at index {i} but requires at least vectors.  Did you "
                "mean to call pack?"
            )
        rest = merged(rest, shape[1:], f"Element {i} has another shape behind its first axis")
    parts: list[Any] = []
    for i, item in enumerate(items):
        if item is None:
            item = zeros((_length_of(values, asked, leading, i), *_known(rest)), dtype)
        parts.append(item)
    if not parts:
        parts = [np.zeros((0, *_known(rest)), dtype)]
        return parts[0], np.zeros(0, np.int64)
    lengths = np.array([len(p) for p in parts], np.int64)
    return np.concatenate(parts), lengths


def _behind(shape: ElementShape) -> ElementShape:
    """The shape without its first axis."""
    if shape is None:
        return None
    if not shape:
        raise _refuse("Concat requires elements to be at least vectors, found scalars instead.")
    return shape[1:]


def _known(rest: ElementShape) -> tuple[Any, ...]:
    if rest is None or None in rest:
        raise _refuse(
            "Tried to concat list which only contains uninitialized tensors and has a "
            f"non-fully-defined element shape behind the first axis: {show_shape(rest)}"
        )
    return rest


def _length_of(values: TensorList, asked: ElementShape, leading: Sequence[int], index: int) -> int:
    if index < len(leading):
        return leading[index]
    for shape in (values.kind.shape, asked):
        if shape and shape[0] is not None:
            return shape[0]
    raise _refuse(
        f"Tried to concat list which contains an uninitialized tensor at index {index}, whose "
        "length leading_dims does not say"
    )


def split(tensor: Array, lengths: Sequence[int]) -> list[Any]:
    """`tensor` cut along its first axis into parts of the given lengths."""
    if not np.ndim(tensor):
        raise _refuse(f"Tensor must be at least a vector, but saw shape: {list(np.shape(tensor))}")
    if lengths and min(lengths) < 0:
        raise _refuse(f"Invalid value in lengths: {min(lengths)}")
    if sum(lengths) != len(tensor):
        raise _refuse(
            f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is "
            f"{sum(lengths)} and value's shape is: {list(np.shape(tensor))} "
        )
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    return [tensor[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def scattered(kind: ListKind, rows: Sequence[Any], indices: Sequence[int], size: int) -> TensorList:
    """A list with `rows` at `indices`, as long as `size` says or (-1) as the indices ask."""
    if len(rows) != len(indices):
        raise _refuse(
            f"Specified {len(indices)} indices, but the tensor has {len(rows)} rows: there must be "
            "one index for each."
        )
    if indices and min(indices) < 0:
        raise _refuse(f"Indices in TensorListScatter must all be non-negative, got {min(indices)}")
    highest = max(indices, default=-1)
    if size < 0:
        size = highest + 1
    if highest >= size:
        raise _refuse(
            f"TensorListScatter: Trying to scatter at index {highest} in list with size {size}"
        )
    items: list[Any] = [None] * size
    for index, row in zip(indices, rows, strict=True):
        items[index] = row
    return TensorList(kind, items)


def scattered_into(
    values: TensorList, rows: Sequence[Any], indices: Sequence[int], *, adds: bool
) -> TensorList:
    """The list with `rows` at `indices`, in place of its elements or added to them."""
    if len(rows) != len(indices):
        raise _refuse(f"There are {len(indices)} indices for {len(rows)} rows")
    items = values.items()
    for index, row in zip(indices, rows, strict=True):
        place = values.checked_index(index)
        row = values.fitting(row, "set")
        items[place] = add_elements(items[place], row) if adds else row
    return TensorList(values.kind, items)


def resized(values: TensorList, size: int) -> TensorList:
    """The first `size` elements, or all and as many new ones as it takes."""
    if size < 0:
        raise _refuse(f"TensorListSlice expects size to be non-negative. Got: {size}")
    if size == values.length:
        return values
    items = values.items()[:size]
    items += [None] * (size - len(items))
    return TensorList(values.kind, items)
