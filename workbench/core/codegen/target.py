"""The machine that code is made for, as far as the generators ask."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """Vector registers of a processor.

    >>> AVX512.lanes("float32"), AVX2.lanes("float64")
    (16, 4)
    """

    name: str
    #: Bytes of a vector register.
    vector_bytes: int
    #: How many vector registers there are.
    registers: int
    #: True where masked loads and stores cost no more than plain ones.
    has_masks: bool

    def lanes(self, dtype: str) -> int:
        """How many elements of a dtype a register holds."""
        return self.vector_bytes // ITEM_BYTES[dtype]


#: Bytes of a line of the processor's caches.
CACHE_LINE = 64
#: Arrays of fewer bytes are still in a cache that is near when they are used again.
FAR_BYTES = 256 << 10
#: Bytes of an element in memory.
ITEM_BYTES = {
    "float32": 4,
    "float64": 8,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint64": 8,
    "uint32": 4,
    "uint16": 2,
    "uint8": 1,
    "bool": 1,
}

AVX512 = Target("avx512", 64, 32, True)
AVX2 = Target("avx2", 32, 16, True)
NEON = Target("neon", 16, 32, False)
