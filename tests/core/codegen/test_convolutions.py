"""Convolutions and their gradients against plain loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.codegen.convolution_cases import KINDS, Array, Case, close, expected, terms
from tests.core.codegen.running import Runner, run
from workbench.core.codegen.convolutions import lower_convolution
from workbench.core.codegen.specs import Operand, Step, Store
from workbench.core.codegen.target import AVX2, AVX512, Target
from workbench.core.codegen.unsupported import Unsupported

CASES = [
    Case((2, 14, 14, 32), (5, 5), 64),
    Case((2, 12, 28, 9), (3, 3), 40),
    Case((3, 28, 28, 1), (5, 5), 32),
    Case((2, 7, 7, 16), (3, 3), 48),
    Case((2, 6, 9, 3), (3, 3), 7, padding="VALID"),
    Case((1, 9, 11, 3), (7, 7), 5, (2, 2)),
    Case((2, 8, 8, 20), (3, 3), 18, (2, 2)),
    Case((2, 9, 10, 12), (3, 2), 33, (2, 3)),
    Case((2, 8, 8, 24), (1, 1), 16, (2, 2)),
    Case((1, 5, 6, 8), (1, 1), 80, padding="VALID"),
    Case((2, 11, 9, 10), (3, 3), 12, (1, 1), (2, 2)),
    Case((1, 13, 12, 4), (3, 3), 6, (2, 2), (3, 2)),
    Case((2, 10, 17, 16), (3, 3), 16, (1, 1), (1, 1), ((2, 1), (0, 3))),
    Case((1, 6, 40, 11), (2, 9), 3),
    Case((2, 3, 3, 40), (5, 5), 20),
    Case((1, 1, 1, 5), (3, 3), 4),
    Case((2, 5, 5, 1), (1, 1), 1),
    Case((2, 16, 30, 8), (3, 3), 16, (3, 2), (1, 1), "VALID"),
]

#: Their filters do not stay in the cache: they go block by block, for several images.
LARGE = [Case((5, 7, 7, 64), (3, 3), 512), Case((5, 4, 4, 64), (3, 3), 520)]


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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", LARGE, ids=str)
def test_large_filters(case: Case, kind: str) -> None:
    got, wanted = computed(case, kind, "float32", AVX512)
    close(got, wanted, terms(case, kind))


@given(
    image=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 17), st.integers(1, 18)),
    window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    filters=st.integers(1, 36),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilations=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    kind=st.sampled_from(KINDS),
    target=st.sampled_from([AVX512, AVX2]),
    padding=st.sampled_from(["SAME", ((0, 2), (3, 1)), ((9, 0), (0, 9))]),
)
@settings(max_examples=30, deadline=None)
def test_any_sizes(
    image: tuple[int, int, int, int],
    window: tuple[int, int],
    filters: int,
    strides: tuple[int, int],
    dilations: tuple[int, int],
    kind: str,
    target: Target,
    padding: Any,
) -> None:
    case = Case(image, window, filters, strides, dilations, padding)
    if min(case.result) < 1:
        case = replace(case, padding="SAME")
    got, wanted = computed(case, kind, "float32", target)
    close(got, wanted, terms(case, kind))


def relu_with_bias(bias: int) -> tuple[Step, ...]:
    """A bias, the operand of that number, and then a relu."""
    return (
        Step("accumulator", (), "float32"),
        Step("load", (), "float32", bias),
        Step("add", (0, 1), "float32"),
        Step("constant", (), "float32", 0.0),
        Step("maximum", (2, 3), "float32"),
    )


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)
@pytest.mark.parametrize("case", [CASES[0], CASES[2], CASES[3], CASES[7]], ids=str)
def test_steps_after_a_forward_convolution(case: Case, target: Target) -> None:
    first, second = case.inputs("forward", "float32")
    shape = case.result_shape("forward")
    bias = np.random.RandomState(1).randn(case.filters).astype(np.float32)
    got, sums = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    arrays = (first, second, got, np.broadcast_to(bias, shape), sums)
    spec = case.spec("forward", arrays, relu_with_bias(3), (Store(4, 2), Store(0, 4)))
    run(lower_convolution(spec, target), *arrays)
    close(sums, expected(case, "forward", first, second), terms(case, "forward"))
    np.testing.assert_array_equal(got, np.maximum(sums + bias, 0))


@pytest.mark.parametrize("case", [CASES[0], CASES[6], CASES[8]], ids=str)
def test_a_mask_after_the_gradient_by_the_images(case: Case) -> None:
    first, second = case.inputs("input", "float32")
    shape = case.result_shape("input")
    images = np.random.RandomState(2).randn(*shape).astype(np.float32)
    got = np.full(shape, np.nan, np.float32)
    steps = (
        Step("accumulator", (), "float32"),
        Step("load", (), "float32", 3),
        Step("constant", (), "float32", 0.0),
        Step("greater", (1, 2), "bool"),
        Step("select", (3, 0, 2), "float32"),
    )
    arrays = (first, second, got, images)
    run(lower_convolution(case.spec("input", arrays, steps, (Store(4, 2),)), AVX512), *arrays)
    wanted = np.where(images > 0, expected(case, "input", first, second), 0)
    close(got, wanted, terms(case, "input"))


@pytest.mark.parametrize("case", [CASES[0], CASES[2], CASES[6]], ids=str)
def test_an_update_in_place_after_the_gradient_by_the_filter(case: Case) -> None:
    first, second = case.inputs("filter", "float32")
    weights = np.random.RandomState(3).randn(*case.result_shape("filter")).astype(np.float32)
    rate = np.float32(0.1)
    steps = (
        Step("accumulator", (), "float32"),
        Step("constant", (), "float32", float(rate)),
        Step("multiply", (0, 1), "float32"),
        Step("load", (), "float32", 2),
        Step("subtract", (3, 2), "float32"),
    )
    got = weights.copy()
    arrays = (first, second, got)
    run(lower_convolution(case.spec("filter", arrays, steps, (Store(4, 2),)), AVX512), *arrays)
    wanted = weights - rate * expected(case, "filter", first, second)
    close(got, wanted, terms(case, "filter"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [CASES[0], CASES[2], CASES[6], *LARGE], ids=str)
def test_batches_share_their_code(case: Case, kind: str) -> None:
    arrays = (*case.inputs(kind, "float32"), np.zeros(case.result_shape(kind), np.float32))
    spec = case.spec(kind, arrays)
    texts = {
        tuple(call.code.text for call in lower_convolution(replace(spec, batch=n), AVX512).calls)
        for n in (1, 2, 7, 64, 1000)
    }
    assert len(texts) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [CASES[0], CASES[2], CASES[6], LARGE[1]], ids=str)
def test_chunks_run_in_any_order(case: Case, kind: str) -> None:
    case = replace(case, image=(9, *case.image[1:]))
    first, second = case.inputs(kind, "float32")
    arrays = (first, second, np.full(case.result_shape(kind), np.nan, np.float32))
    lowered = lower_convolution(case.spec(kind, arrays), AVX512)
    small = tuple(replace(call, chunk=1) for call in lowered.calls)
    runner = Runner(replace(lowered, calls=small))
    runner.run(arrays)
    plain = arrays[2].copy()
    arrays[2][...] = np.nan
    prepared = runner.prepare(arrays)
    start = 0
    for call in small:
        units = prepared[start : start + call.units]
        runner.execute(units[::-1])
        start += call.units
    np.testing.assert_array_equal(plain, arrays[2])


def test_an_image_has_the_same_bits_in_any_batch() -> None:
    case = replace(CASES[0], image=(5, 14, 14, 32))
    first, second = case.inputs("forward", "float32")
    whole = np.zeros(case.result_shape("forward"), np.float32)
    run(
        lower_convolution(case.spec("forward", (first, second, whole)), AVX512),
        first,
        second,
        whole,
    )
    one = replace(case, image=(1, 14, 14, 32))
    images, got = first[3:4], np.zeros(one.result_shape("forward"), np.float32)
    arrays = (images, second, got)
    run(lower_convolution(one.spec("forward", arrays), AVX512), *arrays)
    np.testing.assert_array_equal(got[0], whole[3])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [CASES[1], CASES[2], CASES[6], CASES[12]], ids=str)
def test_channels_first(case: Case, kind: str) -> None:
    """Images and results as NCHW, which the strides alone tell."""

    def first_channels(array: Array) -> Array:
        return np.ascontiguousarray(array.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)

    first, second = case.inputs(kind, "float32")
    result = np.full(case.result_shape(kind), np.nan, np.float32)
    wanted = expected(case, kind, first, second)
    if kind != "input":
        first = first_channels(first)
    if kind != "forward":
        second = first_channels(second)
    if kind != "filter":
        result = first_channels(result)
    arrays = (first, second, result)
    run(lower_convolution(case.spec(kind, arrays), AVX512), *arrays)
    close(result, wanted, terms(case, kind))


def test_channels_first_in_place() -> None:
    """The result is added to what is there, and masked by another array; both are NCHW."""
    case = CASES[1]
    first, second = case.inputs("input", "float32")
    batch, rows, columns, channels = case.result_shape("input")
    shape = (batch, channels, rows, columns)
    random = np.random.RandomState(4)
    before, mask = random.randn(*shape).astype("f"), random.randn(*shape).astype("f")
    steps = (
        Step("accumulator", (), "float32"),
        Step("load", (), "float32", 2),
        Step("add", (0, 1), "float32"),
        Step("load", (), "float32", 3),
        Step("constant", (), "float32", 0.0),
        Step("greater", (3, 4), "bool"),
        Step("select", (5, 2, 4), "float32"),
    )
    got = before.copy()
    arrays = (first, second, got.transpose(0, 2, 3, 1), mask.transpose(0, 2, 3, 1))
    run(lower_convolution(case.spec("input", arrays, steps, (Store(6, 2),)), AVX512), *arrays)
    wanted = before + expected(case, "input", first, second).transpose(0, 3, 1, 2)
    close(got, np.where(mask > 0, wanted, 0), terms(case, "input"))


@pytest.mark.parametrize("kind", KINDS)
def test_operands_that_are_parts_of_others(kind: str) -> None:
    """Slices of wider arrays, and a filter in the order (out, in, row, column)."""
    case = Case((2, 8, 15, 12), (3, 3), 20)
    first, second = case.inputs(kind, "float32")
    result = np.full(case.result_shape(kind), np.nan, np.float32)
    arrays = []
    for number, array in enumerate((first, second, result)):
        if array.shape == case.shapes[1]:
            turned = np.ascontiguousarray(array.transpose(3, 2, 0, 1))
            arrays.append(turned.transpose(2, 3, 1, 0))
        else:
            wide = np.full((*array.shape[:2], array.shape[2] + 1, array.shape[3] + 3), 7, "float32")
            part = wide[:, :, 1:, 2:-1]
            part[...] = array
            arrays.append(part)
        assert arrays[number].shape == array.shape
    run(lower_convolution(case.spec(kind, arrays), AVX512), *arrays)
    close(arrays[2], expected(case, kind, first, second), terms(case, kind))


def test_nan_and_infinity_go_through() -> None:
    case = Case((1, 6, 16, 8), (3, 3), 16)
    first, second = case.inputs("forward", "float32")
    first[0, 2, 5, 3] = np.inf
    first[0, 5, 12, 0] = np.nan
    got = np.zeros(case.result_shape("forward"), np.float32)
    run(lower_convolution(case.spec("forward", (first, second, got)), AVX512), first, second, got)
    assert np.isnan(got[0, 4:, 11:14]).all()
    assert np.isinf(got[0, 1:4, 4:7]).all()
    assert np.isfinite(got[0, :, 7:11]).all()


def test_a_check_and_the_number_of_a_filter() -> None:
    """A step fails for one image; another one adds the number of the filter."""
    case = Case((2, 4, 16, 8), (3, 3), 20)
    first, second = case.inputs("forward", "float32")
    got = np.zeros(case.result_shape("forward"), np.float32)
    flag = np.zeros((), np.int32)
    steps = (
        Step("accumulator", (), "float32"),
        Step("column", (), "int64"),
        Step("cast", (1,), "float32"),
        Step("add", (0, 2), "float32"),
        Step("constant", (), "float32", 1e6),
        Step("less", (0, 4), "bool"),
        Step("check", (5,), "bool", 3),
    )
    arrays = (first, second, got, flag)
    spec = case.spec("forward", arrays, steps, (Store(3, 2),))
    spec = replace(spec, operands=(*spec.operands[:3], Operand("int32", (0, 0, 0, 0))))
    runner = Runner(lower_convolution(spec, AVX512))
    runner.run(arrays)
    assert flag == 0
    wanted = expected(case, "forward", first, second) + np.arange(20)
    close(got, wanted, terms(case, "forward"))
    first[1, 2, 3, 4] = 1e9
    runner.run(arrays)
    assert flag == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dtype": "float16"}, "float16"),
        ({"batch": 0}, "nothing"),
        ({"steps": (Step("row_sum", (), "float32"),)}, "row_sum"),
        ({"operands": (Operand("float64", (1, 1, 1, 1)),) * 3}, "different dtypes"),
    ],
)
def test_what_stays_with_numpy(change: dict[str, Any], reason: str) -> None:
    case = CASES[0]
    arrays = (*case.inputs("forward", "float32"), np.zeros(case.result_shape("forward"), "f"))
    spec = replace(case.spec("forward", arrays), **change)
    with pytest.raises(Unsupported, match=reason):
        lower_convolution(spec, AVX512)
