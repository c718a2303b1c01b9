"""Observed steps: the same numbers, what is known of each operation, and what it costs."""

from __future__ import annotations

import threading
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.errors import InvalidArgumentError
from workbench.live.channels import CHANNELS
from workbench.live.observation import Observer
from workbench.live.statistics import statistics


class Training:
    """A network with dropout and Adam, with a session and what a step fetches and feeds."""

    def __init__(self, width: int = 32) -> None:
        with tf.Graph().as_default() as self.graph:
            tf.set_random_seed(7)
            x = tf.placeholder(tf.float32, [None, 6], name="x")
            y = tf.placeholder(tf.float32, [None, 1], name="y")
            hidden = tf.layers.dense(x, width, tf.nn.relu, name="hidden")
            hidden = tf.nn.dropout(hidden, 0.8, name="dropout")
            error = tf.layers.dense(hidden, 1, name="output") - y
            self.loss = tf.reduce_mean(tf.square(error), name="loss")
            self.beside = tf.reduce_max(tf.abs(error), name="beside")
            self.train = tf.train.AdamOptimizer(0.01).minimize(self.loss)
            initialise = tf.global_variables_initializer()
        self.session = tf.Session(graph=self.graph)
        self.session.run(initialise)
        self.fetches = [self.loss, self.train]
        random = np.random.default_rng(0)
        self.xs = random.normal(size=(200, 24, 6)).astype(np.float32)
        self.tensors = (x, y)

    def feed(self, step: int) -> dict[Any, Any]:
        xs = self.xs[step % len(self.xs)]
        return {self.tensors[0]: xs, self.tensors[1]: xs.sum(1, keepdims=True)}

    def index(self, name: str) -> int:
        names = [op.name for op in self.graph.get_operations()]
        return names.index(name)

    def variables(self) -> dict[str, bytes]:
        state = self.session.state.variables
        return {name: np.asarray(variable.value).tobytes() for name, variable in state.items()}


@pytest.fixture
def training():
    made = Training()
    yield made
    made.session.close()


def observe_all(observer: Observer, training: Training, steps: int, first: int = 0) -> list[Any]:
    """Runs every step observed, with credit for all of it."""
    results = []
    for step in range(first, first + steps):
        observer.note(1.0)
        results.append(observer.run(training.fetches, training.feed(step), step + 1))
    return results


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


def test_operations_are_looked_at_in_turn_as_far_as_the_credit_goes():
    """Each step with little credit looks at some; all are known in the end."""
    with tf.Graph().as_default() as graph, tf.Session(tier="interpreted") as session:
        x = tf.placeholder(tf.float32, [300, 300], name="x")
        value = x
        for _ in range(40):
            value = tf.tanh(value)
        observer = Observer(session)
        observation = observer.subscribe(["mean"])
        observer._budget.credit = 0.0
        fed = {x: np.ones((300, 300), np.float32)}
        known = []
        for step in range(200):
            observer.note(0.01)
            observer.run([value], fed, step + 1)
            known.append(int(np.isfinite(observation.latest().channels["mean"]).sum()))
            if known[-1] == len(graph.get_operations()):
                break
        assert known[0] < known[-1] == len(graph.get_operations())


def test_frames_come_when_there_is_something_new(training):
    observer = Observer(training.session)
    observation = observer.subscribe(["time"])
    assert observation.latest() is None
    observe_all(observer, training, 1)
    first = observation.latest()
    assert observation.latest() is first
    observe_all(observer, training, 1, first=1)
    second = observation.latest()
    assert second is not first
    assert (first.step, second.step) == (1, 2)
    later = observer.subscribe(["calls"])
    assert list(later.latest().channels) == ["calls"]


def test_nobody_looks(training):
    observer = Observer(training.session)
    assert not observer.active
    assert not observer.due()
    observation = observer.subscribe(["time"])
    assert observer.active
    # Before a plain step was seen nobody knows what observing costs.
    assert not observer.due()
    observer.note(0.001)
    assert observer.due()
    observation.close()
    observation.close()
    assert not observer.active
    assert not observer.due()
    assert observer.cost == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["time", "colour"],), "Channels are time, memory, .*; got 'colour'"),
        (([],), "got none"),
        ((["time"], 0), "rate must be positive"),
        ((["time"], float("nan")), "rate must be positive"),
    ],
)
def test_bad_subscriptions(training, arguments, message):
    observer = Observer(training.session)
    with pytest.raises(ValueError, match=message):
        observer.subscribe(*arguments)
    assert not observer.active


def run_steps(observer: Observer, training: Training, seconds: float, pause: float) -> int:
    """Runs steps as a loop does, each made longer by a pause; returns how many there were."""
    deadline = time.perf_counter() + seconds
    step = 0
    while (began := time.perf_counter()) < deadline:
        step += 1
        time.sleep(pause)
        if observer.active and observer.due():
            observer.run(training.fetches, training.feed(step), step)
        else:
            training.session.run(training.fetches, training.feed(step))
            observer.note(time.perf_counter() - began)
    return step


def test_frames_come_ten_times_a_second_at_most(training):
    observer = Observer(training.session)
    observation = observer.subscribe(["time"])
    run_steps(observer, training, 0.2, 0.001)
    assert observation.latest() is not None
    before = observer.count
    run_steps(observer, training, 1.5, 0.001)
    # Fewer where the machine is busy, but some.
    assert 3 <= observer.count - before <= 17
    observation.close()
    observer.subscribe(["time"], rate=2)
    before = observer.count
    run_steps(observer, training, 1.5, 0.001)
    assert 1 <= observer.count - before <= 5


def test_the_cost_is_measured(training):
    # How it is kept within bounds is tested without a clock, in test_budget.py.
    observer = Observer(training.session)
    observer.subscribe(CHANNELS)
    run_steps(observer, training, 1.0, 0.002)
    assert 0 < observer.cost < 1


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


def test_memory_does_not_grow(training):
    observer = Observer(training.session)
    observation = observer.subscribe(CHANNELS)
    observer.tap("hidden/Relu:0", samples=20)
    observer.tap("beside:0", samples=20)

    def observe(steps: int) -> None:
        for step in range(steps):
            observer.note(0.01)
            observer.run(training.fetches, training.feed(step), step + 1)
            observation.latest()

    observe(20)
    tracemalloc.start()
    try:
        # Python keeps some freed objects for the next ones: first let it have them.
        observe(1000)
        before = tracemalloc.get_traced_memory()[0]
        observe(300)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 20_000


def test_other_threads_may_come_and_go(training):
    observer = Observer(training.session)
    ended = threading.Event()
    failures: list[BaseException] = []

    def look() -> None:
        try:
            while not ended.is_set():
                observation = observer.subscribe(["time", "mean"])
                tap = observer.tap("loss:0", samples=5)
                for _ in range(5):
                    frame = observation.latest()
                    assert frame is None or frame.channels["time"].dtype == np.float32
                    assert len(tap.history[0]) <= 5
                tap.close()
                observation.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for step in range(200):
            observer.note(1.0)
            if observer.active:
                observer.run(training.fetches, training.feed(step), step + 1)
    finally:
        ended.set()
        for thread in threads:
            thread.join(20)
    assert not failures
    assert not observer.active
    observer.close()


def test_closing_ends_everything(training):
    observer = Observer(training.session)
    observation = observer.subscribe(["time"])
    tap = observer.tap("loss:0")
    observe_all(observer, training, 2)
    observer.close()
    assert not observer.active
    # What was seen stays readable.
    assert tap.latest().step == 2
    assert observation.latest().step == 2
