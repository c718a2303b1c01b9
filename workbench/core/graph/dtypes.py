"""Element types of tensors."""

from __future__ import annotations

from builtins import bool as python_bool
from typing import Any, cast

import numpy as np

_REFERENCE_OFFSET = 100
_BFLOAT16 = "bfloat16"


class DType:
    """The type of a tensor's elements.

    Two dtypes are equal when they name the same type; anything `as_dtype` accepts may be compared.

    >>> import workbench as tf
    >>> tf.float32.as_numpy_dtype, tf.float32.size, tf.float32 == "float32"
    (<class 'numpy.float32'>, 4, True)
    """

    __slots__ = ("_enum", "_name", "_numpy", "_reference", "numpy_dtype")

    def __init__(
        self, name: str, enum: int, numpy_type: Any, reference: python_bool = False
    ) -> None:
        self._name = name
        self._enum = enum
        self._reference = reference
        if numpy_type is not None:
            self._numpy = numpy_type
            #: The `numpy.dtype` instance, ready for `array.dtype is dtype.numpy_dtype` checks.
            self.numpy_dtype: np.dtype[Any] = np.dtype(numpy_type)

    def __getattr__(self, name: str) -> Any:
        """What `bfloat16` is in NumPy: the package that has it is loaded when somebody asks."""
        if name in ("_numpy", "numpy_dtype") and self._name == _BFLOAT16:
            import ml_dtypes

            self._numpy = ml_dtypes.bfloat16
            self.numpy_dtype = np.dtype(ml_dtypes.bfloat16)
            return getattr(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def name(self) -> str:
        """The name, such as "float32" or "float32_ref"."""
        return self._name + "_ref" if self._reference else self._name

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy scalar type; `object` for strings."""
        return self._numpy

    @property
    def as_datatype_enum(self) -> int:
        """The number TensorFlow's DataType enum gives this type."""
        return self._enum + (_REFERENCE_OFFSET if self._reference else 0)

    @property
    def base_dtype(self) -> DType:
        """The type without the reference mark of a variable."""
        return _BY_NAME[self._name] if self._reference else self

    @property
    def real_dtype(self) -> DType:
        """The type of the real and imaginary parts."""
        if self._name == "complex64":
            return float32
        if self._name == "complex128":
            return float64
        return self.base_dtype

    @property
    def _is_ref_dtype(self) -> python_bool:
        return self._reference

    @property
    def _as_ref(self) -> DType:
        return _REFERENCES[self._name]

    @property
    def is_floating(self) -> python_bool:
        """True for float16, bfloat16, float32 and float64."""
        return self._name in _FLOATING

    @property
    def is_complex(self) -> python_bool:
        """True for complex64 and complex128."""
        return self._name in ("complex64", "complex128")

    @property
    def is_integer(self) -> python_bool:
        """True for the signed and unsigned integers that are not quantized."""
        return self._name in _INTEGERS

    @property
    def is_unsigned(self) -> python_bool:
        """True for unsigned integers."""
        return self._name in ("uint8", "uint16", "uint32", "uint64")

    @property
    def is_bool(self) -> python_bool:
        """True for bool."""
        return self._name == "bool"

    @property
    def is_quantized(self) -> python_bool:
        """True for the quantized integers."""
        return self._name in ("qint8", "quint8", "qint16", "quint16", "qint32")

    @property
    def is_numpy_compatible(self) -> python_bool:
        """True when tensors of this type are NumPy arrays of the same type."""
        return self._name not in ("resource", "variant")

    @property
    def size(self) -> int:
        """Bytes of one element; 1 for strings, resources and variants as in TensorFlow."""
        return 1 if self._numpy is object else int(self.numpy_dtype.itemsize)

    @property
    def min(self) -> Any:
        """The smallest finite value; raises TypeError where there is none."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The largest finite value; raises TypeError where there is none."""
        return self._limit("max")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range of image intensities: (0, 1) for floats, (0, max) for integers."""
        if self.is_floating:
            return (0, 1)
        if self.is_bool:
            return (False, True)
        return (0, self.max)

    def _limit(self, which: str) -> Any:
        base = self.base_dtype
        if base.is_floating:
            import ml_dtypes

            limits: Any = ml_dtypes.finfo(base._numpy)  # type: ignore[no-untyped-call]
            return base._numpy(getattr(limits, which))
        if base.is_integer or base.is_quantized:
            return base._numpy(getattr(np.iinfo(base._numpy), which))
        if base.is_bool:
            return which == "max"
        raise TypeError(f"{self.name} has no {which}imum: only real numbers have one")

    def is_compatible_with(self, other: Any) -> python_bool:
        """True when a tensor of `other` can be used where this type is asked for."""
        other = as_dtype(other)
        return self._name == other._name and (self._reference or not other._reference)

    def __eq__(self, other: object) -> python_bool:
        if other is None:
            return False
        if isinstance(other, DType):
            return self is other
        if other is int:
            # A Python integer becomes an int32, but has the range of none.
            return False
        try:
            return self is as_dtype(other)
        except TypeError:
            return False

    def __ne__(self, other: object) -> python_bool:
        return not self == other

    def __hash__(self) -> int:
        return self.as_datatype_enum

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __int__(self) -> int:
        return self.as_datatype_enum

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return as_dtype, (self.name,)


_TABLE: list[tuple[str, int, Any]] = [
    ("float32", 1, np.float32),
    ("float64", 2, np.float64),
    ("int32", 3, np.int32),
    ("uint8", 4, np.uint8),
    ("int16", 5, np.int16),
    ("int8", 6, np.int8),
    ("string", 7, object),
    ("complex64", 8, np.complex64),
    ("int64", 9, np.int64),
    ("bool", 10, np.bool_),
    ("qint8", 11, np.int8),
    ("quint8", 12, np.uint8),
    ("qint32", 13, np.int32),
    (_BFLOAT16, 14, None),
    ("qint16", 15, np.int16),
    ("quint16", 16, np.uint16),
    ("uint16", 17, np.uint16),
    ("complex128", 18, np.complex128),
    ("float16", 19, np.float16),
    ("resource", 20, object),
    ("variant", 21, object),
    ("uint32", 22, np.uint32),
    ("uint64", 23, np.uint64),
]
_FLOATING = frozenset({"float16", "bfloat16", "float32", "float64"})
_INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"})

_BY_NAME: dict[str, DType] = {n: DType(n, e, t) for n, e, t in _TABLE}
_REFERENCES: dict[str, DType] = {n: DType(n, e, t, reference=True) for n, e, t in _TABLE}
# Strings and variants are both objects to NumPy; where lists hold lists, the two are told apart.
_BY_NAME["variant"].numpy_dtype = np.dtype(object, metadata={"variant": True})

float32 = _BY_NAME["float32"]
float64 = double = _BY_NAME["float64"]
int32 = _BY_NAME["int32"]
uint8 = _BY_NAME["uint8"]
int16 = _BY_NAME["int16"]
int8 = _BY_NAME["int8"]
string = _BY_NAME["string"]
complex64 = _BY_NAME["complex64"]
int64 = _BY_NAME["int64"]
bool = _BY_NAME["bool"]
qint8 = _BY_NAME["qint8"]
quint8 = _BY_NAME["quint8"]
qint32 = _BY_NAME["qint32"]
bfloat16 = _BY_NAME["bfloat16"]
qint16 = _BY_NAME["qint16"]
quint16 = _BY_NAME["quint16"]
uint16 = _BY_NAME["uint16"]
complex128 = _BY_NAME["complex128"]
float16 = half = _BY_NAME["float16"]
resource = _BY_NAME["resource"]
variant = _BY_NAME["variant"]
uint32 = _BY_NAME["uint32"]
uint64 = _BY_NAME["uint64"]
float32_ref = _REFERENCES["float32"]

QUANTIZED_DTYPES = frozenset(
    {qint8, quint8, qint16, quint16, qint32}
    | {t._as_ref for t in (qint8, quint8, qint16, quint16, qint32)}
)

#: Everything `as_dtype` looks up at once: DTypes, names, enum numbers, NumPy and Python types.
_LOOKUP: dict[Any, DType] = {}
for _type in (*_REFERENCES.values(), *_BY_NAME.values()):
    _LOOKUP[_type.name] = _type
    _LOOKUP[_type.as_datatype_enum] = _type
for _name in """
    float32 float64 int32 uint8 int16 int8 complex64 int64 bool uint16
    complex128 float16 uint32 uint64
    """.split():
    _type = _BY_NAME[_name]
    _LOOKUP[_type.as_numpy_dtype] = _type
    _LOOKUP[_type.numpy_dtype] = _type
_LOOKUP.update({"half": float16, "float": float32, "double": float64, float: float32, int: int32})
_LOOKUP.update(
    {
        str: string,
        bytes: string,
        object: string,
        np.str_: string,
        np.bytes_: string,
        complex: complex128,
    }
)
_LOOKUP[np.dtype(object)] = string
_LOOKUP[python_bool] = bool


def as_dtype(type_value: Any) -> DType:
    """The `DType` for a DType, a NumPy dtype, a Python type, a name or an enum number.

    Raises TypeError for anything else.

    >>> import workbench as tf
    >>> tf.as_dtype("int64"), tf.as_dtype(float), tf.as_dtype(3)
    (tf.int64, tf.float32, tf.int32)
    """
    if isinstance(type_value, DType):
        return type_value
    try:
        found = _LOOKUP.get(type_value)
    except TypeError:
        found = None
    if found is not None:
        return found
    if not isinstance(type_value, (int, str)) or isinstance(type_value, python_bool):
        try:
            numpy_dtype: np.dtype[Any] = np.dtype(cast(Any, type_value))
        except TypeError:
            pass
        else:
            if numpy_dtype.kind in "SU":
                return string
            if numpy_dtype in _LOOKUP:
                return _LOOKUP[numpy_dtype]
            if numpy_dtype.name == _BFLOAT16:
                _LOOKUP[numpy_dtype] = _LOOKUP[numpy_dtype.type] = bfloat16
                return bfloat16
    elif isinstance(type_value, str):
        try:
            return _LOOKUP[np.dtype(type_value)]
        except (TypeError, KeyError):
            pass
    raise TypeError(f"Cannot convert {type_value!r} to a dtype")
