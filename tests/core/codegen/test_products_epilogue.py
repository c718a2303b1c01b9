"""What follows on a product: the same bits as step by step, each element once, nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.core.codegen.product_cases import (
    ACCUMULATOR,
    EXPRESSIONS,
    Array,
    describe,
    matrix,
    normal,
)
from tests.core.codegen.running import Runner, run
from workbench.core.codegen.products import lower_product
from workbench.core.codegen.specs import Step, Store
from workbench.core.codegen.target import AVX2, AVX512, NEON, Target

TARGETS = pytest.mark.parametrize("target", [AVX512, AVX2, NEON], ids=lambda t: t.name)

#: m, n, k: rows and columns in part, several units, several blocks of k, a result that is large.
SIZES = [
    (1, 1, 1),
    (6, 64, 10),
    (7, 65, 10),
    (33, 19, 40),
    (300, 100, 24),
    (50, 40, 1100),
    (77, 1, 40),
    (301, 233, 3),
]


def plain(left: Array, right: Array, target: Target) -> Array:
    result = np.zeros((left.shape[0], right.shape[1]), "float32")
    run(lower_product(describe([left, right, result]), target), left, right, result)
    return result


@TARGETS
@pytest.mark.parametrize("result_order", ["rows", "columns", "view"])
def test_expressions_have_the_bits_of_their_steps(target: Target, result_order: str) -> None:
    for m, n, k in SIZES:
        left, right = matrix(1, m, k, "rows"), matrix(2, k, n, "columns")
        product = plain(left, right, target)
        bias = np.broadcast_to(normal(4, n), (m, n))
        mask = matrix(5, m, n, "columns")
        before = matrix(6, m, n, result_order)
        expected = {
            "bias and relu": np.maximum(product + bias, np.float32(0)),
            "relu's gradient": np.where(mask > 0, product, np.float32(0)),
            "update": before - product * np.float32(0.01),
        }
        loaded = {"bias and relu": [bias], "relu's gradient": [mask], "update": []}
        for name, value in expected.items():
            result = matrix(6, m, n, result_order)
            arrays = [left, right, result, *loaded[name]]
            run(lower_product(describe(arrays, EXPRESSIONS[name]), target), *arrays)
            np.testing.assert_array_equal(result, value, err_msg=f"{name} {m} {n} {k}")


@pytest.mark.parametrize("left_order", ["rows", "columns"])
def test_an_update_in_place_is_done_once_for_every_row(left_order: str) -> None:
    n, k = 20, 9
    everything, right = matrix(1, 40, k, left_order), normal(2, k, n)
    product = plain(everything, right, AVX512)
    for m in (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 23, 31, 33, 40):
        left = everything[:m]
        result = normal(3, m, n)
        before = result.copy()
        arrays = [left, right, result]
        run(lower_product(describe(arrays, EXPRESSIONS["update"]), AVX512), *arrays)
        np.testing.assert_array_equal(result, before - product[:m] * np.float32(0.01))


def test_several_stores_of_several_dtypes() -> None:
    left, right = normal(1, 25, 30), normal(2, 30, 45)
    value, sign, half = np.zeros((25, 45), "float32"), np.zeros((25, 45), bool), None
    half = np.zeros((25, 45), "float16")
    steps = [
        ACCUMULATOR,
        Step("constant", (), "float32", 0.0),
        Step("less", (0, 1), "bool"),
        Step("cast", (0,), "float16"),
    ]
    stores = [Store(0, 2), Store(2, 3), Store(3, 4)]
    arrays = [left, right, value, sign, half]
    run(lower_product(describe(arrays, steps, stores), AVX512), *arrays)
    np.testing.assert_array_equal(value, plain(left, right, AVX512))
    np.testing.assert_array_equal(sign, value < 0)
    np.testing.assert_array_equal(half, value.astype("float16"))


@TARGETS
def test_columns_rows_and_scalars_of_the_expression(target: Target) -> None:
    m, n, k = 23, 130, 12
    left, right = normal(1, m, k), normal(2, k, n)
    of_row = np.broadcast_to(normal(3, m, 1), (m, n))
    scalar = np.broadcast_to(normal(4), (m, n))
    result = np.zeros((m, n), "float32")
    steps = [
        ACCUMULATOR,
        Step("column", (), "int64"),
        Step("cast", (1,), "float32"),
        Step("load", (), "float32", 3),
        Step("load", (), "float32", 4),
        Step("add", (0, 2), "float32"),
        Step("multiply", (5, 3), "float32"),
        Step("multiply", (6, 4), "float32"),
    ]
    arrays = [left, right, result, of_row, scalar]
    run(lower_product(describe(arrays, steps), target), *arrays)
    columns = np.arange(n, dtype="float32")
    expected = (plain(left, right, target) + columns) * of_row * scalar
    np.testing.assert_array_equal(result, expected)


def test_batches_with_expressions() -> None:
    left, right = normal(1, 3, 2, 30, 8), normal(2, 2, 3, 8, 17).transpose(1, 0, 2, 3)
    bias = np.broadcast_to(normal(3, 3, 1, 1, 17), (3, 2, 30, 17))
    result = np.zeros((3, 2, 30, 17), "float32")
    arrays = [left, right, result, bias]
    run(lower_product(describe(arrays, EXPRESSIONS["bias and relu"]), AVX512), *arrays)
    for at in np.ndindex(3, 2):
        expected = np.maximum(plain(left[at], right[at], AVX512) + bias[at], np.float32(0))
        np.testing.assert_array_equal(result[at], expected)


@pytest.mark.parametrize("has_negative", [False, True])
def test_checks_look_at_every_element_and_no_other(has_negative: bool) -> None:
    left, right = np.ones((9, 3), "float32"), np.ones((3, 21), "float32")
    if has_negative:
        left[8], right[:, 20] = 1, -1
    result, flag = np.zeros((9, 21), "float32"), np.zeros((), "int32")
    steps = [
        ACCUMULATOR,
        Step("constant", (), "float32", 0.0),
        Step("greater", (0, 1), "bool"),
        Step("check", (2,), "bool", 3),
    ]
    arrays = [left, right, result, np.broadcast_to(flag, (9, 21))]
    run(lower_product(describe(arrays, steps, [Store(0, 2)]), AVX512), *arrays)
    assert flag == has_negative


def test_chunks_of_an_update_change_their_own_part_alone() -> None:
    left, right = matrix(1, 200, 64, "columns"), normal(2, 64, 130)
    result = normal(3, 200, 130)
    before = result.copy()
    arrays = [left, right, result]
    runner = Runner(lower_product(describe(arrays, EXPRESSIONS["update"]), AVX512))
    (function, arguments, _, _), *_ = runner.prepare(arrays)
    seen = np.zeros(result.shape, int)
    for unit in range(runner.lowered.calls[0].units):
        start = result.copy()
        runner.execute([(function, arguments, unit, unit + 1)])
        seen += result != start
    np.testing.assert_array_equal(seen, 1)
    expected = before - plain(left, right, AVX512) * np.float32(0.01)
    np.testing.assert_array_equal(result, expected)


def test_nothing_outside_of_the_operands_is_touched() -> None:
    # An access to the page behind an operand ends the process: it is one of its own.
    script = Path(__file__).with_name("product_guards.py")
    finished = subprocess.run(
        [sys.executable, "-m", "tests.core.codegen.product_guards"],
        cwd=script.parents[3],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[-1] == "untouched"
