"""Learning rates that change with the step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

train = tf.train


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _cycled(t: int) -> float:
    length = 20 * max(1, math.ceil(t / 20))
    return 0.49 * (1 - t / length) ** 0.5 + 0.01


def _restarted(t: int) -> float:
    start, length, height = 0, 10, 0.5
    while t >= start + length:
        start, length, height = start + length, 2 * length, height * 0.8
    return 0.9 * height * 0.5 * (1 + math.cos(math.pi * (t - start) / length)) + 0.5 * 0.1


CASES: dict[str, tuple[Callable[[Any], Any], Callable[[int], float]]] = {
    "exponential": (
        lambda g: train.exponential_decay(0.5, g, 10, 0.7),
        lambda t: 0.5 * 0.7 ** (t / 10),
    ),
    "exponential staircase": (
        lambda g: train.exponential_decay(0.5, g, 10, 0.7, staircase=True),
        lambda t: 0.5 * 0.7 ** (t // 10),
    ),
    "natural": (
        lambda g: train.natural_exp_decay(0.5, g, 10, 0.7),
        lambda t: 0.5 * math.exp(-0.7 * t / 10),
    ),
    "natural staircase": (
        lambda g: train.natural_exp_decay(0.5, g, 10, 0.7, staircase=True),
        lambda t: 0.5 * math.exp(-0.7 * (t // 10)),
    ),
    "inverse": (
        lambda g: train.inverse_time_decay(0.5, g, 10, 0.7),
        lambda t: 0.5 / (1 + 0.07 * t),
    ),
    "inverse staircase": (
        lambda g: train.inverse_time_decay(0.5, g, 10, 0.7, staircase=True),
        lambda t: 0.5 / (1 + 0.7 * (t // 10)),
    ),
    "polynomial": (
        lambda g: train.polynomial_decay(0.5, g, 20, 0.01, 2.0),
        lambda t: 0.49 * (1 - min(t, 20) / 20) ** 2 + 0.01,
    ),
    "polynomial cycle": (
        lambda g: train.polynomial_decay(0.5, g, 20, 0.01, 0.5, cycle=True),
        _cycled,
    ),
    "piecewise": (
        lambda g: train.piecewise_constant(g, [10, 20], [0.1, 0.2, 0.3]),
        lambda t: 0.1 if t <= 10 else 0.2 if t <= 20 else 0.3,
    ),
    "cosine": (
        lambda g: train.cosine_decay(0.5, g, 20, alpha=0.1),
        lambda t: 0.45 * 0.5 * (1 + math.cos(math.pi * min(t, 20) / 20)) + 0.05,
    ),
    "linear cosine": (
        lambda g: train.linear_cosine_decay(0.5, g, 20, 0.5, 0.1, 0.01),
        lambda t: (
            0.5
            * ((0.1 + 1 - min(t, 20) / 20) * 0.5 * (1 + math.cos(math.pi * min(t, 20) / 20)) + 0.01)
        ),
    ),
}


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
@pytest.mark.parametrize("name", sorted(CASES))
def test_decays(name: str, dtype: tf.DType, session: tf.Session) -> None:
    build, formula = CASES[name]
    step = tf.placeholder(dtype, [])
    rate = build(step)
    for t in (0, 1, 9, 10, 11, 19, 20, 21, 45):
        assert session.run(rate, {step: t}) == pytest.approx(formula(t), rel=1e-4), t


def test_noise_dies_away(session: tf.Session) -> None:
    step = tf.placeholder(tf.int32, [])
    tf.set_random_seed(1)
    rate = train.noisy_linear_cosine_decay(2.0, step, 1000, 4.0, 1.0, num_periods=0.25, beta=0.5)
    without = train.linear_cosine_decay(2.0, step, 1000, num_periods=0.25, beta=0.5)
    for t in (0, 99, 500, 1000, 2000):
        drawn = np.array([session.run(rate, {step: t}) for _ in range(300)])
        wave = 0.5 * (1 + math.cos(math.pi * 0.5 * min(t, 1000) / 1000))
        deviation = 2.0 * wave * math.sqrt(4.0 / (1 + min(t, 1000)))
        assert drawn.std() == pytest.approx(deviation, rel=0.2), t
        assert drawn.mean() == pytest.approx(session.run(without, {step: t}), abs=deviation / 4)


def test_restarts(session: tf.Session) -> None:
    step = tf.placeholder(tf.int32, [])
    rate = train.cosine_decay_restarts(0.5, step, 10, t_mul=2.0, m_mul=0.8, alpha=0.1)
    # Right at a restart rounding decides, so the steps beside it are looked at.
    for t in (0, 5, 9, 12, 28, 33, 60):
        assert session.run(rate, {step: t}) == pytest.approx(_restarted(t), rel=1e-4), t


def test_a_rate_that_is_a_variable_and_a_step_that_is_one(session: tf.Session) -> None:
    step = tf.train.create_global_step()
    rate = train.exponential_decay(tf.Variable(0.5), step, 1, tf.constant(0.5))
    session.run(tf.global_variables_initializer())
    session.run(step.assign_add(2))
    assert session.run(rate) == 0.125


@pytest.mark.parametrize(
    "decay",
    [train.exponential_decay, train.natural_exp_decay, train.inverse_time_decay],
)
def test_a_step_is_needed(decay: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="global_step is required for"):
        decay(0.1, None, 1, 0.5)


def test_piecewise_errors() -> None:
    with pytest.raises(ValueError, match="boundaries should be 1 less"):
        train.piecewise_constant(tf.constant(1), [1, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="same dtype"):
        train.piecewise_constant(tf.constant(1), [1], [0.1, 2])
