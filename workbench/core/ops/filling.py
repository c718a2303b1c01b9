"""Tensors filled with one value."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_entries, constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype, float32, int32, int64, string, variant
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.kernels.list_sums import zeros_like as zero_list
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.tensor_list import TensorList
from workbench.core.ops import api, shape_rules
from workbench.core.ops.constant import constant
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.static_shapes import sizes_or_none

#: Larger tensors are made by Fill, so that a graph that is written to a file stays small.
_LARGEST_CONSTANT = 1000


def _fill(dims: Any, value: Any) -> Any:
    if np.ndim(dims) != 1:
        raise InvalidArgumentError(
            None, None, f"dims must be a vector, got shape {list(np.shape(dims))}"
        )
    sizes = dims.tolist()
    if any(s < 0 for s in sizes):
        raise InvalidArgumentError(None, None, f"dims must not be negative, got {sizes}")
    if np.ndim(value):
        raise InvalidArgumentError(
            None, None, f"value must be a scalar, got shape {list(np.shape(value))}"
        )
    return np.full(sizes, value, as_array(value).dtype)


def _fill_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 1, "dims")
    shape_rules.with_rank(op.inputs[1].entries, 0, "value")
    sizes = constant_value(op.inputs[0])
    if sizes is not None and (sizes < 0).any():
        raise ValueError(f"dims must not be negative, got {sizes.tolist()}")
    return [constant_entries(op.inputs[0])]


declare(
    "Fill",
    inputs="dims: index_type, value: T",
    outputs="output: T",
    attrs="T: type, index_type: {int32, int64} = DT_INT32",
    shape=_fill_shape,
    kernel=_fill,
    gradient=lambda op, grad: [None, api.reduce_sum(grad)],
    samples=[
        sample([2, 3], 7.0, want=[[7.0, 7.0, 7.0], [7.0, 7.0, 7.0]]),
        sample([2], b"x", want=[b"x", b"x"]),
    ],
)


def _zeros_like(x: Any) -> Any:
    if isinstance(x, TensorList):
        return zero_list(x)
    array = as_array(x)
    return np.full(array.shape, b"" if array.dtype == object else 0, array.dtype)


declare(
    "ZerosLike",
    inputs="x: T",
    outputs="y: T",
    attrs="T: type",
    shape=shape_rules.first,
    kernel=_zeros_like,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([1.0, np.nan], want=[0.0, 0.0]), sample([b"x"], want=[b""])],
)
declare(
    "OnesLike",
    inputs="x: T",
    outputs="y: T",
    attrs="T: {number, bool}",
    shape=shape_rules.first,
    kernel=np.ones_like,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([5.0, np.nan], want=[1.0, 1.0]), sample([3], dtype="int64", want=[1])],
)


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """A tensor of shape `dims` with `value` everywhere.

    >>> import workbench as tf
    >>> tf.fill([2, 2], 9).eval().tolist()
    [[9, 9], [9, 9]]
    """
    if isinstance(dims, (list, tuple)):
        longs = any(isinstance(d, Tensor) and d.dtype.base_dtype is int64 for d in dims)
        dims = convert_to_tensor(dims, int64 if longs else None, preferred_dtype=int32)
    return call("Fill", name, dims=dims, value=value)


def zeros(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """A tensor of zeros: 0, False or "" as `dtype` has it.

    >>> import workbench as tf
    >>> tf.zeros([2, 2], tf.int32).eval().tolist()
    [[0, 0], [0, 0]]
    """
    return _filled(0, shape, as_dtype(dtype).base_dtype, name, "zeros")


def ones(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """A tensor of ones (True for bool).

    >>> import workbench as tf
    >>> tf.ones([2]).eval().tolist()
    [1.0, 1.0]
    """
    return _filled(1, shape, as_dtype(dtype).base_dtype, name, "ones")


def _filled(value: int, shape: Any, dtype: DType, name: str | None, default: str) -> Tensor:
    if dtype is string:
        if value:
            raise TypeError("There are no ones of dtype string")
        item: Any = ""
    else:
        item = bool(value) if dtype.is_bool else value
    with name_scope(name, default, [shape]) as scope:
        sizes = None if isinstance(shape, TensorLike) else _static_sizes(shape)
        if sizes is None:
            dims = convert_to_tensor(shape, name="shape")
            if dims.dtype not in ("int32", "int64"):
                dims = api.cast(dims, "int32")
            if dims.entries == ():
                dims = api.reshape(dims, [-1])
            return fill(dims, constant(item, dtype), scope)
        if 0 < int(np.prod(sizes, dtype=np.int64)) < _LARGEST_CONSTANT:
            return constant(item, dtype, sizes, scope)
        kind = "int32" if max(sizes) < 2**31 else "int64"
        return fill(constant(sizes, kind, name="shape_as_tensor"), constant(item, dtype), scope)


def _static_sizes(shape: Any) -> list[int] | None:
    """The sizes in a shape without tensors and unknown sizes, else None."""
    try:
        known = TensorShape(shape)
    except (TypeError, ValueError):
        return None
    return known.as_list() if known.is_fully_defined() else None


def zeros_like(
    tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True
) -> Tensor:
    """Zeros in the shape of `tensor` and of its dtype, or of `dtype`.

    >>> import workbench as tf
    >>> tf.zeros_like([1.5, 2.5]).eval().tolist()
    [0.0, 0.0]
    """
    with name_scope(name, "zeros_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        own = tensor.dtype.base_dtype
        chosen = own if dtype is None else as_dtype(dtype).base_dtype
        # Zeros for a list are a list.
        sizes = sizes_or_none(tensor) if optimize and own is not variant else None
        if sizes is not None:
            return zeros(sizes, chosen, scope)
        if chosen is not own:
            return zeros(api.shape(tensor, optimize=optimize), chosen, scope)
        return call("ZerosLike", scope, x=tensor)


def ones_like(
    tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True
) -> Tensor:
    """Ones in the shape of `tensor` and of its dtype, or of `dtype`.

    >>> import workbench as tf
    >>> tf.ones_like([1.5, 2.5], dtype=tf.int32).eval().tolist()
    [1, 1]
    """
    with name_scope(name, "ones_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        own = tensor.dtype.base_dtype
        chosen = own if dtype is None else as_dtype(dtype).base_dtype
        sizes = sizes_or_none(tensor) if optimize else None
        if sizes is not None:
            return ones(sizes, chosen, scope)
        if chosen is not own:
            return ones(api.shape(tensor, optimize=optimize), chosen, scope)
        return call("OnesLike", scope, x=tensor)
