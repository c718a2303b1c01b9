"""Loops for the tests of their generators; they run many to a module, with guards."""

from __future__ import annotations

import ctypes
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.core.codegen.running import aligned
from workbench.core.codegen.compiler import KERNEL_TYPE, Library
from workbench.core.codegen.loop_cost import partial_block, partial_count
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.module import module_text
from workbench.core.codegen.specs import LoopSpec, Lowered, Operand, Partial, Step, Store
from workbench.core.codegen.target import Target

Array = np.ndarray[Any, Any]

#: Elements before and after an operand that no kernel may touch.
GUARD = 7


@dataclass
class Builder:
    """Puts a loop together, step by step."""

    shape: tuple[int, ...]
    order: Any = "rows"
    operands: list[Operand] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    partials: list[Partial] = field(default_factory=list)

    def operand(self, dtype: str, strides: Sequence[int] | None = None) -> int:
        """An operand, contiguous unless strides are given."""
        strides = contiguous(self.shape) if strides is None else strides
        self.operands.append(Operand(dtype, tuple(strides)))
        return len(self.operands) - 1

    def load(self, dtype: str = "float32", strides: Sequence[int] | None = None) -> int:
        """A step that loads a new operand."""
        return self.step("load", dtype=dtype, value=self.operand(dtype, strides))

    def constant(self, value: float, dtype: str = "float32") -> int:
        return self.step("constant", dtype=dtype, value=value)

    def step(
        self, function: str, *arguments: int, dtype: str = "float32", value: Any = None
    ) -> int:
        self.steps.append(Step(function, arguments, dtype, value))
        return len(self.steps) - 1

    def store(self, step: int, strides: Sequence[int] | None = None) -> None:
        """Stores a step to a new operand."""
        self.stores.append(Store(step, self.operand(self.steps[step].dtype, strides)))

    def partial(self, function: str, over: Any, step: int) -> None:
        """Leaves the parts of a reduction in a new operand."""
        operand = self.operand(self.steps[step].dtype, (0,) * len(self.shape))
        self.partials.append(Partial(function, over, step, operand))

    def spec(self) -> LoopSpec:
        return LoopSpec(
            self.shape,
            tuple(self.operands),
            tuple(self.steps),
            tuple(self.stores),
            tuple(self.partials),
            self.order,
        )


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides, in elements, of an array in C order."""
    return tuple(
        math.prod(max(1, size) for size in shape[place + 1 :]) for place in range(len(shape))
    )


def sizes(spec: LoopSpec) -> list[int]:
    """How many elements each operand has."""
    found = []
    for number, operand in enumerate(spec.operands):
        partial = next((p for p in spec.partials if p.operand == number), None)
        if partial is not None:
            width = spec.shape[-1] if partial.over == "rows" else 1
            found.append(partial_count(spec.shape) * width)
        elif 0 in [n for n, s in zip(spec.shape, operand.strides, strict=True) if s]:
            found.append(0)
        else:
            places = zip(spec.shape, operand.strides, strict=True)
            found.append(1 + sum((n - 1) * s for n, s in places if n))
    return found


def arrays(spec: LoopSpec, special: bool = False) -> list[Array]:
    """Random operands, the same for each spec; `special` mixes NaN and the like in."""
    random = np.random.default_rng(zlib.crc32(repr(spec).encode()))
    return [
        random_array(random, operand.dtype, size, special)
        for operand, size in zip(spec.operands, sizes(spec), strict=True)
    ]


def random_array(
    random: np.random.Generator, dtype: str, size: int, special: bool = False
) -> Array:
    """Elements of about one, or small integers."""
    if dtype == "bool":
        return random.integers(0, 2, size).astype(bool)
    if "int" in dtype:
        low = 0 if dtype.startswith("u") else -100
        return random.integers(low, 100, size).astype(dtype)
    values = random.standard_normal(size).astype(dtype)
    if special and size:
        tiny = np.finfo(dtype).smallest_subnormal
        odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -3 * tiny], dtype)
        places = random.random(size) < 0.3
        values[places] = random.choice(odd, int(places.sum()))
    return values


class Suite:
    """The code of some loops in one library."""

    def __init__(self, specs: Sequence[LoopSpec], target: Target) -> None:
        self.lowered = {spec: lower_loop(spec, target) for spec in specs}
        codes = [call.code for lowered in self.lowered.values() for call in lowered.calls]
        self._library = Library(module_text(codes))

    def run(
        self, spec: LoopSpec, operands: Sequence[Array], chunk: int | None = None
    ) -> list[Array]:
        """The operands after the loop; fails if it touches what is around them."""
        lowered = self.lowered[spec]
        guarded = [guard(operand) for operand in operands]
        inner = [array[GUARD : len(array) - GUARD] for array in guarded]
        self._execute(lowered, inner, chunk)
        for array, operand in zip(guarded, operands, strict=True):
            expected = guard(operand)
            for side in (slice(None, GUARD), slice(len(array) - GUARD, None)):
                assert array[side].tobytes() == expected[side].tobytes(), "wrote out of bounds"
        return inner

    def _execute(self, lowered: Lowered, operands: Sequence[Array], chunk: int | None) -> None:
        for call in lowered.calls:
            values = [
                operands[a.value].ctypes.data if a.kind == "operand" else a.value
                for a in call.arguments
            ]
            arguments = np.array(values, np.int64)
            scratch = aligned(call.code.scratch)
            function = KERNEL_TYPE(self._library.address(call.code.name))
            step = chunk or call.chunk
            for begin in range(0, call.units, step):
                end = min(begin + step, call.units)
                where = ctypes.c_void_p(scratch.ctypes.data)
                function(arguments.ctypes.data, begin, end, where)


def guard(operand: Array) -> Array:
    """The elements with some around them, of which those of floats are NaN."""
    filling = np.nan if operand.dtype.kind == "f" else 1
    around = np.full(GUARD, filling).astype(operand.dtype)
    return np.concatenate([around, operand.reshape(-1), around])


def small_chunk(spec: LoopSpec) -> int:
    """The smallest chunk that is whole blocks."""
    return partial_block(spec.shape) if spec.partials else 3
