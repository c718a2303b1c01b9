"""What form a loop takes: its dimensions, its vectors, its passes, its chunks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.codegen.loop_cases import Builder, Suite
from workbench.core.codegen.loop_cost import partial_count
from workbench.core.codegen.loop_passes import Passes
from workbench.core.codegen.loop_shape import choose_lanes, simplified
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.specs import LoopSpec
from workbench.core.codegen.target import AVX2, AVX512, NEON, Target


def doubled(shape: tuple[int, ...], *strides: tuple[int, ...]) -> LoopSpec:
    """The sum of operands with these strides, to a contiguous one."""
    loop = Builder(shape)
    total = loop.load("float32", strides[0])
    for other in strides[1:]:
        total = loop.step("add", total, loop.load("float32", other))
    loop.store(total)
    return loop.spec()


@pytest.mark.parametrize(
    "spec, shape, strides",
    [
        (doubled((4, 5, 6), (30, 6, 1)), (120,), (1,)),
        (doubled((4, 1, 6), (6, 99, 1), (0, 0, 1)), (4, 6), (6, 1)),
        (doubled((4, 5, 6), (30, 6, 1), (0, 0, 1)), (20, 6), (6, 1)),
        (doubled((4, 5, 6), (30, 6, 1), (0, 1, 0)), (4, 5, 6), (30, 6, 1)),
        (doubled((4, 40, 30), (1200, 1, 40), (1200, 1, 40)), (4, 30, 40), (1200, 40, 1)),
        (doubled((), ()), (1,), (0,)),
    ],
)
def test_dimensions_that_are_not_needed_go(
    spec: LoopSpec, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    simple = simplified(spec)
    assert simple.shape == shape
    assert simple.operands[0].strides == strides


def test_the_last_dimension_stays_where_it_is_reduced() -> None:
    loop = Builder((4, 5, 6))
    loop.store(loop.step("row_max", loop.load()), (5, 1, 0))
    assert simplified(loop.spec()).shape == (20, 6)


@pytest.mark.parametrize(
    "dtypes, target, lanes",
    [
        (["float32"], AVX512, 16),
        (["float32", "float64"], AVX512, 8),
        (["float32", "int64", "bool"], AVX2, 8),
        (["int8", "bool"], AVX512, 64),
        (["int8", "int32"], AVX2, 8),
        (["float16"], NEON, 4),
    ],
)
def test_lanes_are_those_of_the_widest_floats(
    dtypes: list[str], target: Target, lanes: int
) -> None:
    loop = Builder((100,))
    for dtype in dtypes:
        loop.store(loop.load(dtype))
    assert choose_lanes(loop.spec(), target) == lanes


def softmax_of(function: str, columns: int) -> LoopSpec:
    loop = Builder((8, columns))
    x = loop.load()
    shifted = loop.step("subtract", x, loop.step("row_max", x))
    value = loop.step(function, shifted)
    loop.store(loop.step("divide", value, loop.step("row_sum", value)))
    return loop.spec()


def test_dear_values_are_kept_and_cheap_ones_are_not() -> None:
    dear, cheap = (Passes(softmax_of(name, 1000), 1) for name in ("exp", "absolute"))
    assert [work.keeps for work in dear.passes] == [[], [3], []]
    assert [work.reuses for work in dear.passes] == [[], [], [3]]
    assert [work.keeps for work in cheap.passes] == [[], [], []]
    assert lower_loop(softmax_of("exp", 1000), AVX512).calls[0].code.scratch >= 4000
    assert lower_loop(softmax_of("absolute", 1000), AVX512).calls[0].code.scratch == 0
    assert lower_loop(softmax_of("exp", 128), AVX512).calls[0].code.scratch == 0


def test_a_space_of_no_dimension_leaves_one_part() -> None:
    loop = Builder(())
    loop.partial("sum", "all", loop.load("float32", ()))
    spec = loop.spec()
    assert partial_count(spec.shape) == 1
    x, part = np.array([2.5], np.float32), np.zeros(1, np.float32)
    assert Suite([spec], AVX512).run(spec, [x, part])[1][0] == 2.5


def test_chunks_are_cut_by_their_cost() -> None:
    light = lower_loop(doubled((100_000, 100), (100, 1), (0, 1)), AVX512).calls[0]
    heavy = lower_loop(softmax_of("exp", 1000), AVX512).calls[0]
    assert 100 <= light.chunk < light.units // 16
    assert heavy.chunk == heavy.units == 8
    few = lower_loop(doubled((50, 30), (30, 1), (0, 1)), AVX512).calls[0]
    assert few.chunk == few.units == 50


def test_short_rows_next_to_each_other_share_vectors() -> None:
    for columns, form in ((3, "several rows to a vector"), (17, "rows in registers")):
        spec = doubled((50, columns), (columns, 1), (0, 1))
        assert lower_loop(spec, AVX512).notes["form"] == form
    apart = doubled((50, 3), (4, 1), (0, 1))
    assert lower_loop(apart, AVX512).notes["form"] == "rows in registers"


def test_costs_are_counted() -> None:
    lowered = lower_loop(doubled((10, 20), (20, 1), (0, 1)), AVX512)
    assert lowered.flops == 200
    assert lowered.bytes == 4 * (200 + 20 + 200)
    assert lowered.notes["form"] == "rows in registers"
