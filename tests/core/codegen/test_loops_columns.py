"""Loops over columns against NumPy: sums of parts with what follows them, one column, few rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.core.codegen.loop_cases import Builder, Suite, arrays
from tests.core.codegen.loop_reference import expected
from workbench.core.codegen.loops import lower_loop, partial_count
from workbench.core.codegen.specs import LoopSpec
from workbench.core.codegen.target import AVX2, AVX512, Target

SHAPES = [(0, 4), (1, 1), (5, 1), (1000, 1), (3, 2), (7, 16), (200, 10), (4, 67), (129, 130)]


def plain(shape: tuple[int, int], dtype: str, kind: str) -> LoopSpec:
    loop = Builder(shape, "columns")
    loop.store(loop.step(kind, loop.load(dtype), dtype=dtype), (0, 1))
    return loop.spec()


def update(shape: tuple[int, int]) -> LoopSpec:
    """What a column's sum does to a parameter: w - rate * (sum + decay * w)."""
    loop = Builder(shape, "columns")
    total = loop.step("column_sum", loop.load())
    weight, rate = loop.load("float32", (0, 1)), loop.load("float32", (0, 0))
    decayed = loop.step("add", total, loop.step("multiply", weight, loop.constant(0.01)))
    loop.store(loop.step("subtract", weight, loop.step("multiply", rate, decayed)), (0, 1))
    return loop.spec()


def standardised(shape: tuple[int, int]) -> LoopSpec:
    """Every column less its mean, by its deviation: passes over the rows, the last one stores."""
    loop = Builder(shape, "columns")
    x = loop.load()
    share = loop.constant(1 / max(1, shape[0]))
    mean = loop.step("multiply", loop.step("column_sum", x), share)
    centred = loop.step("subtract", x, mean)
    square = loop.step("multiply", centred, centred)
    variance = loop.step("multiply", loop.step("column_sum", square), share)
    deviation = loop.step("sqrt", loop.step("add", variance, loop.constant(1e-3)))
    loop.store(loop.step("divide", centred, deviation))
    loop.store(variance, (0, 1))
    return loop.spec()


def turned(shape: tuple[int, int]) -> LoopSpec:
    """Columns that are rows in memory."""
    loop = Builder(shape, "columns")
    x = loop.load("float32", (1, shape[0]))
    loop.store(loop.step("column_max", x), (0, 1))
    loop.store(loop.step("column_sum", x), (0, 2))
    return loop.spec()


EXACT = [
    *[plain(shape, "int32", "column_sum") for shape in SHAPES],
    *[plain(shape, "float32", "column_max") for shape in SHAPES],
    *[plain((9, 21), dtype, "column_min") for dtype in ("float64", "uint8", "int64", "float16")],
    plain((50, 3), "bool", "column_any"),
    plain((50, 1), "bool", "column_all"),
]

CLOSE = [
    *[plain(shape, dtype, "column_sum") for shape in SHAPES for dtype in ("float32", "float64")],
    plain((60, 5), "float16", "column_sum"),
    plain((12, 20), "float64", "column_prod"),
    *map(update, SHAPES),
    *map(standardised, SHAPES),
    *map(turned, [(5, 1), (40, 30), (3, 100)]),
]


@pytest.fixture(scope="module", params=[AVX512, AVX2], ids=lambda target: target.name)
def suite(request: pytest.FixtureRequest) -> Suite:
    return Suite([*EXACT, *CLOSE], request.param)


def test_exact_reductions_have_the_bits_of_numpy(suite: Suite) -> None:
    for spec in EXACT:
        operands = arrays(spec, special=True)
        for want, got in zip(expected(spec, operands), suite.run(spec, operands), strict=True):
            np.testing.assert_array_equal(got, want, err_msg=str(spec))


def test_sums_are_close_to_numpy(suite: Suite) -> None:
    for spec in CLOSE:
        operands = arrays(spec)
        for want, got in zip(expected(spec, operands), suite.run(spec, operands), strict=True):
            scale = {"float64": 1e-13, "float16": 2e-3}.get(str(want.dtype), 3e-6)
            np.testing.assert_allclose(got, want, rtol=scale, atol=scale * 10, err_msg=str(spec))


def test_bits_do_not_depend_on_chunks_or_vectors() -> None:
    wide, narrow = Suite(CLOSE, AVX512), Suite(CLOSE, AVX2)
    for spec in CLOSE:
        operands = arrays(spec)
        whole = wide.run(spec, operands, chunk=1 << 30)
        for other in (wide.run(spec, operands, chunk=5), narrow.run(spec, operands, chunk=64)):
            for a, b in zip(whole, other, strict=True):
                assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)
def test_the_number_of_rows_is_not_in_the_code(target: Target) -> None:
    for columns in (1, 2, 100):
        calls = [lower_loop(update((rows, columns)), target).calls[0] for rows in (1, 50, 4000)]
        assert len({call.code.name for call in calls}) == 1
        assert [call.arguments[-1].value for call in calls] == [1, 50, 4000]


def test_parts_of_rows_and_their_sum_are_the_sum_of_columns() -> None:
    shape = (1000, 40)
    rows = Builder(shape)
    rows.partial("sum", "rows", rows.load("float64"))
    combine = plain((partial_count(shape), 40), "float64", "column_sum")
    suite = Suite([rows.spec(), combine], AVX512)
    x = np.random.default_rng(0).standard_normal(shape)
    parts = suite.run(rows.spec(), [x, np.full(partial_count(shape) * 40, np.nan)])[1]
    total = suite.run(combine, [parts, np.full(40, np.nan)])[1]
    np.testing.assert_allclose(total, x.sum(0), rtol=1e-12, atol=1e-12)


def test_the_sum_of_nothing_is_zero() -> None:
    specs = [plain((0, columns), "float32", "column_sum") for columns in (1, 3)]
    suite = Suite(specs, AVX512)
    for spec in specs:
        nothing, result = np.zeros(0, np.float32), np.full(spec.shape[1], 5, np.float32)
        assert suite.run(spec, [nothing, result])[1].tolist() == [0.0] * spec.shape[1]


def test_what_no_loop_over_columns_can_do_is_an_error() -> None:
    spec = plain((3, 4), "float32", "column_sum")
    flat = dataclasses.replace(spec, shape=(3, 4, 5))
    with pytest.raises(ValueError, match="two dimensions, not 3"):
        lower_loop(flat, AVX512)
    loop = Builder((3, 4), "columns")
    loop.partial("sum", "all", loop.load())
    with pytest.raises(ValueError, match="no partial reductions"):
        lower_loop(loop.spec(), AVX512)
