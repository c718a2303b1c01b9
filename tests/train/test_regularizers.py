"""Regularizers: values against their definitions, names, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.train import regularizers

pytestmark = pytest.mark.usefixtures("graph")


L2 = regularizers.l2_regularizer(0.5)
WEIGHTS = np.array([[1.0, -2.0], [0.5, 0.0]], np.float64)


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.l1_regularizer(0.1), 0.1 * 3.5),
        (regularizers.l2_regularizer(0.1), 0.1 * 5.25 / 2),
        (regularizers.l1_l2_regularizer(0.1, 0.2), 0.1 * 3.5 + 0.2 * 5.25 / 2),
        (regularizers.l1_l2_regularizer(0.0, 0.2), 0.2 * 5.25 / 2),
        (regularizers.l1_l2_regularizer(0.1, 0.0), 0.1 * 3.5),
        (regularizers.l1_l2_regularizer(), 3.5 + 5.25 / 2),
    ],
)
def test_values(regularizer: Any, expected: float) -> None:
    loss = regularizer(tf.constant(WEIGHTS))
    assert loss.dtype == tf.float64
    with tf.Session() as session:
        assert session.run(loss) == pytest.approx(expected)


def test_in_a_variable() -> None:
    tf.get_variable("w", [3], initializer=tf.ones_initializer(), regularizer=L2)
    (loss,) = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert loss.op.name == "w/Regularizer/l2_regularizer"
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(loss) == pytest.approx(0.75)


def test_zero_adds_nothing() -> None:
    weights = tf.constant(WEIGHTS)
    assert regularizers.l1_regularizer(0.0)(weights) is None
    assert regularizers.l2_regularizer(0.0)(weights) is None
    assert regularizers.sum_regularizer([None]) is None
    nothing = regularizers.sum_regularizer([regularizers.l1_regularizer(0.0)])
    assert nothing is not None
    assert nothing(weights) is None


def test_names() -> None:
    weights = tf.constant(WEIGHTS)
    assert regularizers.l1_regularizer(0.1)(weights).op.name == "l1_regularizer"
    assert regularizers.l2_regularizer(0.1, "decay")(weights).op.name == "decay"
    assert regularizers.l1_l2_regularizer(0.1, 0.1)(weights).op.name == "l1_l2_regularizer"


def test_apply_regularization() -> None:
    weights = [tf.constant(WEIGHTS), tf.constant(2 * WEIGHTS)]
    total = regularizers.apply_regularization(regularizers.l1_regularizer(1.0), weights)
    assert tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES) == [total]
    with tf.Session() as session:
        assert session.run(total) == pytest.approx(3 * 3.5)
    with pytest.raises(ValueError, match="No weights"):
        regularizers.apply_regularization(regularizers.l1_regularizer(1.0))
    with pytest.raises(ValueError, match="scalar"):
        regularizers.apply_regularization(lambda w: w, weights)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.l1_regularizer(-1.0), "scale less than 0"),
        (lambda: regularizers.l2_regularizer(-1.0), "scale less than 0"),
        (lambda: regularizers.l1_l2_regularizer(0.5, -1.0), "scale_l2 less than 0"),
        (lambda: regularizers.l1_regularizer(0), "scale cannot be an integer: 0"),
        (lambda: regularizers.l1_l2_regularizer(1, 0.5), "scale_l1 cannot be an integer: 1"),
    ],
)
def test_wrong_scales_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
