"""Metrics with the predictions first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import workbench as tf

metrics = tf.contrib.metrics

SCORES = [[0.1, 0.6, 0.3], [0.5, 0.2, 0.3]]


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize(
    ("predictions", "labels", "weights", "want"),
    [
        ([1, 0, 1, 0], [1, 1, 0, 0], None, 0.5),
        ([True, False], [True, True], [3.0, 1.0], 0.75),
        (["a", "b"], ["a", "b"], 2.0, 1.0),
    ],
)
def test_accuracy_of_a_batch(
    predictions: Any, labels: Any, weights: Any, want: float, session: tf.Session
) -> None:
    found = metrics.accuracy(tf.constant(predictions), tf.constant(labels), weights)
    assert found.dtype == tf.float32
    assert session.run(found) == want
    assert not tf.local_variables()


@pytest.mark.parametrize(
    ("predictions", "labels", "message"),
    [
        ([1.0], [1.0], "Labels should have bool, integer, or string dtype, not float32"),
        ([True], [1], r"predictions \(bool\) and labels \(int32\)"),
        ([1, 2], [1], "incompatible"),
    ],
)
def test_what_is_not_accurate_or_wrong(predictions: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.accuracy(tf.constant(predictions), tf.constant(labels))


@pytest.mark.parametrize(
    ("name", "arguments", "want"),
    [
        # Predictions that are wrong on one side only tell the two orders apart.
        ("streaming_precision", ([True, True, False], [True, False, False]), 0.5),
        ("streaming_recall", ([True, True, False], [True, False, False]), 1.0),
        ("streaming_mean_relative_error", ([2.0, 3.0], [4.0, 4.0], [4.0, 4.0]), 0.375),
        ("streaming_mean_iou", ([0, 1, 1], [0, 1, 0], 2), 0.5),
        ("streaming_percentage_less", ([1.0, 2.0, 3.0, 4.0], 2.5), 0.5),
        ("streaming_sparse_precision_at_k", (SCORES, [[1, 0], [2, 1]], 1), 0.5),
        ("streaming_sparse_recall_at_k", (SCORES, [[1, 0], [2, 1]], 1), 0.25),
    ],
)
def test_streams(name: str, arguments: Any, want: float, session: tf.Session) -> None:
    constants = [tf.constant(each) if isinstance(each, list) else each for each in arguments]
    value, update = getattr(metrics, name)(*constants)
    session.run(tf.local_variables_initializer())
    session.run(update)
    assert session.run(value) == pytest.approx(want)
