"""Where the interpreter's and NumPy's objects keep what the entry reads; found out, then verified.

The entry reads objects directly, as C code with their headers would. None of these offsets is
taken for granted: each is compared with what Python says before the first entry is made, and where
one is different, there are no entries in this process.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from workbench.core.codegen.entry_layout import OBJECT
from workbench.core.codegen.unsupported import Unsupported

#: Places in NumPy's table of functions, which its binary interface fixes.
_SCALAR_FUNCTION = 60
_EMPTY_FUNCTION = 184

#: Flags of an array, as NumPy defines them.
CONTIGUOUS, ALIGNED, WRITEABLE = 0x0001, 0x0100, 0x0400

#: The number of the slot `tp_alloc`, of the interpreter's stable interface.
_ALLOCATE = 47

#: `PyMemberDescrObject.d_member`, and in it the name, the type and the offset.
_MEMBER = 40
_OBJECT_MEMBERS = (6, 16)

_NUMBERS: dict[str, Any] = {
    "bool": True,
    "int8": -77,
    "int16": -12345,
    "int32": -123456789,
    "int64": -1234567890123456789,
    "uint8": 177,
    "uint16": 54321,
    "uint32": 3123456789,
    "uint64": 12345678901234567890,
    "float16": 1.2345,
    "float32": 1.2345678,
    "float64": 1.23456789012345,
}


def _word(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def _int32(address: int) -> int:
    return ctypes.c_int32.from_address(address).value


@functools.cache
def scalar_offset(dtype: str) -> int | None:
    """Where a NumPy scalar of a dtype has its number, in bytes from its beginning.

    >>> scalar_offset("float32")
    16
    """
    kind = np.dtype(dtype)
    if dtype not in _NUMBERS:
        return None
    first, second = kind.type(_NUMBERS[dtype]), kind.type(1)
    size = type(first).__basicsize__
    for offset in range(16, size - kind.itemsize + 1, kind.itemsize):
        if all(
            ctypes.string_at(id(value) + offset, kind.itemsize) == value.tobytes()
            for value in (first, second)
        ):
            return offset
    return None


@functools.cache
def allocator(dtype: str) -> int:
    """The address of the function `(type, 0)` that allocates a NumPy scalar of a dtype."""
    get = ctypes.pythonapi.PyType_GetSlot
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_int]
    found: int = get(np.dtype(dtype).type, _ALLOCATE)
    return found


@functools.cache
def numpy_functions() -> tuple[int, int]:
    """The addresses of NumPy's functions that make an empty array, and a scalar from memory."""
    capsule = np._core._multiarray_umath._ARRAY_API  # type: ignore[attr-defined]
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    functions = get(capsule, None)
    return _word(functions + 8 * _EMPTY_FUNCTION), _word(functions + 8 * _SCALAR_FUNCTION)


def slot_address(holder: Any, name: str) -> int:
    """Where an object of a class with `__slots__` keeps the address of one of its attributes.

    The attribute is set and holds an object.
    """
    descriptor = getattr(type(holder), name, None)
    if type(descriptor).__name__ != "member_descriptor":
        raise Unsupported(f"{type(holder).__name__}.{name} is no slot")
    member = _word(id(descriptor) + _MEMBER)
    if ctypes.string_at(_word(member)) != name.encode():
        raise Unsupported("this interpreter keeps slots elsewhere")
    kind, offset = _int32(member + 8), _word(member + 16)
    found = id(holder) + offset
    if kind not in _OBJECT_MEMBERS or _word(found) != id(getattr(holder, name)):
        raise Unsupported("this interpreter keeps slots elsewhere")
    return found


@functools.cache
def verify() -> None:
    """Compares the offsets with what Python says.

    Raises:
      Unsupported: this interpreter or NumPy keeps things elsewhere.
    """
    for wrong in _differences():
        raise Unsupported(f"this interpreter or NumPy keeps {wrong} elsewhere")


def _differences() -> list[str]:
    """What is elsewhere. An address is followed only when all signs say that it is one."""
    arrays = _samples()
    wrong = [what for array in arrays for what in _different_words(array)]
    wrong = wrong or [what for array in arrays for what in _different_contents(array)]
    if not wrong:
        empty, scalar = numpy_functions()
        if not (_makes_arrays(empty) and _makes_scalars(scalar)):
            wrong.append("its functions")
        if not all(map(_allocates, ("float32", "float64", "int32", "int64"))):
            wrong.append("scalars")
    return wrong


def _samples() -> list[np.ndarray[Any, Any]]:
    locked = np.arange(6, dtype=np.int64)[::2]
    locked.flags.writeable = False
    return [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        locked,
        np.zeros((1, 2, 3), np.dtype(np.float64).newbyteorder()),
        np.frombuffer(bytearray(17), np.int32, 4, 1),
    ]


def _different_words(array: np.ndarray[Any, Any]) -> list[str]:
    base = id(array)
    shape = OBJECT["SHAPE_OFFSET"]
    flags = _int32(base + OBJECT["FLAGS_OFFSET"])
    right = {
        "types": _word(base + OBJECT["TYPE_OFFSET"]) == id(np.ndarray),
        "data": _word(base + OBJECT["DATA_OFFSET"]) == array.ctypes.data,
        "ranks": _int32(base + OBJECT["NDIM_OFFSET"]) == array.ndim,
        # The strides follow the sizes, in the array and in memory.
        "shapes": _word(base + shape + 8) == _word(base + shape) + 8 * array.ndim,
        "dtypes": _word(base + OBJECT["DESCRIPTION_OFFSET"]) == id(array.dtype),
        "flags": (
            bool(flags & CONTIGUOUS) == array.flags.c_contiguous
            and bool(flags & ALIGNED) == array.flags.aligned
            and bool(flags & WRITEABLE) == array.flags.writeable
        ),
    }
    return [what for what, is_right in right.items() if not is_right]


def _different_contents(array: np.ndarray[Any, Any]) -> list[str]:
    shape = _word(id(array) + OBJECT["SHAPE_OFFSET"])
    description = id(array.dtype)
    order = ctypes.string_at(description + OBJECT["BYTE_ORDER_OFFSET"], 1)
    right = {
        "sizes": tuple(_word(shape + 8 * i) for i in range(array.ndim)) == array.shape,
        "byte orders": order == array.dtype.byteorder.encode(),
        "type numbers": (_int32(description + OBJECT["TYPE_NUMBER_OFFSET"]) == array.dtype.num),
    }
    return [what for what, is_right in right.items() if not is_right]


def _makes_arrays(function: int) -> bool:
    kind = np.dtype(np.int16)
    # The function takes a reference, which ctypes does not give.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kind))
    make = ctypes.PYFUNCTYPE(
        ctypes.py_object, ctypes.c_int, ctypes.c_void_p, ctypes.py_object, ctypes.c_int
    )(function)
    shape = np.array([3, 5], np.int64)
    made = make(2, shape.ctypes.data, kind, 0)
    return type(made) is np.ndarray and made.shape == (3, 5) and made.dtype == kind


def _makes_scalars(function: int) -> bool:
    number = np.array([2.5], np.float32)
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
        function
    )
    made = make(number.ctypes.data, number.dtype, None)
    return type(made) is np.float32 and made == 2.5


def _allocates(dtype: str) -> bool:
    kind, offset = np.dtype(dtype), scalar_offset(dtype)
    if offset is None:
        return False
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_ssize_t)(allocator(dtype))
    made = make(kind.type, 0)
    number = kind.type(_NUMBERS[dtype])
    ctypes.memmove(id(made) + offset, number.tobytes(), kind.itemsize)
    return type(made) is kind.type and made == number
