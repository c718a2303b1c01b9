"""Coordinators: threads stop together, and the first error comes to light."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

import workbench as tf

#: No wait of a test is longer, in seconds.
PATIENCE = 20.0


def started(function: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def waits_for_stop(coord: tf.train.Coordinator) -> threading.Thread:
    return started(coord.wait_for_stop, PATIENCE)


def fails(coord: tf.train.Coordinator, error: Exception) -> threading.Thread:
    def work() -> None:
        with coord.stop_on_exception():
            raise error

    return started(work)


def test_threads_that_end_by_themselves_are_awaited() -> None:
    coord = tf.train.Coordinator()
    done: list[int] = []
    threads = [started(lambda n=n: (time.sleep(0.05), done.append(n))) for n in range(3)]
    coord.join(threads)
    assert sorted(done) == [0, 1, 2]
    assert coord.joined
    assert not coord.should_stop()


def test_registered_threads_are_awaited_too() -> None:
    coord = tf.train.Coordinator()
    thread = waits_for_stop(coord)
    coord.register_thread(thread)
    coord.request_stop()
    coord.join()
    assert not thread.is_alive()


@pytest.mark.parametrize("as_tuple", [True, False])
def test_first_error_is_raised_by_join(as_tuple: bool) -> None:
    coord = tf.train.Coordinator()
    threads = [waits_for_stop(coord) for _ in range(3)]
    error = ValueError("first")
    coord.request_stop((ValueError, error, None) if as_tuple else error)
    coord.request_stop(KeyError("second"))
    with pytest.raises(ValueError, match="first"):
        coord.raise_requested_exception()
    with pytest.raises(ValueError, match="first") as caught:
        coord.join(threads)
    assert caught.value is error


def test_error_in_a_thread_stops_the_others() -> None:
    coord = tf.train.Coordinator()
    threads = [waits_for_stop(coord), fails(coord, ZeroDivisionError("oops"))]
    with pytest.raises(ZeroDivisionError, match="oops"):
        coord.join(threads)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize(
    ("types", "error"),
    [(None, tf.errors.OutOfRangeError(None, None, "the end")), ((StopIteration,), StopIteration())],
)
def test_some_errors_are_a_clean_stop(types: Any, error: Exception) -> None:
    coord = tf.train.Coordinator(clean_stop_exception_types=types)
    coord.join([waits_for_stop(coord), fails(coord, error)])
    assert coord.should_stop()


def test_threads_that_do_not_stop_in_time_are_named() -> None:
    coord = tf.train.Coordinator()
    free = threading.Event()
    thread = threading.Thread(target=free.wait, args=(PATIENCE,), name="straggler", daemon=True)
    thread.start()
    coord.request_stop()
    with pytest.raises(RuntimeError, match="threads still running: straggler"):
        coord.join([thread], stop_grace_period_secs=0.05)
    coord.clear_stop()
    coord.request_stop()
    coord.join([thread], stop_grace_period_secs=0.05, ignore_live_threads=True)
    coord.clear_stop()
    coord.request_stop(ValueError("matters more"))
    with pytest.raises(ValueError, match="matters more"):
        coord.join([thread], stop_grace_period_secs=0.0)
    free.set()
    thread.join(PATIENCE)


def test_error_after_join_has_nobody_else_to_go_to() -> None:
    coord = tf.train.Coordinator()
    coord.join([])
    coord.request_stop()
    coord.request_stop(tf.errors.OutOfRangeError(None, None, "the end"))
    with pytest.raises(ValueError, match="too late"):
        coord.request_stop(ValueError("too late"))


def test_cleared_coordinator_is_as_new() -> None:
    coord = tf.train.Coordinator()
    coord.request_stop(ValueError("old"))
    coord.clear_stop()
    assert not coord.should_stop()
    assert not coord.wait_for_stop(0.01)
    coord.join([])


def test_something_that_is_no_error_is_told() -> None:
    coord = tf.train.Coordinator()
    coord.request_stop("what")
    with pytest.raises(ValueError, match="takes an exception"):
        coord.join([])


class Counting(tf.train.LooperThread):
    """Notes what is called."""

    def __init__(self, coord: tf.train.Coordinator, interval: float | None) -> None:
        self.calls: list[str] = []
        self._own = coord
        super().__init__(coord, interval)

    def start_loop(self) -> None:
        self.calls.append("start")

    def run_loop(self) -> None:
        self.calls.append("run")
        if self.calls.count("run") == 3:
            self._own.request_stop()

    def stop_loop(self) -> None:
        self.calls.append("stop")


@pytest.mark.parametrize("interval", [None, 0.01])
def test_loop_goes_round_until_it_is_stopped(interval: float | None) -> None:
    coord = tf.train.Coordinator()
    thread = Counting(coord, interval)
    thread.start()
    coord.join()
    assert thread.calls == ["start", "run", "run", "run", "stop"]


def test_loop_reports_its_errors() -> None:
    coord = tf.train.Coordinator()
    tf.train.LooperThread.loop(coord, None, lambda text: int(text), args=("x",))
    with pytest.raises(ValueError, match="invalid literal"):
        coord.join()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, None), "must be a Coordinator"),
        ((tf.train.Coordinator(), None, None, [1]), "target"),
    ],
)
def test_loop_of_nothing_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tf.train.LooperThread(*arguments)
