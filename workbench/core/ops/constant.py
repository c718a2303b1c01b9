"""Constants and placeholders' counterparts: values that are part of the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.shapes import as_shape
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _const(*, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return value


declare(
    "Const",
    outputs="output: dtype",
    attrs="value: tensor, dtype: type",
    shape=lambda op: [op.attrs["value"].shape],
    kernel=_const,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample(value=np.array([1, 2], np.int32), dtype="int32", want=[1, 2])],
)


def constant(
    value: Any,
    dtype: Any = None,
    shape: Any = None,
    name: str = "Const",
    verify_shape: bool = False,
) -> Tensor:
    """A constant tensor.

    `value` is a number, string, array or nested list; `shape` reshapes it, filling up with the
    last value; `verify_shape` demands that it has that shape already. Raises TypeError where
    `value` does not fit `dtype`, ValueError where it does not fit `shape`.

    >>> import workbench as tf
    >>> tf.constant([1, 2, 3], shape=[2, 2]).eval().tolist()
    [[1, 2], [3, 3]]
    """
    array = to_array(value, None if dtype is None else as_dtype(dtype), shape, verify_shape)
    graph = get_default_graph()
    full = graph.full_name(name)
    chosen = as_dtype(dtype).base_dtype if dtype is not None else as_dtype(array.dtype)
    attrs = {"value": array, "dtype": chosen}
    return graph.add_operation("Const", full, (), (chosen,), attrs).outputs[0]


def to_array(
    value: Any, dtype: DType | None, shape: Any = None, verify_shape: bool = False
) -> np.ndarray[Any, Any]:
    """`value` as a read-only array of `dtype` and `shape`, as `constant` takes it."""
    array = _typed(value, dtype)
    if shape is not None:
        sizes = tuple(as_shape(shape).as_list())
        array = _shaped(array, sizes, verify_shape)
    if array is value or array.base is not None or not array.flags.c_contiguous:
        # The graph keeps its own copy: the user's array may change later.
        array = array.copy(order="C")
    array.flags.writeable = False
    return array


def _shaped(
    array: np.ndarray[Any, Any], sizes: tuple[int, ...], verify_shape: bool
) -> np.ndarray[Any, Any]:
    if array.shape == sizes:
        return array
    if verify_shape:
        raise TypeError(f"Expected Tensor's shape: {sizes}, got {array.shape}.")
    count = int(np.prod(sizes, dtype=np.int64))
    if count == 0:
        return np.empty(sizes, array.dtype)
    if array.size > count or (array.size == 0 and count > 0):
        raise ValueError(
            f"Too many elements provided. Needed at most {count}, but received {array.size}"
            if array.size
            else f"Cannot fill a constant of shape {sizes} from no elements"
        )
    flat = array.reshape(-1)
    if array.size < count:
        flat = np.concatenate([flat, np.full(count - array.size, flat[-1], array.dtype)])
    return flat.reshape(sizes)


def _typed(value: Any, dtype: DType | None) -> np.ndarray[Any, Any]:
    if value is None:
        raise ValueError("None values not supported.")
    if isinstance(value, (np.ndarray, np.generic)):
        return _from_array(np.asarray(value), dtype)
    if isinstance(value, TensorLike):
        raise TypeError(f"A constant cannot be made of the symbolic {value!r}")
    if hasattr(value, "__array__"):
        # A data frame's column, say: its own type is what the user chose.
        return _from_array(np.asarray(value), dtype)
    if dtype is dtypes.string:
        return _strings(value)
    try:
        array = np.array(value)
    except ValueError:
        raise ValueError(
            f"A tensor needs rows of equal length, got the ragged list {_short(value)}"
        ) from None
    if array.dtype == object:
        # Lists may hold DTypes' relatives such as Dimension; numbers among them convert by index.
        return _from_objects(value, array, dtype)
    if array.dtype.kind in "SU":
        if dtype is not None:
            raise _mismatch(value, dtype)
        return _strings(value)
    if dtype is None:
        return _default_width(value, array)
    _check_kind(value, array, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(dtype.as_numpy_dtype)
    if dtype.is_integer and array.size and not np.array_equal(converted, array):
        raise ValueError(f"{_short(value)} is out of range for {dtype.name}")
    return converted


def _default_width(value: Any, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Python floats become float32; ints int32 where they fit, as TensorFlow has it."""
    if array.dtype == np.float64 and not _holds_numpy(value, np.float64):
        return array.astype(np.float32)
    if array.dtype == np.int64 and not _holds_numpy(value, np.int64):
        narrow = array.astype(np.int32)
        return narrow if (narrow == array).all() else array
    return array


def _holds_numpy(value: Any, scalar: type) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and _holds_numpy(value[0], scalar)
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype == scalar


def _from_array(array: np.ndarray[Any, Any], dtype: DType | None) -> np.ndarray[Any, Any]:
    if array.dtype.kind in "SUO":
        if dtype not in (None, dtypes.string):
            raise _mismatch(array, dtype)
        # The shape too: a list of no elements has lost its inner sizes.
        return _strings(array.tolist()).reshape(array.shape)
    own = as_dtype(array.dtype)
    if dtype is None or own is dtype:
        return array
    return array.astype(dtype.as_numpy_dtype)


def _from_objects(
    value: Any, array: np.ndarray[Any, Any], dtype: DType | None
) -> np.ndarray[Any, Any]:
    flat = array.reshape(-1).tolist()
    if any(item is None for item in flat):
        raise ValueError("None values not supported.")
    if all(isinstance(item, (str, bytes)) for item in flat):
        return _strings(value)
    if all(hasattr(item, "__index__") for item in flat):
        numbers = np.array([int(item) for item in flat]).reshape(array.shape)
        if numbers.dtype == object:
            raise ValueError(f"{_short(value)} does not fit into 64 bits")
        return _typed(numbers.tolist(), dtype)
    raise TypeError(
        f"Failed to convert object of type {type(value).__name__} to Tensor. Contents: "
        f"{_short(value)}. Consider casting elements to a supported type."
    )


def _strings(value: Any) -> np.ndarray[Any, Any]:
    shape = np.shape(np.array(value, dtype=object)) if isinstance(value, (list, tuple)) else ()
    flat = np.array(value, dtype=object).reshape(-1).tolist() if shape else [value]
    result = np.empty(len(flat), dtype=object)
    for i, item in enumerate(flat):
        if not isinstance(item, (str, bytes)):
            raise TypeError(
                f"Expected string, got {item!r} of type {type(item).__name__!r} instead."
            )
        result[i] = item.encode() if isinstance(item, str) else item
    return result.reshape(shape)


def _check_kind(value: Any, array: np.ndarray[Any, Any], dtype: DType) -> None:
    """TypeError where Python values do not fit `dtype` without loss: 1.5 is no int32."""
    kind = array.dtype.kind
    if array.size == 0:
        return
    fits = (
        (kind == "b" and dtype.is_bool)
        or (kind in "iu" and not dtype.is_bool)
        or (kind == "f" and (dtype.is_floating or dtype.is_complex))
        or (kind == "c" and dtype.is_complex)
    )
    if not fits and not _holds_any_numpy(value):
        raise _mismatch(value, dtype)


def _holds_any_numpy(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and _holds_any_numpy(value[0])
    return isinstance(value, (np.ndarray, np.generic))


def _mismatch(value: Any, dtype: DType) -> TypeError:
    item = value
    while isinstance(item, (list, tuple)) and item:
        item = item[0]
    return TypeError(
        f"Expected {dtype.name}, got {_short(item)} of type {type(item).__name__!r} instead."
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def pack_nested(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    """A tensor of a nested list that holds tensors, stacked level by level."""
    from workbench.core.graph.convert import convert_to_tensor

    if dtype is None:
        dtype = _tensor_dtype(value)
    for part in value:
        if isinstance(part, TensorLike) and dtype is not None:
            found = part.dtype.base_dtype  # type: ignore[attr-defined]
            if found is not dtype.base_dtype:
                raise TypeError(
                    f"Cannot convert a list containing a tensor of dtype {found.name} to "
                    f"{dtype.name} (Tensor is: {part!r})"
                )
    parts = [convert_to_tensor(v, dtype, str(i)) for i, v in enumerate(value)]
    from workbench.core.ops.stacking import pack

    return pack(parts, 0, name or "packed")


def _tensor_dtype(values: Any) -> DType | None:
    for value in values:
        if isinstance(value, TensorLike):
            dtype: DType = value.dtype.base_dtype  # type: ignore[attr-defined]
            return dtype
        if isinstance(value, (list, tuple)):
            found = _tensor_dtype(value)
            if found is not None:
                return found
    return None
