"""Reductions along a line, in an order that is a function of its length alone.

The elements of a line go to 32 slots, one after the other. First come those behind the last full
32, then the others in blocks of 4096, each of which is summed by itself; in the end the slots
are combined by halves. So the rounding errors of a sum grow with the length of a block, and the
bits are the same with vectors of any size and whatever else the loop computes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.codegen.emitter import Emitter, Register, element_type, vector_type
from workbench.core.codegen.expressions import constant_register
from workbench.core.codegen.functions import emit_function

#: Slots of a reduction.
SLOTS = 32

#: Rounds over all slots that make up a block.
BLOCK_ROUNDS = 128

_FUNCTIONS = {
    "sum": "add",
    "prod": "multiply",
    "max": "maximum",
    "min": "minimum",
    "all": "logical_and",
    "any": "logical_or",
}


class Reduction:
    """One kind of reduction of one dtype.

    >>> Reduction("row_max", "float32").identity
    -inf
    """

    def __init__(self, function: str, dtype: str) -> None:
        self.kind = function.rpartition("_")[2]
        self.result = dtype
        #: What it is accumulated in: the short floats are rounded in the end only.
        self.dtype = "float32" if dtype in ("float16", "bfloat16") else dtype

    @property
    def identity(self) -> float | int | bool:
        """What changes nothing."""
        if self.kind in ("all", "any"):
            return self.kind == "all"
        if self.kind in ("sum", "prod"):
            return int(self.kind == "prod")
        smallest = self.kind == "max"
        if self.dtype.startswith("float"):
            return -np.inf if smallest else np.inf
        if self.dtype == "bool":
            return not smallest
        limits = np.iinfo(self.dtype)
        return int(limits.min if smallest else limits.max)

    def start(self, emitter: Emitter, lanes: int) -> Register:
        """The identity in all lanes."""
        return constant_register(emitter, self.dtype, self.identity, lanes)

    def cast(self, emitter: Emitter, value: Register, dtype: str, lanes: int) -> Register:
        """A value of another dtype, as it is accumulated."""
        if dtype in (self.dtype, self.result):
            return value
        return emit_function(emitter, "cast", self.dtype, [value], [dtype], lanes)

    def masked(
        self, emitter: Emitter, value: Register, mask: Register | None, lanes: int
    ) -> Register:
        """The value, with the identity in the lanes that do not count."""
        if mask is None:
            return value
        return emitter.select(mask, value, self.start(emitter, lanes))

    def combine(self, emitter: Emitter, a: Register, b: Register, lanes: int) -> Register:
        """Both in one."""
        dtypes = [self.dtype, self.dtype]
        return emit_function(emitter, _FUNCTIONS[self.kind], self.dtype, [a, b], dtypes, lanes)

    def finish(self, emitter: Emitter, slots: Sequence[Register | None], lanes: int) -> Register:
        """The scalar result of the slots, in vectors; None where no element went to a vector."""
        vectors = list(slots)
        while len(vectors) > 1:
            half = len(vectors) // 2
            vectors = [
                self._either(emitter, a, b, lanes)
                for a, b in zip(vectors[:half], vectors[half:], strict=True)
            ]
        value = vectors[0]
        if value is None:
            value = self.start(emitter, 1)
        else:
            value = self._across(emitter, value, lanes)
            if self.kind == "sum" and self.dtype.startswith("float"):
                # A sum starts with zero, so it is never the negative one.
                value = self.combine(emitter, value, self.start(emitter, 1), 1)
        return self.rounded(emitter, value, 1)

    def rounded(self, emitter: Emitter, value: Register, lanes: int) -> Register:
        """What was accumulated, as the dtype of the result."""
        if self.dtype == self.result:
            return value
        return emit_function(emitter, "cast", self.result, [value], [self.dtype], lanes)

    def _either(
        self, emitter: Emitter, a: Register | None, b: Register | None, lanes: int
    ) -> Register | None:
        if a is None or b is None:
            return a or b
        return self.combine(emitter, a, b, lanes)

    def _across(self, emitter: Emitter, value: Register, lanes: int) -> Register:
        element = element_type(self.dtype)
        while lanes > 1:
            lanes //= 2
            halves = []
            for first in (0, lanes):
                places = ", ".join(f"i32 {first + lane}" for lane in range(lanes))
                kind = vector_type(element, lanes)
                if lanes == 1:
                    halves.append(emitter.emit(kind, f"extractelement {value}, i64 {first}"))
                else:
                    text = f"shufflevector {value}, {value.type} poison, <{lanes} x i32> <{places}>"
                    halves.append(emitter.emit(kind, text))
            value = self.combine(emitter, halves[0], halves[1], lanes)
        return value


def stripe_vectors(lanes: int) -> int:
    """How many vectors make up the slots."""
    return max(1, SLOTS // lanes)
