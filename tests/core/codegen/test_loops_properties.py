"""Random expressions over random spaces: any loop against NumPy, on both kinds of registers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.codegen.loop_cases import Builder, Suite, arrays, small_chunk
from tests.core.codegen.loop_reference import expected
from workbench.core.codegen.specs import LoopSpec
from workbench.core.codegen.target import AVX2, AVX512

BINARY = ("add", "subtract", "multiply", "maximum", "minimum")
COMPARISONS = ("less", "less_equal", "equal", "not_equal")


@st.composite
def loops(draw: st.DrawFn, exact: bool) -> LoopSpec:
    """A loop of up to three dimensions: steps of any earlier ones, some stored, some reduced."""
    size = st.sampled_from([0, 1, 2, 3, 5, 8, 17, 33, 70])
    shape = tuple(draw(st.lists(size, min_size=1, max_size=3)))
    loop = Builder(shape)
    dtype = draw(st.sampled_from(["float32", "float64", "int32"]))
    values = [loop.load(dtype, draw(strides(shape))) for _ in range(draw(st.integers(1, 3)))]
    values.append(loop.constant(draw(st.integers(-3, 3)), dtype))
    for _ in range(draw(st.integers(1, 8))):
        pick = st.sampled_from(values)
        kind = draw(st.sampled_from(["binary", "select", "reduce"]))
        if kind == "binary":
            function = draw(st.sampled_from(BINARY))
            values.append(loop.step(function, draw(pick), draw(pick), dtype=dtype))
        elif kind == "select":
            compare = draw(st.sampled_from(COMPARISONS))
            condition = loop.step(compare, draw(pick), draw(pick), dtype="bool")
            values.append(loop.step("select", condition, draw(pick), draw(pick), dtype=dtype))
        elif len(shape) > 1:
            names = ["row_max", "row_min"] if exact else ["row_sum", "row_max"]
            function = draw(st.sampled_from(names))
            values.append(loop.step(function, draw(pick), dtype=dtype))
    for value in draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)):
        loop.store(value)
    if draw(st.booleans()):
        over = draw(st.sampled_from(["all", "rows"])) if len(shape) > 1 else "all"
        loop.partial("max" if exact else "sum", over, draw(st.sampled_from(values)))
    return loop.spec()


@st.composite
def strides(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[int, ...]:
    """An array in any order of its dimensions, some of which share their elements, or with gaps."""
    order = draw(st.permutations(range(len(shape))))
    found = [0] * len(shape)
    step = draw(st.sampled_from([1, 1, 1, 2]))
    for dimension in order:
        if draw(st.integers(0, 4)):
            found[dimension] = step
            step *= max(1, shape[dimension])
    return tuple(found)


def compare(spec: LoopSpec, scale: float) -> None:
    operands = arrays(spec, special=not scale)
    want = expected(spec, operands)
    for target in (AVX512, AVX2):
        suite = Suite([spec], target)
        for chunk in (None, small_chunk(spec)):
            for a, b in zip(suite.run(spec, operands, chunk), want, strict=True):
                np.testing.assert_allclose(a, b, rtol=scale, atol=scale, err_msg=str(spec))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(loops(exact=True))
def test_exact_loops_have_the_bits_of_numpy(spec: LoopSpec) -> None:
    compare(spec, 0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(loops(exact=False))
def test_loops_with_sums_are_close_to_numpy(spec: LoopSpec) -> None:
    with np.errstate(all="ignore"):
        operands = arrays(spec)
        sizes = [
            np.abs(array.astype(np.float64)).max(initial=0) for array in expected(spec, operands)
        ]
    if max(sizes) < 1e6:
        compare(spec, 1e-2 if "float32" in str(spec) else 1e-6)
