"""Kernels of one function each, a flat loop over its arguments, and numbers to try them with."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from workbench.core.codegen import host
from workbench.core.codegen.compiler import KERNEL_TYPE, Library
from workbench.core.codegen.emitter import Emitter, Register, element_type, memory_type
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.module import NAME, module_text, named
from workbench.core.codegen.specs import Code
from workbench.core.codegen.target import Target

Array = np.ndarray[Any, Any]

#: Code with the instructions of this machine.
HERE: Target | None = host.target()

FLOATS = ("float32", "float64", "float16", "bfloat16")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
DTYPES = (*FLOATS, *INTEGERS, "bool")


def numpy_dtype(name: str) -> np.dtype[Any]:
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


@dataclass(frozen=True)
class Case:
    """A function with dtypes; constants (numbers) may stand in for its last arguments."""

    function: str
    dtype: str
    arguments: tuple[str, ...]
    constants: tuple[float, ...] = ()
    lanes: int = 16


def unary(function: str, dtype: str, result: str = "", lanes: int = 16) -> Case:
    return Case(function, result or dtype, (dtype,), lanes=lanes)


def binary(function: str, dtype: str, result: str = "", lanes: int = 16) -> Case:
    return Case(function, result or dtype, (dtype, dtype), lanes=lanes)


def code_of(case: Case, target: Target | None) -> Code:
    """A loop over whole vectors: the arrays of the arguments, then that of the result."""
    emitter = Emitter(target)
    index = Register("%i", "i64")
    operands = len(case.arguments) - len(case.constants)
    loaded = [
        emitter.load_element(
            emitter.offset(Register(f"%p{k}", "ptr"), memory_type(dtype), index), dtype, case.lanes
        )
        for k, dtype in enumerate(case.arguments[:operands])
    ] + [
        emitter.constant(element_type(dtype), value, case.lanes)
        for dtype, value in zip(case.arguments[operands:], case.constants, strict=True)
    ]
    # The first block of the body is called `loop`, whatever blocks a function adds.
    emitter.block = "loop"
    result = emit_function(emitter, case.function, case.dtype, loaded, case.arguments, case.lanes)
    place = emitter.offset(Register(f"%p{operands}", "ptr"), memory_type(case.dtype), index)
    emitter.store_element(result, place, case.dtype, case.lanes)
    pointers = "\n".join(
        f"  %g{k} = getelementptr i64, ptr %args, i64 {k}\n  %p{k} = load ptr, ptr %g{k}"
        for k in range(operands + 1)
    )
    body = "\n".join(emitter.lines)
    text = f"""define void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {{
entry:
{pointers}
  br label %loop
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %{emitter.block} ]
{body}
  %next = add i64 %i, {case.lanes}
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %done
done:
  ret void
}}"""
    return named(text, emitter.declarations, kind="function")


class Functions:
    """The kernels of many cases, compiled together."""

    def __init__(self, cases: Iterable[Case], target: Target | None) -> None:
        self.codes = {case: code_of(case, target) for case in cases}
        self._library = Library(module_text(self.codes.values()))

    def __call__(self, case: Case, *arrays: Any) -> Array:
        """The results for arrays, which are broadcast, flattened and cast as the arguments are."""
        spread = np.broadcast_arrays(*arrays)
        size = spread[0].size
        whole = -(-size // case.lanes) * case.lanes
        operands = [
            np.resize(array.reshape(-1).astype(numpy_dtype(dtype)), whole)
            for array, dtype in zip(spread, case.arguments, strict=False)
        ]
        result = np.empty(whole, numpy_dtype(case.dtype))
        addresses = np.array([a.ctypes.data for a in (*operands, result)], np.int64)
        function = KERNEL_TYPE(self._library.address(self.codes[case].name))
        if whole:
            function(addresses.ctypes.data, 0, whole, ctypes.c_void_p())
        return result[:size]


def same(got: Array, want: Array, signs: bool = True) -> Array:
    """Where two arrays of a dtype agree: equal with the sign of zero, or both NaN."""
    if got.dtype.kind not in "fV":
        return np.asarray(got == want)
    wide, wanted = got.astype(np.float64), want.astype(np.float64)
    equal = wide == wanted
    if signs:
        equal &= np.signbit(wide) == np.signbit(wanted)
    return np.asarray(equal | (np.isnan(wide) & np.isnan(wanted)))


def assert_same(got: Array, want: Array, *arguments: Array) -> None:
    """Fails with the first few elements that differ."""
    wrong = np.flatnonzero(~same(got, want))
    shown = [(*(a.reshape(-1)[i] for a in arguments), got[i], want[i]) for i in wrong[:5]]
    assert not wrong.size, f"{wrong.size} differ; (arguments, got, want): {shown}"


def numbers(dtype: str, size: int = 400, seed: int = 0) -> Array:
    """Numbers of all kinds: the special ones, whole ones, all binades, limits and their like."""
    random = np.random.default_rng(seed)
    kind = numpy_dtype(dtype)
    if dtype == "bool":
        return random.integers(0, 2, size).astype(bool)
    if dtype in INTEGERS:
        limits = np.iinfo(kind)
        special = np.array([limits.min, limits.max, limits.max - 1, limits.max // 2], kind)
        small = random.integers(0 if limits.min == 0 else -9, 10, size // 4).astype(kind)
        large = random.integers(limits.min, limits.max, size // 2, kind, endpoint=True)
        return np.concatenate([special, special[:1] + kind.type(1), small, large])
    bits = np.dtype(f"u{kind.itemsize}")
    anything = random.integers(0, np.iinfo(bits).max, size // 2, bits, endpoint=True).view(kind)
    usual = random.normal(size=size // 4) * 10.0 ** random.integers(-3, 4, size // 4)
    whole = random.integers(-20, 21, size // 4)
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5]
    limits = ml_dtypes.finfo(kind)
    edges = [limits.max, limits.tiny, limits.smallest_subnormal, limits.eps]
    both = [*edges, *(-edge for edge in edges)]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.concatenate(
            [np.asarray(a).astype(kind) for a in (special, both, usual, whole, anything)]
        )


def pairs(dtype: str, seed: int = 0) -> tuple[Array, Array]:
    """Every special number with every other, and random pairs."""
    some = numbers(dtype, 48, seed)
    first, second = (grid.reshape(-1) for grid in np.meshgrid(some, some))
    a, b = numbers(dtype, 800, seed + 1), numbers(dtype, 800, seed + 2)
    np.random.default_rng(seed).shuffle(b)
    return np.concatenate([first, a]), np.concatenate([second, b])


def cases_of(
    functions: Sequence[str], dtypes: Sequence[str], arguments: int, result: str = ""
) -> list[Case]:
    return [
        Case(function, result or dtype, (dtype,) * arguments)
        for dtype in dtypes
        for function in functions
    ]
