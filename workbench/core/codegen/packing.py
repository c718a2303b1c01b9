"""Panels of the right operand of a product, put side by side in memory of the thread.

A panel is a tile's columns of some rows of the operand: `panel[k][column]`, whole vectors, on cache
lines. The tiles of all rows of the left operand go through it, so it is read with full vectors
from the nearest cache whatever the operand looks like: rows of a wider array, or transposed.
"""

from __future__ import annotations

from typing import Literal

from workbench.core.codegen.emitter import Emitter, Register, memory_type, vector_type
from workbench.core.codegen.micro_kernel import Tile
from workbench.core.codegen.repetition import as_i64, counted
from workbench.core.codegen.specs import Operand
from workbench.core.codegen.strided import lanes_below, load_strided
from workbench.core.codegen.target import ITEM_BYTES

#: How a panel is made: rows are copied, columns are transposed, or it is element by element.
Way = Literal["rows", "columns", "elements"]

#: Bytes that instructions move together in a shuffle.
_GRANULE = 16


def granule_rows(dtype: str) -> int:
    """How many rows of a panel are transposed at a time."""
    return _GRANULE // ITEM_BYTES[dtype]


def way_to_pack(operand: Operand, least_rows: int) -> Way:
    """How to pack an operand with strides (..., k, n), at least so many rows at a time.

    >>> way_to_pack(Operand("float32", (1, 512)), 128)
    'columns'
    """
    k_stride, n_stride = operand.strides[-2:]
    if n_stride == 1:
        return "rows"
    whole = ITEM_BYTES[operand.dtype] >= 4 and least_rows >= granule_rows(operand.dtype)
    return "columns" if k_stride == 1 and whole else "elements"


def emit_packing(
    emitter: Emitter,
    way: Way,
    tile: Tile,
    operand: Operand,
    dtype: str,
    source: Register,
    panel: Register,
    rows: Register,
    columns: Register | None,
) -> None:
    """Packs `rows` rows from `source` on; `columns` are there if they may be fewer than a tile's.

    Lanes beyond them get any value.
    """
    if way == "columns":
        _Transposition(emitter, tile, operand, dtype).emit(source, panel, rows, columns)
        return
    k_stride, n_stride = operand.strides[-2:]
    masks = column_masks(emitter, tile, columns)
    with counted(emitter, 0, rows) as row:
        start = behind(emitter, source, operand.dtype, row, k_stride)
        target = behind(emitter, panel, dtype, row, tile.columns)
        for v, mask in enumerate(masks):
            from_ = behind(emitter, start, operand.dtype, v * tile.lanes * n_stride)
            value = load_strided(emitter, from_, operand.dtype, n_stride, tile.lanes, mask)
            to = behind(emitter, target, dtype, v * tile.lanes)
            emitter.store_element(value, to, dtype, tile.lanes)


def column_masks(emitter: Emitter, tile: Tile, columns: Register | None) -> list[Register | None]:
    """For each vector of a tile, the lanes that are among the columns."""
    if columns is None:
        return [None] * tile.vectors
    return [
        lanes_below(emitter, tile.lanes, emitter.binary("sub", columns, as_i64(v * tile.lanes)))
        for v in range(tile.vectors)
    ]


def behind(
    emitter: Emitter, pointer: Register, dtype: str, index: Register | int, step: int = 1
) -> Register:
    """The address `index * step` elements behind a pointer."""
    if isinstance(index, int):
        return emitter.offset(pointer, "i8", index * step * ITEM_BYTES[dtype])
    if step == 0:
        return pointer
    if step != 1:
        index = emitter.binary("mul", index, as_i64(step))
    return emitter.offset(pointer, memory_type(dtype), index)


class _Transposition:
    """Granules of 16 bytes: put side by side as they are loaded, then shuffled within vectors."""

    def __init__(self, emitter: Emitter, tile: Tile, operand: Operand, dtype: str) -> None:
        self.emitter = emitter
        self.tile = tile
        self.dtype = dtype
        self.pitch = operand.strides[-1]
        self.kind = memory_type(dtype)
        #: Elements of a granule, and granules of a vector.
        self.width = granule_rows(dtype)
        self.granules = tile.lanes // self.width

    def emit(
        self, source: Register, panel: Register, rows: Register, columns: Register | None
    ) -> None:
        emitter, lanes = self.emitter, self.tile.lanes
        # The last granule overlaps the one before it, so that there is none in part.
        last = emitter.binary("sub", rows, as_i64(self.width))
        with counted(emitter, 0, self.tile.vectors) as vector:
            first = emitter.binary("mul", vector, as_i64(lanes))
            starts = self._starts(source, first, columns)
            to = behind(emitter, panel, self.dtype, first)
            with counted(emitter, 0, rows, self.width) as row:
                at = emitter.intrinsic("smin", "i64", row, last)
                target = behind(emitter, to, self.dtype, at, self.tile.columns)
                self._rows([behind(emitter, start, self.dtype, at) for start in starts], target)

    def _starts(
        self, source: Register, first: Register, columns: Register | None
    ) -> list[Register]:
        """Where the columns of a vector start; columns that are not there are the last one."""
        emitter = self.emitter
        if columns is None:
            start = behind(emitter, source, self.dtype, first, self.pitch)
            return [
                behind(emitter, start, self.dtype, lane * self.pitch)
                for lane in range(self.tile.lanes)
            ]
        starts = []
        last = emitter.binary("sub", columns, as_i64(1))
        for lane in range(self.tile.lanes):
            column = emitter.binary("add", first, as_i64(lane))
            column = emitter.intrinsic("smin", "i64", column, last)
            starts.append(behind(emitter, source, self.dtype, column, self.pitch))
        return starts

    def _rows(self, places: list[Register], target: Register) -> None:
        """As many rows of the panel as a granule has elements."""
        emitter, width = self.emitter, self.width
        vectors = [self._granules(places[r::width]) for r in range(width)]
        for row, vector in enumerate(self._within_granules(vectors)):
            to = behind(emitter, target, self.dtype, row * self.tile.columns)
            emitter.store_element(vector, to, self.dtype, self.tile.lanes)

    def _granules(self, places: list[Register]) -> Register:
        """A vector of granules from different places."""
        emitter = self.emitter
        granule = vector_type(self.kind, self.width)
        parts = [emitter.load(place, granule, ITEM_BYTES[self.dtype]) for place in places]
        while len(parts) > 1:
            parts = [
                self._shuffle(a, b, list(range(2 * _lanes(a))))
                for a, b in zip(parts[::2], parts[1::2], strict=True)
            ]
        return parts[0]

    def _within_granules(self, rows: list[Register]) -> list[Register]:
        """Transposes the squares of granules at the same place of all vectors."""
        half = self.width // 2
        for _ in range(half.bit_length()):
            pairs = zip(rows[:half], rows[half:], strict=True)
            rows = [
                self._shuffle(a, b, self._interleaved(start))
                for a, b in pairs
                for start in (0, half)
            ]
        return rows

    def _interleaved(self, start: int) -> list[int]:
        """Half of each granule of two vectors in turns."""
        order: list[int] = []
        for granule in range(0, self.tile.lanes, self.width):
            for lane in range(granule + start, granule + start + self.width // 2):
                order += [lane, lane + self.tile.lanes]
        return order

    def _shuffle(self, a: Register, b: Register, order: list[int]) -> Register:
        listed = ", ".join(f"i32 {lane}" for lane in order)
        kind = vector_type(self.kind, len(order))
        return self.emitter.emit(kind, f"shufflevector {a}, {b}, <{len(order)} x i32> <{listed}>")


def _lanes(vector: Register) -> int:
    return int(vector.type[1:].split(" ", 1)[0])
