"""Losses: their formulas, weights, reductions and collections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf

random = np.random.default_rng(3)
LABELS = random.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
GUESSES = random.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
ONE_HOT = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _log_softmax(x: Any) -> Any:
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def _huber(error: Any, delta: float) -> Any:
    return np.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2)


FORMULAS: dict[str, tuple[Callable[..., Any], Any]] = {
    "absolute_difference": (
        lambda: tf.losses.absolute_difference(LABELS, GUESSES, reduction="none"),
        np.abs(LABELS - GUESSES),
    ),
    "mean_squared_error": (
        lambda: tf.losses.mean_squared_error(LABELS, GUESSES, reduction="none"),
        (LABELS - GUESSES) ** 2,
    ),
    "cosine_distance": (
        lambda: tf.losses.cosine_distance(LABELS, GUESSES, axis=1, reduction="none"),
        1 - (LABELS * GUESSES).sum(1, keepdims=True),
    ),
    "hinge_loss": (
        lambda: tf.losses.hinge_loss(ONE_HOT, GUESSES, reduction="none"),
        np.maximum(0, 1 - (2 * ONE_HOT - 1) * GUESSES),
    ),
    "huber_loss": (
        lambda: tf.losses.huber_loss(LABELS, GUESSES, delta=0.2, reduction="none"),
        _huber(np.abs(LABELS - GUESSES), 0.2),
    ),
    "log_loss": (
        lambda: tf.losses.log_loss(LABELS, GUESSES, reduction="none"),
        -LABELS * np.log(GUESSES) - (1 - LABELS) * np.log(1 - GUESSES),
    ),
    "sigmoid_cross_entropy": (
        lambda: tf.losses.sigmoid_cross_entropy(
            ONE_HOT, GUESSES, label_smoothing=0.2, reduction="none"
        ),
        -(0.8 * ONE_HOT + 0.1) * np.log(_sigmoid(GUESSES))
        - (0.9 - 0.8 * ONE_HOT) * np.log(1 - _sigmoid(GUESSES)),
    ),
    "softmax_cross_entropy": (
        lambda: tf.losses.softmax_cross_entropy(
            ONE_HOT, GUESSES, label_smoothing=0.3, reduction="none"
        ),
        -((0.7 * ONE_HOT + 0.1) * _log_softmax(GUESSES)).sum(-1),
    ),
    "sparse_softmax_cross_entropy": (
        lambda: tf.losses.sparse_softmax_cross_entropy(
            [[0], [2], [1], [1]], GUESSES, reduction="none"
        ),
        -(ONE_HOT * _log_softmax(GUESSES)).sum(-1),
    ),
}


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_formulas(name: str, session: tf.Session) -> None:
    build, want = FORMULAS[name]
    np.testing.assert_allclose(session.run(build()), want, rtol=1e-5, atol=1e-6)
    assert len(tf.losses.get_losses()) == 1


def test_pairwise_differences(session: tf.Session) -> None:
    difference = GUESSES - LABELS
    pairs = difference[:, :, None] - difference[:, None, :]
    # The mean over ordered pairs of different elements, added up over the examples.
    want = (pairs**2).sum() / (3 * 2)
    value = tf.losses.mean_pairwise_squared_error(LABELS, GUESSES)
    assert session.run(value) == pytest.approx(want, rel=1e-5)
    # contrib's mean is over all ordered pairs, those of an element with itself among them.
    value = tf.contrib.losses.mean_pairwise_squared_error(GUESSES, LABELS)
    assert session.run(value) == pytest.approx((pairs**2).sum() / 9, rel=1e-5)


WEIGHTS = {
    "scalar": np.float32(2.0),
    "zero": np.float32(0.0),
    "rows": np.array([[1.0], [0.0], [2.0], [0.5]], np.float32),
    "all": np.array([[1, 0, 2]] * 4, np.float32),
    "none": np.zeros((4, 3), np.float32),
}


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("weights", sorted(WEIGHTS))
@pytest.mark.parametrize("reduction", tf.losses.Reduction.all())
def test_reductions(reduction: str, weights: str, unknown: bool, session: tf.Session) -> None:
    given = WEIGHTS[weights]
    spread = np.broadcast_to(given, LABELS.shape)
    weighted = LABELS * spread
    count = {
        "weighted_sum": 1,
        "weighted_mean": spread.sum(),
        "weighted_sum_over_batch_size": LABELS.size,
        "weighted_sum_by_nonzero_weights": np.count_nonzero(spread),
    }
    place = tf.placeholder_with_default(given, None if unknown else given.shape)
    value = tf.losses.compute_weighted_loss(tf.constant(LABELS), place, reduction=reduction)
    want = weighted
    if reduction != "none":
        want = weighted.sum() / count[reduction] if count[reduction] else 0.0
    np.testing.assert_allclose(session.run(value), want, rtol=1e-5)


def test_half_losses_stay_half(session: tf.Session) -> None:
    value = tf.losses.compute_weighted_loss(tf.constant([1.0, 3.0], tf.float16))
    assert session.run(value) == 2.0
    assert value.dtype == tf.float16


def test_gradient_through_weights_of_nothing(session: tf.Session) -> None:
    x = tf.constant([1.0, 2.0])
    loss = tf.losses.mean_squared_error(tf.zeros([2]), x, weights=0.0)
    assert session.run(tf.gradients(loss, x)[0]).tolist() == [0.0, 0.0]


def test_collections(session: tf.Session) -> None:
    with tf.name_scope("first"):
        a = tf.losses.mean_squared_error([1.0], [3.0])
    tf.losses.mean_squared_error([1.0], [2.0], loss_collection=None)
    tf.losses.absolute_difference([1.0], [2.0], loss_collection="others")
    b = tf.constant(5.0)
    tf.losses.add_loss(b)
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.constant(0.5))
    assert tf.losses.get_losses() == [a, b]
    assert tf.losses.get_losses("first") == [a]
    assert len(tf.losses.get_losses(loss_collection="others")) == 1
    assert session.run(tf.losses.get_total_loss()) == 9.5
    assert session.run(tf.losses.get_total_loss(add_regularization_losses=False)) == 9.0
    assert session.run(tf.losses.get_regularization_loss()) == 0.5


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: tf.losses.mean_squared_error([1.0, 2.0], [1.0, 2.0, 3.0]), "incompatible"),
        (lambda: tf.losses.mean_squared_error(None, [1.0]), "labels must not be None"),
        (lambda: tf.losses.mean_squared_error([1.0], None), "predictions must not be None"),
        (
            lambda: tf.losses.mean_squared_error(LABELS, GUESSES, weights=[1.0, 2.0, 3.0]),
            "weights can not be broadcast to values. values.rank=2. weights.rank=1",
        ),
        (
            lambda: tf.losses.mean_squared_error(LABELS, GUESSES, weights=np.ones((2, 3))),
            "Mismatch at dim 0",
        ),
        (lambda: tf.losses.cosine_distance([1.0], [1.0]), "You must specify 'axis'"),
        (
            lambda: tf.losses.compute_weighted_loss([1.0], reduction="average"),
            "Invalid ReductionKey average",
        ),
    ],
)
def test_wrong_arguments(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_weights_that_fit_only_by_numpys_rules_fail_in_the_run(session: tf.Session) -> None:
    weights = tf.placeholder(tf.float32, None)
    value = tf.losses.mean_squared_error(LABELS, GUESSES, weights=weights)
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights can not be broadcast"):
        session.run(value, {weights: [1.0, 2.0, 3.0]})


@pytest.mark.parametrize("shape", [(3,), (1, 2), (3, 1), (2, 2, 2, 2)])
def test_weights_known_in_a_run_only_are_checked(shape: tuple[int, ...]) -> None:
    weights = tf.placeholder(tf.float32)
    loss = tf.losses.compute_weighted_loss(tf.ones([3, 2, 4]), weights)
    with (
        tf.Session() as session,
        pytest.raises(tf.errors.InvalidArgumentError, match="weights can not be broadcast"),
    ):
        session.run(loss, {weights: np.ones(shape)})
