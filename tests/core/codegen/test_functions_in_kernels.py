"""Functions whose code has blocks of its own, where loops, products and convolutions put them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.codegen.convolution_cases import Case as Convolution
from tests.core.codegen.flat_functions import HERE, Functions, assert_same, binary, unary
from tests.core.codegen.loop_cases import Builder, Suite
from tests.core.codegen.loop_cases import arrays as arrays_of
from tests.core.codegen.product_cases import ACCUMULATOR, describe, matrix
from tests.core.codegen.running import run
from workbench.core.codegen.convolutions import lower_convolution
from workbench.core.codegen.products import lower_product
from workbench.core.codegen.specs import LoopSpec, Step, Store
from workbench.core.codegen.target import AVX2, Target

pytestmark = pytest.mark.skipif(HERE is None, reason="no code for this processor")
_TARGETS = pytest.mark.parametrize("target", [HERE, AVX2], ids=["here", "avx2"])
_SIN, _MOD = unary("sin", "float32"), binary("remainder", "float32")


@pytest.fixture(scope="module")
def functions() -> Functions:
    return Functions([_SIN, _MOD], HERE)


def _flat(size: int) -> LoopSpec:
    loop = Builder((size,))
    x, y = loop.load(), loop.load()
    sine = loop.step("sin", loop.step("multiply", x, loop.constant(1e30)))
    loop.store(loop.step("remainder", loop.step("multiply", y, x), sine))
    return loop.spec()


def _rows(rows: int, columns: int) -> LoopSpec:
    """The remainder and the sine of the rows' largest elements are computed once for a row."""
    loop = Builder((rows, columns))
    x = loop.load()
    largest = loop.step("multiply", loop.step("row_max", x), loop.constant(1e30))
    loop.store(loop.step("remainder", x, loop.step("sin", largest)))
    return loop.spec()


@_TARGETS
def test_in_flat_loops_and_rows(functions: Functions, target: Target) -> None:
    specs = [_flat(1003), _rows(5, 37), _rows(3, 1)]
    suite = Suite(specs, target)
    for spec in specs:
        operands = arrays_of(spec)
        got = suite.run(spec, operands)[-1]
        x = operands[0]
        if len(spec.shape) == 1:
            left, angle = operands[1] * x, x * np.float32(1e30)
        else:
            largest = x.reshape(spec.shape).max(axis=1) * np.float32(1e30)
            left, angle = x, np.repeat(largest, spec.shape[1])
        want = functions(_MOD, left, functions(_SIN, angle))
        assert_same(got, want, left, angle)


@_TARGETS
def test_after_products(functions: Functions, target: Target) -> None:
    left, right = matrix(1, 33, 20, "rows"), matrix(2, 20, 19, "rows")
    product, result = np.zeros((33, 19), np.float32), np.zeros((33, 19), np.float32)
    run(lower_product(describe([left, right, product]), target), left, right, product)
    steps = (
        ACCUMULATOR,
        Step("constant", (), "float32", 1e30),
        Step("multiply", (0, 1), "float32"),
        Step("sin", (2,), "float32"),
        Step("remainder", (0, 3), "float32"),
    )
    run(lower_product(describe([left, right, result], steps), target), left, right, result)
    values = product.reshape(-1)
    sine = functions(_SIN, values * np.float32(1e30))
    assert_same(result.reshape(-1), functions(_MOD, values, sine), values)


@_TARGETS
def test_after_convolutions(functions: Functions, target: Target) -> None:
    case = Convolution((2, 9, 10, 5), (3, 3), 20)
    images, weights = case.inputs("forward", "float32")
    shape = case.result_shape("forward")
    sums, got = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    steps = (
        ACCUMULATOR,
        Step("constant", (), "float32", 1e30),
        Step("multiply", (0, 1), "float32"),
        Step("sin", (2,), "float32"),
    )
    arrays = (images, weights, sums, got)
    spec = case.spec("forward", arrays, steps, (Store(0, 2), Store(3, 3)))
    run(lower_convolution(spec, target), *arrays)
    want = functions(_SIN, sums.reshape(-1) * np.float32(1e30))
    assert_same(got.reshape(-1), want, sums)
