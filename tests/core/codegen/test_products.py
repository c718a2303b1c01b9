"""Products of every shape and layout against float64; their bits follow from sizes alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.core.codegen.product_cases import assert_is_product, describe, matrix, normal
from tests.core.codegen.running import Runner, run
from workbench.core.codegen.products import lower_product
from workbench.core.codegen.specs import Call, Step
from workbench.core.codegen.target import AVX2, AVX512, NEON, Target
from workbench.core.codegen.unsupported import Unsupported

TARGETS = pytest.mark.parametrize("target", [AVX512, AVX2, NEON], ids=lambda t: t.name)

#: m, n, k: single elements, odd ones, part vectors, more than one block of k, few and many rows.
SIZES = [
    (1, 1, 1),
    (1, 37, 19),
    (5, 1, 130),
    (2, 512, 7),
    (3, 33, 4),
    (13, 10, 64),
    (29, 100, 3),
    (131, 70, 17),
    (64, 96, 300),
    (17, 16, 1025),
]


@TARGETS
@pytest.mark.parametrize("left_order", ["rows", "columns"])
@pytest.mark.parametrize("right_order", ["rows", "columns"])
def test_products_of_all_sizes(target: Target, left_order: str, right_order: str) -> None:
    for m, n, k in SIZES:
        left, right = matrix(1, m, k, left_order), matrix(2, k, n, right_order)
        result = np.full((m, n), np.nan, "float32")
        run(lower_product(describe([left, right, result]), target), left, right, result)
        assert_is_product(result, left, right)


@TARGETS
@pytest.mark.parametrize("result_order", ["rows", "columns", "view", "strided"])
def test_views_and_strides(target: Target, result_order: str) -> None:
    m, n, k = 21, 41, 23
    for orders in itertools.product(["view", "strided"], ["view", "strided", "columns"]):
        left, right = matrix(1, m, k, orders[0]), matrix(2, k, n, orders[1])
        result = matrix(3, m, n, result_order)
        around = result.base.copy() if result.base is not None else None
        run(lower_product(describe([left, right, result]), target), left, right, result)
        assert_is_product(result, left, right)
        if around is not None and result.base.ndim == 2:
            # Nothing but the result has changed.
            changed = result.copy()
            result[...] = 0
            inside = result.base == 0
            np.testing.assert_array_equal(result.base[~inside], around[~inside])
            result[...] = changed


@TARGETS
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_dtypes(target: Target, dtype: str) -> None:
    if dtype == "bfloat16":
        dtype_of = pytest.importorskip("ml_dtypes").bfloat16
    else:
        dtype_of = np.dtype(dtype)
    for m, n, k in [(1, 5, 9), (30, 40, 50), (13, 17, 301)]:
        for right_order in ("rows", "columns"):
            left = normal(1, m, k).astype(dtype_of)
            right = normal(2, n, k).astype(dtype_of).T
            if right_order == "rows":
                right = np.ascontiguousarray(right)
            result = np.zeros((m, n), dtype_of)
            run(lower_product(describe([left, right, result]), target), left, right, result)
            if dtype == "float64":
                assert_is_product(result, left, right)
            else:
                wide = left.astype("float32"), right.astype("float32")
                np.testing.assert_allclose(
                    result.astype("float32"), np.matmul(*wide), rtol=2**-7, atol=0.05
                )


def test_batches() -> None:
    queries, keys = normal(1, 3, 20, 2, 16), normal(2, 3, 20, 2, 16)
    heads = (0, 2, 1, 3)
    left = queries.transpose(heads)
    right = keys.transpose(0, 2, 3, 1)
    scores = np.zeros((3, 2, 20, 20), "float32")
    run(lower_product(describe([left, right, scores]), AVX512), left, right, scores)
    assert_is_product(scores, left, right)
    mixed = np.zeros_like(queries).transpose(heads)
    values = keys.transpose(heads)
    run(lower_product(describe([scores, values, mixed]), AVX512), scores, values, mixed)
    assert_is_product(mixed, scores, values)


@TARGETS
def test_broadcast_batches(target: Target) -> None:
    weights = normal(2, 16, 24)
    left = normal(1, 2, 3, 5, 16)
    right = np.broadcast_to(weights, (2, 3, 16, 24))
    result = np.zeros((2, 3, 5, 24), "float32")
    lowered = lower_product(describe([left, right, result]), target)
    # One product of 30 rows.
    assert len(lowered.calls[0].arguments) == len(
        lower_product(describe([left[0, 0], weights, result[0, 0]]), target).calls[0].arguments
    )
    run(lowered, left, right, result)
    assert_is_product(result, left, right)
    shared = np.broadcast_to(left[0, 0], (2, 3, 5, 16))
    several = normal(4, 2, 3, 16, 24)
    run(lower_product(describe([shared, several, result]), target), shared, several, result)
    assert_is_product(result, shared, several)


def test_no_terms_are_zero_and_no_elements_are_no_calls() -> None:
    left, right = np.zeros((7, 0), "float32"), np.zeros((0, 35), "float32")
    result = np.full((7, 35), np.nan, "float32")
    run(lower_product(describe([left, right, result]), AVX512), left, right, result)
    np.testing.assert_array_equal(result, 0)
    for m, n, batch in [(0, 3, 2), (3, 0, 2), (3, 4, 0)]:
        arrays = [np.zeros(s, "float32") for s in ((batch, m, 5), (batch, 5, n), (batch, m, n))]
        assert lower_product(describe(arrays), AVX512).calls == ()


def test_not_a_number_and_infinity_stay_in_their_row_and_column() -> None:
    left, right = normal(1, 40, 30), normal(2, 30, 50)
    left[3, 4], right[7, 9], left[39, 0] = np.nan, np.inf, -np.inf
    result = np.zeros((40, 50), "float32")
    run(lower_product(describe([left, right, result]), AVX512), left, right, result)
    with np.errstate(invalid="ignore"):
        expected = left.astype("float64") @ right.astype("float64")
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
    np.testing.assert_array_equal(result[np.isinf(expected)], expected[np.isinf(expected)])


@TARGETS
def test_an_element_has_the_same_bits_in_every_tile(target: Target) -> None:
    left, right = normal(1, 150, 333), normal(2, 333, 90)

    def product(rows: slice, columns: slice) -> np.ndarray:
        a, b = left[rows], right[:, columns]
        result = np.zeros((a.shape[0], b.shape[1]), "float32")
        run(lower_product(describe([a, b, result]), target), a, b, result)
        return result

    whole = product(slice(None), slice(None))
    for rows, columns in [
        (slice(0, 7), slice(None)),
        (slice(41, 44), slice(5, 70)),
        (slice(149, 150), slice(80, 90)),
        (slice(3, 75), slice(17, 18)),
    ]:
        np.testing.assert_array_equal(product(rows, columns), whole[rows, columns])


def test_a_sum_is_a_chain_of_fused_additions_in_order() -> None:
    # Without the fusing the small part of the last product would be lost.
    left = np.array([[1.0, 1.0 + 2.0**-12]], "float32")
    right = np.array([[-1.0], [1.0 + 2.0**-12]], "float32")
    result = np.zeros((1, 1), "float32")
    run(lower_product(describe([left, right, result]), AVX512), left, right, result)
    assert result[0, 0] == 2.0**-11 + 2.0**-24


@TARGETS
@pytest.mark.parametrize(("m", "n", "k"), [(150, 200, 40), (130, 90, 600), (300, 10, 64)])
def test_chunks_in_any_order_give_the_same_bits(target: Target, m: int, n: int, k: int) -> None:
    left, right = normal(1, m, k), normal(2, k, n)
    result = np.zeros((m, n), "float32")
    runner = Runner(lower_product(describe([left, right, result]), target))
    prepared = runner.prepare([left, right, result])
    runner.execute(prepared)
    expected = result.copy()
    result[...] = np.nan
    function, arguments, _, end = prepared[0]
    ends = [call[3] for call in prepared]
    singles = [(function, arguments, unit, unit + 1) for unit in range(max(ends))]
    order = np.random.default_rng(0).permutation(len(singles))
    runner.execute([singles[unit] for unit in order])
    np.testing.assert_array_equal(result, expected)
    assert end <= len(singles)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda t: t.name)
def test_one_column_of_rows_is_dot_products(target: Target, dtype: str) -> None:
    right = normal(2, 133, 1, dtype=dtype)
    left = matrix(1, 150, 133, "view", dtype)
    whole = np.zeros((150, 1), dtype)
    lowered = lower_product(describe([left, right, whole]), target)
    assert "dot products" in lowered.notes
    run(lowered, left, right, whole)
    assert_is_product(whole, left, right)
    for m, k in [(1, 133), (7, 133), (64, 133), (65, 133), (9, 16), (5, 47)]:
        result = np.full((m, 1), np.nan, dtype)
        arrays = [left[:m, :k], right[:k], result]
        some = lower_product(describe(arrays), target)
        run(some, *arrays)
        assert_is_product(result, *arrays[:2])
        if k == 133:
            np.testing.assert_array_equal(result, whole[:m])
            assert some.calls[0].code.name == lowered.calls[0].code.name


def only_call(m: int, n: int, k: int, left_order: str = "rows") -> Call:
    left, right = matrix(1, m, k, left_order), matrix(2, k, n, "rows")
    (call,) = lower_product(describe([left, right, np.zeros((m, n), "float32")]), AVX512).calls
    return call


def test_products_that_differ_in_the_batch_share_their_code() -> None:
    codes = {only_call(m, 512, 784).code for m in (48, 64, 90, 96, 126, 128, 250, 256, 1000)}
    assert len(codes) == 1
    # The gradient of the weights sums over the batch.
    names = {only_call(784, 512, k, "columns").code.name for k in (32, 50, 64, 96, 127, 128)}
    assert len(names) == 1
    # All batches together need a few texts at most.
    assert len({only_call(m, 512, 784).code.name for m in range(1, 200, 3)}) <= 8


def test_work_is_cut_by_sizes_into_pieces_worth_while() -> None:
    call = only_call(1024, 1024, 1024)
    assert call.units // call.chunk >= 32
    call = only_call(4, 16, 16)
    assert call.units <= call.chunk


def test_what_stays_with_numpy_says_why() -> None:
    numbers = np.zeros((2, 2), "int32")
    with pytest.raises(Unsupported, match="int32"):
        lower_product(describe([numbers, numbers, numbers]), AVX512)
    arrays = [np.zeros((2, 2), "float32")] * 3
    steps = [Step("accumulator", (), "float32"), Step("row_sum", (0,), "float32")]
    with pytest.raises(Unsupported, match="row_sum"):
        lower_product(describe(arrays, steps), AVX512)
