"""Statistics of values: exact for small ones, close for large ones."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from workbench.live.statistics import SAMPLED, Statistics, count_nonfinite, sample, statistics


def expected(array: np.ndarray) -> Statistics:
    """The oracle: NumPy's own functions on all elements."""
    values = np.asarray(array)
    values = np.abs(values) if values.dtype.kind == "c" else values.astype(np.float64)
    finite = values[np.isfinite(values)]
    return Statistics(
        float(finite.mean()),
        float(finite.std()),
        float((values == 0).mean()),
        int(np.count_nonzero(~np.isfinite(values))),
    )


random = np.random.default_rng(0)
SPOILT = random.normal(size=(30, 40))
SPOILT[3, 4:9] = np.nan
SPOILT[5, 6] = np.inf
SPOILT[7, 8] = -np.inf
SPOILT[9] = 0

SMALL = {
    "float32": random.normal(3, 2, (17, 5)).astype(np.float32),
    "float64": random.normal(3, 2, (17, 5)),
    "float16": random.normal(3, 2, (17, 5)).astype(np.float16),
    "bfloat16": random.normal(3, 2, (17, 5)).astype(ml_dtypes.bfloat16),
    "integers": random.integers(-3, 3, (17, 5)),
    "unsigned": random.integers(0, 3, (17, 5), np.uint8),
    "booleans": random.integers(0, 2, (17, 5)).astype(bool),
    "complex": random.normal(size=(17, 5)) + 1j * random.normal(size=(17, 5)),
    "not finite": SPOILT,
    "transposed": SPOILT.T,
    "sliced": SPOILT[::2, 1:-1],
    "reversed": SPOILT[::-1],
    "broadcast": np.broadcast_to(SPOILT[3], (7, 40)),
    "broadcast last": np.broadcast_to(SPOILT[:, :1], (30, 9)),
    "far from zero": 1e6 + random.normal(size=1000),
    "huge": np.full(10, 1e30, np.float32),
}


@pytest.mark.parametrize("name", SMALL)
def test_small_values_are_exact(name):
    array = SMALL[name]
    before = array.copy()
    found = statistics(array)
    assert found is not None
    np.testing.assert_allclose(found, expected(array), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (np.float32(2.5), (2.5, 0.0, 0.0, 0)),
        (np.float32(0), (0.0, 0.0, 1.0, 0)),
        (np.array(-3), (-3.0, 0.0, 0.0, 0)),
        (np.float64("nan"), (math.nan, math.nan, 0.0, 1)),
        (np.float16("inf"), (math.nan, math.nan, 0.0, 1)),
        (np.bool_(True), (1.0, 0.0, 0.0, 0)),
        (np.complex64(3 + 4j), (5.0, 0.0, 0.0, 0)),
        (ml_dtypes.bfloat16(1.5), (1.5, 0.0, 0.0, 0)),
        (np.full((3, 3), np.nan), (math.nan, math.nan, 0.0, 9)),
    ],
)
def test_numbers(value, found):
    np.testing.assert_array_equal(statistics(value), found)


@pytest.mark.parametrize(
    "value",
    [np.array([b"text"], object), np.array("text"), np.empty((0, 3)), object(), None],
)
def test_what_has_no_numbers(value):
    assert statistics(value) is None


@pytest.mark.parametrize("shape", [(64, 28, 28, 32), (1_000_003,), (4096, 256), (2, 3, 100_000)])
@pytest.mark.parametrize("order", ["as it is", "transposed", "sliced", "broadcast"])
def test_large_values_are_close(shape, order):
    """Each axis has a trend of its own: a sample in step with one would miss it."""
    generator = np.random.default_rng(1)
    array = generator.normal(1, 0.5, shape).astype(np.float32)
    for axis, length in enumerate(shape):
        trend = np.linspace(-1, 1, length, dtype=np.float32)
        array += trend.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    array[generator.random(shape) < 0.25] = 0
    if order == "transposed":
        array = array.T
    elif order == "sliced":
        array = array[..., 1::2]
    elif order == "broadcast":
        array = np.broadcast_to(array[:1], shape)
    found, exact = statistics(array), expected(array)
    tolerance = 5 / math.sqrt(SAMPLED)
    spread = exact.deviation + 1e-6
    assert abs(found.mean - exact.mean) < tolerance * spread
    assert abs(found.deviation - exact.deviation) < 2 * tolerance * spread
    assert abs(found.zeros - exact.zeros) < tolerance
    assert found.nonfinite == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16])
@pytest.mark.parametrize("spoiled", [np.nan, np.inf, -np.inf])
def test_one_among_many_is_found(dtype, spoiled):
    array = np.ones((300, 1000), dtype)
    array[123, 456] = spoiled
    assert statistics(array).nonfinite == 1
    assert statistics(array.T).nonfinite == 1
    assert statistics(np.broadcast_to(array, (3, 300, 1000))).nonfinite == 3


def test_opposite_infinities_do_not_cancel():
    array = np.zeros(100_000, np.float32)
    array[[3, 50_000]] = np.inf, -np.inf
    assert statistics(array).nonfinite == 2


def test_sums_that_overflow_are_no_infinities():
    assert statistics(np.full(100_000, 60_000, np.float16)).nonfinite == 0
    assert statistics(np.full(100_000, 3e38, np.float32)).nonfinite == 0


def test_a_sample_is_a_copy_of_bounded_size():
    for size in (1, SAMPLED, SAMPLED + 1, 999_999):
        array = np.arange(float(size))
        taken = sample(array)
        assert not np.shares_memory(taken, array)
        assert min(size, SAMPLED // 2) <= taken.size <= SAMPLED


@pytest.mark.parametrize("size", [3, 40_000])
def test_infinities_of_both_signs_are_no_reason_to_warn(size: int) -> None:
    array = np.zeros(size, np.float32)
    array[:2] = np.inf, -np.inf
    # Warnings are errors in the tests.
    assert count_nonfinite(array) == 2
    found = statistics(array)
    assert found is not None and (found.nonfinite, found.mean) == (2, 0.0)
    huge = statistics(np.array(complex(1e308, 1e308) * 1e10))
    assert huge is not None and huge.nonfinite == 1
