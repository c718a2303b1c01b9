"""Critical sections: one at a time, whatever runs, and whatever fails."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf
from tests.core.ops.queues.threads import Task
from workbench.core.ops.creation import call, create

CriticalSection = tf.contrib.framework.CriticalSection


@pytest.fixture
def session() -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def counted(section: Any, name: str = "count") -> tuple[Any, Any]:
    """A variable, and a step that adds one to it in two parts, which must not be torn apart."""
    count = tf.Variable(0, name=name)

    def add() -> Any:
        seen = tf.identity(count.read_value())
        with tf.control_dependencies([seen]):
            return count.assign(seen + 1)

    return count, section.execute(add)


def test_updates_of_many_threads_are_all_there(session: Any) -> None:
    count, step = counted(CriticalSection())
    session.run(count.initializer)

    def work() -> list[int]:
        return [int(session.run(step)) for _ in range(20)]

    found = [n for task in [Task(work) for _ in range(8)] for n in task.end()]
    assert sorted(found) == list(range(1, 161))


def test_parts_of_one_step_run_one_after_the_other(session: Any) -> None:
    section = CriticalSection()
    count = tf.Variable(0)

    def add(amount: int) -> Any:
        seen = tf.identity(count.read_value())
        with tf.control_dependencies([seen]):
            return count.assign(seen + amount)

    steps = [section.execute(add, 1) for _ in range(10)]
    session.run(count.initializer)
    assert sorted(session.run(steps)) == list(range(1, 11))


def test_failing_part_gives_the_lock_back(session: Any) -> None:
    section = CriticalSection(shared_name="section")
    good = tf.placeholder(tf.bool, [])

    def check() -> Any:
        with tf.control_dependencies([tf.Assert(good, ["bad"])]):
            return tf.constant(5)

    one = section.execute(check)
    both = [section.execute(check), one]
    for _ in range(3):
        for fetches in (one, both):
            with pytest.raises(tf.errors.InvalidArgumentError, match="bad") as caught:
                session.run(fetches, {good: False})
            # The error is still there, with all that it holds.
            assert caught.value.op is not None
            assert session.run(one, {good: True}) == 5


def test_lock_that_nobody_gives_back_ends_with_the_step(session: Any) -> None:
    mutex = call("MutexV2", "mutex", shared_name="mutex")
    lock = call("MutexLock", None, mutex=mutex)
    assert session.run([lock.op, lock.op]) == [None, None]
    assert session.run(lock.op, options=tf.RunOptions(timeout_in_ms=5000)) is None


def test_results_keep_their_structure(session: Any) -> None:
    section = CriticalSection()
    x = tf.constant(2.0)
    made = section.execute(lambda a, b: {"sum": a + b, "both": (a, [b])}, x, b=tf.constant(3.0))
    assert session.run(made) == {"sum": 5.0, "both": (2.0, [3.0])}
    nothing = section.execute(lambda: tf.no_op())
    assert session.run(nothing) is None


def test_section_within_itself_is_refused(session: Any) -> None:
    section, same = CriticalSection(shared_name="s"), CriticalSection(shared_name="s")
    for inner in (section, same):
        with pytest.raises(ValueError, match="attempts to directly access the CriticalSection"):
            section.execute(lambda inner=inner: inner.execute(lambda: tf.constant(1)))


def test_result_of_a_section_may_be_used_in_it(session: Any) -> None:
    section = CriticalSection()
    first = section.execute(lambda: tf.constant(1.0))
    second = section.execute(lambda: first + 1)
    assert session.run(second) == 2.0


def test_another_section_may_not_have_the_same_variable(session: Any) -> None:
    count = tf.Variable(0)
    CriticalSection().execute(lambda: count.assign_add(1))
    other = CriticalSection()
    with pytest.raises(ValueError, match="exclusive resource access"):
        other.execute(lambda: count.assign_add(1))
    free = tf.Variable(0)
    for section in (CriticalSection(), CriticalSection()):
        section.execute(lambda: free.assign_add(1), exclusive_resource_access=False)


def test_closing_the_session_ends_those_that_wait_for_a_lock() -> None:
    with tf.Graph().as_default():
        queue = tf.FIFOQueue(1, tf.int32)
        section = CriticalSection()
        step = section.execute(queue.dequeue)
        session = tf.Session()
        tasks = [Task(session.run, step) for _ in range(3)]
        while len(session.waiting()) < 3:
            pass
        session.close()
        for task in tasks:
            with pytest.raises(tf.errors.CancelledError):
                task.end()


def test_raw_operations(session: Any) -> None:
    mutex = call("MutexV2", None, shared_name="mutex")
    lock = call("MutexLock", None, mutex=mutex)
    with tf.control_dependencies([create("ConsumeMutexLock", None, mutex_lock=lock)]):
        again = call("MutexLock", None, mutex=mutex)
    both = create("ConsumeMutexLock", None, mutex_lock=again)
    with tf.control_dependencies([lock]):
        too_early = call("MutexLock", None, mutex=mutex)
    hurry = tf.RunOptions(timeout_in_ms=100)
    for _ in range(2):
        session.run(both)
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(too_early, options=hurry)
    # What the run that gave up had locked is free again.
    session.run(both)
    assert session.waiting() == []
