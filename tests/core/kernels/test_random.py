"""Random kernels: their streams, their distributions and their edges."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import random as kernels
from workbench.core.kernels.random import generator

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
MANY = np.array([40000], np.int32)


def fits(samples: np.ndarray, cumulative: Callable[[Any], Any]) -> None:
    """Kolmogorov and Smirnov: at this bound a true fit fails once in ten million."""
    ordered = np.sort(samples.astype(np.float64).reshape(-1))
    expected = cumulative(ordered)
    steps = np.arange(ordered.size + 1) / ordered.size
    distance = max(np.abs(expected - steps[1:]).max(), np.abs(expected - steps[:-1]).max())
    assert distance < 2.9 / math.sqrt(ordered.size)


def normal(x: Any) -> Any:
    return np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in np.atleast_1d(x)])


def test_a_stream_depends_on_its_seeds_and_step_only() -> None:
    first = generator((1, 2), 3).random(8)
    np.testing.assert_array_equal(first, generator((1, 2), 3).random(8))
    others = [
        generator(key, step).random(8) for key, step in (((1, 2), 4), ((2, 1), 3), ((1, 3), 3))
    ]
    for other in others:
        assert not np.isin(other, first).any()
    assert generator((-1, 2**63), 2**40).random() == generator((2**64 - 1, 2**63), 2**40).random()


def test_the_stream_is_the_published_philox() -> None:
    # Numbers of an equal Philox made the usual way: no version may change what a seed gives.
    usual = np.random.Philox(key=[5, 6], counter=[0, 0, 7, 0])
    np.testing.assert_array_equal(
        generator((5, 6), 7).bit_generator.random_raw(9), usual.random_raw(9)
    )
    words = generator((0, 0), 0).bit_generator.random_raw(2)
    assert [hex(int(word)) for word in words] == ["0x2f4ba6408e4d89b", "0x3dd62b0b9ca8c5b2"]


def test_threads_do_not_share_anything() -> None:
    results: dict[int, Any] = {}

    def draw(number: int) -> None:
        results[number] = [
            generator((number, 0), step).standard_normal(50).sum() for step in range(40)
        ]

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, sums in results.items():
        assert sums == [
            generator((number, 0), step).standard_normal(50).sum() for step in range(40)
        ]


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform(dtype: Any) -> None:
    values = kernels.random_uniform(
        np.array([200, 201]), generator=generator((3, 4), 0), dtype=np.dtype(dtype)
    )
    assert values.dtype == dtype and values.shape == (200, 201)
    assert values.min() >= 0 and values.max() < 1
    if dtype in (np.float32, np.float64):
        fits(values, lambda x: x)
    assert abs(values.astype(float).mean() - 0.5) < 0.01


def test_uniform_is_the_same_stream_whatever_the_shape() -> None:
    def draw(*shape: int) -> np.ndarray:
        dtype = np.dtype(np.float32)
        return kernels.random_uniform(np.array(shape), generator=generator((8, 9), 1), dtype=dtype)

    np.testing.assert_array_equal(draw(12), draw(3, 4).reshape(-1))
    np.testing.assert_array_equal(draw(12)[:5], draw(5))
    np.testing.assert_array_equal(draw(20000)[:7000], draw(7000))
    assert draw().shape == () and draw(0, 3).shape == (0, 3)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_uniform_integers(dtype: Any) -> None:
    values = kernels.random_uniform_int(MANY, dtype(-3), dtype(4), generator=generator((1, 1), 1))
    assert values.dtype == dtype
    counts = np.bincount(values + 3, minlength=7)
    assert counts.size == 7
    np.testing.assert_allclose(counts / MANY[0], 1 / 7, atol=0.012)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_and_truncated_normal(dtype: Any) -> None:
    values = kernels.random_standard_normal(
        MANY, generator=generator((1, 2), 3), dtype=np.dtype(dtype)
    )
    cut = kernels.truncated_normal(MANY, generator=generator((1, 2), 3), dtype=np.dtype(dtype))
    assert values.dtype == cut.dtype == dtype
    assert abs(values.astype(float).std() - 1) < 0.015
    assert np.abs(cut.astype(float)).max() <= 2
    assert abs(cut.astype(float).std() - 0.8796) < 0.015
    if dtype in (np.float32, np.float64):
        fits(values, normal)
        low, high = normal([-2, 2])
        fits(cut, lambda x: (normal(x) - low) / (high - low))


@pytest.mark.parametrize(
    ("mean", "deviation", "low", "high"),
    [
        (1.0, 2.0, -1.0, 4.0),  # most of the mass
        (0.0, 1.0, -0.5, 0.2),  # a narrow piece of the middle
        (0.0, 1.0, 2.0, 9.0),  # the right tail
        (5.0, 1.0, -9.0, 2.5),  # the left tail
        (0.0, 1.0, 3.0, 3.1),  # a narrow piece of the tail
        (0.0, 1.0, 1.0, math.inf),
        (0.0, 1.0, -math.inf, math.inf),
    ],
)
def test_parameterized_truncated_normal(
    mean: float, deviation: float, low: float, high: float
) -> None:
    values = kernels.parameterized_truncated_normal(
        np.array([2, 10000]),
        *(np.array([value]) for value in (mean, deviation, low, high)),
        generator=generator((4, 4), 2),
        dtype=np.dtype(np.float64),
    )
    assert values.shape == (2, 10000)
    # Measured from the side where the tail is thin, for the differences to keep their digits.
    sign = -1.0 if low > mean else 1.0
    bounds = sorted(sign * (bound - mean) / deviation for bound in (low, high))
    left, right = normal(bounds)
    fits(sign * (values - mean) / deviation, lambda x: (normal(x) - left) / (right - left))


def test_parameters_by_row_far_out_in_the_tail() -> None:
    values = kernels.parameterized_truncated_normal(
        np.array([3, 500]),
        np.array([0.0, 0.0, 100.0]),
        np.array([1.0]),
        np.array([30.0, -1.0, -math.inf]),
        np.array([math.inf, 1.0, 0.0]),
        generator=generator((4, 4), 2),
        dtype=np.dtype(np.float32),
    )
    assert values.dtype == np.float32
    assert values[0].min() >= 30 and abs(values[0].mean() - 30.0333) < 0.01
    assert np.abs(values[1]).max() <= 1
    assert values[2].max() <= 0 and abs(values[2].mean() + 0.01) < 0.003


def test_gamma_and_poisson() -> None:
    alpha = np.array([0.3, 4.0, math.nan, 0.0, -1.0], np.float32)
    values = kernels.random_gamma(np.array([20000]), alpha, generator=generator((1, 5), 0))
    assert values.dtype == np.float32 and values.shape == (20000, 5)
    np.testing.assert_allclose(values[:, :2].mean(axis=0), [0.3, 4.0], rtol=0.05)
    np.testing.assert_allclose(values[:, :2].var(axis=0), [0.3, 4.0], rtol=0.1)
    assert np.isnan(values[:, [2, 4]]).all() and (values[:, 3] == 0).all()

    rate = np.array([0.5, 30.0, 1e20, -1.0, math.inf, 0.0])
    counts = kernels.random_poisson(
        np.array([20000]), rate, generator=generator((1, 6), 0), dtype=np.dtype(np.float64)
    )
    np.testing.assert_allclose(counts[:, :3].mean(axis=0), rate[:3], rtol=0.05)
    np.testing.assert_allclose(counts[:, :3].var(axis=0), rate[:3], rtol=0.1)
    assert np.isnan(counts[:, 3:5]).all() and (counts[:, 5] == 0).all()
    whole = kernels.random_poisson_v2(
        np.array([2]), np.float32(3), generator=generator((1, 6), 0), dtype=np.dtype(np.int64)
    )
    assert whole.dtype == np.int64 and whole.shape == (2,)


def test_shuffle() -> None:
    rows = np.arange(60).reshape(20, 3)
    mixed = kernels.random_shuffle(rows, generator=generator((2, 2), 2))
    assert not np.array_equal(mixed, rows)
    np.testing.assert_array_equal(mixed[np.argsort(mixed[:, 0])], rows)
    words = np.array([b"a", b"b", b"c"], object)
    assert sorted(kernels.random_shuffle(words, generator=generator((2, 2), 2))) == sorted(words)
    assert kernels.random_shuffle(np.array(7), generator=generator((2, 2), 2)) == 7


@pytest.mark.parametrize("dtype", FLOATS)
def test_multinomial(dtype: Any) -> None:
    weights = np.array([[1, 2, 0, 5], [0, 0, 3, 0], [1, 1, 1, 1]], np.float64)
    with np.errstate(divide="ignore"):
        logits = (np.log(weights) + np.array([[1], [-1], [0]])).astype(dtype)
    drawn = kernels.multinomial(logits, np.int32(20000), generator=generator((7, 7), 0))
    assert drawn.dtype == np.int64 and drawn.shape == (3, 20000)
    for row, weight in zip(drawn, weights, strict=True):
        shares = np.bincount(row, minlength=4) / row.size
        np.testing.assert_allclose(shares, weight / weight.sum(), atol=0.02)
        assert (shares[weight == 0] == 0).all()


def test_multinomial_never_draws_the_impossible() -> None:
    logits = np.full((50, 9), -np.inf)
    possible = np.arange(50) % 9
    logits[np.arange(50), possible] = 0
    drawn = kernels.multinomial(logits, np.array(30), generator=generator((7, 7), 1))
    np.testing.assert_array_equal(drawn, np.repeat(possible[:, None], 30, axis=1))
    none = kernels.multinomial(np.zeros((0, 3)), np.array(4), generator=generator((7, 7), 1))
    assert none.shape == (0, 4)


STREAM = {"generator": generator((0, 1), 0)}
F32 = np.dtype(np.float32)
ERRORS = [
    (lambda: kernels.random_uniform(np.array([2, -1]), dtype=F32, **STREAM), "[2, -1]"),
    (lambda: kernels.random_uniform_int(MANY, np.array(3), np.array(3), **STREAM),
     "Need minval < maxval, got 3 >= 3"),
    (lambda: kernels.random_poisson(MANY, np.array(-2.0), dtype=np.dtype(int), **STREAM), "-2.0"),
    (lambda: kernels.multinomial(np.zeros(3), np.array(1), **STREAM), "(batch, classes)"),
    (lambda: kernels.multinomial(np.zeros((1, 3)), np.array(-1), **STREAM), "num_samples"),
    (lambda: kernels.multinomial(np.full((2, 3), np.nan), np.array(1), **STREAM), "logits[0]"),
    (lambda: kernels.parameterized_truncated_normal(
        np.array([2, 3]), *(np.array(v) for v in ([0.0], [1.0, 1.0], [0.0], [0.0, 1.0])),
        dtype=F32, **STREAM), "row 0 has mean 0.0"),
    (lambda: kernels.parameterized_truncated_normal(
        np.array([2, 3]), *(np.array(v) for v in ([0.0, math.nan], [1.0], [0.0], [1.0])),
        dtype=F32, **STREAM), "row 1 has mean nan"),
    (lambda: kernels.parameterized_truncated_normal(
        np.array([2, 3]), *(np.array(v) for v in ([0.0] * 3, [1.0], [0.0], [1.0])),
        dtype=F32, **STREAM), "Input means should have length 1 or shape[0], which is 2; got 3"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)


def test_a_single_number_is_the_first_of_many() -> None:
    dtype = np.dtype(np.float32)
    for step in range(200):
        one = kernels.random_uniform(
            np.array([], np.int32), generator=generator((3, 1), step), dtype=dtype
        )
        many = kernels.random_uniform(np.array([5]), generator=generator((3, 1), step), dtype=dtype)
        assert (one.shape, one.dtype) == ((), dtype)
        assert one.tobytes() == many[:1].tobytes()


def test_the_generator_of_a_thread_begins_every_step_anew() -> None:
    for key, step in (((1, 2), 3), ((-1, 2**63), 2**40), ((1, 2), 3)):
        # Some numbers leave half a word behind, which must not be used by the next step.
        expected = generator(key, step).integers(0, 10, 3, np.int32)
        brief = kernels.brief_generator(key, step)
        np.testing.assert_array_equal(brief.integers(0, 10, 3, np.int32), expected)
    own = kernels.brief_generator((1, 2), 3)
    others: list[Any] = []
    thread = threading.Thread(target=lambda: others.append(kernels.brief_generator((4, 5), 6)))
    thread.start()
    thread.join(30)
    assert others[0] is not own
    assert own.random() == generator((1, 2), 3).random()
