"""The cross entropy of sequences, as a tensor and as lists, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import evaluate

RNG = np.random.default_rng(0)
LOGITS = RNG.standard_normal((3, 4, 5))
TARGETS = RNG.integers(0, 5, (3, 4))
WEIGHTS = np.array([[1.0, 1, 0.5, 0], [1, 0, 0, 0], [0, 0, 0, 0]])


def entropies() -> Any:
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    return -np.log(np.take_along_axis(p, TARGETS[..., None], -1)[..., 0]) * WEIGHTS


@pytest.mark.parametrize("over_time", [True, False])
@pytest.mark.parametrize("over_batch", [True, False])
def test_sequence_loss(over_time: bool, over_batch: bool) -> None:
    loss = tf.contrib.seq2seq.sequence_loss(
        tf.constant(LOGITS), tf.constant(TARGETS), tf.constant(WEIGHTS), over_time, over_batch
    )
    axes = tuple(axis for axis, used in ((0, over_batch), (1, over_time)) if used)
    expected, total = entropies().sum(axes), WEIGHTS.sum(axes)
    if axes:
        expected = expected / (total + 1e-12)
    else:
        expected = entropies()
    assert loss.shape.as_list() == list(np.shape(expected))
    np.testing.assert_allclose(evaluate(loss), expected)


def test_another_loss_in_place_of_the_cross_entropy() -> None:
    def twice(labels: Any, logits: Any) -> Any:
        return 2 * tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    arguments = tf.constant(LOGITS), tf.constant(TARGETS), tf.constant(WEIGHTS)
    plain = tf.contrib.seq2seq.sequence_loss(*arguments)
    double = tf.contrib.seq2seq.sequence_loss(*arguments, softmax_loss_function=twice)
    lists = [tf.unstack(each, axis=1) for each in arguments]
    legacy = tf.contrib.legacy_seq2seq
    by_example = legacy.sequence_loss_by_example(*lists)
    doubled = legacy.sequence_loss_by_example(*lists, softmax_loss_function=twice)
    values = evaluate([plain, double, by_example, doubled])
    np.testing.assert_allclose(values[1], 2 * values[0])
    np.testing.assert_allclose(values[3], 2 * values[2])


@pytest.mark.parametrize("average", [True, False])
def test_loss_of_lists(average: bool) -> None:
    lists = [tf.unstack(tf.constant(each), axis=1) for each in (LOGITS, TARGETS, WEIGHTS)]
    legacy = tf.contrib.legacy_seq2seq
    by_example = legacy.sequence_loss_by_example(*lists, average_across_timesteps=average)
    whole = legacy.sequence_loss(*lists, average_across_timesteps=average)
    summed = legacy.sequence_loss(*lists, average, average_across_batch=False)
    expected = entropies().sum(1)
    if average:
        expected = expected / (WEIGHTS.sum(1) + 1e-12)
    values = evaluate([by_example, whole, summed])
    np.testing.assert_allclose(values[0], expected)
    np.testing.assert_allclose(values[1:], [expected.sum() / 3, expected.sum()])


def test_errors() -> None:
    function = tf.contrib.seq2seq.sequence_loss
    logits, targets = tf.ones([2, 3, 4]), tf.ones([2, 3], tf.int32)
    weights = tf.ones([2, 3])
    with pytest.raises(ValueError, match=r"Logits must be a \[batch_size x"):
        function(logits[0], targets, weights)
    with pytest.raises(ValueError, match="Targets must be"):
        function(logits, targets[0], weights)
    with pytest.raises(ValueError, match="Weights must be"):
        function(logits, targets, weights[0])
    with pytest.raises(ValueError, match="2, 1, 1"):
        tf.contrib.legacy_seq2seq.sequence_loss_by_example([1, 2], [1], [1])
    with pytest.raises(ValueError, match=r"Length of targets \(1\)"):
        tf.contrib.legacy_seq2seq.model_with_buckets([1] * 3, [1] * 3, [1], [1], [(3, 3)], max)
