"""Turning Python values into tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.composite import IndexedSlices, SparseTensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Dimension, TensorShape
from workbench.core.graph.tensor import Tensor, TensorLike

_conversions: list[tuple[int, Any, Callable[..., Any]]] = []


def register_tensor_conversion_function(
    base_type: Any, conversion_func: Callable[..., Any], priority: int = 100
) -> None:
    """Registers how objects of `base_type` (a type or a tuple of types) become tensors.

    `conversion_func(value, dtype=None, name=None, as_ref=False)` returns a tensor or
    NotImplemented; lower priorities are asked first.
    """
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable")
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    if not all(isinstance(t, type) for t in types):
        raise TypeError("base_type must be a type or a tuple of types")
    _conversions.append((priority, base_type, conversion_func))
    _conversions.sort(key=lambda entry: entry[0])


def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    *,
    as_ref: bool = False,
) -> Tensor:
    """The tensor for a tensor, variable, array, number, string, or nested list of those.

    `dtype` is required of the result; `preferred_dtype` is tried first where nothing else decides.
    Raises ValueError when a tensor has another dtype, TypeError when no tensor can be made.

    >>> import workbench as tf
    >>> tf.convert_to_tensor([[1.0, 2.0]]).shape.as_list()
    [1, 2]
    """
    if dtype is not None:
        dtype = as_dtype(dtype)
    if isinstance(value, Tensor):
        if (
            dtype is not None
            and value.dtype is not dtype
            and not dtype.is_compatible_with(value.dtype.base_dtype)
        ):
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype "
                f"{value.dtype.name}: {str(value)!r}"
            )
        return value
    if dtype is None and preferred_dtype is not None:
        try:
            return _convert(value, as_dtype(preferred_dtype), name, as_ref)
        except (TypeError, ValueError):
            pass
    return _convert(value, dtype, name, as_ref)


def _convert(value: Any, dtype: DType | None, name: str | None, as_ref: bool) -> Tensor:
    method = getattr(value, "_as_tensor", None)
    if method is not None:
        tensor: Tensor = method(dtype=dtype, name=name, as_ref=as_ref)
        return tensor
    for _, base_type, function in _conversions:
        if isinstance(value, base_type):
            found = function(value, dtype=dtype, name=name, as_ref=as_ref)
            if found is NotImplemented:
                continue
            if not isinstance(found, Tensor):
                raise RuntimeError(
                    f"The conversion function for {type(value).__name__} returned {found!r}, which "
                    "is not a tensor"
                )
            if dtype is not None and not dtype.is_compatible_with(found.dtype):
                raise RuntimeError(
                    f"The conversion function for {type(value).__name__} returned dtype "
                    f"{found.dtype.name}, where {dtype.name} was asked for"
                )
            return found
    if isinstance(value, IndexedSlices):
        return _dense(value, dtype, name)
    if isinstance(value, SparseTensor):
        raise TypeError(
            "A SparseTensor cannot be used as a dense tensor: convert it with "
            "tf.sparse_tensor_to_dense, or use an operation for sparse tensors."
        )
    if isinstance(value, Operation):
        raise TypeError(
            f"Can't convert Operation {value.name!r} to Tensor: use one of its outputs, which are "
            f"{[output.name for output in value.outputs]}."
        )
    if isinstance(value, (TensorShape, Dimension)):
        return _shape_tensor(value, dtype, name)
    from workbench.core.ops import constant

    if isinstance(value, (list, tuple)) and _holds_tensors(value):
        return constant.pack_nested(value, dtype, name)
    return constant.constant(value, dtype, name=name or "Const")


def _holds_tensors(values: Iterable[Any]) -> bool:
    for value in values:
        if isinstance(value, TensorLike) or hasattr(value, "_as_tensor"):
            return True
        if isinstance(value, (list, tuple)) and _holds_tensors(value):
            return True
    return False


def _dense(value: IndexedSlices, dtype: DType | None, name: str | None) -> Tensor:
    from workbench.core.ops import api

    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype "
            f"{value.dtype.name}"
        )
    if value.dense_shape is None:
        raise ValueError(
            "Tensor conversion requested for IndexedSlices without dense_shape: the number of rows "
            "of the whole tensor is not known"
        )
    tensor: Tensor = api.unsorted_segment_sum(
        value.values, value.indices, value.dense_shape[0], name=name
    )
    return tensor


def _shape_tensor(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    from workbench.core.ops import constant

    sizes: Any
    if isinstance(value, Dimension):
        if value.value is None:
            raise ValueError(f"Cannot convert the unknown Dimension {value} to a Tensor")
        sizes = value.value
    else:
        if not value.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {value}")
        sizes = value.as_list()
    if dtype not in (None, dtypes.int32, dtypes.int64):
        raise TypeError(f"Cannot convert a TensorShape to dtype {dtype}")
    wide = np.max(sizes, initial=0) > dtypes.int32.max
    if wide and dtype is dtypes.int32:
        raise ValueError(
            "Cannot convert a TensorShape to dtype int32: a dimension is too large "
            f"({np.max(sizes)})"
        )
    chosen = dtype or (dtypes.int64 if wide else dtypes.int32)
    array = np.array(sizes, dtype=chosen.as_numpy_dtype)
    return constant.constant(array, name=name or "shape_as_tensor")


def convert_n_to_tensor(values: Any, dtype: Any = None, name: str | None = None) -> list[Tensor]:
    """Each of `values` as a tensor."""
    return [
        convert_to_tensor(v, dtype, None if name is None else f"{name}_{i}")
        for i, v in enumerate(values)
    ]


def convert_to_tensor_or_indexed_slices(
    value: Any, dtype: Any = None, name: str | None = None
) -> Tensor | IndexedSlices:
    """`value` itself when it is an IndexedSlices, else the tensor for it."""
    if isinstance(value, IndexedSlices):
        if dtype is not None and not as_dtype(dtype).is_compatible_with(value.dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {as_dtype(dtype).name} for IndexedSlices with "
                f"dtype {value.dtype.name}"
            )
        return value
    return convert_to_tensor(value, dtype, name)


def convert_to_tensor_or_sparse_tensor(
    value: Any, dtype: Any = None, name: str | None = None
) -> Tensor | SparseTensor:
    """The sparse tensor for a SparseTensor(Value), else the tensor for `value`."""
    from workbench.core.graph.composite import SparseTensorValue

    if isinstance(value, (SparseTensor, SparseTensorValue)):
        sparse = SparseTensor.from_value(value)
        if dtype is not None and not as_dtype(dtype).is_compatible_with(sparse.dtype):
            raise RuntimeError(
                f"Sparse dtype: requested = {as_dtype(dtype).name}, actual = {sparse.dtype.name}"
            )
        return sparse
    return convert_to_tensor(value, dtype, name)
