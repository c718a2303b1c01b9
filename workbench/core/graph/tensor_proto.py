"""Arrays and ``TensorProto`` messages: how a constant stands in a graph definition."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.dtypes import DType, as_dtype

#: Protocol buffers cannot be larger, so neither can a constant inside one.
MAXIMUM_BYTES = 2**31 - 1

#: The field that holds single values of each type, and how an element is stored in it.
_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int32": "int_val",
    "int16": "int_val",
    "int8": "int_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "qint8": "int_val",
    "quint8": "int_val",
    "qint16": "int_val",
    "quint16": "int_val",
    "qint32": "int_val",
    "string": "string_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
}
#: Types whose arrays are stored as they lie in memory; small ones of others, element by element.
_PACKED = {
    *("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    *("uint64", "qint8", "quint8", "qint16", "quint16", "qint32"),
}
#: How many elements are stored one by one at the most: each is a Python object on the way.
_MOST_LISTED = 4096
#: From so many equal elements on, a constant is stored as one that is repeated.
_FEWEST_REPEATED = 64
#: So many bytes are compared at a time.
_COMPARED_BYTES = 1 << 20
_PARTS = {"complex64": np.float32, "complex128": np.float64}

#: Kinds of NumPy types whose values an element of each kind of type may be given as.
_ACCEPTED = {"b": "b", "i": "biu", "u": "biu", "f": "biuf", "V": "biufV", "c": "biufc"}


def _leaves(values: Any) -> Iterator[Any]:
    if isinstance(values, (list, tuple)):
        for value in values:
            yield from _leaves(value)
    elif isinstance(values, np.ndarray):
        yield from values.reshape(-1).tolist()
    else:
        yield values


def _first_unfit(values: Any, dtype: DType) -> Any:
    """The first element that cannot be of ``dtype`` (for an error message)."""
    for value in _leaves(values):
        if dtype.name == "string":
            if not isinstance(value, (str, bytes)):
                return value
            continue
        kind = np.asarray(value).dtype.kind
        if kind not in _ACCEPTED[np.dtype(dtype.as_numpy_dtype).kind]:
            return value
    return values


def _strings(values: Any) -> np.ndarray[Any, Any]:
    """An object array of bytes; text is encoded as UTF-8."""
    # Told to make objects, NumPy keeps trailing zero bytes that its own string types cut off.
    array = np.array(values, dtype=object)
    flat = array.reshape(-1)
    encoded = np.empty(flat.shape, dtype=object)
    for index, value in enumerate(flat.tolist()):
        if isinstance(value, str):
            encoded[index] = value.encode("utf-8")
        elif isinstance(value, bytes):
            encoded[index] = value
        else:
            raise TypeError(
                f"Expected string, got {value!r} of type {type(value).__name__!r} instead."
            )
    return encoded.reshape(array.shape)


def _plain_array(values: Any) -> np.ndarray[Any, Any]:
    """An array of the type NumPy finds for Python values, or an error that names the trouble."""
    try:
        array = np.array(values)
    except ValueError:
        raise ValueError(
            f"The nested lists are ragged, so they are not a tensor: {values!r:.200}"
        ) from None
    if array.dtype == object:
        if any(value is None for value in _leaves(values)):
            raise ValueError("None values not supported.")
        if all(isinstance(value, (str, bytes)) for value in _leaves(values)):
            return _strings(values)
        if not all(isinstance(value, int) for value in _leaves(values)):
            value = next(v for v in _leaves(values) if not isinstance(v, (int, float, complex)))
            raise TypeError(
                f"An element of type {type(value).__name__!r} is neither a number nor a string: "
                f"{value!r:.80}"
            )
    return array


def as_ndarray(values: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Numbers, strings, nested lists of them or an array, as the array a constant holds.

    Without ``dtype``, Python floats become float32 and Python integers int32 (int64 where they do
    not fit); an array keeps its type. With it, an array is cast, and Python values must be of that
    kind.

    Raises:
      TypeError: an element is of another kind than ``dtype``.
      ValueError: None, ragged nested lists, or a number that ``dtype`` cannot hold.

    >>> as_ndarray([1.5, 2]).dtype, as_ndarray("text")
    (dtype('float32'), array(b'text', dtype=object))
    """
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    if isinstance(values, (np.ndarray, np.generic)):
        array = np.asarray(values)
        if wanted is None:
            return _strings(array) if array.dtype.kind in "SUO" else array
        if wanted.name == "string":
            return _strings(array)
        if array.dtype.kind in "SU":
            raise TypeError(f"Expected {wanted.name}, got an array of strings instead.")
        return array.astype(wanted.as_numpy_dtype, copy=False)
    if values is None:
        raise ValueError("None values not supported.")
    if wanted is None:
        array = _plain_array(values)
        if array.dtype.kind in "SU":
            return _strings(values)
        if array.dtype == np.float64 and not _holds_arrays(values):
            return array.astype(np.float32)
        if array.dtype == np.int64 and not _holds_arrays(values):
            narrow = array.astype(np.int32)
            return narrow if np.array_equal(narrow, array) else array
        if array.dtype == object and isinstance(array.flat[0], int):
            unfit = _first_unfit(values, as_dtype("float64"))
            raise ValueError(f"{unfit!r} fits in no integer type.")
        return array
    if wanted.name == "string":
        return _strings(values)
    if wanted.name not in _FIELDS:
        raise TypeError(f"A constant cannot be of type {wanted.name}.")
    target = np.dtype(wanted.as_numpy_dtype)
    try:
        array = _plain_array(values)
    except TypeError:
        array = _plain_array(_without_indices(values))
    if array.size and array.dtype != object and array.dtype.kind not in _ACCEPTED[target.kind]:
        unfit = _first_unfit(values, wanted)
        raise TypeError(
            f"Expected {wanted.name}, got {unfit!r:.200} of type {type(unfit).__name__!r} instead."
        )
    if target.kind in "iu" and array.size:
        limits = np.iinfo(target)
        low, high = array.min(), array.max()
        if int(low) < limits.min or int(high) > limits.max:
            unfit = low if int(low) < limits.min else high
            raise ValueError(
                f"{unfit} does not fit in {wanted.name}, which holds {limits.min} to {limits.max}."
            )
    with np.errstate(over="ignore"):
        return array.astype(target)


def _holds_arrays(values: Any) -> bool:
    """True where a nested list holds NumPy values, whose types were chosen by the user."""
    if isinstance(values, (list, tuple)):
        return bool(values) and _holds_arrays(values[0])
    return hasattr(values, "__array__")


def _without_indices(values: Any) -> Any:
    """Nested lists with integers in place of what stands for one, such as a Dimension."""
    if isinstance(values, (list, tuple)):
        return [_without_indices(value) for value in values]
    index = getattr(values, "__index__", None)
    return values if index is None or isinstance(values, (int, np.generic)) else index()


def make_tensor_proto(
    values: Any, dtype: Any = None, shape: Sequence[int] | None = None, verify_shape: bool = False
) -> Any:
    """A ``TensorProto`` with these values.

    Args:
      values: a number, a string, nested lists of them, or an array.
      dtype: the type of the elements; found from the values where it is None.
      shape: the shape; found from the values where it is None. Fewer values than it has elements
        are filled up with the last of them.
      verify_shape: whether values of another shape are an error.

    Raises:
      TypeError: values of another kind than ``dtype``, or of another shape if that is verified.
      ValueError: more values than ``shape`` has elements, None, ragged lists, or more than 2 GB.

    >>> make_tensor_proto(1.5, shape=[2, 3]).float_val
    [1.5]
    """
    from workbench.core.protos import TensorProto

    if isinstance(values, TensorProto):
        return values
    array = as_ndarray(values, dtype)
    data_type = as_dtype(array.dtype if dtype is None else dtype).base_dtype
    sizes = array.shape if shape is None else tuple(int(size) for size in shape)
    count = math.prod(sizes)
    if verify_shape and sizes != array.shape:
        raise TypeError(f"Expected Tensor's shape: {sizes}, got {array.shape}.")
    if array.size > count:
        raise ValueError(
            f"Too many elements provided. Needed at most {count} for shape {sizes}, but received "
            f"{array.size}."
        )
    proto = TensorProto(dtype=data_type.as_datatype_enum)
    proto.tensor_shape.SetInParent()
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    if data_type.name == "string":
        proto.string_val.extend(array.reshape(-1).tolist())
        return proto
    if array.nbytes > MAXIMUM_BYTES:
        raise ValueError(
            f"Cannot create a tensor proto whose content is larger than 2GB: shape {sizes} of "
            f"{data_type.name} takes {array.nbytes} bytes. Feed or load so much data instead."
        )
    if array.size == count > 1 and (data_type.name in _PACKED or count > _MOST_LISTED):
        proto.tensor_content = array.tobytes()
        return proto
    flat = np.ascontiguousarray(array).reshape(-1)
    if data_type.name in _PARTS:
        flat = flat.view(_PARTS[data_type.name])
    elif data_type.name in ("float16", "bfloat16"):
        flat = flat.view(np.uint16)
    getattr(proto, _FIELDS[data_type.name]).extend(flat.tolist())
    return proto


def make_constant_proto(array: np.ndarray[Any, Any], dtype: DType | None = None) -> Any:
    """The ``TensorProto`` of a constant: where all of many elements are the same, it has one.

    So TensorFlow writes constants that are filled, however large they are.

    >>> make_constant_proto(np.zeros([1000, 1000], np.float32)).ByteSize()
    20
    """
    if _is_uniform(array):
        return make_tensor_proto(array.reshape(-1)[:1], dtype, array.shape)
    return make_tensor_proto(array, dtype)


def _is_uniform(array: np.ndarray[Any, Any]) -> bool:
    """Whether many elements are the same, bit by bit."""
    if array.size < _FEWEST_REPEATED or array.dtype == object:
        return False
    each = array.itemsize
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    first, second = content[:-each], content[each:]
    return all(
        np.array_equal(
            first[start : start + _COMPARED_BYTES], second[start : start + _COMPARED_BYTES]
        )
        for start in range(0, first.size, _COMPARED_BYTES)
    )


def make_ndarray(tensor: Any) -> np.ndarray[Any, Any]:
    """The array that a ``TensorProto`` holds; strings are an object array of bytes.

    Raises:
      TypeError: the type has no array form (a resource or variant).
      InvalidArgumentError: the content does not fit the shape the message states.

    >>> make_ndarray(make_tensor_proto(1.5, shape=[2, 2]))
    array([[1.5, 1.5],
           [1.5, 1.5]], dtype=float32)
    """
    dtype = as_dtype(tensor.dtype).base_dtype if tensor.dtype else None
    if dtype is None or dtype.name not in _FIELDS:
        name = "no type" if dtype is None else dtype.name
        raise TypeError(f"A TensorProto of {name} cannot be made an array")
    sizes = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in sizes):
        raise InvalidArgumentError(
            None, None, f"A TensorProto must state its whole shape, but it states {sizes}"
        )
    count = math.prod(sizes)
    numpy_dtype = np.dtype(dtype.as_numpy_dtype)
    content: bytes = tensor.tensor_content
    if content and dtype.name != "string":
        if len(content) != count * numpy_dtype.itemsize:
            raise InvalidArgumentError(
                None,
                None,
                f"A TensorProto states shape {sizes} of {dtype.name}, which takes "
                f"{count * numpy_dtype.itemsize} bytes, but holds {len(content)} bytes",
            )
        # A copy, because what lies over the message's own bytes could not be written to.
        return np.frombuffer(content, numpy_dtype).reshape(sizes).copy()
    found = _listed_values(tensor, dtype)
    if found.size > count:
        raise InvalidArgumentError(
            None,
            None,
            f"A TensorProto states shape {sizes} of {dtype.name}, which has {count} elements, but "
            f"holds {found.size}",
        )
    result = np.empty(count, numpy_dtype)
    result[: found.size] = found
    if found.size < count:
        # What is missing repeats the last value; of no value at all, zeros are meant.
        nothing: Any = b"" if dtype.name == "string" else 0
        result[found.size :] = found[-1] if found.size else nothing
    return result.reshape(sizes)


def _listed_values(tensor: Any, dtype: DType) -> np.ndarray[Any, Any]:
    values = getattr(tensor, _FIELDS[dtype.name])
    if dtype.name == "string":
        found = np.empty(len(values), dtype=object)
        found[:] = list(values)
        return found
    if dtype.name in _PARTS:
        parts = np.array(values, dtype=_PARTS[dtype.name])
        return parts[: parts.size // 2 * 2].view(dtype.as_numpy_dtype)
    if dtype.name in ("float16", "bfloat16"):
        return np.array(values, dtype=np.uint16).view(dtype.as_numpy_dtype)
    return np.array(values).astype(dtype.as_numpy_dtype)
