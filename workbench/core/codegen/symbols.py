"""The functions outside a module that machine code may call: a fixed list.

LLVM ends the process when code to be loaded calls what nobody provides, so objects are looked
through first.
"""

from __future__ import annotations

import ctypes
import functools
import struct

from workbench.core.codegen.llvm import use

#: Of the C library: what the driver calls, and what LLVM itself calls for copies and mathematics.
_LIBRARY = (
    "syscall sched_yield sched_getcpu sched_setaffinity clock_gettime memcpy memmove memset "
    "memcmp fmod fmodf pow powf exp expf exp2 exp2f log logf log2 log2f log10 log10f sin sinf "
    "cos cosf tan tanf asin asinf acos acosf atan atanf atan2 atan2f sinh sinhf cosh coshf "
    "tanh tanhf asinh asinhf acosh acoshf atanh atanhf erf erff erfc erfcf expm1 expm1f log1p "
    "log1pf cbrt cbrtf fma fmaf floor floorf ceil ceilf trunc truncf rint rintf round roundf "
    "roundeven roundevenf nearbyint nearbyintf ldexp ldexpf frexp frexpf lgamma lgammaf"
).split()

#: Of the interpreter.
_PYTHON = (
    "PyEval_SaveThread PyEval_RestoreThread Py_IncRef Py_DecRef PyFloat_AsDouble PyList_New "
    "PyList_SetItem PyList_Size PyList_GetItem PyTuple_New PyTuple_SetItem PyTuple_Size "
    "PyTuple_GetItem PyDict_Size PyDict_Next PyObject_CallOneArg PyObject_CallNoArgs"
).split()

_RELOCATABLE = 1
_SYMBOL_TABLE = 2


@functools.cache
def address_of(name: str) -> int | None:
    """The address of a function of the list; None for others, and where this system has it not."""
    if name in _PYTHON:
        function = getattr(ctypes.pythonapi, name, None)
    elif name in _LIBRARY:
        function = getattr(ctypes.CDLL(None), name, None)
    else:
        return None
    return ctypes.cast(function, ctypes.c_void_p).value if function else None


@functools.cache
def _addresses() -> dict[str, int]:
    """The addresses of those of the list that this system has."""
    found = {name: address_of(name) for name in (*_LIBRARY, *_PYTHON)}
    return {name: address for name, address in found.items() if address}


@functools.cache
def provide_symbols() -> None:
    """Tells LLVM where the functions are."""
    with use() as llvm:
        for name, address in _addresses().items():
            llvm.add_symbol(name, address)


def unresolved(data: bytes) -> set[str]:
    """What an object file calls and nobody provides; only known of ELF files."""
    return {name for name in undefined(data) if name not in _addresses()}


def undefined(data: bytes) -> set[str]:
    """The names that an ELF object file of 64 bits, little-endian, leaves to others."""
    if data[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", data, 16)[0] != _RELOCATABLE:
        return set()
    sections_at = struct.unpack_from("<Q", data, 40)[0]
    size, count = struct.unpack_from("<HH", data, 58)
    names: set[str] = set()
    for index in range(count):
        header = sections_at + index * size
        kind = struct.unpack_from("<I", data, header + 4)[0]
        if kind != _SYMBOL_TABLE:
            continue
        offset, length = struct.unpack_from("<QQ", data, header + 24)
        linked = struct.unpack_from("<I", data, header + 40)[0]
        strings = struct.unpack_from("<Q", data, sections_at + linked * size + 24)[0]
        for entry in range(offset, offset + length, 24):
            name_at, _, _, section = struct.unpack_from("<IBBH", data, entry)
            if section == 0 and name_at:
                start = strings + name_at
                names.add(data[start : data.index(b"\0", start)].decode())
    # The loader's own.
    return names - {"_GLOBAL_OFFSET_TABLE_"}
