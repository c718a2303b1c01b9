"""Loops of one dimension against NumPy: sizes, dtypes, strides, parts of sums."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.codegen.loop_cases import Builder, Suite, arrays, small_chunk
from tests.core.codegen.loop_reference import expected
from workbench.core.codegen.loop_cost import FLAT_BLOCK
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.specs import LoopSpec, Store
from workbench.core.codegen.target import AVX2, AVX512, FAR_BYTES, Target

SIZES = [0, 1, 2, 7, 16, 31, 97, 1000, 4099]


def arithmetic(size: int, dtype: str) -> LoopSpec:
    """(a + b) * a - 3, larger of it and b."""
    loop = Builder((size,))
    a, b = loop.load(dtype), loop.load(dtype)
    total = loop.step("add", a, b, dtype=dtype)
    product = loop.step("multiply", total, a, dtype=dtype)
    less = loop.step("subtract", product, loop.constant(3, dtype), dtype=dtype)
    loop.store(loop.step("maximum", less, b, dtype=dtype))
    return loop.spec()


def chosen(size: int, dtype: str) -> LoopSpec:
    """a where a < b, else the scalar operand; and the comparison itself."""
    loop = Builder((size,))
    a, b, scalar = loop.load(dtype), loop.load(dtype), loop.load(dtype, (0,))
    less = loop.step("less", a, b, dtype="bool")
    loop.store(loop.step("select", less, a, scalar, dtype=dtype))
    loop.store(less)
    return loop.spec()


def strided(size: int, dtype: str) -> LoopSpec:
    """Every third element and one from the back, to every second."""
    loop = Builder((size,))
    a, b = loop.load(dtype, (3,)), loop.load(dtype, (1,))
    loop.store(loop.step("subtract", a, b, dtype=dtype), (2,))
    return loop.spec()


def long_text(size: int) -> LoopSpec:
    """More steps than are worth to be there twice."""
    loop = Builder((size,))
    value = x = loop.load()
    for _ in range(30):
        value = loop.step("add", loop.step("multiply", value, x), loop.constant(0.5))
    loop.store(value)
    loop.partial("sum", "all", value)
    return loop.spec()


def summed(size: int, dtype: str, function: str) -> LoopSpec:
    loop = Builder((size,))
    loop.partial(function, "all", loop.load(dtype))
    return loop.spec()


DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "uint32"]

ELEMENTWISE = [
    *[arithmetic(97, dtype) for dtype in DTYPES],
    *[arithmetic(size, "float32") for size in SIZES],
    *[chosen(61, dtype) for dtype in [*DTYPES, "uint64"]],
    *[chosen(size, "float64") for size in SIZES],
    # Large enough to be fetched ahead.
    arithmetic(FAR_BYTES // 4 + 5, "float32"),
    arithmetic(FAR_BYTES // 2, "float16"),
    *[strided(size, dtype) for size in (1, 40, 97) for dtype in ("float32", "int64", "uint8")],
]

REDUCED = [
    *[long_text(size) for size in (1, 100, 5000, 3 * FLAT_BLOCK)],
    *[summed(size, dtype, "sum") for size in SIZES for dtype in ("float32", "float64", "int32")],
    *[summed(5000, dtype, kind) for dtype in ("float32", "int64") for kind in ("max", "min")],
    summed(20, "float64", "prod"),
]


@pytest.fixture(scope="module", params=[AVX512, AVX2], ids=lambda target: target.name)
def suite(request: pytest.FixtureRequest) -> Suite:
    return Suite([*ELEMENTWISE, *REDUCED], request.param)


def test_elements_have_the_bits_of_numpy(suite: Suite) -> None:
    for spec in ELEMENTWISE:
        operands = arrays(spec, special=True)
        for want, got in zip(expected(spec, operands), suite.run(spec, operands), strict=True):
            np.testing.assert_array_equal(got, want, err_msg=str(spec))


def test_parts_of_reductions(suite: Suite) -> None:
    for spec in REDUCED:
        operands = arrays(spec)
        for want, got in zip(expected(spec, operands), suite.run(spec, operands), strict=True):
            scale = 1e-6 if want.dtype == np.float32 else 1e-14
            np.testing.assert_allclose(got, want, rtol=scale, atol=scale * 100, err_msg=str(spec))


def test_bits_do_not_depend_on_chunks(suite: Suite) -> None:
    for spec in REDUCED:
        operands = arrays(spec)
        whole = suite.run(spec, operands, chunk=1 << 30)
        cut = suite.run(spec, operands, chunk=small_chunk(spec))
        for a, b in zip(whole, cut, strict=True):
            assert a.tobytes() == b.tobytes()


def test_parts_have_the_same_bits_with_other_vectors() -> None:
    specs = [spec for spec in REDUCED if "float32" in spec.operands[0].dtype]
    wide, narrow = Suite(specs, AVX512), Suite(specs, AVX2)
    for spec in specs:
        operands = arrays(spec)
        for a, b in zip(wide.run(spec, operands), narrow.run(spec, operands), strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)
def test_the_size_is_not_in_the_code(target: Target) -> None:
    for make in (lambda n: arithmetic(n, "float32"), long_text):
        # Large arrays have another code, for all of their sizes.
        for sizes in (2, 64, 50_000), (100_000, 5_000_000):
            names = {lower_loop(make(size), target).calls[0].code.name for size in sizes}
            assert len(names) == 1


def test_a_chunk_is_whole_blocks_and_some_microseconds_long() -> None:
    call = lower_loop(long_text(1_000_000), AVX512).calls[0]
    assert call.chunk % FLAT_BLOCK == 0
    assert call.units // call.chunk > 16


def test_a_failed_check_sets_its_flag() -> None:
    loop = Builder((100,))
    holds = loop.step("less", loop.load(), loop.constant(2.0), dtype="bool")
    flag = loop.operand("int32", (0,))
    loop.step("check", holds, dtype="bool", value=flag)
    spec = loop.spec()
    suite = Suite([spec], AVX512)
    values = np.linspace(-1, 1, 100, dtype=np.float32)
    none = np.zeros(1, np.int32)
    assert suite.run(spec, [values, none])[1][0] == 0
    values[99] = 2.0
    assert suite.run(spec, [values, none])[1][0] == 1


def test_one_element_for_many_that_differ_is_an_error() -> None:
    loop = Builder((4,))
    loop.store(loop.load(), (0,))
    with pytest.raises(ValueError, match="one element for all"):
        lower_loop(loop.spec(), AVX512)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_scalar_is_updated_in_place(shape: tuple[int, ...]) -> None:
    loop = Builder(shape)
    step = loop.load("int64", (0,) * len(shape))
    more = loop.step("add", step, loop.constant(1, "int64"), dtype="int64")
    loop.stores.append(Store(more, 0))
    spec = loop.spec()
    assert Suite([spec], AVX512).run(spec, [np.array([41])])[0][0] == 42
