"""Drawing rows again: how often each comes, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import workbench as tf

training = tf.contrib.training


@pytest.fixture(autouse=True)
def session() -> Iterator[tf.Session]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_rows_come_as_often_as_their_rates_say(session: tf.Session) -> None:
    rates = np.array([0.0, 0.25, 1.0, 4.0])
    numbers, names = tf.constant([0, 1, 2, 3]), tf.constant([["a"], ["b"], ["c"], ["d"]])
    drawn = training.resample_at_rate([numbers, names], rates, seed=3)
    runs, counts = 1000, []
    for _ in range(runs):
        found, called = session.run(drawn)
        assert called.tolist() == [[b"abcd"[n : n + 1]] for n in found]
        assert found.tolist() == sorted(found)
        counts.append(np.bincount(found, minlength=4))
    # The means and variances of the Poisson distribution, within five standard errors.
    assert np.abs(np.mean(counts, 0) - rates).max() < 5 * np.sqrt(4.0 / runs)
    np.testing.assert_allclose(np.var(counts, 0), rates, rtol=0.25)


def test_there_may_be_nothing_to_draw(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [None])
    (drawn,) = training.resample_at_rate([x], tf.zeros_like(x))
    for given in ([], [1.0, 2.0]):
        assert session.run(drawn, {x: given}).tolist() == []


@pytest.mark.parametrize("back_prop", [False, True])
def test_gradients_flow_where_they_are_asked_for(back_prop: bool, session: tf.Session) -> None:
    x, rates = tf.constant([1.0, 2.0]), tf.constant([0.0, 5.0])
    (drawn,) = training.resample_at_rate([x], rates, seed=5, back_prop=back_prop)
    to_input, to_rates = tf.gradients(drawn, [x, rates])
    assert to_rates is None
    assert (to_input is not None) == back_prop
    if back_prop:
        given = tf.convert_to_tensor(to_input)
        found, count = session.run([given, tf.size(drawn)])
        assert found.tolist() == [0.0, count]


def test_weighted_rows_stand_for_all(session: tf.Session) -> None:
    values = np.arange(1.0, 9.0, dtype=np.float32)
    weights, rate = np.array([1, 2, 4, 8, 8, 4, 2, 1], np.float32), 0.5
    (drawn,), rates = training.weighted_resample([values], weights, rate, seed=11)
    assert [v.op.name for v in tf.local_variables()] == ["estimate_mean/estimated_mean"]
    assert not tf.trainable_variables()
    session.run([tf.local_variables_initializer(), tf.global_variables_initializer()])
    runs, size, total, count = 2000, 0.0, 0.0, 0
    for _ in range(runs):
        found, each = session.run([drawn, rates])
        expected = weights[found.astype(int) - 1] * rate / weights.mean()
        np.testing.assert_allclose(each, expected, rtol=1e-4)
        count += len(found)
        size, total = size + (1.0 / each).sum(), total + (found / each).sum()
    assert count / runs == pytest.approx(8 * rate, rel=0.05)
    assert size / runs == pytest.approx(8, rel=0.05)
    assert total / runs == pytest.approx(values.sum(), rel=0.05)


def test_the_mean_weight_is_that_of_all_runs(session: tf.Session) -> None:
    weights = tf.placeholder(tf.float32, [None])
    _, rates = training.weighted_resample([weights], weights, 100.0, mean_decay=0.5, seed=2)
    session.run([tf.local_variables_initializer(), tf.global_variables_initializer()])
    # Of 2, then of 2 and 6 with the weights 1/3 and 2/3.
    assert set(session.run(rates, {weights: [2.0, 2.0]}).tolist()) == {100.0}
    found = session.run(rates, {weights: [6.0, 6.0]})
    np.testing.assert_allclose(found, 100.0 * 6 / (2 / 3 + 6 * 2 / 3), rtol=1e-5)
