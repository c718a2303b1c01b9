"""Monitored sessions: recovery, threads, errors, and what is left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core import errors
from workbench.train.sessions import wrapped_session
from workbench.train.summary_io import FileWriterCache


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    threads = set(threading.enumerate())
    with tf.Graph().as_default() as graph:
        yield graph
    FileWriterCache.clear()
    left = [t for t in threading.enumerate() if t not in threads and "QueueRunner" in t.name]
    assert not left, "threads are left behind"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapped_session, "_PAUSES", (0.0,))


def counting() -> Any:
    """A step that counts itself."""
    return tf.assign_add(tf.train.get_or_create_global_step(), 1)


class FailAt(tf.train.SessionRunHook):
    """Fails before given steps, once each."""

    def __init__(self, make: Callable[[], Exception], *steps: int) -> None:
        self.make, self.steps = make, list(steps)
        self.sessions: list[Any] = []

    def begin(self) -> None:
        self.count = tf.train.get_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        self.sessions.append(session)

    def before_run(self, run_context: Any) -> Any:
        if run_context.session.run(self.count) in self.steps[:1]:
            self.steps.pop(0)
            raise self.make()
        return tf.train.SessionRunArgs(self.count)


def aborted() -> Exception:
    return errors.AbortedError(None, None, "a worker was lost")


def unavailable() -> Exception:
    return errors.UnavailableError(None, None, "a worker cannot be reached")


@pytest.mark.parametrize("error", [aborted, unavailable])
def test_a_lost_worker_costs_the_steps_since_the_checkpoint(
    error: Callable[[], Exception], tmp_path: Path
) -> None:
    step = counting()
    folder = str(tmp_path)
    saving = tf.train.CheckpointSaverHook(folder, save_steps=2, saver=tf.train.Saver())
    failing = FailAt(error, 4, 5)
    results = []
    creator = tf.train.ChiefSessionCreator(checkpoint_dir=folder)
    with tf.train.MonitoredSession(creator, [saving, failing]) as session:
        while len(results) < 7:
            results.append(int(session.run(step)))
        assert len(failing.sessions) == 3
        closed = failing.sessions[0]
        with pytest.raises(RuntimeError, match="closed Session"):
            closed.run(step)
    # Checkpoints came after steps 1, 3 and 5: the first loss cost step 4, the second none.
    assert results == [1, 2, 3, 4, 4, 5, 6]
    assert tf.train.load_variable(folder, "global_step") == 6


def test_without_a_checkpoint_a_recovery_starts_anew() -> None:
    step = counting()
    with tf.train.MonitoredSession(hooks=[FailAt(aborted, 2)]) as session:
        assert [int(session.run(step)) for _ in range(4)] == [1, 2, 1, 2]


def test_a_session_that_does_not_recover() -> None:
    step = counting()
    with (
        pytest.raises(errors.AbortedError, match="a worker was lost"),
        tf.train.SingularMonitoredSession(hooks=[FailAt(aborted, 1)]) as session,
    ):
        session.run(step)
        assert session.raw_session().run(step) == 2
        session.run(tf.train.get_global_step().initializer)
        while True:
            session.run(step)
    assert session.raw_session() is None and session.graph is None


def test_creation_is_tried_again() -> None:
    attempts: list[int] = []

    class Creator(tf.train.SessionCreator):
        def create_session(self) -> Any:
            attempts.append(len(attempts))
            if len(attempts) < 4:
                raise unavailable()
            return tf.Session()

    one = tf.constant(1)
    with tf.train.MonitoredSession(Creator()) as session:
        assert session.run(one) == 1
    assert attempts == [0, 1, 2, 3]


class Ends(tf.train.SessionRunHook):
    """Counts the calls of `end`."""

    count = 0

    def end(self, session: Any) -> None:
        self.count += 1


@pytest.mark.parametrize(
    ("error", "passes", "ends"),
    [
        (StopIteration("enough"), False, 1),
        (errors.OutOfRangeError(None, None, "no more input"), False, 1),
        (ValueError("mine"), True, 0),
        (KeyboardInterrupt(), True, 0),
        (errors.InvalidArgumentError(None, None, "a step failed"), True, 0),
    ],
)
def test_how_a_block_ends(graph: tf.Graph, error: BaseException, passes: bool, ends: int) -> None:
    step, hook = counting(), Ends()
    caught: BaseException | None = None
    try:
        with tf.train.MonitoredSession(hooks=[hook]) as session:
            session.run(step)
            raise error
    except BaseException as raised:
        caught = raised
    assert caught is (error if passes else None)
    assert hook.count == ends
    assert session.should_stop()
    # The graph can be added to again.
    assert not graph.finalized


def test_a_failed_block_saves_nothing(tmp_path: Path) -> None:
    step = counting()
    folder = str(tmp_path)
    with (
        pytest.raises(ZeroDivisionError),
        tf.train.MonitoredTrainingSession(checkpoint_dir=folder) as session,
    ):
        for _ in range(3):
            session.run(step)
        raise ZeroDivisionError
    # The checkpoint after the first step is the last one.
    assert tf.train.load_variable(folder, "global_step") == 1
    assert not [name for name in os.listdir(folder) if name.endswith(".partial")]


@pytest.mark.parametrize("place", ["begin", "after_create_session", "before_run", "after_run"])
def test_a_hook_that_fails(place: str, graph: tf.Graph) -> None:
    step, hook = counting(), Ends()

    def fail(*arguments: Any) -> None:
        raise LookupError(place)

    class Failing(tf.train.SessionRunHook):
        pass

    setattr(Failing, place, fail)
    with (
        pytest.raises(LookupError, match=place),
        tf.train.MonitoredSession(hooks=[Failing(), hook]) as session,
    ):
        session.run(step)
    assert hook.count == 0


def test_a_hook_that_fails_at_the_end() -> None:
    class Failing(tf.train.SessionRunHook):
        def end(self, session: Any) -> None:
            raise LookupError("at the end")

    session = tf.train.MonitoredSession(hooks=[Failing()])
    with pytest.raises(LookupError, match="at the end"):
        session.close()
    with pytest.raises(RuntimeError, match="already closed"):
        session.close()
    with pytest.raises(RuntimeError, match="closed session"):
        session.run("x")


def test_after_the_last_step_there_is_none() -> None:
    step = counting()
    with tf.train.MonitoredSession(hooks=[tf.train.StopAtStepHook(last_step=1)]) as session:
        session.run(step)
        assert session.should_stop()
        with pytest.raises(RuntimeError, match="after should_stop requested"):
            session.run(step)


def test_queues_are_filled_and_their_end_is_the_end() -> None:
    numbers = tf.train.limit_epochs(tf.constant(5), num_epochs=3)
    queue = tf.FIFOQueue(10, tf.int32, shapes=[[]])
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(numbers)] * 2))
    value, results = queue.dequeue(), []
    with tf.train.MonitoredSession() as session:
        while not session.should_stop():
            results.append(int(session.run(value)))
    assert results == [5, 5, 5]


def test_an_error_of_a_thread_is_the_error_of_the_training() -> None:
    queue = tf.FIFOQueue(10, tf.int32, shapes=[[]])
    wrong = tf.reshape(tf.placeholder_with_default([1, 2], [None]), [])
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(wrong)]))
    one = tf.constant(1)
    with (
        pytest.raises(errors.InvalidArgumentError),
        tf.train.MonitoredSession() as session,
    ):
        while not session.should_stop():
            session.run(one)


@pytest.mark.parametrize("error", [errors.UnavailableError, errors.InvalidArgumentError])
def test_a_step_does_not_wait_for_a_thread_that_failed(error: type[errors.OpError]) -> None:
    tf.train.create_global_step()
    begun, failures = threading.Event(), [error(None, None, "the thread is lost")]

    def produce() -> np.float32:
        assert begun.wait(30)
        if failures:
            raise failures.pop()
        return np.float32(7.0)

    items, unused = (tf.FIFOQueue(1, tf.float32, shapes=[[]]) for _ in range(2))
    produced = items.enqueue(tf.py_func(produce, [], tf.float32, stateful=True))
    tf.train.add_queue_runner(tf.train.QueueRunner(unused, [produced]))
    with tf.control_dependencies([tf.py_func(begun.set, [], [], stateful=True)]):
        item = items.dequeue()
    # As long as another thread may still produce something, nobody takes the wait for a deadlock.
    over = threading.Event()
    bystander = threading.Thread(target=over.wait)
    bystander.start()
    try:
        if error is errors.UnavailableError:
            with tf.train.MonitoredSession() as session:
                assert session.run(item) == 7.0, "a new session goes on"
        else:
            with (
                pytest.raises(error, match="the thread is lost"),
                tf.train.MonitoredSession() as session,
            ):
                session.run(item)
    finally:
        over.set()
        bystander.join(30)


def test_steps_of_several_runs() -> None:
    step = counting()
    count = tf.train.get_global_step()
    hook = tf.train.StopAtStepHook(last_step=3)

    def twice(step_context: Any) -> int:
        assert step_context.session.run(count) % 2 == 0
        step_context.session.run(step)
        return int(step_context.run_with_hooks(step))

    with tf.train.MonitoredSession(hooks=[hook]) as session:
        assert session.run_step_fn(twice) == 2
        assert not session.should_stop()
        assert session.run_step_fn(twice) == 4
        assert session.should_stop()
    with pytest.raises(ValueError, match="one `step_context` argument"):
        tf.train.MonitoredSession().run_step_fn(lambda context: None)


def test_a_step_of_several_runs_recovers_whole() -> None:
    step = counting()
    seen: list[int] = []

    def body(step_context: Any) -> int:
        seen.append(int(step_context.session.run(step)))
        return int(step_context.run_with_hooks(step))

    with tf.train.MonitoredSession(hooks=[FailAt(aborted, 3)]) as session:
        assert [session.run_step_fn(body) for _ in range(2)] == [2, 2]
    # The second call failed after its first run, and began again in a new session.
    assert seen == [1, 3, 1]


def test_a_step_function_that_ends_the_training() -> None:
    def stop(step_context: Any) -> None:
        step_context.request_stop()

    hook = Ends()
    with tf.train.MonitoredSession(hooks=[hook]) as session:
        session.run_step_fn(stop)
        raise AssertionError("the block goes on")
    assert hook.count == 1


def test_training_goes_on_where_it_ended(tmp_path: Path) -> None:
    step = counting()
    tf.summary.scalar("half", tf.cast(step, tf.float32) / 2.0)
    folder = str(tmp_path)
    for last in (3, 5):
        hooks = [tf.train.StopAtStepHook(last_step=last)]
        with tf.train.MonitoredTrainingSession(
            checkpoint_dir=folder, hooks=hooks, save_summaries_steps=1
        ) as session:
            while not session.should_stop():
                session.run(step)
    assert tf.train.load_variable(folder, "global_step") == 5
    FileWriterCache.clear()
    halves = [
        value.simple_value
        for path in sorted(tmp_path.glob("events.out*"))
        for event in tf.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == "half"
    ]
    assert sorted(halves) == [0.5, 1.0, 1.5, 2.0, 2.5]


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        ({}, ["StepCounterHook", "SummarySaverHook", "CheckpointSaverHook"]),
        ({"save_checkpoint_secs": None}, ["StepCounterHook", "SummarySaverHook"]),
        (
            {"save_summaries_steps": None, "save_summaries_secs": None, "log_step_count_steps": 0},
            ["CheckpointSaverHook"],
        ),
    ],
)
def test_the_hooks_of_a_training(
    arguments: dict[str, Any], kinds: list[str], tmp_path: Path
) -> None:
    counting()
    own, chiefs = Ends(), Ends()
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=str(tmp_path), hooks=[own], chief_only_hooks=[chiefs], **arguments
    ) as session:
        found = session._hooks
        assert [type(hook).__name__ for hook in found[1:-1]] == kinds
        assert found[0] is chiefs and found[-1] is own


def test_a_worker_waits_for_the_chief() -> None:
    counting()
    with pytest.raises(errors.DeadlineExceededError, match="not ready after waiting 0 secs"):
        tf.train.MonitoredTrainingSession(is_chief=False, max_wait_secs=0)


def test_a_scaffold_takes_what_the_graph_has() -> None:
    v = tf.get_variable("v", initializer=1.0)
    ready = tf.report_uninitialized_variables([v])
    tf.add_to_collection(tf.GraphKeys.READY_OP, ready)
    init = tf.variables_initializer([v])
    scaffold = tf.train.Scaffold(init_op=init)
    copy = tf.train.Scaffold(copy_from_scaffold=scaffold.finalize())
    assert scaffold.ready_op is ready
    for name in ("init_op", "ready_op", "local_init_op", "ready_for_local_init_op", "saver"):
        assert getattr(copy, name) is getattr(scaffold, name) is not None
    assert copy.summary_op is None
    with pytest.raises(TypeError, match="not a Scaffold"):
        tf.train.Scaffold(copy_from_scaffold="x")  # type: ignore[arg-type]


def test_of_two_in_a_collection_one_must_be_chosen() -> None:
    for _ in range(2):
        tf.add_to_collection(tf.GraphKeys.INIT_OP, tf.no_op())
    with pytest.raises(RuntimeError, match=r'collection "init_op".*Scaffold\(init_op='):
        tf.train.Scaffold().finalize()
