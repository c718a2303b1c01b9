"""Feeds: what users pass for tensors, checked and made into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.core.graph.composite import (
    IndexedSlices,
    IndexedSlicesValue,
    SparseTensor,
)
from workbench.core.graph.graph import Graph
from workbench.core.graph.shapes import format_entries
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor


def flatten_feeds(graph: Graph, feed_dict: Any) -> list[tuple[Tensor, Any]]:
    """Each fed tensor with what was given for it; TypeError and ValueError for wrong keys."""
    if not isinstance(feed_dict, Mapping):
        raise TypeError(f"feed_dict must be a dictionary, got {type(feed_dict).__name__}")
    pairs: list[tuple[Tensor, Any]] = []
    for key, value in feed_dict.items():
        for tensor, part in _parts(graph, key, value):
            if not graph.is_feedable(tensor):
                raise ValueError(f"Tensor {tensor} may not be fed.")
            pairs.append((tensor, part))
    return pairs


def _parts(graph: Graph, key: Any, value: Any) -> list[tuple[Tensor, Any]]:
    if isinstance(key, SparseTensor):
        if isinstance(value, SparseTensor):
            raise TypeError("A feed must be a SparseTensorValue, not a symbolic SparseTensor")
        # A feed may leave out the shape, where it is a constant.
        return list(zip(key, value, strict=False))
    if isinstance(key, IndexedSlices):
        given = IndexedSlicesValue(*value, *[None] * (3 - len(value)))
        pairs = [(key.values, given.values), (key.indices, given.indices)]
        if key.dense_shape is not None:
            pairs.append((key.dense_shape, given.dense_shape))
        return pairs
    if isinstance(key, tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(key):
            raise ValueError(f"A feed for {len(key)} tensors needs as many values, got {value!r}")
        return [pair for k, v in zip(key, value, strict=True) for pair in _parts(graph, k, v)]
    try:
        return [(graph.as_graph_element(key, allow_operation=False), value)]
    except (KeyError, ValueError, TypeError) as error:
        raise TypeError(
            f"Cannot interpret feed_dict key as Tensor: {error.args[0] if error.args else error}"
        ) from None


def feed_array(tensor: Tensor, value: Any) -> Any:
    """`value` as an array (a NumPy scalar for scalars) that fits `tensor`.

    Raises TypeError for symbolic or ill-typed values, ValueError for shapes that do not fit.
    """
    dtype = tensor.dtype.base_dtype
    if isinstance(value, (Tensor, SparseTensor, IndexedSlices)) or hasattr(value, "_as_tensor"):
        raise TypeError(
            f"The value of a feed cannot be a tf.Tensor object: {tensor.name!r} was given "
            f"{value!r}. Acceptable feed values include Python scalars, strings, lists and NumPy "
            "arrays; use session.run to get the value of the tensor first."
        )
    if dtype.name in ("resource", "variant"):
        return value
    if dtype.as_numpy_dtype is object:
        array = _strings(tensor, value)
    else:
        array = _numbers(tensor, value)
    check_shape(tensor, array.shape)
    return array[()] if array.ndim == 0 and array.dtype != object else array


def _numbers(tensor: Tensor, value: Any) -> np.ndarray[Any, Any]:
    dtype = tensor.dtype.base_dtype
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and dtype.is_integer and not dtype.min <= value <= dtype.max:
        raise TypeError(
            f"Type of feed value {value} with type {type(value).__name__} is not compatible with "
            f"Tensor type {dtype.name}: it is out of range. Try explicitly setting the type of the "
            "feed tensor to a larger type (e.g. int64)."
        )
    try:
        with np.errstate(all="ignore"):
            array = np.asarray(value, dtype=dtype.as_numpy_dtype)
    except (TypeError, ValueError) as error:
        line = user_line(tensor.op.frames)
        made = f" (made at {line})" if line else ""
        raise ValueError(
            f"Cannot feed a value of type {type(value).__name__} for tensor {tensor.name!r}{made}, "
            f"which is {dtype.name} with shape {tensor.shape}: {error}"
        ) from None
    return array


def _strings(tensor: Tensor, value: Any) -> np.ndarray[Any, Any]:
    from workbench.core.graph import dtypes
    from workbench.core.ops.constant import to_array

    if type(value) is bytes:
        return np.array(value, object)
    try:
        return to_array(value, dtypes.string)
    except TypeError as error:
        raise TypeError(f"Cannot feed {tensor.name!r}, which is of strings: {error}") from None


def check_shape(tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Raises ValueError where a fed array does not fit the tensor's static shape."""
    entries = tensor.entries
    if entries is None or shape == entries:
        return
    fits = len(entries) == len(shape) and all(
        not isinstance(e, int) or e == s for e, s in zip(entries, shape, strict=True)
    )
    if not fits:
        line = user_line(tensor.op.frames)
        made = f"\n    {tensor.name!r} was made at {line}" if line else ""
        raise ValueError(
            f"Cannot feed value of shape {shape} for Tensor {tensor.name!r}, which has shape "
            f"{format_entries(entries)!r}{made}"
        )
