"""How often is looked, and what that costs."""

from __future__ import annotations

import threading
import time
import tracemalloc

import numpy as np
import pytest

import workbench as tf
from tests.live.observing import Training, observe_all
from workbench.live.channels import CHANNELS
from workbench.live.observation import Observer


@pytest.fixture
def training():
    made = Training()
    yield made
    made.session.close()


def test_operations_are_looked_at_in_turn_as_far_as_the_credit_goes():
    """Each step with little credit looks at some; all are known in the end."""
    with tf.Graph().as_default() as graph, tf.Session(tier="interpreted") as session:
        x = tf.placeholder(tf.float32, [300, 300], name="x")
        value = x
        for _ in range(40):
            value = tf.tanh(value)
        observer = Observer(session)
        observation = observer.subscribe(["mean"])
        observer._pace._budget.credit = 0.0
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
    assert 1 <= observer.count - before <= 17
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
