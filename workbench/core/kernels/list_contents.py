"""Whole lists from tensors, and tensors from whole lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.list_elements import (
    ElementShape,
    agrees,
    common_shape,
    is_full,
    merged,
    shape_from_tensor,
    show_shape,
    zeros,
)
from workbench.core.kernels.list_sums import add_elements
from workbench.core.kernels.tensor_list import ListKind, TensorList

Array = np.ndarray[Any, Any]


def _refuse(problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, problem)


def element(values: TensorList, index: int, item: Any, element_shape: Any) -> Any:
    """An element as it is read: as `item` is stored, or zeros where nothing was written.

    `element_shape` is the input of that name. Raises InvalidArgumentError where the element has
    another shape, or where it does not say how many zeros are asked for.
    """
    if item is not None:
        if element_shape.ndim and tuple(element_shape.tolist()) != np.shape(item):
            # The shape that is known before a run must hold for all that takes the element.
            merged(np.shape(item), shape_from_tensor(element_shape))
        return item
    shape = merged(values.kind.shape, shape_from_tensor(element_shape))
    if not is_full(shape):
        shape = common_shape(shape, values.items())
    if not is_full(shape):
        raise _refuse(
            "Trying to read an uninitialized tensor but element_shape is not fully defined: "
            f"{show_shape(shape)}. Element {index} was never written."
        )
    return zeros(shape, values.kind.dtype)


def require_rows(tensor: Any) -> None:
    """Raises InvalidArgumentError for an array without an axis of rows."""
    if not np.ndim(tensor):
        raise _refuse(f"Tensor must be at least a vector, but saw shape: {list(np.shape(tensor))}")


def rows_of(tensor: Any) -> list[Any]:
    """The rows of an array; those of a vector are scalars."""
    require_rows(tensor)
    return list(tensor)


_UNWRITTEN = {
    "stack": "list which only contains uninitialized tensors and has a non-fully-defined "
    "element_shape:",
    "gather": "uninitialized tensors from a list with non-fully-defined element_shape:",
}


def full_shape(values: TensorList, asked: ElementShape, items: Sequence[Any], what: str) -> Any:
    """The shape of all of `items`, of which some are there or `asked` says it."""
    shape = merged(values.kind.shape, asked)
    shape = common_shape(shape, items)
    if is_full(shape):
        return shape
    if items:
        raise _refuse(f"Tried to {what} {_UNWRITTEN[what]} {show_shape(shape)}")
    if values.kind.rules is not None:
        raise _refuse(
            f"TensorArray has size zero, but element shape {show_shape(shape)} is not fully "
            "defined. Currently only static shapes are supported when packing zero-size "
            "TensorArrays."
        )
    raise _refuse(
        f"Tried to {what} elements of an empty list with non-fully-defined element_shape: "
        f"{show_shape(shape)}"
    )


def stacked_all(values: TensorList, asked: ElementShape) -> Array:
    """All elements along a new first axis, with zeros for what was never written."""
    rows = values.rows
    whole = None if rows is None else rows.whole
    if rows is None or whole is None or not len(whole):
        return stacked(values, values.items(), asked, "stack")
    # The rows are alike: the first one stands for all.
    full_shape(values, asked, list(whole[:1]), "stack")
    return rows.given()


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
    rest = _rest_of(values, asked, items)
    parts: list[Any] = []
    for i, item in enumerate(items):
        if item is None:
            if rest is None or None in rest:
                raise _refuse(
                    "Trying to concat list with only uninitialized tensors but "
                    "element_shape_except_first_dim is not fully defined: " + show_shape(rest)
                )
            item = zeros((_length_of(values, asked, leading, i), *rest), dtype)
        parts.append(item)
    if not parts:
        if rest is None or None in rest:
            raise _refuse(
                "All except the first dimension must be fully defined when concating an empty "
                "tensor list. element_shape: " + show_shape(rest)
            )
        return zeros((0, *rest), dtype), np.zeros(0, np.int64)
    lengths = np.array([len(p) for p in parts], np.int64)
    return np.concatenate(parts), lengths


def _rest_of(values: TensorList, asked: ElementShape, items: Sequence[Any]) -> ElementShape:
    """What is known of the elements' shape behind the first axis."""
    rest = merged(_behind(values.kind.shape), _behind(asked))
    before = None
    for i, item in enumerate(items):
        if item is None:
            continue
        shape = np.shape(item)
        if not shape:
            raise _refuse(
                f"Concat saw a scalar shape at index {i} but requires at least vectors.  Did you "
                "mean to call pack?"
            )
        if not agrees(rest, shape[1:]):
            raise _refuse(
                f"TensorArray has inconsistent shapes.  {before or 'The list'} has "
                f"(excepting dimension 0) shape: {show_shape(rest)} but index {i} has "
                f"(excepting dimension 0) shape: {show_shape(shape[1:])}"
            )
        rest = shape[1:]
        before = before or f"Index {i}"
    return rest


def _behind(shape: ElementShape) -> ElementShape:
    """The shape without its first axis."""
    if shape is None:
        return None
    if not shape:
        raise _refuse("Concat requires elements to be at least vectors, found scalars instead.")
    return shape[1:]


def _length_of(values: TensorList, asked: ElementShape, leading: Sequence[int], index: int) -> int:
    if index < len(leading):
        return leading[index]
    for shape in (values.kind.shape, asked):
        if shape and shape[0] is not None:
            return shape[0]
    raise _refuse(
        f"List contains uninitialized tensor at index {index} but leading_dims has only "
        f"{len(leading)} elements."
    )


def split(tensor: Any, lengths: Any) -> list[Any]:
    """`tensor` cut along its first axis into parts of the given lengths."""
    if np.ndim(lengths) != 1:
        raise _refuse(f"Expected lengths to be a vector, received shape: {list(np.shape(lengths))}")
    sizes = lengths.tolist()
    shape = list(np.shape(tensor))
    if not shape:
        raise _refuse(f"Expected value to be at least a vector, but received shape: {shape}")
    if sizes and min(sizes) < 0:
        raise _refuse(f"Invalid value in lengths: {min(sizes)}")
    if sum(sizes) != shape[0]:
        raise _refuse(
            "Expected sum of lengths to be equal to values.shape[0], but sum of lengths is "
            f"{sum(sizes)} and value's shape is: {shape}"
        )
    ends = np.cumsum(lengths).tolist()
    return [tensor[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def filled(values: TensorList, parts: Sequence[Any]) -> TensorList:
    """The list with `parts` as its first elements; a TensorArray must have as many, or grow."""
    rules = values.kind.rules
    if rules is not None:
        rules.check_size(values, len(parts))
    for i, part in enumerate(parts):
        values = values.with_item(i, part)
    return values


def _check_counts(rows: Sequence[Any], indices: Sequence[int]) -> None:
    if len(rows) != len(indices):
        raise _refuse(
            f"Specified {len(indices)} indices, but the tensor has {len(rows)} rows: there must be "
            "one index for each."
        )


def scattered(kind: ListKind, rows: Sequence[Any], indices: Sequence[int], size: int) -> TensorList:
    """A list with `rows` at `indices`, as long as `size` says or (-1) as the indices ask."""
    _check_counts(rows, indices)
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


def scattered_into(values: TensorList, rows: Sequence[Any], indices: Sequence[int]) -> TensorList:
    """The list with `rows` as its elements at `indices`."""
    _check_counts(rows, indices)
    if values.kind.rules is not None:
        return values.kind.rules.write_rows(values, rows, indices)
    for index in indices:
        values.checked_index(index)
    if rows:
        values.fitting(rows[0], "set")
    return values.with_all(indices, rows)


def rows_added(values: TensorList, rows: Sequence[Any], indices: Sequence[int]) -> TensorList:
    """The list with `rows` added to its elements at `indices`."""
    _check_counts(rows, indices)
    for index, row in zip(indices, rows, strict=True):
        place = values.checked_index(index)
        row = values.fitting(row, "add")
        values = values.replaced(place, add_elements(values.get(place), row))
    return values


def resized(values: TensorList, size: int) -> TensorList:
    """The first `size` elements, or all and as many new ones as it takes."""
    if size < 0:
        raise _refuse(f"TensorListSlice expects size to be non-negative. Got: {size}")
    if size == values.length:
        return values
    items = values.items()[:size]
    items += [None] * (size - len(items))
    return TensorList(values.kind, items)
