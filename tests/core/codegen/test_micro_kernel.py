"""The inner tile against sums in order, for every structure of loops that its users need."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

from workbench.core.codegen.compiler import Library
from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.micro_kernel import (
    LeftRow,
    Loop,
    Operands,
    Tile,
    emit_sums,
    load_sums,
    most_rows,
    store_sums,
)
from workbench.core.codegen.module import module_text, named
from workbench.core.codegen.target import AVX2, AVX512, NEON

LEFT, RIGHT, SUMS = (Register(name, "ptr") for name in ("%left", "%right", "%sums"))
COUNT = Register("%count", "i64")


def compiled(emitter: Emitter) -> tuple[Library, Any]:
    text = "\n".join(
        [
            "define void @KERNEL_NAME(ptr %left, ptr %right, ptr %sums, i64 %count) #0 {",
            "entry:",
            *emitter.lines,
            "  ret void",
            "}",
        ]
    )
    code = named(text, emitter.declarations)
    library = Library(module_text([code]))
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)
    return library, kind(library.address(code.name))


@pytest.mark.parametrize("unroll", [1, 2, 6])
@pytest.mark.parametrize("has_pointer_for_each_row", [False, True])
@pytest.mark.parametrize("resumes", [False, True])
def test_nested_loops(unroll: int, has_pointer_for_each_row: bool, resumes: bool) -> None:
    # As a convolution: rows of a window, and 6 elements of each that lie side by side.
    tile, pitch, inner, outer = Tile(3, 2, 8), 20, 6, 4
    numbers = np.random.default_rng(0)
    left = numbers.standard_normal(200).astype("float32")
    right = numbers.standard_normal((outer * inner, tile.columns)).astype("float32")
    starts = [0, 7, 2]
    emitter = Emitter()
    rows = [LeftRow(LEFT, start) for start in starts]
    if has_pointer_for_each_row:
        rows = [LeftRow(emitter.offset(LEFT, "float", start)) for start in starts]
    operands = Operands(rows, RIGHT, "float32", "float32", "float32")
    loops = [
        Loop(COUNT, pitch, inner * tile.columns),
        Loop(inner, 1, tile.columns, unroll),
    ]
    start = load_sums(emitter, tile, "float32", SUMS) if resumes else None
    store_sums(emitter, tile, emit_sums(emitter, tile, operands, loops, start), SUMS)
    library, function = compiled(emitter)
    assert library
    sums = np.full((tile.rows, tile.columns), 3, "float32")
    function(left.ctypes.data, right.ctypes.data, sums.ctypes.data, outer)
    window = [[s + pitch * row + i for row in range(outer) for i in range(inner)] for s in starts]
    exact = left[np.array(window)].astype("float64") @ right.astype("float64") + 3 * resumes
    np.testing.assert_allclose(sums, exact, rtol=1e-5, atol=1e-5)


def test_lanes_with_left_elements_of_their_own() -> None:
    tile = Tile(2, 1, 8)
    numbers = np.random.default_rng(0)
    left = numbers.standard_normal((2, 5, 8)).astype("float32")
    right = numbers.standard_normal((5, 8)).astype("float32")
    emitter = Emitter()
    operands = Operands(
        [LeftRow(LEFT), LeftRow(LEFT, 40)], RIGHT, "float32", "float32", "float32", lanewise=True
    )
    sums_now = emit_sums(emitter, tile, operands, [Loop(COUNT, 8, 8)])
    store_sums(emitter, tile, sums_now, SUMS, pitch=12)
    library, function = compiled(emitter)
    assert library
    sums = np.zeros((2, 12), "float32")
    function(left.ctypes.data, right.ctypes.data, sums.ctypes.data, 5)
    np.testing.assert_allclose(sums[:, :8], (left * right).sum(1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(sums[:, 8:], 0)


@pytest.mark.parametrize("target", [AVX512, AVX2, NEON], ids=lambda t: t.name)
def test_the_largest_tiles_leave_room_for_what_they_read(target: Any) -> None:
    for vectors in range(1, target.registers // 2):
        rows = most_rows(target, vectors)
        assert rows >= 1
        assert rows * vectors + vectors + 1 <= target.registers
        assert Tile(rows, vectors, 4).fits(target)
        assert not Tile(rows + 1, vectors, 4).fits(target)
