"""Monitored sessions one of whose threads has failed: what is saved, what runs on, what ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as tf


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


class Threads(tf.train.SessionRunHook):
    """Has threads fail."""

    def __init__(self) -> None:
        self.ended = 0

    def after_create_session(self, session: Any, coord: Any) -> None:
        self.coord = coord

    def end(self, session: Any) -> None:
        self.ended += 1

    def work(self, act: Callable[[], object]) -> threading.Thread:
        """A thread whose error ends the training."""

        def run() -> None:
            with self.coord.stop_on_exception():
                act()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def fail(self) -> None:
        """A thread fails, now."""
        self.work(self._fail).join(30)

    def _fail(self) -> None:
        raise LookupError("the thread is lost")


@pytest.fixture(params=["here", "on a server"])
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "here":
        yield ""
        return
    server = tf.train.Server.create_local_server()
    yield server.target
    server.stop()


def test_what_was_trained_until_a_thread_failed_is_saved(target: str, tmp_path: Path) -> None:
    step = tf.train.get_or_create_global_step()
    train = tf.assign_add(step, 1)
    threads = Threads()
    with (
        pytest.raises(LookupError, match="the thread is lost"),
        tf.train.MonitoredTrainingSession(
            target, checkpoint_dir=str(tmp_path), hooks=[threads], save_checkpoint_secs=3600
        ) as session,
    ):
        while not session.should_stop():
            if session.run(train) == 7:
                threads.fail()
    assert threads.ended == 1
    assert tf.train.load_variable(str(tmp_path), "global_step") == 7


def test_steps_that_wait_for_nothing_run_on(target: str) -> None:
    value = tf.placeholder(tf.float32)
    doubled = value * 2.0
    queue = tf.FIFOQueue(2, tf.float32, shapes=[[]])
    fill, item = queue.enqueue(doubled), queue.dequeue()
    tf.train.get_or_create_global_step()
    threads, results = Threads(), []
    creator = tf.train.ChiefSessionCreator(master=target)
    with (
        pytest.raises(LookupError, match="the thread is lost"),
        tf.train.MonitoredSession(creator, [threads]) as session,
    ):
        threads.fail()
        results.append(session.run(doubled, {value: 3.0}))
        session.run(fill, {value: 4.0})
        results.append(session.run(item))
        assert session.should_stop()
    assert results == [6.0, 8.0]


@pytest.mark.parametrize("several", [False, True])
def test_a_step_that_waits_ends_with_the_error_of_the_thread(target: str, several: bool) -> None:
    tf.train.get_or_create_global_step()
    item = tf.FIFOQueue(1, tf.float32, shapes=[[]]).dequeue()
    begun = threading.Event()

    class Begun(tf.train.SessionRunHook):
        """Tells that a step has begun."""

        def before_run(self, run_context: Any) -> None:
            begun.set()

    threads = Threads()
    creator = tf.train.ChiefSessionCreator(master=target)
    session = tf.train.MonitoredSession(creator, [threads, Begun()])

    def raw(step_context: Any) -> Any:
        begun.set()
        return step_context.session.run(item)

    def fail() -> None:
        assert begun.wait(30)
        raise LookupError("the thread is lost")

    thread = threads.work(fail)
    with pytest.raises(LookupError, match="the thread is lost"):
        if several:
            session.run_step_fn(raw)
        else:
            session.run(item)
    thread.join(30)
    with pytest.raises(LookupError, match="the thread is lost"):
        session.close()


def test_no_step_that_comes_later_waits_for_ever(target: str) -> None:
    tf.train.get_or_create_global_step()
    item = tf.FIFOQueue(1, tf.float32, shapes=[[]]).dequeue()
    threads = Threads()
    creator = tf.train.ChiefSessionCreator(master=target)
    session = tf.train.MonitoredSession(creator, [threads], stop_grace_period_secs=0.1)
    threads.fail()
    with pytest.raises(LookupError, match="the thread is lost"):
        session.run(item)
    with pytest.raises(LookupError, match="the thread is lost"):
        session.close()


def test_other_threads_do_not_wait_for_the_one_that_failed(target: str) -> None:
    tf.train.get_or_create_global_step()
    item = tf.FIFOQueue(1, tf.float32, shapes=[[]]).dequeue()
    threads, outcomes = Threads(), []
    creator = tf.train.ChiefSessionCreator(master=target)
    session = tf.train.MonitoredSession(creator, [threads])
    raw = session._tf_sess()

    def wait() -> None:
        # It waits already, or is about to.
        with pytest.raises((tf.errors.CancelledError, RuntimeError)):
            raw.run(item)
        outcomes.append("ended")

    waiting = threads.work(wait)
    threads.coord.register_thread(waiting)
    threads.fail()
    with pytest.raises(LookupError, match="the thread is lost"):
        session.close()
    waiting.join(30)
    assert outcomes == ["ended"]
