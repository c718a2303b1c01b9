"""Converting tensors to other types."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import UnimplementedError
from workbench.core.graph import dtypes
from workbench.core.graph.composite import IndexedSlices, SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import listing
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _cast(x: Any, *, DstT: Any, out: Any = None) -> Any:
    array = np.asarray(x)
    if array.dtype.kind == "c" and np.dtype(DstT).kind not in "cb":
        array = array.real
    with np.errstate(invalid="ignore", over="ignore"):
        if out is None:
            return array.astype(DstT)
        np.copyto(out, array, casting="unsafe")
        return out


def _cast_gradient(op: Any, dy: Any) -> Any:
    source = op.inputs[0].dtype.base_dtype
    target = dy.dtype.base_dtype
    if all(t.is_floating or t.is_complex for t in (source, target)):
        return cast(dy, source)
    return None


declare(
    "Cast",
    inputs="x: SrcT",
    outputs="y: DstT",
    attrs="SrcT: type, DstT: type, Truncate: bool = false",
    shape=shape_rules.first,
    kernel=_cast,
    gradient=_cast_gradient,
    samples=[
        sample([1.7, -1.7], DstT="int32", want=[1, -1]),
        sample([0.0, 0.5], DstT="bool", want=[False, True]),
        sample([1.5, -2.25], DstT="float64", want=[1.5, -2.25]),
        sample([1.5 + 2j], DstT="float32", want=[1.5], gradient=()),
        sample([1.5], DstT="complex64", want=[1.5 + 0j], gradient=()),
        sample([True, False], DstT="float32", want=[1.0, 0.0]),
        sample([300], DstT="uint8", want=[44]),
    ],
)


def _bitcast_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    old, new = op.inputs[0].dtype.size, op.attrs["type"].size
    if entries is None or old == new:
        return [entries]
    if old > new:
        return [(*entries, old // new)]
    if not entries or (isinstance(entries[-1], int) and entries[-1] != new // old):
        raise ValueError(
            f"Cannot bitcast due to shape: the last axis must have size {new // old}, to make one "
            f"{op.attrs['type'].name} of its elements"
        )
    return [entries[:-1]]


_BITS = "{bfloat16, half, float, double, int64, int32, uint8, uint16, int8, int16, complex64, "
_BITS += "complex128, uint32, uint64, qint8, quint8, qint16, quint16, qint32}"
declare(
    "Bitcast",
    inputs="input: T",
    outputs="output: type",
    attrs=f"T: {_BITS}, type: {_BITS}",
    shape=_bitcast_shape,
    kernel=listing.bitcast,
    gradient=NOT_DIFFERENTIABLE,
    aliases_input=True,
    samples=[
        sample([1.0, -2.0], type="int32", want=[0x3F800000, -0x40000000]),
        sample([258], type="uint8", want=[[2, 1, 0, 0]]),
        sample([[1, 0]], type="int64", want=[1]),
    ],
)


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` in another type: floats are cut to integers, anything but 0 is True.

    Casts the values of a SparseTensor or IndexedSlices. `x` itself where it has the type already.

    >>> import workbench as tf
    >>> tf.cast([1.8, -2.2], tf.int32).eval().tolist()
    [1, -2]
    """
    target = as_dtype(dtype).base_dtype
    with name_scope(name, "Cast", [x]) as scope:
        if isinstance(x, SparseTensor):
            values = cast(x.values, target, scope)
            return SparseTensor(indices=x.indices, values=values, dense_shape=x.dense_shape)
        if isinstance(x, IndexedSlices):
            return IndexedSlices(cast(x.values, target, scope), x.indices, x.dense_shape)
        x = convert_to_tensor(x, name="x")
        if x.dtype.base_dtype is target:
            return x
        if target is dtypes.string or x.dtype.base_dtype is dtypes.string:
            raise UnimplementedError(
                None,
                None,
                f"Cast {x.dtype.base_dtype.name} to {target.name} is not supported: use "
                "tf.as_string or tf.string_to_number",
            )
        return call("Cast", scope, x=x, DstT=target)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """`value` in another type, with what is out of its range cut to the nearest limit.

    >>> import workbench as tf
    >>> tf.saturate_cast([-5.0, 300.0], tf.uint8).eval().tolist()
    [0, 255]
    """
    with name_scope(name, "saturate_cast", [value]):
        value = convert_to_tensor(value, name="value")
        source, target = value.dtype.base_dtype, as_dtype(dtype).base_dtype
        if _number(source.min) < _number(target.min):
            value = api.maximum(value, api.constant(_limit(source, target.min), name="min"))
        if _number(source.max) > _number(target.max):
            value = api.minimum(value, api.constant(_limit(source, target.max), name="max"))
        result: Tensor = cast(value, target)
        return result


def _number(limit: Any) -> int:
    """The limit of a type as a Python number, which compares exactly with any other."""
    return int(limit) if isinstance(limit, np.integer) else int(float(limit))


def _limit(source: DType, bound: Any) -> Any:
    """The number of type `source` nearest to `bound` that is not beyond it."""
    nearest = source.as_numpy_dtype(bound)
    if abs(_number(nearest)) > abs(_number(bound)):
        return np.nextafter(nearest, source.as_numpy_dtype(0))
    return nearest


def to_float(x: Any, name: str = "ToFloat") -> Any:
    """`x` as float32."""
    return cast(x, dtypes.float32, name)


def to_double(x: Any, name: str = "ToDouble") -> Any:
    """`x` as float64."""
    return cast(x, dtypes.float64, name)


def to_complex64(x: Any, name: str = "ToComplex64") -> Any:
    """`x` as complex64."""
    return cast(x, dtypes.complex64, name)


def to_complex128(x: Any, name: str = "ToComplex128") -> Any:
    """`x` as complex128."""
    return cast(x, dtypes.complex128, name)


def to_int32(x: Any, name: str = "ToInt32") -> Any:
    """`x` as int32."""
    return cast(x, dtypes.int32, name)


def to_int64(x: Any, name: str = "ToInt64") -> Any:
    """`x` as int64."""
    return cast(x, dtypes.int64, name)


def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Any:
    """`x` as bfloat16."""
    return cast(x, dtypes.bfloat16, name)


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The same bits read as another type.

    A type of half the size adds an axis of size 2 at the end, one of twice the size takes it away.

    >>> import workbench as tf
    >>> hex(tf.bitcast(1.0, tf.int32).eval())
    '0x3f800000'
    """
    return call("Bitcast", name, input=input, type=type)
