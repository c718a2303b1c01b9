"""Supervisors: sessions, services in threads, and the end of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as tf
from workbench.core import errors

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph
    assert not [t for t in threading.enumerate() if isinstance(t, tf.train.LooperThread)]


def counting() -> Any:
    """A step that counts itself."""
    return tf.assign_add(tf.train.get_or_create_global_step(), 1)


def events(folder: Path) -> list[Any]:
    """The events of a folder, in order."""
    return [
        event
        for path in sorted(folder.glob("events.out*"))
        for event in tf.train.summary_iterator(str(path))
    ]


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def test_training_goes_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    folder = str(tmp_path)
    for first, last in ((1, 3), (4, 5)):
        with tf.Graph().as_default():
            step = counting()
            supervisor = tf.train.Supervisor(logdir=folder)
            with supervisor.managed_session() as session:
                assert session.run(step) == first
                while session.run(step) < last:
                    pass
                supervisor.saver.save(session, supervisor.save_path, supervisor.global_step)
    assert tf.train.latest_checkpoint(folder) == f"{folder}/model.ckpt-5"
    assert (tmp_path / "graph.pbtxt").exists()


def test_services_save_and_write(tmp_path: Path) -> None:
    step = counting()
    tf.summary.scalar("number", tf.cast(tf.train.get_global_step(), tf.float32))
    supervisor = tf.train.Supervisor(
        logdir=str(tmp_path), save_summaries_secs=0.02, save_model_secs=0.02
    )
    with supervisor.managed_session() as session:
        for _ in range(5):
            session.run(step)
        wait_until(lambda: tf.train.latest_checkpoint(str(tmp_path)) is not None)
        # Each writes at once, and again and again.
        time.sleep(0.2)
    found = events(tmp_path)
    tags = {value.tag for event in found for value in event.summary.value}
    assert {"number", "global_step/sec"} <= tags
    statuses = [e.session_log.status for e in found if e.HasField("session_log")]
    log = tf.SessionLog
    assert statuses[0] == log.START and statuses[-1] == log.STOP and log.CHECKPOINT in statuses
    kinds = [event.WhichOneof("what") for event in found]
    assert kinds.count("graph_def") == kinds.count("meta_graph_def") == 1


def test_a_stop_before_the_end_of_the_block(tmp_path: Path, caplog: Any) -> None:
    counting()
    supervisor = tf.train.Supervisor(logdir=str(tmp_path))
    for _ in range(2):
        with supervisor.managed_session():
            supervisor.stop()
    statuses = [e.session_log.status for e in events(tmp_path) if e.HasField("session_log")]
    # The services save once, too.
    assert [each for each in statuses if each != tf.SessionLog.CHECKPOINT] == [
        tf.SessionLog.START,
        tf.SessionLog.STOP,
    ] * 2
    assert "is lost" not in caplog.text


def test_a_thread_that_fails_ends_the_block() -> None:
    step = counting()
    supervisor = tf.train.Supervisor()
    with (
        pytest.raises(LookupError, match="in a thread"),
        supervisor.managed_session() as session,
    ):

        def fail() -> None:
            raise LookupError("in a thread")

        supervisor.loop(None, fail)
        while not supervisor.should_stop():
            session.run(step)
    assert session._closed


@pytest.mark.parametrize(
    ("error", "passes"),
    [(errors.OutOfRangeError(None, None, "the end"), False), (ValueError("mine"), True)],
)
def test_how_a_block_ends(error: Exception, passes: bool) -> None:
    counting()
    caught = None
    try:
        with tf.train.Supervisor().managed_session():
            raise error
    except Exception as raised:
        caught = raised
    assert caught is (error if passes else None)


def test_loops_stop_with_the_others() -> None:
    counting()
    supervisor = tf.train.Supervisor()
    calls: list[Any] = []
    with supervisor.managed_session():
        looper = supervisor.loop(0.01, lambda *a, **k: calls.append((a, k)), (1,), {"b": 2})
        wait_until(lambda: len(calls) >= 2)
        supervisor.request_stop()
        supervisor.wait_for_stop()
    assert not looper.is_alive() and calls[0] == ((1,), {"b": 2})


def test_summaries_that_were_computed_elsewhere(tmp_path: Path) -> None:
    step = counting()
    supervisor = tf.train.Supervisor(logdir=str(tmp_path), summary_op=None)
    with supervisor.managed_session() as session:
        session.run(step)
        value = tf.Summary.Value(tag="mine", simple_value=2.0)
        supervisor.summary_computed(session, tf.Summary(value=[value]))
    found = [(e.step, e.summary.value[0].tag) for e in events(tmp_path) if e.HasField("summary")]
    # The service that counts steps writes too.
    assert [each for each in found if each[1] != "global_step/sec"] == [(1, "mine")]
    with tf.Graph().as_default():
        tf.Variable(1.0)
        with pytest.raises(RuntimeError, match="requires a summary writer"):
            tf.train.Supervisor().summary_computed(None, "")  # type: ignore[arg-type]


def test_only_the_chief_serves() -> None:
    tf.Variable(1.0, name="v")
    with pytest.raises(ValueError, match="Variables must have their device set: v"):
        tf.train.Supervisor(is_chief=False)
    with tf.Graph().as_default(), tf.device("/cpu:0"):
        tf.Variable(1.0)
        supervisor = tf.train.Supervisor(is_chief=False, logdir="unused", recovery_wait_secs=1)
        with tf.Session() as session, pytest.raises(RuntimeError, match="Only chief"):
            supervisor.start_standard_services(session)
        with pytest.raises(errors.DeadlineExceededError):
            supervisor.prepare_or_wait_for_session(max_wait_secs=0)
        assert supervisor.save_path is None and supervisor.summary_writer is None


def test_what_the_graph_has_is_used() -> None:
    v = tf.Variable(1.0)
    given = {
        tf.GraphKeys.INIT_OP: tf.group(v.initializer),
        tf.GraphKeys.READY_OP: tf.report_uninitialized_variables([v]),
        tf.GraphKeys.LOCAL_INIT_OP: tf.no_op(),
        tf.GraphKeys.SUMMARY_OP: tf.constant(""),
        tf.GraphKeys.SAVERS: tf.train.Saver(),
    }
    for key, value in given.items():
        tf.add_to_collection(key, value)
    supervisor = tf.train.Supervisor()
    found = [supervisor.init_op, supervisor.ready_op, supervisor._local_init_op]
    assert [*found, supervisor.summary_op, supervisor.saver] == list(given.values())
    assert supervisor.global_step is None


def test_initialisation_can_be_fed_and_completed() -> None:
    v, w = tf.Variable(1.0), tf.Variable(1.0)
    x = tf.placeholder(tf.float32, [])
    supervisor = tf.train.Supervisor(
        init_op=tf.assign(v, x),
        init_feed_dict={x: 6.0},
        init_fn=lambda session: w.load(7.0, session),
        saver=None,
    )
    assert supervisor.init_feed_dict == {x: 6.0} and supervisor.saver is None
    with supervisor.managed_session() as session:
        assert session.run([v, w]) == [6.0, 7.0]


def test_basic_loop_goes_on_after_a_loss(tmp_path: Path) -> None:
    step = counting()
    supervisor = tf.train.Supervisor(logdir=str(tmp_path))
    seen: list[int] = []

    def train_step(session: Any, last: int, name: str) -> None:
        seen.append(int(session.run(step)))
        supervisor.saver.save(session, supervisor.save_path, supervisor.global_step)
        if len(seen) == 2:
            raise errors.AbortedError(None, None, name)
        if seen[-1] == last:
            supervisor.request_stop()

    tf.train.basic_train_loop(supervisor, train_step, [4], {"name": "lost"})
    assert seen == [1, 2, 3, 4]
