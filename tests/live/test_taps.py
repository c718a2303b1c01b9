"""Taps: the value of one tensor, right even where the step overwrites it, and its last samples."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

import workbench as tf
from workbench.core.errors import InvalidArgumentError
from workbench.core.plan import groups
from workbench.core.runtime import blocks
from workbench.live.observation import Observer
from workbench.live.taps import MOST_ELEMENTS, Tap, cut


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as made:
        yield made


@pytest.fixture
def interpreted():
    """A session whose values are NumPy's, to the bit."""
    with tf.Graph().as_default(), tf.Session(tier="interpreted") as made:
        yield made


def sampled(observer, fetches, feed, steps=1):
    """Runs observed steps."""
    for step in range(1, steps + 1):
        observer.note(1.0)
        observer.run(fetches, feed, step)


@pytest.mark.parametrize("grouped", [False, True])
def test_values_that_are_overwritten_are_right(interpreted, grouped):
    session = interpreted
    large = 8 if grouped else 1 << 20
    with (
        mock.patch.multiple(groups, _LARGE=large, _LARGE_ALONE=large),
        mock.patch.multiple(blocks, _BLOCK=16, _SHARED=32),
    ):
        x = tf.placeholder(tf.float32, [64, 16], name="x")
        first = tf.exp(x, name="first")
        second = tf.sin(first, name="second")
        third = tf.square(second, name="third")
        observer = Observer(session)
        taps = [observer.tap(t) for t in (x, first, second, third)]
        value = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32)
        sampled(observer, [tf.reduce_sum(third)], {x: value}, 2)
        expected = [value, np.exp(value), np.sin(np.exp(value)), np.square(np.sin(np.exp(value)))]
        for tap, want in zip(taps, expected, strict=True):
            np.testing.assert_array_equal(tap.latest().array, want)
            assert tap.latest().step == 2


def test_a_variable_is_sampled_before_its_update(session):
    variable = tf.Variable(np.float32([1, 2]), name="v")
    add = tf.assign_add(variable, [10.0, 10.0])
    session.run(variable.initializer)
    observer = Observer(session)
    read = observer.tap(variable.value())
    observer.note(1.0)
    observer.run([variable.value(), add.op], {}, 1)
    before = read.latest().array
    np.testing.assert_array_equal(before, [1, 2])
    observer.run([variable.value(), add.op], {}, 2)
    np.testing.assert_array_equal(before, [1, 2])
    np.testing.assert_array_equal(read.latest().array, [11, 12])


def test_history_keeps_the_last_samples(session):
    x = tf.placeholder(tf.float32, [], name="x")
    vector = tf.stack([x, x + 2.0, x * float("nan")], name="vector")
    number = tf.multiply(x, 2.0, name="number")
    observer = Observer(session)
    taps = [observer.tap(t, samples=3) for t in ("number:0", "vector:0")]
    for step in range(1, 6):
        observer.note(1.0)
        observer.run([number, vector], {x: np.float32(step)}, step)
    steps, values = taps[0].history
    assert steps.tolist() == [3, 4, 5]
    assert values.tolist() == [6, 8, 10]
    assert taps[1].history[1].tolist() == [4, 5, 6]
    assert taps[1].latest().statistics.nonfinite == 1


def test_a_number_that_is_not_finite_is_itself(session):
    x = tf.placeholder(tf.float32, [], name="x")
    observer = Observer(session)
    tap = observer.tap(tf.log(x, name="y"))
    sampled(observer, ["y:0"], {x: np.float32(0)})
    assert tap.history[1].tolist() == [-np.inf]


def test_text_has_no_statistics(session):
    x = tf.placeholder(tf.string, [2], name="x")
    observer = Observer(session)
    tap = observer.tap(tf.identity(x, name="y"))
    sampled(observer, ["y:0"], {x: np.array([b"a", b"b"], object)})
    assert tap.latest().array.tolist() == [b"a", b"b"]
    assert tap.latest().statistics is None
    assert np.isnan(tap.history[1]).all()


def test_operations_and_names(session):
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.exp(x, name="y")
    group = tf.group(y, name="group")
    observer = Observer(session)
    assert observer.tap("y").tensor is observer.tap(y.op).tensor is y
    with pytest.raises(ValueError, match="'group' has no result"):
        observer.tap(group)
    with pytest.raises(KeyError, match="no operation 'z'"):
        observer.tap("z:0")
    with pytest.raises(ValueError, match="samples must be at least 1"):
        observer.tap(y, samples=0)


def test_what_steps_do_not_compute_is_computed_beside_them(session):
    x = tf.placeholder(tf.float32, [3], name="x")
    y = tf.square(x, name="y")
    beside = tf.reduce_max(tf.random_uniform([3], seed=1) + y, name="beside")
    observer = Observer(session)
    tap = observer.tap(beside)
    observer.note(1.0)
    results = observer.run([y, y.op], {x: np.float32([1, 2, 3])}, 5)
    assert len(results) == 2
    np.testing.assert_array_equal(results[0], [1, 4, 9])
    assert results[1] is None
    sample = tap.latest()
    assert sample.step == 5
    assert 9 <= sample.array < 10
    # As far as the run knows, no random number was drawn.
    assert not session.state.random_steps


def test_what_would_change_the_run_is_refused(session):
    x = tf.placeholder(tf.float32, [], name="x")
    counter = tf.Variable(0.0, name="counter")
    session.run(counter.initializer)
    counted = tf.identity(tf.assign_add(counter, x, name="count"), name="counted")
    y = tf.exp(x, name="y")
    observer = Observer(session)
    tap, other = observer.tap(counted), observer.tap(y)
    sampled(observer, [y], {x: np.float32(0)}, 3)
    with pytest.raises(InvalidArgumentError, match="'counted:0' is not computed .* 'count'"):
        tap.latest()
    assert session.run(counter) == 0.0
    assert other.latest().array == 1.0
    # What the steps do anyway can be looked at.
    again = observer.tap(counted)
    observer.run([y, counted.op], {x: np.float32(2)}, 4)
    assert again.latest().array == 2.0


def test_what_lacks_its_feed_is_refused(session):
    x = tf.placeholder(tf.float32, [], name="x")
    other = tf.placeholder(tf.float32, [], name="other")
    y, z = tf.exp(x, name="y"), tf.exp(other, name="z")
    observer = Observer(session)
    tap = observer.tap(z)
    sampled(observer, [y], {x: np.float32(0)}, 2)
    with pytest.raises(InvalidArgumentError, match="'other'"):
        tap.latest()


def test_a_closed_tap_is_sampled_no_more(session):
    x = tf.placeholder(tf.float32, [], name="x")
    observer = Observer(session)
    tap, other = observer.tap(x), observer.tap(x)
    y = tf.exp(x)
    sampled(observer, [y], {x: np.float32(1)}, 2)
    tap.close()
    tap.close()
    sampled(observer, [y], {x: np.float32(1)}, 1)
    assert len(tap.history[0]) == 2
    assert len(other.history[0]) == 3
    assert observer.active
    other.close()
    assert not observer.active


@pytest.mark.parametrize(
    ("shape", "part"),
    [
        ((100, 100), (100, 100)),
        ((64, 64, 32), (16, 64, 32)),
        ((64, 56, 56, 64), (16, 14, 14, 16)),
        ((1_000_000,), (62_500,)),
        ((3, 1_000_000), (3, 15_625)),
    ],
)
def test_large_values_are_cut(shape, part):
    array = np.broadcast_to(np.float32(0), shape)
    assert cut(array).shape == part
    assert cut(array).size <= MOST_ELEMENTS


def test_samples_are_copies():
    tap = Tap(mock.Mock(), 3, mock.Mock())
    value = np.arange(200_000.0)
    tap.take(1, value)
    held = tap.latest()
    value[:] = -1
    assert held.shape == (200_000,)
    assert held.array.size <= MOST_ELEMENTS
    assert held.array.min() >= 0
    assert held.array.base is None
