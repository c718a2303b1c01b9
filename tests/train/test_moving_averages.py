"""Moving averages of variables and tensors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import workbench as tf
from workbench.train.moving_averages import assign_moving_average


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("debiased", [False, True])
def test_averages(debiased: bool, counted: bool, session: tf.Session) -> None:
    w = tf.Variable([1.0, 2.0])
    tensor = tf.reduce_sum(w)
    number = tf.Variable(3, trainable=False)
    average = tf.train.ExponentialMovingAverage(
        0.9, num_updates=number if counted else None, zero_debias=debiased
    )
    update = average.apply([w, tensor])
    session.run(tf.global_variables_initializer())
    value = np.array([1.0, 2.0])
    of_w, of_tensor, weight = value.copy(), 0.0, 0.0
    for step in range(3):
        session.run(w.assign_add([1.0, -3.0]))
        session.run(update)
        session.run(number.assign_add(1))
        value += np.array([1.0, -3.0])
        decay = min(0.9, (4 + step) / (13 + step)) if counted else 0.9
        of_w = decay * of_w + (1 - decay) * value
        of_tensor = decay * of_tensor + (1 - decay) * value.sum()
        weight = decay * weight + (1 - decay)
        want = of_tensor / weight if debiased and not counted else of_tensor
        np.testing.assert_allclose(session.run(average.average(w)), of_w, rtol=1e-5)
        if not (debiased and counted):
            assert session.run(average.average(tensor)) == pytest.approx(want, rel=1e-5)


def test_names_and_collections() -> None:
    w = tf.Variable(1.0, name="w")
    with tf.variable_scope("s"):
        v = tf.get_variable("v", initializer=1.0)
        tensor = tf.identity(v, name="t")
        average = tf.train.ExponentialMovingAverage(0.5)
        update = average.apply([v, tensor])
    later = tf.train.ExponentialMovingAverage(0.5, name="Slow")
    later.apply([w])
    assert update.name == "s/ExponentialMovingAverage"
    assert [x.op.name for x in tf.global_variables()] == [
        "w",
        "s/v",
        "s/s/v/ExponentialMovingAverage",
        "s/s/t/ExponentialMovingAverage",
        "w/Slow",
    ]
    assert average.average_name(v) == "s/s/v/ExponentialMovingAverage"
    assert average.average_name(w) == "w/ExponentialMovingAverage"
    assert later.average_name(w) == "w/Slow"
    assert average.average(w) is None
    assert tf.moving_average_variables() == [v, w]
    assert tf.trainable_variables() == [w, v]


def test_restoring_averages_in_place_of_variables(tmp_path: object) -> None:
    w, other = tf.Variable(1.0, name="w"), tf.Variable(5.0, name="other", trainable=False)
    average = tf.train.ExponentialMovingAverage(0.5)
    update = average.apply([w])
    names = average.variables_to_restore()
    assert names["w/ExponentialMovingAverage"] is w
    assert names["other"] is other
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(w.assign(3.0))
        session.run(update)
        path = tf.train.Saver().save(session, f"{tmp_path}/model")
    with tf.Session() as session:
        tf.train.Saver({k: v for k, v in names.items() if v in (w, other)}).restore(session, path)
        assert session.run([w, other]) == [2.0, 5.0]


def test_errors() -> None:
    w, number = tf.Variable(1.0), tf.Variable(1)
    average = tf.train.ExponentialMovingAverage(0.5)
    average.apply([w])
    with pytest.raises(ValueError, match="Moving average already computed for: Variable:0"):
        average.apply([w])
    with pytest.raises(TypeError, match="must be half, float, or double: Variable_1:0"):
        average.apply([number])


def test_assign_moving_average(session: tf.Session) -> None:
    with tf.variable_scope("bn"):
        mean = tf.get_variable("mean", initializer=[0.0, 0.0])
        plain = tf.get_variable("plain", initializer=[0.0, 0.0])
    unbiased = assign_moving_average(mean, tf.constant([1.0, 2.0]), 0.9)
    biased = assign_moving_average(plain, tf.constant([1.0, 2.0]), 0.9, zero_debias=False)
    session.run(tf.global_variables_initializer())
    np.testing.assert_allclose(session.run(unbiased), [1.0, 2.0], rtol=1e-5)
    np.testing.assert_allclose(session.run(unbiased), [1.0, 2.0], rtol=1e-5)
    np.testing.assert_allclose(session.run(biased), [0.1, 0.2], rtol=1e-5)
    names = [v.op.name for v in tf.global_variables()]
    assert names[2:] == ["bn/mean/biased", "bn/mean/local_step"]


def test_names_of_averages_are_within_the_scope() -> None:
    with tf.variable_scope("outer"):
        v = tf.Variable(1.0, name="v")
    with tf.variable_scope("inner"):
        average = tf.train.ExponentialMovingAverage(0.5, name="mean")
        assert average.average_name(v) == "inner/outer/v/mean"
        average.apply([v])
    assert average.average_name(v) == "inner/outer/v/mean"


def test_the_average_of_a_tensor_of_unknown_shape() -> None:
    x = tf.placeholder_with_default([1.0, 3.0], [None])
    average = tf.train.ExponentialMovingAverage(0.5)
    update = average.apply([x])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(update)
        assert session.run(average.average(x)).tolist() == [0.5, 1.5]


def test_averages_are_where_the_variables_are_and_those_of_tensors_where_they_are_made() -> None:
    with tf.device("/job:ps/task:1"):
        v = tf.Variable(1.0)
        known, unknown = v * 2.0, tf.placeholder(tf.float32, [None])
    average = tf.train.ExponentialMovingAverage(0.5)
    with tf.device("/job:worker/task:3"):
        average.apply([v, known, unknown])
    devices = [average.average(each).device for each in (v, known, unknown)]
    assert devices == ["/job:ps/task:1", "/job:worker/task:3", "/job:worker/task:3"]
