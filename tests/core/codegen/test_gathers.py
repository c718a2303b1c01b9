"""Rows by their numbers against NumPy: taken, added up, marked; numbers out of range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.codegen.running import Runner
from workbench.core.codegen.gathers import lower_gather, lower_scatter_add, one_hot_spec
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.target import AVX2, AVX512, Target

TARGETS = pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)

CASES = [
    (0, 5, 3, "float32", "int32"),
    (7, 5, 0, "float32", "int32"),
    (50, 9, 1, "float32", "int64"),
    (33, 9, 1, "int8", "int32"),
    (40, 11, 10, "float32", "int32"),
    (40, 11, 64, "float64", "int64"),
    (9, 300, 200, "float16", "int32"),
    (300, 4, 129, "int32", "int64"),
    (20, 3, 37, "bool", "int32"),
]


def values(shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    random = np.random.default_rng(7)
    return (random.standard_normal(shape) * 10).astype(dtype)


def indices(count: int, rows: int, dtype: str) -> np.ndarray[Any, Any]:
    return np.random.default_rng(8).integers(0, rows, count).astype(dtype)


@TARGETS
@pytest.mark.parametrize("count, rows, columns, dtype, index", CASES)
def test_rows_are_taken(
    target: Target, count: int, rows: int, columns: int, dtype: str, index: str
) -> None:
    table, numbers = values((rows, columns), dtype), indices(count, rows, index)
    result, flag = np.zeros((count, columns), dtype), np.zeros(1, np.int32)
    lowered = lower_gather(count, rows, columns, dtype, index, target)
    Runner(lowered).run([table, numbers, result, flag])
    np.testing.assert_array_equal(result, table[numbers])
    assert flag[0] == 0


@TARGETS
@pytest.mark.parametrize("columns", [1, 20])
@pytest.mark.parametrize("wrong", [-1, 6, np.iinfo(np.int64).max])
def test_a_number_that_is_no_row_sets_the_flag(target: Target, columns: int, wrong: int) -> None:
    table, numbers = values((6, columns), "float32"), indices(30, 6, "int64")
    numbers[17] = wrong
    result, flag = np.full((30, columns), -7, np.float32), np.zeros(1, np.int32)
    Runner(lower_gather(30, 6, columns, "float32", "int64", target)).run(
        [table, numbers, result, flag]
    )
    assert flag[0] == 1
    want = table[np.where(numbers == wrong, 0, numbers)]
    want[17] = -7
    np.testing.assert_array_equal(result, want)


@TARGETS
@pytest.mark.parametrize("count, rows, columns, dtype, index", CASES[:-1])
def test_rows_are_added_up_in_their_order(
    target: Target, count: int, rows: int, columns: int, dtype: str, index: str
) -> None:
    terms, numbers = values((count, columns), dtype), indices(count, rows, index)
    if count:
        numbers[-1] = -3
    result, flag = np.full((rows, columns), 5).astype(dtype), np.zeros(1, np.int32)
    lowered = lower_scatter_add(count, rows, columns, dtype, index, target)
    Runner(lowered).run([terms, numbers, result, flag])
    want = np.zeros((rows, columns), dtype)
    np.add.at(want, numbers[numbers >= 0], terms[numbers >= 0])
    assert result.tobytes() == want.tobytes()
    assert flag[0] == 0


def test_a_sum_for_no_row_sets_the_flag() -> None:
    terms, numbers = np.ones((3, 8), np.float32), np.array([0, 2, 1], np.int32)
    result, flag = np.zeros((2, 8), np.float32), np.zeros(1, np.int32)
    lowered = lower_scatter_add(3, 2, 8, "float32", "int32", AVX512)
    Runner(lowered).run([terms, numbers, result, flag])
    assert flag[0] == 1
    assert result.tolist() == [[1.0] * 8] * 2


@TARGETS
@pytest.mark.parametrize("depth", [1, 10, 100])
@pytest.mark.parametrize("index", ["int32", "int64", "uint8"])
def test_one_hot_rows(target: Target, depth: int, index: str) -> None:
    numbers = np.array([0, depth - 1, depth, 3, 200], index)
    on, off = np.array([5.0], np.float32), np.array([-1.0], np.float32)
    result = np.zeros((5, depth), np.float32)
    spec = one_hot_spec(5, depth, index, "float32")
    Runner(lower_loop(spec, target)).run([numbers, on, off, result])
    want = np.where(np.arange(depth) == numbers[:, None], on, off)
    np.testing.assert_array_equal(result, want)


def test_the_sizes_of_batch_and_table_are_not_in_the_code() -> None:
    for lower in (lower_gather, lower_scatter_add):
        found = [
            tuple(
                call.code.name for call in lower(count, rows, 32, "float32", "int32", AVX512).calls
            )
            for count, rows in ((3, 10), (900, 5000))
        ]
        assert found[0] == found[1]
