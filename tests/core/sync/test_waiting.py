"""The shell of machines: threads that wait, are woken, cancelled, and out of time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest

from tests.core.ops.queues.threads import PATIENCE, Task, wait_until
from workbench.core.errors import CancelledError, DeadlineExceededError
from workbench.core.sync import registry, reporting
from workbench.core.sync.interrupts import Uninterrupted
from workbench.core.sync.queues import Dequeue, Enqueue, QueueMachine
from workbench.core.sync.scope import Scope, current, deadline, entered, scoped
from workbench.core.sync.stores import FifoStore
from workbench.core.sync.waiting import Shared


class Queue(Shared):
    """A queue of whatever."""

    machine: QueueMachine

    def __init__(self, capacity: int = 2) -> None:
        super().__init__(QueueMachine(FifoStore(), capacity, "queue"))

    def put(self, *elements: Any) -> None:
        self.perform(Enqueue(elements))

    def take(self, count: int = 1) -> list[Any]:
        taken: list[Any] = self.perform(Dequeue(count))
        return taken

    def describe(self) -> str:
        return self.machine.describe()


def waiting_for(queue: Queue, count: int) -> None:
    wait_until(lambda: len(queue.machine.waiting) == count)


def test_waiting_threads_are_woken_by_what_they_wait_for() -> None:
    queue = Queue()
    takers = []
    for number in range(3):
        takers.append(Task(queue.take))
        waiting_for(queue, number + 1)
    queue.put("a", "b", "c")
    assert [taker.end() for taker in takers] == [["a"], ["b"], ["c"]]
    queue.put("d", "e")
    giver = Task(lambda: queue.put("f"))
    waiting_for(queue, 1)
    assert queue.take(3) == ["d", "e", "f"]
    giver.end()


def test_closing_ends_all_waits_and_all_to_come() -> None:
    queue = Queue()
    takers = [Task(queue.take) for _ in range(3)]
    waiting_for(queue, 3)
    queue.close()
    for taker in takers:
        with pytest.raises(CancelledError, match="Dequeue operation was cancelled"):
            taker.end()
    with pytest.raises(CancelledError, match="Enqueue operation was cancelled"):
        queue.put("a")


def test_deadline_ends_a_wait_and_gives_back_what_it_had() -> None:
    queue = Queue()
    queue.put("a")
    began = time.monotonic()
    with (
        pytest.raises(DeadlineExceededError, match="1 more element"),
        deadline(0.05),
    ):
        queue.take(2)
    assert 0.05 <= time.monotonic() - began < PATIENCE
    assert current() is None
    assert queue.take() == ["a"]


@pytest.mark.parametrize("outer_ends_first", [True, False])
def test_the_earlier_of_two_deadlines_counts(outer_ends_first: bool) -> None:
    queue = Queue()
    short, long = 0.05, 600.0
    outer, inner = (short, long) if outer_ends_first else (long, short)
    with deadline(outer), pytest.raises(DeadlineExceededError), deadline(inner):
        queue.take()


@pytest.mark.parametrize("is_inner", [True, False])
def test_cancelled_scope_ends_what_waits_in_it_and_what_is_about_to(is_inner: bool) -> None:
    queue = Queue()
    scope = Scope()

    def take() -> list[Any]:
        with entered(Scope(outer=scope) if is_inner else scope):
            return queue.take()

    task = Task(take)
    waiting_for(queue, 1)
    scope.cancel()
    with pytest.raises(CancelledError):
        task.end()
    with pytest.raises(CancelledError):
        take()
    # Nor does it take what comes after.
    queue.put("a")
    with pytest.raises(CancelledError):
        take()
    assert queue.take() == ["a"]


def test_limit_counts_for_those_that_wait_already() -> None:
    queue = Queue()
    scope = Scope()

    def take() -> list[Any]:
        with entered(scope):
            return queue.take()

    task = Task(take)
    waiting_for(queue, 1)
    scope.limit(0.02)
    with pytest.raises(DeadlineExceededError):
        task.end()


def test_scope_of_a_function_ends_with_it() -> None:
    ended = []

    def function(value: int) -> int:
        scope = current()
        assert scope is not None
        scope.at_end(lambda: ended.append(value))
        if value == 2:
            raise ValueError
        return value

    run = scoped(function)
    assert run(1) == 1
    with pytest.raises(ValueError):
        run(2)
    assert ended == [1, 2]
    assert current() is None


def test_no_lock_is_held_while_somebody_waits() -> None:
    queue = Queue()
    task = Task(queue.take)
    waiting_for(queue, 1)
    for _ in range(100):
        assert queue.ask(lambda: queue.machine.size) == 0
    queue.put("a")
    assert task.end() == ["a"]


# -- Ctrl-C --------------------------------------------------------------------------------------


def test_interrupt_comes_at_the_end_of_a_section() -> None:
    came: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        with Uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            # Python handles signals between two of its instructions.
            for _ in range(1000):
                pass
            came.append("whole")
        came.append("after")
    assert came == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_wait_leaves_nothing_half_done() -> None:
    queue = Queue()
    queue.put("a")
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.1, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        queue.take(2)
    timer.join(PATIENCE)
    assert queue.machine.waiting == []
    assert registry.waits() == []
    assert queue.take() == ["a"]


# -- who waits -----------------------------------------------------------------------------------


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that other tests may have left do not count."""
    listed = threading.enumerate
    others = set(listed()) - {threading.main_thread()}
    monkeypatch.setattr(threading, "enumerate", lambda: [t for t in listed() if t not in others])


def test_registry_knows_who_waits() -> None:
    queue = Queue()
    task = Task(lambda: queue.take(2))
    waiting_for(queue, 1)
    wait_until(lambda: registry.waits())
    (wait,) = registry.waits()
    described = wait.describe()
    assert described.wants == "2 more elements"
    assert described.resource == "queue holds 0 of 2, open"
    assert described.thread == task.name
    assert "2 more elements" in str(described)
    queue.put("a", "b")
    task.end()
    assert registry.waits() == []


@pytest.mark.usefixtures("_alone")
def test_deadlock_is_seen_only_where_every_thread_waits() -> None:
    queue = Queue()
    task = Task(queue.take)
    waiting_for(queue, 1)
    wait_until(lambda: registry.waits())
    # This thread is at work.
    assert not registry.all_threads_wait()
    with registry.idle():
        assert registry.all_threads_wait()
        other = Task(lambda: time.sleep(0.2))
        assert not registry.all_threads_wait()
        other.end()
        joining = Task(lambda: task.join())
        wait_until(registry.all_threads_wait)
    queue.put("a")
    task.end()
    joining.end()


@pytest.mark.usefixtures("_alone")
def test_thread_that_joins_for_some_time_comes_back_by_itself() -> None:
    queue = Queue()
    task = Task(queue.take)
    joining = Task(lambda: task.join(PATIENCE))
    waiting_for(queue, 1)
    time.sleep(0.05)
    with registry.idle():
        assert not registry.all_threads_wait()
    queue.put("a")
    task.end()
    joining.end()


@pytest.mark.usefixtures("_alone")
def test_deadlock_is_reported_with_all_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "FIRST_SECONDS", 0.05)
    queue = Queue()
    with pytest.raises(RuntimeWarning, match="(?s)Deadlock.*1 more element.*holds 0 of 2"):
        queue.take()
    # The warning was an error: it ended the wait.
    assert queue.machine.waiting == []


def test_wait_that_may_end_is_no_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "FIRST_SECONDS", 0.01)
    queue = Queue()

    def give() -> None:
        time.sleep(0.3)
        queue.put("a")

    task = Task(give)
    assert queue.take() == ["a"]
    task.end()


def test_program_that_cannot_end_is_a_deadlock() -> None:
    script = textwrap.dedent(
        """
        import threading
        import workbench as tf
        from workbench.core.sync import reporting
        reporting.FIRST_SECONDS = 0.1
        number = tf.FIFOQueue(3, tf.int32).dequeue()
        session = tf.Session()

        def work():
            try:
                session.run(number)
            except Exception as error:
                print(error, flush=True)

        threading.Thread(target=work).start()
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60
    )
    assert "RuntimeWarning: Deadlock: every thread waits" in done.stdout, done.stderr
    assert done.returncode == 0


def test_deadlock_of_a_program_is_told_on_standard_error() -> None:
    script = textwrap.dedent(
        """

        import workbench as tf
        from workbench.core.sync import reporting
        reporting.FIRST_SECONDS = 0.1
        queue = tf.FIFOQueue(3, tf.int32, name="numbers")
        number = queue.dequeue(name="next_number")
        with tf.Session() as session:
            options = tf.RunOptions(timeout_in_ms=1500)
            try:
                session.run(number, options=options)
            except tf.errors.DeadlineExceededError:
                print("out of time")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "out of time\n"
    assert "Deadlock: every thread waits" in done.stderr
    assert "'next_number'" in done.stderr
    assert "FIFOQueue 'numbers' holds 0 of 3, open" in done.stderr
