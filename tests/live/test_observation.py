"""Observed steps: the same numbers, what is known of each operation, and what it costs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.live.observing import Training, observe_all
from workbench.core.errors import InvalidArgumentError
from workbench.live.channels import CHANNELS
from workbench.live.observation import Observer
from workbench.live.statistics import statistics


@pytest.fixture
def training():
    made = Training()
    yield made
    made.session.close()


@pytest.mark.usefixtures("one_tier")
def test_observed_steps_give_the_same_bits(training):
    other = Training()
    observer = Observer(training.session)
    observer.subscribe(CHANNELS)
    observer.tap("hidden/Relu:0")
    observer.tap("beside:0")
    observed = observe_all(observer, training, 50)
    plain = [other.session.run(other.fetches, other.feed(step)) for step in range(50)]
    assert [r[0].tobytes() for r in observed] == [r[0].tobytes() for r in plain]
    assert training.variables() == other.variables()
    assert training.session.state.random_steps == other.session.state.random_steps
    other.session.close()


def test_every_channel_tells_the_truth(training):
    observer = Observer(training.session)
    observation = observer.subscribe(CHANNELS)
    wanted = ["hidden/Relu", "dropout/mul", "output/BiasAdd", "loss", "gradients/loss_grad/mul"]
    names = [op.name for op in training.graph.get_operations()]
    tensors = [training.graph.get_tensor_by_name(f"{n}:0") for n in wanted if n in names]
    assert len(tensors) >= 3
    other = Training()
    there = [other.graph.get_tensor_by_name(tensor.name) for tensor in tensors]
    expected = other.session.run([there, other.train], other.feed(0))[0]
    other.session.close()
    # One step observes all of it: there is credit enough.
    observe_all(observer, training, 1)
    frame = observation.latest()
    assert frame.step == 1
    assert set(frame.channels) == set(CHANNELS)
    for tensor, value in zip(tensors, expected, strict=True):
        place = training.index(tensor.op.name)
        found = statistics(value)
        for name in ("mean", "deviation", "zeros", "nonfinite"):
            assert frame.channels[name][place] == pytest.approx(getattr(found, name), rel=1e-5)
        assert frame.channels["memory"][place] == value.nbytes
    relu = training.index("hidden/Relu")
    assert frame.channels["calls"][relu] == 1
    assert 0 < frame.channels["time"][relu] < 0.1
    for array in frame.channels.values():
        assert array.dtype == np.float32
        assert array.shape == (len(names),)


def test_what_does_not_run_is_not_known(training):
    observer = Observer(training.session)
    observation = observer.subscribe(CHANNELS)
    observe_all(observer, training, 3)
    frame = observation.latest()
    for name in ("beside", "hidden/kernel/Assign"):
        place = training.index(name)
        assert all(np.isnan(array[place]) for array in frame.channels.values())


def test_variables_feeds_and_constants_are_known(training):
    observer = Observer(training.session)
    observation = observer.subscribe(["mean", "memory", "deviation"])
    before = training.session.run("hidden/kernel:0")
    observe_all(observer, training, 1)
    frame = observation.latest()
    fed = training.feed(0)[training.tensors[0]]
    assert frame.channels["mean"][training.index("x")] == pytest.approx(fed.mean(), rel=1e-4)
    for name in ("hidden/kernel", "hidden/kernel/read"):
        place = training.index(name)
        assert frame.channels["deviation"][place] == pytest.approx(before.std(), rel=1e-5)
        assert frame.channels["memory"][place] == before.nbytes


def test_the_first_nan_is_seen():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [4], name="x")
        root = tf.sqrt(x, name="root")
        total = tf.reduce_sum(root, name="total")
        observer = Observer(session)
        observation = observer.subscribe(["nonfinite", "mean"])
        observer.note(1.0)
        observer.run([total], {x: np.float32([-1, 4, -9, 16])}, 1)
        found = observation.latest().channels
        assert found["nonfinite"][[x.op._id - 1, root.op._id - 1, total.op._id - 1]].tolist() == [
            0,
            2,
            1,
        ]
        assert found["mean"][root.op._id - 1] == 3.0
        assert np.isnan(found["mean"][total.op._id - 1])


def test_time_is_that_of_the_operation():
    def sleep(value: Any) -> Any:
        time.sleep(0.02)
        return value

    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [4], name="x")
        slow = tf.py_func(sleep, [x], tf.float32, name="slow")
        quick = tf.exp(slow, name="quick")
        observer = Observer(session)
        observation = observer.subscribe(["time"])
        for step in range(3):
            observer.note(1.0)
            observer.run([quick], {x: np.zeros(4, np.float32)}, step + 1)
        seconds = observation.latest().channels["time"]
        assert 0.02 <= seconds[slow.op._id - 1] < 0.2
        assert seconds[quick.op._id - 1] < 0.01


def test_other_shapes_and_growing_graphs(training):
    observer = Observer(training.session)
    observation = observer.subscribe(["mean"])
    x, y = training.tensors
    for rows in (1, 5, 24, 2, 3, 4, 6, 7, 8, 9, 10, 11):
        observer.note(1.0)
        feed = {x: np.ones((rows, 6), np.float32), y: np.ones((rows, 1), np.float32)}
        observer.run(training.fetches, feed, rows)
    assert np.isfinite(observation.latest().channels["mean"][training.index("hidden/Relu")])
    with training.graph.as_default():
        extra = tf.negative(training.loss, name="extra")
    observer.note(1.0)
    observer.run([extra], training.feed(0), 99)
    found = observation.latest().channels["mean"]
    assert found.size == len(training.graph.get_operations())
    assert found[-1] == pytest.approx(-found[training.index("loss")], rel=1e-5)


def test_errors_are_those_of_plain_steps():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, None], name="x")
        root = tf.cholesky(x, name="root")
        fed = {x: np.float32([[1, 9], [9, 1]])}
        with pytest.raises(tf.errors.OpError) as plain:
            session.run([root], fed)
        observer = Observer(session)
        observer.subscribe(CHANNELS)
        observer.note(1.0)
        with pytest.raises(tf.errors.OpError) as observed:
            observer.run([root], fed, 1)
        assert type(observed.value) is type(plain.value)
        assert observed.value.op is plain.value.op is root.op
        # It goes on after a failure.
        good = observer.run([root], {x: np.eye(2, dtype=np.float32)}, 2)
        np.testing.assert_array_equal(good[0], np.eye(2))


def test_check_numerics_stays():
    with tf.Graph().as_default(), tf.Session(check_numerics=True) as session:
        x = tf.placeholder(tf.float32, [2], name="x")
        root = tf.sqrt(x, name="root")
        observer = Observer(session)
        observer.subscribe(["mean"])
        observer.note(1.0)
        with pytest.raises(InvalidArgumentError, match="root"):
            observer.run([root], {x: np.float32([-1, 1])}, 1)
