"""Rows by their numbers: taken from a table, added up in one, and marked in rows of zeros."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from workbench.core.codegen.emitter import Emitter, Register, memory_type, vector_type
from workbench.core.codegen.expressions import raise_flag
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.loop_access import Line, first_lanes, load_scattered
from workbench.core.codegen.loop_cost import chunk_units
from workbench.core.codegen.loop_frame import (
    BEGIN,
    END,
    CountedLoop,
    Frame,
    integer,
    minus,
    times,
)
from workbench.core.codegen.loop_shape import register_bytes
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

#: Columns that a thread adds up at least: some cache lines, so that threads share none.
_COLUMNS_OF_CHUNK = 64

_NANOSECONDS_PER_BYTE = 0.1
_NANOSECONDS_PER_ROW = 2.0

#: What is done with the columns from one on, of which a mask tells those that count.
_OnVector = Callable[[Register | int, Register | None], None]


def lower_gather(
    count: int, rows: int, columns: int, dtype: str, index_dtype: str, target: Target
) -> Lowered:
    """Row `indices[i]` of a table, for each i.

    Operands: the table [rows, columns], the indices [count], the result [count, columns], and an
    int32 that is set to 1 where an index is not in [0, rows); that row of the result is left alone.

    >>> from workbench.core.codegen.target import AVX512
    >>> lower_gather(64, 1000, 128, "float32", "int64", AVX512).calls[0].units
    64
    """
    raw = f"uint{8 * ITEM_BYTES[dtype]}"
    if columns == 1:
        code = _gathered_elements(raw, index_dtype, target)
    else:
        code = _gathered_rows(columns, raw, index_dtype, target)
    moved = 2.0 * columns * ITEM_BYTES[dtype] + ITEM_BYTES[index_dtype]
    duration = _NANOSECONDS_PER_ROW + moved * _NANOSECONDS_PER_BYTE
    call = Call(code, _arguments(rows), count, chunk_units(count, duration, 64))
    calls = (call,) if count and columns else ()
    return Lowered(calls, bytes=count * moved, notes={"kind": "gather", "columns": columns})


def lower_scatter_add(
    count: int, rows: int, columns: int, dtype: str, index_dtype: str, target: Target
) -> Lowered:
    """Adds row i of the values to row `indices[i]` of zeros, in the order of i.

    Operands: the values [count, columns], the indices [count], the result [rows, columns], and an
    int32 that is set to 1 where an index is `rows` or more. Values with a negative index are left
    out.
    """
    zeros = _filled(rows * columns, dtype, target)
    code = _added_rows(columns, dtype, index_dtype, target)
    arguments = (*_arguments(rows), Argument("integer", count))
    chunk = max(_COLUMNS_OF_CHUNK, -(-columns // 4 // _COLUMNS_OF_CHUNK) * _COLUMNS_OF_CHUNK)
    adding = (Call(code, arguments, columns, chunk),) if count and columns else ()
    moved = float(
        ITEM_BYTES[dtype] * columns * (rows + 3 * count) + ITEM_BYTES[index_dtype] * count
    )
    notes = {"kind": "scatter_add", "columns": columns}
    return Lowered((*zeros, *adding), 0, float(count * columns), moved, notes)


def one_hot_spec(count: int, depth: int, index_dtype: str, dtype: str) -> LoopSpec:
    """`on` in column `indices[i]` of row i, `off` elsewhere.

    Operands: the indices [count], `on` and `off`, each one element, and the result [count, depth].
    An index outside of [0, depth) marks nothing.

    >>> one_hot_spec(3, 10, "int64", "float32").shape
    (3, 10)
    """
    steps = (
        Step("load", (), index_dtype, 0),
        Step("cast", (0,), "int64"),
        Step("column", (), "int64"),
        Step("equal", (2, 1), "bool"),
        Step("load", (), dtype, 1),
        Step("load", (), dtype, 2),
        Step("select", (3, 4, 5), dtype),
    )
    operands = (
        Operand(index_dtype, (1, 0)),
        Operand(dtype, (0, 0)),
        Operand(dtype, (0, 0)),
        Operand(dtype, (depth, 1)),
    )
    return LoopSpec((count, depth), operands, steps, (Store(6, 3),))


def _arguments(rows: int) -> tuple[Argument, ...]:
    return (*(Argument("operand", number) for number in range(4)), Argument("integer", rows))


def _filled(size: int, dtype: str, target: Target) -> tuple[Call, ...]:
    """Zeros in operand 2."""
    steps = (Step("constant", (), dtype, 0),)
    spec = LoopSpec((size,), (Operand(dtype, (1,)),), steps, (Store(0, 0),))
    return tuple(
        dataclasses.replace(call, arguments=(Argument("operand", 2),))
        for call in lower_loop(spec, target).calls
    )


def _gathered_rows(columns: int, raw: str, index_dtype: str, target: Target) -> Code:
    frame = Frame("gather", target)
    emitter, lanes = frame.emitter, target.lanes(raw)
    table, indices, result, flag = (frame.pointer(number) for number in range(4))
    rows = frame.integer(4)
    numbers = Line(emitter, [index_dtype], [indices], [1])
    with CountedLoop(emitter, BEGIN, END).body() as place:
        index = _as_int64(emitter, numbers.load(0, place, 1), index_dtype, 1)
        outside = emitter.compare("uge", index, rows)
        raise_flag(emitter, outside, flag)
        # A row that is not there has no columns to copy.
        end = emitter.select(outside, integer(0), integer(columns))
        starts = [
            emitter.offset(pointer, memory_type(raw), times(emitter, row, columns))
            for pointer, row in ((table, index), (result, place))
        ]
        line = Line(emitter, [raw, raw], starts, [1, 1])

        def copy(column: Register | int, mask: Register | None) -> None:
            line.store(1, line.load(0, column, lanes, mask), column, lanes, mask)

        _columns(emitter, integer(0), end, lanes, copy)
    return frame.code()


def _gathered_elements(raw: str, index_dtype: str, target: Target) -> Code:
    """The same for rows of one element: many indices at a time."""
    frame = Frame("gather", target)
    emitter = frame.emitter
    lanes = target.vector_bytes // max(4, ITEM_BYTES[raw])
    table, indices, result, flag = (frame.pointer(number) for number in range(4))
    rows = emitter.splat(frame.integer(4), lanes)
    line = Line(emitter, [index_dtype, raw], [indices, result], [1, 1])

    def take(place: Register | int, mask: Register | None) -> None:
        index = _as_int64(emitter, line.load(0, place, lanes, mask), index_dtype, lanes)
        inside = emitter.compare("ult", index, rows)
        every = mask or emitter.constant("i1", True, lanes)
        inside = emitter.binary("and", every, inside)
        addresses = emitter.emit(
            vector_type("ptr", lanes), f"getelementptr {memory_type(raw)}, {table}, {index}"
        )
        line.store(1, load_scattered(emitter, addresses, raw, lanes, inside), place, lanes, inside)
        raise_flag(emitter, emitter.binary("xor", every, inside), flag)

    _columns(emitter, BEGIN, END, lanes, take)
    return frame.code()


def _added_rows(columns: int, dtype: str, index_dtype: str, target: Target) -> Code:
    """Each call adds up some columns of all rows, so the order of a sum is that of the rows."""
    frame = Frame("scatter", target)
    emitter = frame.emitter
    lanes = target.vector_bytes // register_bytes(dtype)
    values, indices, result, flag = (frame.pointer(number) for number in range(4))
    rows, count = frame.integer(4), frame.integer(5)
    numbers = Line(emitter, [index_dtype], [indices], [1])
    with CountedLoop(emitter, 0, count).body() as place:
        index = _as_int64(emitter, numbers.load(0, place, 1), index_dtype, 1)
        raise_flag(emitter, emitter.compare("sge", index, rows), flag)
        end = emitter.select(emitter.compare("ult", index, rows), END, BEGIN)
        starts = [
            emitter.offset(pointer, memory_type(dtype), times(emitter, row, columns))
            for pointer, row in ((values, place), (result, index))
        ]
        line = Line(emitter, [dtype, dtype], starts, [1, 1])

        def add(column: Register | int, mask: Register | None) -> None:
            terms = [line.load(1, column, lanes, mask), line.load(0, column, lanes, mask)]
            total = emit_function(emitter, "add", dtype, terms, [dtype, dtype], lanes)
            line.store(1, total, column, lanes, mask)

        _columns(emitter, BEGIN, end, lanes, add)
    return frame.code()


def _as_int64(emitter: Emitter, index: Register, dtype: str, lanes: int) -> Register:
    return emit_function(emitter, "cast", "int64", [index], [dtype], lanes)


def _columns(
    emitter: Emitter, begin: Register, end: Register, lanes: int, on_vector: _OnVector
) -> None:
    """Whole vectors, then the rest in one with a mask."""
    count = emitter.binary("sub", end, begin)
    full = emitter.binary("and", count, integer(-lanes))
    middle = emitter.binary("add", begin, full)
    with CountedLoop(emitter, begin, middle, lanes).body() as column:
        on_vector(column, None)
    with CountedLoop(emitter, middle, end, lanes).body() as column:
        on_vector(column, first_lanes(emitter, minus(emitter, end, column), lanes))
