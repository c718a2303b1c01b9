"""Depthwise convolutions and their gradients against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.codegen.convolution_cases import KINDS, Array, Case, close, expected, terms
from tests.core.codegen.running import run
from workbench.core.codegen.convolutions import lower_convolution
from workbench.core.codegen.specs import Step, Store
from workbench.core.codegen.target import AVX2, AVX512, Target

CASES = [
    Case((2, 8, 14, 32), (3, 3), 1, depthwise=True),
    Case((2, 9, 7, 5), (3, 3), 1, (2, 2), depthwise=True),
    Case((1, 6, 20, 70), (3, 3), 1, padding="VALID", depthwise=True),
    Case((2, 6, 7, 5), (3, 2), 3, depthwise=True),
    Case((2, 7, 9, 20), (5, 5), 2, (2, 1), depthwise=True),
    Case((1, 12, 9, 17), (3, 3), 1, (1, 1), (2, 3), depthwise=True),
    Case((2, 5, 5, 1), (3, 3), 4, depthwise=True),
    Case((3, 4, 6, 16), (1, 9), 1, depthwise=True),
]


def computed(case: Case, kind: str, dtype: str, target: Target) -> tuple[Array, Array]:
    first, second = case.inputs(kind, dtype)
    result = np.full(case.result_shape(kind), np.nan, dtype)
    arrays = (first, second, result)
    run(lower_convolution(case.spec(kind, arrays), target), *arrays)
    return result, expected(case, kind, first, second)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("target", "dtype"), [(AVX512, "float32"), (AVX2, "float64")])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_plain_loops(case: Case, target: Target, dtype: str, kind: str) -> None:
    got, wanted = computed(case, kind, dtype, target)
    close(got, wanted, terms(case, kind))


@given(
    image=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 17), st.integers(1, 40)),
    window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    multiplier=st.integers(1, 3),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilations=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    kind=st.sampled_from(KINDS),
    target=st.sampled_from([AVX512, AVX2]),
)
@settings(max_examples=25, deadline=None)
def test_any_sizes(
    image: tuple[int, int, int, int],
    window: tuple[int, int],
    multiplier: int,
    strides: tuple[int, int],
    dilations: tuple[int, int],
    kind: str,
    target: Target,
) -> None:
    case = Case(image, window, multiplier, strides, dilations, depthwise=True)
    got, wanted = computed(case, kind, "float32", target)
    close(got, wanted, terms(case, kind))


@pytest.mark.parametrize("case", [CASES[0], CASES[3]], ids=str)
def test_a_bias_for_each_filter(case: Case) -> None:
    first, second = case.inputs("forward", "float32")
    shape = case.result_shape("forward")
    bias = np.random.RandomState(1).randn(shape[3]).astype(np.float32)
    got = np.full(shape, np.nan, np.float32)
    arrays = (first, second, got, np.broadcast_to(bias, shape))
    steps = (
        Step("accumulator", (), "float32"),
        Step("load", (), "float32", 3),
        Step("add", (0, 1), "float32"),
    )
    run(lower_convolution(case.spec("forward", arrays, steps, (Store(2, 2),)), AVX512), *arrays)
    close(got, expected(case, "forward", first, second) + bias, terms(case, "forward"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [CASES[1], CASES[3]], ids=str)
def test_channels_first_and_a_turned_filter(case: Case, kind: str) -> None:
    first, second = case.inputs(kind, "float32")
    wanted = expected(case, kind, first, second)
    arrays = []
    for array in (first, second, np.full(wanted.shape, np.nan, np.float32)):
        if array.shape == case.shapes[1]:
            turned = np.ascontiguousarray(array.transpose(3, 2, 0, 1))
            arrays.append(turned.transpose(2, 3, 1, 0))
        else:
            turned = np.ascontiguousarray(array.transpose(0, 3, 1, 2))
            arrays.append(turned.transpose(0, 2, 3, 1))
    run(lower_convolution(case.spec(kind, arrays), AVX512), *arrays)
    close(arrays[2], wanted, terms(case, kind))
