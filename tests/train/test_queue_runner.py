"""Queue runners: threads fill queues, and end with them, their coordinator or their session."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import workbench as tf

#: No wait of a test is longer, in seconds.
PATIENCE = 20.0


def ended(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(PATIENCE)
    return not any(thread.is_alive() for thread in threads)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    with tf.Graph().as_default():
        yield
    end = time.monotonic() + PATIENCE
    while left := [t for t in threading.enumerate() if t.name.startswith("QueueRunner")]:
        assert time.monotonic() < end, f"threads are left: {left}"
        time.sleep(0.01)


def test_waits_that_nothing_can_end_are_told_beside_a_coordinator() -> None:
    script = textwrap.dedent(
        """
        import workbench as tf
        from workbench.core.sync import reporting
        reporting.FIRST_SECONDS = 0.1
        source, numbers = (tf.FIFOQueue(1, tf.int32, shapes=[[]], name=n) for n in ("a", "b"))
        runner = tf.train.QueueRunner(numbers, [numbers.enqueue(source.dequeue())])
        tf.train.add_queue_runner(runner)
        number = numbers.dequeue()
        with tf.Session() as session:
            coord = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coord)
            try:
                session.run(number, options=tf.RunOptions(timeout_in_ms=2000))
            except tf.errors.DeadlineExceededError:
                print("out of time")
            coord.request_stop()
            session.close()
            coord.join(threads, stop_grace_period_secs=20)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "out of time\n", done.stderr
    assert "Deadlock: every thread waits" in done.stderr


@pytest.fixture
def counting() -> tuple[Any, Any]:
    """A queue and an operation that puts 1, 2, 3, ... into it."""
    count = tf.Variable(0, name="count")
    queue = tf.FIFOQueue(3, tf.int32, shapes=[[]], name="numbers")
    return queue, queue.enqueue(count.assign_add(1, use_locking=True), name="put")


def initialized() -> tf.Session:
    session = tf.Session()
    session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    return session


def test_threads_fill_the_queue_until_they_are_stopped(counting: Any) -> None:
    queue, enqueue = counting
    runner = tf.train.QueueRunner(queue, [enqueue])
    number = queue.dequeue()
    with initialized() as session:
        coord = tf.train.Coordinator()
        threads = runner.create_threads(session, coord, start=True)
        assert [int(session.run(number)) for _ in range(20)] == list(range(1, 21))
        # Those of this session run already.
        assert runner.create_threads(session, coord) == []
        coord.request_stop()
        coord.join(threads)
        assert ended(threads)
        assert session.run(queue.is_closed())
    assert runner.exceptions_raised == []


def test_end_of_the_input_closes_the_queue(counting: Any) -> None:
    numbers = tf.data.Dataset.range(10).make_initializable_iterator()
    queue = tf.FIFOQueue(3, tf.int64, shapes=[[]])
    enqueue = queue.enqueue(numbers.get_next())
    runner = tf.train.QueueRunner(queue, [enqueue] * 3)
    number = queue.dequeue()
    with initialized() as session:
        session.run(numbers.initializer)
        threads = runner.create_threads(session, start=True)
        found = []
        with pytest.raises(tf.errors.OutOfRangeError):
            while len(found) <= 10:
                found.append(int(session.run(number)))
        assert sorted(found) == list(range(10))
        assert ended(threads)
        assert session.run(queue.is_closed())


def test_closing_the_session_ends_the_threads(counting: Any) -> None:
    queue, enqueue = counting
    runner = tf.train.QueueRunner(queue, [enqueue] * 2)
    session = initialized()
    threads = runner.create_threads(session, start=True)
    while len(session.waiting()) < 2:
        time.sleep(0.001)
    session.close()
    assert ended(threads)
    assert runner.exceptions_raised == []


def test_closing_the_session_is_told_to_the_coordinator(counting: Any) -> None:
    queue, enqueue = counting
    runner = tf.train.QueueRunner(queue, [enqueue])
    session = initialized()
    coord = tf.train.Coordinator()
    threads = runner.create_threads(session, coord, start=True)
    while not session.waiting():
        time.sleep(0.001)
    session.close()
    with pytest.raises(tf.errors.CancelledError):
        coord.join(threads)
    assert ended(threads)


def test_error_goes_to_the_coordinator_or_is_kept(
    counting: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, _ = counting
    bad = queue.enqueue(tf.cast(tf.check_numerics(tf.log(-1.0), "not a number"), tf.int32))
    runner = tf.train.QueueRunner(queue, [bad])
    with initialized() as session:
        coord = tf.train.Coordinator()
        threads = runner.create_threads(session, coord, start=True)
        with pytest.raises(tf.errors.InvalidArgumentError, match="not a number"):
            coord.join(threads)
        assert runner.exceptions_raised == []
    # The queue is closed: another session, another queue.
    with initialized() as session:
        threads = runner.create_threads(session, start=True)
        assert ended(threads)
        (error,) = runner.exceptions_raised
        assert "not a number" in str(error)
    assert "Exception in QueueRunner" in caplog.text


def test_sessions_have_threads_of_their_own(counting: Any) -> None:
    queue, enqueue = counting
    runner = tf.train.QueueRunner(queue, [enqueue])
    with initialized() as first, initialized() as second:
        threads = [
            thread
            for session in (first, second)
            for thread in runner.create_threads(session, start=True)
        ]
        assert len(threads) == 2
        assert [int(s.run(queue.dequeue())) for s in (first, second)] == [1, 1]
    assert ended(threads)


def test_runners_of_a_collection_are_started(counting: Any) -> None:
    queue, enqueue = counting
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [enqueue]))
    tf.train.queue_runner.add_queue_runner(tf.train.QueueRunner(queue, [enqueue]), "others")
    with initialized() as session:
        threads = tf.train.start_queue_runners(start=False)
        assert [thread.daemon for thread in threads] == [True]
        assert threads[0].name == "QueueRunnerThread-numbers-put"
        started = tf.train.start_queue_runners(session, collection="others", daemon=False)
        assert int(session.run(queue.dequeue())) == 1
        session.run(queue.close(cancel_pending_enqueues=True))
    assert ended(started)


def test_closed_queue_ends_the_threads_if_that_is_expected(counting: Any) -> None:
    queue, enqueue = counting
    expected = (tf.errors.CancelledError, tf.errors.OutOfRangeError)
    runner = tf.train.QueueRunner(queue, [enqueue], queue_closed_exception_types=expected)
    close = queue.close(cancel_pending_enqueues=True)
    with initialized() as session:
        coord = tf.train.Coordinator()
        threads = runner.create_threads(session, coord, start=True)
        while not session.waiting():
            time.sleep(0.001)
        session.run(close)
        assert ended(threads)
        coord.join(threads)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "Must provide queue and enqueue_ops"),
        ({"queue_closed_exception_types": ()}, TypeError, "tuple of tf.error types"),
        ({"queue_closed_exception_types": (ValueError,)}, TypeError, "tuple of tf.error types"),
    ],
)
def test_runners_that_cannot_be_are_refused(
    counting: Any, arguments: dict[str, Any], error: Any, message: str
) -> None:
    queue, enqueue = counting
    given = {"queue": queue, "enqueue_ops": [enqueue], **arguments} if arguments else {}
    with pytest.raises(error, match=message):
        tf.train.QueueRunner(**given)


def test_starting_needs_a_session(counting: Any) -> None:
    with pytest.raises(ValueError, match="No default session is registered"):
        tf.train.start_queue_runners()
    with pytest.raises(TypeError, match="must be a `tf.Session`"):
        tf.train.start_queue_runners(sess="session")  # type: ignore[arg-type]


def test_message_makes_the_runner_again(counting: Any) -> None:
    queue, enqueue = counting
    runner = tf.train.QueueRunner(
        queue, [enqueue], queue_closed_exception_types=(tf.errors.CancelledError,)
    )
    message = runner.to_proto()
    assert (message.queue_name, message.enqueue_op_name) == ("numbers", ["put"])
    again = tf.train.QueueRunner.from_proto(message)
    assert again.name == runner.name
    assert [op.name for op in again.enqueue_ops] == ["put"]
    assert again.close_op is runner.close_op
    assert again.cancel_op is runner.cancel_op
    assert again.queue_closed_exception_types == (tf.errors.CancelledError,)
    assert runner.to_proto(export_scope="elsewhere") is None
    with pytest.raises(ValueError, match="mutually exclusive"):
        tf.train.QueueRunner(queue, [enqueue], queue_runner_def=message)


def test_meta_graph_brings_runners_along(counting: Any) -> None:
    queue, enqueue = counting
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [enqueue]))
    number = queue.dequeue(name="number")
    meta_graph = tf.train.export_meta_graph()
    with tf.Graph().as_default() as graph:
        tf.train.import_meta_graph(meta_graph)
        (runner,) = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)
        assert isinstance(runner, tf.train.QueueRunner)
        with initialized() as session:
            threads = tf.train.start_queue_runners(session)
            found = [int(session.run(f"{number.op.name}:0")) for _ in range(3)]
            assert found == [1, 2, 3]
        assert ended(threads)
        assert graph.get_operation_by_name("numbers").type == "FIFOQueueV2"
