"""Runs let other threads build the graph first, and only as long as these do."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph import right_of_way


class Clock:
    """A clock that goes on only where somebody sleeps, or is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(right_of_way, "time", made)
    with tf.Graph().as_default():
        yield made


def build_elsewhere() -> None:
    """Adds an operation to the default graph in another thread."""
    graph = tf.get_default_graph()

    def build() -> None:
        with graph.as_default():
            tf.constant(1.0)

    thread = threading.Thread(target=build)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_who_builds_does_not_wait_for_itself(clock: Clock) -> None:
    with tf.Session() as session:
        for _ in range(3):
            session.run(tf.constant(1.0))
    assert clock.sleeps == []


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
def test_runs_wait_a_moment_while_another_thread_builds(clock: Clock, tier: str) -> None:
    x = tf.placeholder(tf.float32, [2])
    y = tf.tanh(x)
    feed = {x: np.ones(2, np.float32)}
    with tf.Session(tier=tier) as session:
        call = session.make_callable(y, [x])
        for run in (lambda: session.run(y, feed), lambda: call(feed[x])):
            run()
            build_elsewhere()
            clock.sleeps.clear()
            run()
            assert len(clock.sleeps) == 1 and clock.sleeps[0] < 0.001
            clock.now += 1.0
            run()
            run()
            assert len(clock.sleeps) == 1


def test_a_builder_is_waited_for_only_so_long(clock: Clock) -> None:
    x = tf.constant(1.0)
    with tf.Session() as session:
        session.run(x)
        build_elsewhere()
        clock.sleeps.clear()
        for _ in range(2000):
            session.run(x)
    assert 0.05 < sum(clock.sleeps) < 0.2


def test_planning_counts_as_building_until_it_ends(clock: Clock) -> None:
    way = right_of_way.RightOfWay()
    begun, go_on = threading.Event(), threading.Event()

    def plan() -> None:
        with way.taken():
            begun.set()
            assert go_on.wait(60)

    thread = threading.Thread(target=plan)
    thread.start()
    assert begun.wait(60)
    clock.now += 10.0
    assert not way.give_way()
    go_on.set()
    thread.join(60)
    clock.now += 10.0
    assert way.give_way()


def test_what_is_built_in_bodies_counts(clock: Clock) -> None:
    p = tf.placeholder(tf.bool, [])
    before = tf.get_default_graph()._news
    tf.cond(p, lambda: tf.constant(1.0) + 1.0, lambda: tf.constant(2.0))
    assert tf.get_default_graph()._news > before + 4


def test_a_change_is_seen_by_what_ran_in_one_call() -> None:
    v = tf.Variable(1.0)
    x = tf.placeholder(tf.float32, [])
    y = x * 2.0
    with tf.Session(tier="compiled") as session:
        session.run(v.initializer)
        assert [session.run(y, {x: 3.0}) for _ in range(3)] == [6.0] * 3
        y.op._add_control_input(v.assign(5.0).op)
        assert session.run(y, {x: 3.0}) == 6.0
        assert session.run(v) == 5.0
