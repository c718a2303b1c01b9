"""Loops over rows against NumPy: broadcasts, reductions along rows, parts of sums over them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.core.codegen.loop_cases import Builder, Suite, arrays, small_chunk
from tests.core.codegen.loop_reference import expected
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.specs import LoopSpec
from workbench.core.codegen.target import AVX2, AVX512, Target

#: Rows and columns: none, one, primes, whole vectors, more than registers hold, more than a block.
SHAPES = [(0, 5), (3, 0), (1, 1), (5, 1), (4, 3), (7, 10), (3, 16), (2, 33), (5, 128), (3, 300)]
LONG = [(2, 1000), (2, 4097), (1, 10_000)]


def bias(shape: tuple[int, ...], dtype: str) -> LoopSpec:
    """max(x + bias, 0), where the bias is a row."""
    loop = Builder(shape)
    x = loop.load(dtype)
    total = loop.step("add", x, loop.load(dtype, (0, 1)), dtype=dtype)
    loop.store(loop.step("maximum", total, loop.constant(0, dtype), dtype=dtype))
    return loop.spec()


def long_text(shape: tuple[int, ...], dtype: str = "float32") -> LoopSpec:
    """More steps than are worth to be there twice, with a row that all rows share."""
    loop = Builder(shape)
    value = x = loop.load(dtype)
    row = loop.load(dtype, (0, 1))
    for _ in range(25):
        product = loop.step("multiply", value, x, dtype=dtype)
        value = loop.step("maximum", product, row, dtype=dtype)
    loop.store(value)
    return loop.spec()


def softmax(shape: tuple[int, ...], dtype: str = "float32") -> LoopSpec:
    loop = Builder(shape)
    x = loop.load(dtype)
    largest = loop.step("row_max", x, dtype=dtype)
    power = loop.step("exp", loop.step("subtract", x, largest, dtype=dtype), dtype=dtype)
    total = loop.step("row_sum", power, dtype=dtype)
    loop.store(loop.step("divide", power, total, dtype=dtype))
    return loop.spec()


def cross_entropy(shape: tuple[int, ...]) -> LoopSpec:
    """The loss of each row, its gradient, and a check that the labels are columns."""
    loop = Builder(shape)
    x = loop.load()
    label = loop.load("int64", (1, 0))
    shifted = loop.step("subtract", x, loop.step("row_max", x))
    power = loop.step("exp", shifted)
    total = loop.step("row_sum", power)
    hit = loop.step("equal", loop.step("column", dtype="int64"), label, dtype="bool")
    zero = loop.constant(0.0)
    own = loop.step("row_sum", loop.step("select", hit, shifted, zero))
    loop.store(loop.step("subtract", loop.step("log", total), own), (1, 0))
    share = loop.step("divide", power, total)
    one = loop.step("select", hit, loop.constant(1.0), zero)
    loop.store(loop.step("subtract", share, one))
    known = loop.step("less", label, loop.constant(shape[1], "int64"), dtype="bool")
    loop.step("check", known, dtype="bool", value=loop.operand("int32", (0, 0)))
    return loop.spec()


def normalisation(shape: tuple[int, ...]) -> LoopSpec:
    """Layer normalisation, scaled and shifted, and parts of reductions over its rows."""
    loop = Builder(shape)
    x = loop.load()
    share = loop.constant(1 / max(1, shape[1]))
    mean = loop.step("multiply", loop.step("row_sum", x), share)
    centred = loop.step("subtract", x, mean)
    square = loop.step("multiply", centred, centred)
    variance = loop.step("multiply", loop.step("row_sum", square), share)
    deviation = loop.step("sqrt", loop.step("add", variance, loop.constant(1e-5)))
    normal = loop.step("divide", centred, deviation)
    scaled = loop.step("multiply", normal, loop.load("float32", (0, 1)))
    result = loop.step("add", scaled, loop.load("float32", (0, 1)))
    loop.store(result)
    loop.store(mean, (1, 0))
    loop.partial("sum", "rows", result)
    loop.partial("max", "all", normal)
    return loop.spec()


def reduced(shape: tuple[int, ...], dtype: str, kind: str) -> LoopSpec:
    loop = Builder(shape)
    loop.store(loop.step(kind, loop.load(dtype), dtype=dtype), (1, 0))
    return loop.spec()


def inner_dimensions() -> list[LoopSpec]:
    """Three dimensions and four: per channel in the middle, transposed, one element wide."""
    found = []
    channels = Builder((3, 4, 37))
    scaled = channels.step("multiply", channels.load(), channels.load("float32", (0, 1, 0)))
    channels.store(scaled)
    channels.partial("sum", "all", scaled)
    found.append(channels.spec())
    turned = Builder((5, 6, 7))
    turned.store(turned.step("add", turned.load(), turned.load("float32", (1, 35, 5))))
    found.append(turned.spec())
    first = Builder((40, 3))
    first.store(first.step("add", first.load("float32", (1, 40)), first.load("float32", (1, 40))))
    found.append(first.spec())
    wide = Builder((2, 3, 1, 5))
    row = wide.load("float32", (3, 1, 0, 0))
    wide.store(wide.step("subtract", wide.load("float32", (15, 5, 5, 1)), row), (15, 5, 9, 1))
    found.append(wide.spec())
    stack = Builder((3, 4, 20))
    x = stack.load("float32", (160, 40, 2))
    stack.store(stack.step("subtract", x, stack.step("row_sum", x)))
    stack.partial("sum", "rows", x)
    found.append(stack.spec())
    return found


EXACT = [
    *[bias(shape, dtype) for shape in [*SHAPES, *LONG] for dtype in ("float32", "int32")],
    *[bias((6, 10), dtype) for dtype in ("float64", "float16", "int8", "uint16", "int64")],
    *[
        reduced((4, 50), dtype, kind)
        for dtype in ("int32", "uint8", "float64", "float16")
        for kind in ("row_max", "row_min")
    ],
    *[bias((rows, n), "float32") for n in (3, 7, 12) for rows in (1, 5, 16, 100)],
    *[bias((100, 3), dtype) for dtype in ("float64", "int8", "uint16", "float16")],
    *[long_text((3, columns)) for columns in (7, 129, 150, 600)],
    long_text((2, 90), "float16"),
    *[reduced(shape, "int64", "row_sum") for shape in SHAPES],
    *[reduced((9, n), "bool", kind) for n in (1, 7, 200) for kind in ("row_all", "row_any")],
    *[reduced((3, 9), dtype, "row_prod") for dtype in ("int32", "int64")],
]

CLOSE = [
    *map(softmax, [*SHAPES, *LONG]),
    *map(cross_entropy, SHAPES),
    cross_entropy((4, 1000)),
    *map(normalisation, [*SHAPES, (300, 10), (40, 600)]),
    *[
        reduced(shape, dtype, "row_sum")
        for shape in [*SHAPES, *LONG]
        for dtype in ("float32", "float64")
    ],
    reduced((3, 70), "float16", "row_sum"),
    *inner_dimensions(),
]


@pytest.fixture(scope="module", params=[AVX512, AVX2], ids=lambda target: target.name)
def suite(request: pytest.FixtureRequest) -> Suite:
    return Suite([*EXACT, *CLOSE], request.param)


def test_exact_functions_have_the_bits_of_numpy(suite: Suite) -> None:
    for spec in EXACT:
        operands = arrays(spec, special=True)
        for want, got in zip(expected(spec, operands), suite.run(spec, operands), strict=True):
            np.testing.assert_array_equal(got, want, err_msg=str(spec))
        cut = suite.run(spec, operands, chunk=small_chunk(spec))
        np.testing.assert_array_equal(cut[-1], expected(spec, operands)[-1])


def test_sums_and_functions_are_close_to_numpy(suite: Suite) -> None:
    for spec in CLOSE:
        operands = operands_of(spec)
        for want, got in zip(expected(spec, operands), suite.run(spec, operands), strict=True):
            scale = {"float64": 1e-13, "float16": 2e-3}.get(str(want.dtype), 3e-6)
            np.testing.assert_allclose(got, want, rtol=scale, atol=scale * 10, err_msg=str(spec))


def test_bits_do_not_depend_on_chunks(suite: Suite) -> None:
    for spec in CLOSE:
        operands = operands_of(spec)
        whole = suite.run(spec, operands, chunk=1 << 30)
        cut = suite.run(spec, operands, chunk=small_chunk(spec))
        for a, b in zip(whole, cut, strict=True):
            assert a.tobytes() == b.tobytes()


def test_sums_have_the_same_bits_with_other_vectors() -> None:
    specs = [*map(normalisation, [(5, 128), (3, 300), (2, 4097)]), *inner_dimensions()]
    wide, narrow = Suite(specs, AVX512), Suite(specs, AVX2)
    for spec in specs:
        operands = operands_of(spec)
        for a, b in zip(wide.run(spec, operands), narrow.run(spec, operands), strict=True):
            assert a.tobytes() == b.tobytes()


def test_a_sum_has_the_same_bits_whatever_it_is_fused_with() -> None:
    """Alone in registers, and in passes beside functions with long code and double precision."""
    shape = (3, 120)
    alone = Builder(shape)
    alone.store(alone.step("row_sum", alone.load()), (1, 0))
    fused = Builder(shape)
    x = fused.load()
    value = x
    for _ in range(8):
        value = fused.step("exp", fused.step("negative", value))
    fused.store(fused.step("cast", value, dtype="float64"))
    fused.store(fused.step("row_sum", x), (1, 0))
    specs = alone.spec(), fused.spec()
    suite = Suite(specs, AVX512)
    assert suite.lowered[specs[0]].notes["form"] == "rows in registers"
    assert suite.lowered[specs[1]].notes["form"] == "rows in 1 passes"
    operands = arrays(specs[0])
    double = np.zeros(360)
    sums = suite.run(specs[0], operands)[1]
    assert sums.tobytes() == suite.run(specs[1], [operands[0], double, operands[1]])[2].tobytes()


def test_a_long_sum_is_as_exact_as_numpys() -> None:
    spec = reduced((1, 3_000_000), "float32", "row_sum")
    values = np.random.default_rng(3).random(3_000_000, dtype=np.float32)
    exact = np.sum(values, dtype=np.float64)
    got = Suite([spec], AVX512).run(spec, [values, np.zeros(1, np.float32)])[1][0]
    assert abs(got - exact) <= max(2 * abs(values.sum() - exact), exact * 2**-23)


def test_special_values_go_through_reductions() -> None:
    spec = reduced((5, 40), "float32", "row_sum")
    largest = reduced((5, 40), "float32", "row_max")
    suite = Suite([spec, largest], AVX512)
    values = np.zeros((5, 40), np.float32)
    values[0, 39], values[1, 3], values[2, 20] = np.nan, np.inf, -np.inf
    values[3], values[4] = -0.0, 1e-45
    for one, reduce in ((spec, np.sum), (largest, np.max)):
        got = suite.run(one, [values, np.zeros(5, np.float32)])[1]
        np.testing.assert_array_equal(got, reduce(values, axis=1))
    assert not np.signbit(suite.run(spec, [values, np.zeros(5, np.float32)])[1][3])


def test_an_empty_row_has_the_identities() -> None:
    kinds = {"row_sum": 0.0, "row_prod": 1.0, "row_max": -np.inf, "row_min": np.inf}
    specs = {kind: reduced((3, 0), "float32", kind) for kind in kinds}
    suite = Suite(list(specs.values()), AVX512)
    for kind, identity in kinds.items():
        empty = np.zeros(0, np.float32)
        got = suite.run(specs[kind], [empty, np.full(3, 7, np.float32)])[1]
        np.testing.assert_array_equal(got, [identity] * 3)


def test_a_label_out_of_range_sets_the_flag(suite: Suite) -> None:
    spec = cross_entropy((7, 10))
    operands = operands_of(spec)
    assert suite.run(spec, operands)[4][0] == 0
    operands[1][6] = 10
    assert suite.run(spec, operands)[4][0] == 1


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)
def test_the_number_of_rows_is_not_in_the_code(target: Target) -> None:
    for columns in (1, 10, 1000):
        for make in (softmax, normalisation, cross_entropy):
            batches = [make((rows, columns)) for rows in (2, 17, 4096)]
            assert len({lower_loop(spec, target).calls[0].code.name for spec in batches}) == 1


def test_one_element_for_a_row_that_differs_is_an_error() -> None:
    spec = bias((3, 4), "float32")
    wrong = dataclasses.replace(spec.operands[2], strides=(1, 0))
    with pytest.raises(ValueError, match="differs along a line"):
        lower_loop(dataclasses.replace(spec, operands=(*spec.operands[:2], wrong)), AVX512)


def operands_of(spec: LoopSpec) -> list[np.ndarray]:
    """Random operands; labels are columns, and flags are down."""
    found = arrays(spec)
    for number, operand in enumerate(spec.operands):
        if operand.dtype == "int64":
            found[number] %= max(1, spec.shape[1])
        if operand.dtype == "int32":
            found[number][:] = 0
    return found
