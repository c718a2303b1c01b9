"""The innermost part of matrix products and convolutions: a tile of sums held in registers.

A tile is some rows by some vectors of columns. Each step of the sum loads the vectors of the right
operand once, and one element of the left operand for each row, and adds their products to the
accumulators: rows x vectors fused multiply-adds for rows + vectors loads. Each accumulator is one
chain of fused multiply-adds in the order of the loops, so an element has the same bits whatever
tile it is in.

    for every loop, outermost first:                  # counts are literals or registers
        for v in vectors: r[v] = right[v * lanes ...]
        for m in rows:
            a = left[m]
            for v in vectors: sums[m][v] = fma(a, r[v], sums[m][v])
        left and right move by the steps of the loop

A product has one loop, over k. A convolution has one over the rows of its window around one over
the columns and channels, which lie side by side, while the filter streams on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.core.codegen.emitter import Emitter, Register, element_type, vector_type
from workbench.core.codegen.repetition import Repetition, as_i64
from workbench.core.codegen.target import ITEM_BYTES, Target

#: The accumulators of a tile: for each row, its vectors.
Sums = list[list[Register]]


@dataclass(frozen=True)
class Tile:
    """Rows by vectors of accumulators.

    >>> from workbench.core.codegen.target import AVX512
    >>> Tile(14, 2, 16).columns, Tile(14, 2, 16).fits(AVX512), Tile(8, 4, 16).fits(AVX512)
    (32, True, False)
    """

    rows: int
    vectors: int
    lanes: int

    @property
    def columns(self) -> int:
        """How many columns of the result a tile has."""
        return self.vectors * self.lanes

    def fits(self, target: Target) -> bool:
        """True if sums, vectors of the right operand and an element of the left have registers."""
        return most_rows(target, self.vectors) >= self.rows


def most_rows(target: Target, vectors: int) -> int:
    """The most rows of a tile of that many vectors that the registers hold.

    >>> from workbench.core.codegen.target import AVX2, AVX512
    >>> most_rows(AVX512, 2), most_rows(AVX512, 3), most_rows(AVX2, 2)
    (14, 9, 6)
    """
    return (target.registers - 1 - vectors) // vectors


@dataclass(frozen=True)
class Loop:
    """One loop of the sum; it runs at least once.

    The steps are elements that an operand moves by from one pass to the next. With `unroll` the
    body is repeated, for a literal count that it divides; if it is the count there is no loop.
    """

    count: Register | int
    left_step: int
    right_step: int
    unroll: int = 1


@dataclass(frozen=True)
class LeftRow:
    """Where a row of the left operand starts: some elements behind a pointer.

    Rows that share their pointer cost one address register together, so a regular operand has one
    pointer and offsets `row * pitch`.
    """

    pointer: Register
    offset: int = 0


@dataclass(frozen=True)
class Operands:
    """What a tile reads. In memory the dtypes may be float16 or bfloat16; sums are in `dtype`."""

    left: Sequence[LeftRow]
    right: Register
    dtype: str
    left_dtype: str
    right_dtype: str
    #: One for each vector: which lanes of the right operand may be read; empty for all.
    masks: Sequence[Register] = ()
    #: Each lane has a left element of its own, as in a depthwise convolution: rows are then vectors
    #: in memory, as the right operand is.
    lanewise: bool = False


def zero_sums(emitter: Emitter, tile: Tile, dtype: str) -> Sums:
    """Accumulators to start from."""
    zero = emitter.constant(element_type(dtype), 0.0, tile.lanes)
    return [[zero] * tile.vectors for _ in range(tile.rows)]


def emit_sums(
    emitter: Emitter,
    tile: Tile,
    operands: Operands,
    loops: Sequence[Loop],
    start: Sums | None = None,
) -> Sums:
    """Emits the loops, outermost first, and gives the accumulators after them.

    The emitter is in an open block, and in another open block afterwards. Without loops the sums
    are of one product each.
    """
    writer = _Writer(emitter, tile, operands)
    sums = zero_sums(emitter, tile, operands.dtype) if start is None else start
    pointers = list(dict.fromkeys(row.pointer for row in operands.left))
    cursor = pointers[0] if len(pointers) == 1 else as_i64(0)
    return writer.loop(loops, _State(cursor, operands.right, sums)).sums


def store_sums(
    emitter: Emitter, tile: Tile, sums: Sums, pointer: Register, pitch: int | None = None
) -> None:
    """Puts accumulators down in memory, `pitch` elements (a tile's columns) from row to row."""
    element = _element(sums[0][0])
    for row, vectors in enumerate(sums):
        for v, value in enumerate(vectors):
            at = row * (tile.columns if pitch is None else pitch) + v * tile.lanes
            emitter.store(value, emitter.offset(pointer, element, at), _bytes(element))


def load_sums(
    emitter: Emitter, tile: Tile, dtype: str, pointer: Register, pitch: int | None = None
) -> Sums:
    """Takes up accumulators that `store_sums` put down."""
    element = element_type(dtype)
    kind = vector_type(element, tile.lanes)
    step = tile.columns if pitch is None else pitch
    return [
        [
            emitter.load(
                emitter.offset(pointer, element, row * step + v * tile.lanes), kind, _bytes(element)
            )
            for v in range(tile.vectors)
        ]
        for row in range(tile.rows)
    ]


def _element(register: Register) -> str:
    return register.type.rstrip(">").rpartition(" ")[2]


def _bytes(element: str) -> int:
    return {"float": 4, "double": 8}[element]


@dataclass(frozen=True)
class _State:
    """What changes from one pass of a loop to the next."""

    #: The pointer of all rows of the left operand, or, if they have several, elements behind them.
    cursor: Register
    right: Register
    sums: Sums

    def registers(self) -> list[Register]:
        """All of it."""
        return [self.cursor, self.right, *(s for row in self.sums for s in row)]


class _Writer:
    def __init__(self, emitter: Emitter, tile: Tile, operands: Operands) -> None:
        self.emitter = emitter
        self.tile = tile
        self.operands = operands

    def loop(self, loops: Sequence[Loop], state: _State) -> _State:
        """All passes of the outermost of these loops; the sums alone have moved on afterwards."""
        if not loops:
            return replace(state, sums=self._step(state))
        loop = loops[0]
        if loop.count == loop.unroll:
            return replace(state, sums=self._passes(loops, state).sums)
        emitter = self.emitter
        repetition = Repetition(emitter, [as_i64(0), *state.registers()])
        count, cursor, right, *sums = repetition.now
        here = _State(cursor, right, self._in_rows(sums))
        there = self._passes(loops, here)
        following = emitter.binary("add", count, as_i64(loop.unroll))
        again = emitter.compare("ult", following, as_i64(loop.count))
        repetition.end([following, *there.registers()], again)
        return replace(state, sums=there.sums)

    def _in_rows(self, sums: Sequence[Register]) -> Sums:
        width = self.tile.vectors
        return [list(sums[at : at + width]) for at in range(0, len(sums), width)]

    def _passes(self, loops: Sequence[Loop], state: _State) -> _State:
        """As many passes as the loop is unrolled; all of the state has moved on afterwards."""
        loop = loops[0]
        first = state
        for done in range(1, loop.unroll + 1):
            sums = self.loop(loops[1:], state).sums
            state = _State(
                self._moved(first.cursor, done * loop.left_step, self.operands.left_dtype),
                self._moved(first.right, done * loop.right_step, self.operands.right_dtype),
                sums,
            )
        return state

    def _moved(self, cursor: Register, elements: int, dtype: str) -> Register:
        if cursor.type == "ptr":
            return self._behind(cursor, elements, dtype)
        return self.emitter.binary("add", cursor, as_i64(elements))

    def _behind(self, pointer: Register, elements: int | Register, dtype: str) -> Register:
        """In bytes where that is known: the assembler adds constants up."""
        emitter = self.emitter
        if isinstance(elements, int):
            return emitter.offset(pointer, "i8", elements * ITEM_BYTES[dtype])
        return emitter.offset(pointer, f"i{8 * ITEM_BYTES[dtype]}", elements)

    def _step(self, state: _State) -> Sums:
        """One element of every sum."""
        emitter, tile, operands = self.emitter, self.tile, self.operands
        right = [
            emitter.load_element(
                self._behind(state.right, v * tile.lanes, operands.right_dtype),
                operands.right_dtype,
                tile.lanes,
                operands.masks[v] if operands.masks else None,
            )
            for v in range(tile.vectors)
        ]
        sums: Sums = []
        for row, before in zip(operands.left, state.sums, strict=True):
            pointer = state.cursor
            if pointer.type != "ptr":
                pointer = self._behind(row.pointer, state.cursor, operands.left_dtype)
            pointer = self._behind(pointer, row.offset, operands.left_dtype)
            factors = self._factors(pointer)
            sums.append(
                [
                    emitter.intrinsic("fma", total.type, factor, vector, total)
                    for factor, vector, total in zip(factors, right, before, strict=True)
                ]
            )
        return sums

    def _factors(self, pointer: Register) -> list[Register]:
        """What the vectors of the right operand are multiplied by, in one row."""
        emitter, tile, operands = self.emitter, self.tile, self.operands
        dtype = operands.left_dtype
        if not operands.lanewise:
            one = emitter.load_element(pointer, dtype, 1)
            return [emitter.splat(one, tile.lanes)] * tile.vectors
        return [
            emitter.load_element(
                self._behind(pointer, v * tile.lanes, dtype),
                dtype,
                tile.lanes,
                operands.masks[v] if operands.masks else None,
            )
            for v in range(tile.vectors)
        ]
