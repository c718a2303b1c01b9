"""Copies from strides to other strides: permutations of dimensions, slices, and back into them.

Where the source is contiguous in one dimension and the destination in another, square tiles are
transposed in registers; all else is a loop. Elements are copied as bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from workbench.core.codegen.emitter import Emitter, Register, element_type, vector_type
from workbench.core.codegen.loop_access import line_pointers
from workbench.core.codegen.loop_cost import chunk_units
from workbench.core.codegen.loop_frame import (
    BEGIN,
    END,
    CountedLoop,
    Frame,
    integer,
    smaller,
)
from workbench.core.codegen.loop_shape import simplified
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.specs import (
    Argument,
    Call,
    Code,
    LoopSpec,
    Lowered,
    Operand,
    Step,
    Store,
)
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Rows of a tile at most: so many of four bytes are a cache line.
_LARGEST_TILE = 16

#: Nanoseconds for a byte that is read from one place and written to another.
_NANOSECONDS_PER_BYTE = 0.1


def lower_copy(
    shape: Sequence[int],
    dtype: str,
    source: Sequence[int],
    destination: Sequence[int],
    target: Target,
) -> Lowered:
    """Copies operand 0 to operand 1; strides are in elements, one for each dimension.

    The size of the first dimension is not part of the code.

    >>> from workbench.core.codegen.target import AVX512
    >>> lower_copy((300, 200), "float32", (1, 300), (200, 1), AVX512).notes["form"]
    'tiles of 16'
    """
    raw = f"uint{8 * ITEM_BYTES[dtype]}"
    operands = (Operand(raw, tuple(source)), Operand(raw, tuple(destination)))
    copy = LoopSpec(tuple(shape), operands, (Step("load", (), raw, 0),), (Store(0, 1),))
    simple = simplified(copy)
    tile = min(_LARGEST_TILE, target.lanes(dtype))
    axes = _tile_axes(simple, tile)
    if axes is None or not math.prod(simple.shape):
        lowered = lower_loop(copy, target)
        form = lowered.notes["form"]
    else:
        form = f"tiles of {tile}"
        code = _TileWriter(simple, axes, tile, target).code()
        item = 2 * ITEM_BYTES[dtype] * math.prod(simple.shape[1:])
        multiple = 2 * tile if 0 in axes else 1
        chunk = chunk_units(simple.shape[0], item * _NANOSECONDS_PER_BYTE, multiple)
        arguments = (Argument("operand", 0), Argument("operand", 1))
        lowered = Lowered((Call(code, arguments, simple.shape[0], chunk),))
    moved = 2.0 * ITEM_BYTES[dtype] * math.prod(shape)
    return Lowered(lowered.calls, bytes=moved, notes={"kind": "copy", "form": form})


def _tile_axes(spec: LoopSpec, tile: int) -> tuple[int, int] | None:
    """The dimensions that source and destination are contiguous in, if tiles fit there."""
    found = []
    for operand in spec.operands:
        axes = [
            axis
            for axis, stride in enumerate(operand.strides)
            if stride == 1 and (axis == 0 or spec.shape[axis] >= tile)
        ]
        if not axes:
            return None
        found.append(axes[0])
    return None if found[0] == found[1] else (found[0], found[1])


class _TileWriter:
    """Writes loops over tiles.

    The last tile of a dimension ends where the dimension does: elements that it shares with the one
    before are copied twice, so no tile is cut.
    """

    def __init__(self, spec: LoopSpec, axes: tuple[int, int], tile: int, target: Target) -> None:
        self._frame = Frame("copy", target)
        self._emitter = self._frame.emitter
        self._spec = spec
        self._axes = axes
        self._tile = tile
        self._pointers = [self._frame.pointer(0), self._frame.pointer(1)]
        self._element = element_type(spec.operands[0].dtype)

    def code(self) -> Code:
        emitter = self._emitter
        if 0 not in self._axes:
            self._tiles(BEGIN, END)
            return self._frame.code()
        # With fewer rows in all than a tile has they are copied one by one.
        enough = emitter.compare("sge", END, integer(self._tile))
        self._tiles(BEGIN, emitter.select(enough, END, BEGIN))
        self._single_rows(emitter.select(enough, END, BEGIN))
        return self._frame.code()

    def _tiles(self, begin: Register, end: Register) -> None:
        shape = self._spec.shape
        with ExitStack() as loops:
            indices = []
            # Tiles come innermost, the dimension of the destination's lines last.
            others = [axis for axis in range(len(shape)) if axis not in self._axes]
            for axis in (*others, *reversed(self._axes)):
                first, last = (begin, end) if axis == 0 else (integer(0), integer(shape[axis]))
                index = loops.enter_context(self._indices(axis, first, last))
                indices.append((axis, index))
            self._transpose(indices)

    @contextmanager
    def _indices(self, axis: int, begin: Register, end: Register) -> Iterator[Register]:
        """The indices of a dimension, or where its tiles start."""
        if axis not in self._axes:
            with CountedLoop(self._emitter, begin, end).body() as index:
                yield index
            return
        latest = self._emitter.binary("sub", end, integer(self._tile))
        with CountedLoop(self._emitter, begin, end, self._tile).body() as index:
            yield smaller(self._emitter, index, latest)

    def _transpose(self, indices: Sequence[tuple[int, Register]]) -> None:
        """One tile: rows of the source become columns, which are rows of the destination."""
        emitter, operands, size = self._emitter, self._spec.operands, self._tile
        along_source, along_destination = self._axes
        source, destination = line_pointers(emitter, operands, self._pointers, indices)
        kind, item = vector_type(self._element, size), ITEM_BYTES[operands[0].dtype]
        apart = operands[0].strides[along_destination]
        rows = [
            emitter.load(emitter.offset(source, self._element, row * apart), kind, item)
            for row in range(size)
        ]
        apart = operands[1].strides[along_source]
        for column, value in enumerate(transposed(emitter, rows)):
            emitter.store(value, emitter.offset(destination, self._element, column * apart), item)

    def _single_rows(self, begin: Register) -> None:
        emitter, shape = self._emitter, self._spec.shape
        operands, item = self._spec.operands, ITEM_BYTES[self._spec.operands[0].dtype]
        with ExitStack() as loops:
            indices = []
            for axis, size in enumerate(shape):
                first, last = (begin, END) if axis == 0 else (integer(0), integer(size))
                loop = CountedLoop(emitter, first, last)
                indices.append((axis, loops.enter_context(loop.body())))
            source, destination = line_pointers(emitter, operands, self._pointers, indices)
            emitter.store(emitter.load(source, self._element, item), destination, item)


def transposed(emitter: Emitter, rows: Sequence[Register]) -> list[Register]:
    """The columns of a square matrix whose rows are vectors; as many as a power of two.

    Each round exchanges the off-diagonal quarters of all blocks of one size.
    """
    size = len(rows)
    values = list(rows)
    distance = 1
    while distance < size:
        upper = [lane + size - distance if lane & distance else lane for lane in range(size)]
        lower = [lane + size if lane & distance else lane + distance for lane in range(size)]
        for row in range(size):
            if not row & distance:
                pair = values[row], values[row + distance]
                values[row] = _shuffled(emitter, *pair, upper)
                values[row + distance] = _shuffled(emitter, *pair, lower)
        distance *= 2
    return values


def _shuffled(emitter: Emitter, a: Register, b: Register, lanes: Sequence[int]) -> Register:
    chosen = ", ".join(f"i32 {lane}" for lane in lanes)
    return emitter.emit(a.type, f"shufflevector {a}, {b}, <{len(lanes)} x i32> <{chosen}>")
