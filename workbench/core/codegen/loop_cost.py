"""What a loop costs, roughly, and how its work is cut: into chunks for threads, and into the blocks
of rows that each leave one part of a reduction.

Blocks follow from the sizes alone, so sums have the same bits whatever they are fused with; chunks
are whole blocks and may follow from the cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from workbench.core.codegen.specs import LoopSpec, Step
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Instructions for one vector, where it is not one or two.
_WEIGHTS = {
    "constant": 0.0,
    "divide": 6.0,
    "reciprocal": 6.0,
    "sqrt": 6.0,
    "rsqrt": 10.0,
    "floor_divide": 16.0,
    "truncate_divide": 12.0,
    "remainder": 20.0,
    "truncate_mod": 20.0,
    "exp": 16.0,
    "expm1": 24.0,
    "log": 24.0,
    "log1p": 28.0,
    "tanh": 22.0,
    "sigmoid": 24.0,
    "erf": 30.0,
    "erfc": 50.0,
    "sin": 36.0,
    "cos": 36.0,
    "tan": 50.0,
    "asin": 36.0,
    "acos": 36.0,
    "atan": 36.0,
    "sinh": 36.0,
    "cosh": 36.0,
    "asinh": 50.0,
    "acosh": 50.0,
    "atanh": 50.0,
    "atan2": 50.0,
    "power": 80.0,
}

#: Elements of a flat loop that leave one part of a reduction.
FLAT_BLOCK = 4096

#: Nanoseconds for one vector instruction, and for a byte that comes from or goes to memory.
_NANOSECONDS_PER_INSTRUCTION = 0.25
_NANOSECONDS_PER_BYTE = 0.05

#: A chunk takes at least so long, and at most; between them, work is cut into so many.
_SHORTEST_CHUNK, _LONGEST_CHUNK, _CHUNKS = 10_000.0, 25_000.0, 16


def step_weight(step: Step) -> float:
    """About how many vector instructions a step takes."""
    weight = _WEIGHTS.get(step.function, 1.5)
    return weight * 2.5 if step.dtype == "float64" and weight > 10 else weight


def weight(steps: Iterable[Step]) -> float:
    """About how many vector instructions the steps take together."""
    return sum(map(step_weight, steps))


def partial_block(shape: Sequence[int]) -> int:
    """How many units of the first dimension leave one part of a `Partial`.

    >>> partial_block((1_000_000,)), partial_block((128, 512)), partial_block((50_000, 10))
    (4096, 32, 256)
    """
    if len(shape) <= 1:
        return FLAT_BLOCK
    inner = max(1, math.prod(shape[1:]))
    return min(256, max(8, 1 << (16384 // inner).bit_length() >> 1))


def partial_count(shape: Sequence[int]) -> int:
    """How many parts a reduction over a space leaves: the first dimension of a `Partial`'s operand.

    >>> partial_count((1_000_000,)), partial_count((128, 512)), partial_count((0, 3))
    (245, 4, 0)
    """
    return -(-shape[0] // partial_block(shape)) if shape else 1


def loop_flops(spec: LoopSpec) -> float:
    """Floating point operations, one for each step that is not a load or a constant."""
    computed = sum(step.function not in ("load", "constant", "column") for step in spec.steps)
    return float(computed * math.prod(spec.shape))


def loop_bytes(spec: LoopSpec) -> float:
    """Bytes of the operands, each counted once."""
    total = 0.0
    for operand in spec.operands:
        places = zip(spec.shape, operand.strides, strict=True)
        elements = math.prod(size for size, stride in places if stride)
        total += elements * ITEM_BYTES[operand.dtype]
    return total


def unit_nanoseconds(spec: LoopSpec, axis: int, lanes: int, target: Target) -> float:
    """About how long one index of the dimension that is shared out takes."""
    elements = math.prod(spec.shape) / max(1, spec.shape[axis])
    splits = max(1.0, lanes * 4 / target.vector_bytes)
    computing = weight(spec.steps) * splits * elements / lanes * _NANOSECONDS_PER_INSTRUCTION
    moving = loop_bytes(spec) / max(1, spec.shape[axis]) * _NANOSECONDS_PER_BYTE
    return max(computing + moving, 0.01)


def chunk_units(units: int, nanoseconds: float, multiple: int) -> int:
    """Units of a chunk: 10 to 25 microseconds of work, and some 16 chunks if that is enough.

    >>> chunk_units(1_000_000, 1.0, 4096), chunk_units(100, 1.0, 1)
    (24576, 100)
    """
    total = units * nanoseconds
    duration = min(max(total / _CHUNKS, _SHORTEST_CHUNK), _LONGEST_CHUNK)
    blocks = max(1, math.floor(duration / nanoseconds / multiple))
    return max(1, min(units, blocks * multiple))
