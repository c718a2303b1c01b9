"""Runs that wait: for other threads, until their time is up, until their session is closed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest

import workbench as tf
from tests.core.ops.queues.threads import Task, wait_for

MILLISECONDS = 100


@pytest.fixture(autouse=True)
def _graph() -> Any:
    before = set(threading.enumerate())
    with tf.Graph().as_default():
        yield
    left = [t for t in set(threading.enumerate()) - before if "compiler" not in t.name]
    assert not left, f"threads are left: {left}"


@pytest.fixture
def queue(_graph: Any) -> tf.FIFOQueue:
    return tf.FIFOQueue(2, tf.int32, shapes=[[]], name="numbers")


def test_run_waits_for_what_another_thread_does(queue: tf.FIFOQueue) -> None:
    number, enqueue = queue.dequeue() * 2, queue.enqueue(21)
    with tf.Session() as session:
        task = Task(session.run, number)
        wait_for(session, 1)
        session.run(enqueue)
        assert task.end() == 42


def test_waiting_run_does_not_hold_up_others(queue: tf.FIFOQueue) -> None:
    # Regions of machine code before and after what waits: their memory and threads are free.
    x = tf.placeholder(tf.float32, [64])
    before = tf.reduce_sum(tf.exp(x))
    with tf.control_dependencies([before]):
        number = tf.cast(queue.dequeue(), tf.float32)
    step, enqueue = before + tf.reduce_sum(tf.tanh(x)) * number, queue.enqueue(0)
    feed = {x: [0.0] * 64}
    for tier in ("interpreted", "compiled"):
        with tf.Session(tier=tier) as session:
            tasks = [Task(session.run, step, feed) for _ in range(3)]
            wait_for(session, 3)
            for _ in range(3):
                assert session.run(before, feed) == 64
                session.run(enqueue)
            assert [task.end() for task in tasks] == [64.0] * 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda q: q.dequeue(), "Dequeue operation was cancelled"),
        (lambda q: q.dequeue_many(2), "Dequeue operation was cancelled"),
        (lambda q: q.enqueue_many([[1, 2, 3]]), "Enqueue operation was cancelled"),
    ],
)
def test_closing_the_session_ends_waiting_runs(
    queue: tf.FIFOQueue, make: Any, message: str
) -> None:
    waits = make(queue)
    session = tf.Session()
    tasks = [Task(session.run, waits) for _ in range(3)]
    wait_for(session, 3)
    session.close()
    for task in tasks:
        with pytest.raises(tf.errors.CancelledError, match=message) as caught:
            task.end()
        assert caught.value.op is not None


def test_reset_closes_the_sessions_of_the_process(queue: tf.FIFOQueue) -> None:
    number = queue.dequeue()
    session = tf.Session()
    task = Task(session.run, number)
    wait_for(session, 1)
    tf.Session.reset("")
    with pytest.raises(tf.errors.CancelledError):
        task.end()
    with pytest.raises(RuntimeError, match="closed"):
        session.run(number)


def test_closing_the_queue_ends_waiting_runs(queue: tf.FIFOQueue) -> None:
    number, close = queue.dequeue(), queue.close()
    with tf.Session() as session:
        task = Task(session.run, number)
        wait_for(session, 1)
        session.run(close)
        with pytest.raises(tf.errors.OutOfRangeError, match="closed and has insufficient"):
            task.end()


def test_cancelling_close_ends_those_that_enqueue(queue: tf.FIFOQueue) -> None:
    enqueue = queue.enqueue_many([[1, 2, 3]])
    close, cancel = queue.close(), queue.close(cancel_pending_enqueues=True)
    with tf.Session() as session:
        enqueuing = Task(session.run, enqueue)
        wait_for(session, 1)
        closing = Task(session.run, close)
        wait_for(session, 2)
        session.run(cancel)
        for task in (enqueuing, closing):
            with pytest.raises(tf.errors.CancelledError, match="was cancelled"):
                task.end()
        assert session.run(queue.dequeue_up_to(9)).tolist() == [1, 2]


@pytest.mark.parametrize("way", ["options", "config", "callable"])
def test_time_of_a_run_is_limited(queue: tf.FIFOQueue, way: str) -> None:
    number, enqueue = queue.dequeue_many(2), queue.enqueue(7)
    config = tf.ConfigProto(operation_timeout_in_ms=MILLISECONDS if way == "config" else 0)
    options = tf.RunOptions(timeout_in_ms=MILLISECONDS) if way != "config" else None
    with tf.Session(config=config) as session:
        session.run(enqueue)
        began = time.monotonic()
        with pytest.raises(tf.errors.DeadlineExceededError, match="Timed out waiting") as caught:
            if way == "callable":
                session.make_callable(number, accept_options=True)(options=options)
            else:
                session.run(number, options=options)
        assert time.monotonic() - began >= MILLISECONDS / 1000
        assert caught.value.op.type == "QueueDequeueManyV2"
        # What it had taken is there again.
        assert session.run(queue.size()) == 1
        session.run(enqueue)
        assert session.run(number).tolist() == [7, 7]


def test_waiting_tells_who_waits_for_what(queue: tf.FIFOQueue) -> None:
    pair, enqueue = queue.dequeue_many(2, name="pair"), queue.enqueue(1)
    other = tf.Session()
    with tf.Session() as session:
        assert session.waiting() == []
        session.run(enqueue)
        task = Task(session.run, pair)
        wait_for(session, 1)
        (waiting,) = session.waiting()
        assert waiting.operation == "pair"
        assert "test_waiting_runs.py" in waiting.line
        assert waiting.wants == "1 more element"
        assert waiting.resource == "FIFOQueue 'numbers' holds 0 of 2, open"
        assert waiting.thread == task.name
        assert waiting.seconds >= 0
        assert other.waiting() == []
        session.run(enqueue)
        task.end()
    other.close()


def test_error_of_one_thread_leaves_the_others_waiting(queue: tf.FIFOQueue) -> None:
    number, enqueue = queue.dequeue(), queue.enqueue(1)
    with tf.Session() as session:
        task = Task(session.run, number)
        wait_for(session, 1)
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(number, options=tf.RunOptions(timeout_in_ms=10))
        session.run(enqueue)
        assert task.end() == 1


def test_what_waits_is_interpreted_between_machine_code(queue: tf.FIFOQueue) -> None:
    x = tf.placeholder(tf.float32, [32])
    step = tf.reduce_sum(tf.exp(x)) * tf.cast(queue.dequeue(), tf.float32)
    enqueue = queue.enqueue(2)
    with tf.Session(tier="compiled") as session:
        for _ in range(3):
            session.run(enqueue)
            assert session.run(step, {x: [0.0] * 32}) == 64.0


def test_loops_and_conditionals_wait_too() -> None:
    queue = tf.FIFOQueue(100, tf.float32, shapes=[[]])
    fill, closing = queue.enqueue_many([tf.range(60.0)]), queue.close()
    _, total = tf.while_loop(
        lambda i, t: i < 20,
        lambda i, t: (i + 1, t + queue.dequeue() * tf.exp(0.0)),
        [tf.constant(0), tf.constant(0.0)],
    )
    wanted = tf.placeholder(tf.bool, [])
    number = tf.cond(wanted, queue.dequeue, lambda: tf.constant(-1.0))
    given = tf.cond(wanted, lambda: with_value(queue.enqueue([7.0])), lambda: tf.constant(-1.0))
    with tf.Session() as session:
        session.run(fill)
        assert [session.run(total) for _ in range(3)] == [190.0, 590.0, 990.0]
        # Each branch may wait for the other one.
        assert session.run([number, given], {wanted: True}) == [7.0, 1.0]
        task = Task(session.run, total)
        wait_for(session, 1)
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(number, {wanted: True}, tf.RunOptions(timeout_in_ms=MILLISECONDS))
        session.run(closing)
        with pytest.raises(tf.errors.OutOfRangeError, match="in iteration 0"):
            task.end()


def with_value(op: tf.Operation) -> tf.Tensor:
    with tf.control_dependencies([op]):
        return tf.constant(1.0)


SIGINT = """
import signal, sys, threading, time
import workbench as tf
queue = tf.FIFOQueue(2, tf.int32, shapes=[[]])
enqueue, three = queue.enqueue_many([[1, 2]]), queue.dequeue_many(3)
session = tf.Session()
session.run(enqueue)

def interrupt():
    while not session.waiting():
        time.sleep(0.001)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

threading.Thread(target=interrupt).start()
try:
    session.run(three)
except KeyboardInterrupt:
    print("interrupted", session.waiting(), session.run(queue.size()))
session.close()
print([t.name for t in threading.enumerate() if "compiler" not in t.name])
"""


def test_interrupt_ends_a_waiting_run_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SIGINT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == ["interrupted [] 2", "['MainThread']"], done.stderr
