"""The elements of lists: their dtypes and shapes, and what stands for those never written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.dtypes import variant

#: The dtype of lists as elements of lists.
VARIANT = variant.numpy_dtype
#: The sizes of an element's shape, None where one is not known; None for any shape.
ElementShape = tuple[int | None, ...] | None


def element_dtype_of(item: Any) -> np.dtype[Any]:
    """The dtype of an element; a single string is bytes."""
    dtype: np.dtype[Any] | None = getattr(item, "dtype", None)
    if dtype is not None:
        return dtype
    return np.dtype(object) if isinstance(item, (bytes, str)) else np.asarray(item).dtype


def same_dtype(a: np.dtype[Any], b: np.dtype[Any]) -> bool:
    """True for one dtype; strings and lists, both objects, are not one."""
    return a is b or (a == b and (a is VARIANT) == (b is VARIANT))


_NAMES = {"object": "string", "float16": "half", "float32": "float", "float64": "double"}


def dtype_name(dtype: np.dtype[Any]) -> str:
    """The name TensorFlow's errors give a dtype."""
    return "variant" if dtype is VARIANT else _NAMES.get(dtype.name, dtype.name)


def show_shape(shape: ElementShape) -> str:
    """The shape as errors write it: "[2,?]", or "<unknown>"."""
    if shape is None:
        return "<unknown>"
    return "[" + ",".join("?" if size is None else str(size) for size in shape) + "]"


def shape_from_tensor(value: Any) -> ElementShape:
    """The shape in an input named element_shape: -1 for sizes unknown, the scalar -1 for any.

    >>> shape_from_tensor(np.array([2, -1])), shape_from_tensor(np.int32(-1))
    ((2, None), None)
    """
    if not np.ndim(value):
        if int(value) != -1:
            raise InvalidArgumentError(
                None, None, f"A scalar element_shape must be -1 (any shape), got {int(value)}"
            )
        return None
    sizes = value.tolist()
    if sizes and min(sizes) < -1:
        raise InvalidArgumentError(None, None, f"element_shape must not be below -1, got {sizes}")
    return tuple([None if size < 0 else size for size in sizes])


def agrees(shape: ElementShape, other: ElementShape) -> bool:
    """True when some array fits both shapes."""
    if shape is None or other is None:
        return True
    return len(shape) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(shape, other, strict=True)
    )


def merged(shape: ElementShape, other: ElementShape) -> ElementShape:
    """What is known of both shapes; InvalidArgumentError where they clash."""
    if shape is None or other is None or shape == other:
        return other if shape is None else shape
    if len(shape) != len(other):
        raise InvalidArgumentError(
            None, None, f"Incompatible ranks during merge: {len(shape)} vs. {len(other)}"
        )
    if not agrees(shape, other):
        raise InvalidArgumentError(
            None,
            None,
            f"Incompatible shapes during merge: {show_shape(shape)} vs. {show_shape(other)}",
        )
    return tuple([b if a is None else a for a, b in zip(shape, other, strict=True)])


def is_full(shape: ElementShape) -> bool:
    """True when every size is known."""
    return shape is not None and None not in shape


def zeros(shape: Any, dtype: np.dtype[Any]) -> Any:
    """Zeros, or empty strings; a scalar without axes.

    Raises InvalidArgumentError for lists: how many zeros there would be is not known.
    """
    if dtype is VARIANT:
        raise InvalidArgumentError(
            None, None, "An element that is a list itself is read, and was never written"
        )
    if dtype.hasobject:
        return np.full(shape, b"", object) if shape else b""
    return np.zeros(shape, dtype)[()] if not shape else np.zeros(shape, dtype)


def common_shape(shape: ElementShape, items: Iterable[Any]) -> ElementShape:
    """What is known of the shape that all written elements have, and those never written stand for.

    Raises InvalidArgumentError where the elements differ.
    """
    for item in items:
        if item is not None:
            found = np.shape(item)
            if found != shape:
                shape = merged(shape, found)
    return shape
