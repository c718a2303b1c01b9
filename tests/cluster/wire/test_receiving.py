"""Who receives: threads that wait for something take the role and give it back."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from workbench.cluster.wire.receiving import Receiver
from workbench.cluster.wire.watch import Watch

pytestmark = pytest.mark.skipif(not Watch.is_nested, reason="threads do not help here")


class Pipe:
    """A pipe; who has read what from it."""

    def __init__(self, receiver: Receiver, act=None) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self.receiver, self.act = receiver, act
        self.came = threading.Semaphore(0)
        self.got: list[tuple[bytes, str]] = []
        receiver.add(self.read_end, self.read, True)

    def read(self) -> bool:
        try:
            data = os.read(self.read_end, 1)
        except BlockingIOError:
            return False
        if self.act is not None:
            self.act(data)
        self.got.append((data, threading.current_thread().name))
        self.came.release()
        return True

    def write(self, data: bytes) -> None:
        os.write(self.write_end, data)


def once_helping(receiver, call, *arguments):
    """Calls in another thread when this one has the role; not at all where it never has."""
    own = threading.get_ident()

    def wait():
        deadline = time.monotonic() + 10
        while receiver._leader != own and time.monotonic() < deadline:
            time.sleep(0.001)
        if receiver._leader == own:
            call(*arguments)

    threading.Thread(target=wait).start()


def help_until(receiver, is_done):
    """Helps until something is done; who had the role before may not have left it yet."""
    deadline = time.monotonic() + 10
    while not is_done() and time.monotonic() < deadline:
        receiver.help(is_done, 10)
        if not is_done():
            time.sleep(0.001)


@pytest.fixture
def receiver():
    looked = []
    made = Receiver(lambda: looked.append(threading.get_ident()), 0.05)
    made.looked = looked
    pipes = []
    made.pipe = lambda act=None: pipes.append(Pipe(made, act)) or pipes[-1]
    made.start()
    yield made
    made.close()
    made.release()
    for pipe in pipes:
        os.close(pipe.read_end)
        os.close(pipe.write_end)


def test_who_waits_reads_itself_and_gives_the_role_back(receiver):
    pipe = receiver.pipe()
    own = threading.current_thread().name
    pipe.write(b"a")
    assert pipe.came.acquire(timeout=10)
    assert pipe.got == [(b"a", "workbench-wire")]
    for _ in range(20):
        pipe.got.clear()
        once_helping(receiver, pipe.write, b"b")
        help_until(receiver, lambda: bool(pipe.got))
        assert pipe.got == [(b"b", own)]
        assert pipe.came.acquire(timeout=10)
        pipe.write(b"c")
        assert pipe.came.acquire(timeout=10)
        assert pipe.got[1] == (b"c", "workbench-wire")


def test_who_waits_is_woken_by_what_another_thread_does(receiver):
    done = threading.Event()

    def act():
        done.set()
        receiver.nudge()

    once_helping(receiver, act)
    help_until(receiver, done.is_set)
    assert done.is_set()


def test_waiting_ends_after_its_time(receiver):
    began = time.monotonic()
    assert receiver.help(lambda: False, 0.1) == 0.0
    assert time.monotonic() - began >= 0.1
    assert receiver.help(lambda: True, 3.0) == 3.0 and receiver.help(lambda: True) is None


def test_one_at_a_time_receives_and_somebody_always_does(receiver):
    """Whoever waits, everything is read exactly once."""
    pipe = receiver.pipe()
    stop = threading.Event()

    def wait():
        while not stop.is_set():
            seen = len(pipe.got)
            receiver.help(lambda seen=seen: len(pipe.got) > seen or stop.is_set(), 0.02)
            # Another one may have the role for long: who asks all the time keeps it from running.
            if len(pipe.got) == seen:
                stop.wait(0.001)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for k in range(2000):
            pipe.write(bytes([k % 256]))
            assert pipe.came.acquire(timeout=10)
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
    assert [data for data, _ in pipe.got] == [bytes([k % 256]) for k in range(2000)]


def test_who_steps_back_may_take_its_time(receiver):
    other = receiver.pipe()
    stepped = []

    def act(data):
        if data == b"s":
            stepped.append(receiver.step_back(1.0))
            # What another thread reads meanwhile: this one waits for that.
            assert other.came.acquire(timeout=10)

    slow = receiver.pipe(act)
    slow.write(b"s")
    slow.write(b"n")
    other.write(b"o")
    assert slow.came.acquire(timeout=10) and slow.came.acquire(timeout=10)
    assert stepped == [True] and sorted(d for d, _ in slow.got) == [b"n", b"s"]
    assert len({name for _, name in [*slow.got, *other.got]}) == 2
    assert not receiver.step_back(1.0)


def test_what_takes_no_time_is_done_before_others_receive(receiver):
    """No other thread is woken for it: that would take longer."""
    pipe, stepped = receiver.pipe(lambda data: stepped.append(receiver.step_back(1e-6))), []
    for number in range(20):
        pipe.write(bytes([number]))
    for _ in range(20):
        assert pipe.came.acquire(timeout=10)
    assert stepped == [True] * 20
    assert len({name for _, name in pipe.got}) == 1


def test_who_helps_does_not_step_back(receiver):
    stepped = []
    pipe = receiver.pipe(lambda data: stepped.append(receiver.step_back(1.0)))
    once_helping(receiver, pipe.write, b"x")
    help_until(receiver, lambda: bool(pipe.got))
    assert stepped == [False]


def test_a_reader_that_fails_ends_nothing(receiver, caplog):
    def act(data):
        if data == b"!":
            raise ValueError("what came was odd")

    pipe = receiver.pipe(act)
    pipe.write(b"!")
    pipe.write(b"a")
    assert pipe.came.acquire(timeout=10)
    assert [d for d, _ in pipe.got] == [b"a"] and "what came was odd" in caplog.text


def test_the_receiver_is_looked_after_whoever_has_the_role(receiver):
    own = threading.get_ident()
    help_until(receiver, lambda: own in receiver.looked)
    deadline = time.monotonic() + 10
    while set(receiver.looked) == {own} and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(set(receiver.looked)) == 2


def test_an_interrupt_comes_when_the_message_is_handled(receiver):
    """Ctrl-C while the main thread handles something: it is handled to its end first."""
    steps = []

    def act(data):
        os.kill(os.getpid(), signal.SIGINT)
        for k in range(1000):
            steps.append(k)

    pipe = receiver.pipe(act)
    once_helping(receiver, pipe.write, b"x")
    with pytest.raises(KeyboardInterrupt):
        help_until(receiver, lambda: False)
    assert len(steps) == 1000 and [d for d, _ in pipe.got] == [b"x"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    # One that comes while nothing does ends the wait at once.
    once_helping(receiver, os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        help_until(receiver, lambda: False)
    pipe.act = None
    pipe.came.acquire()
    pipe.write(b"y")
    assert pipe.came.acquire(timeout=10)


def test_who_waits_ends_with_the_receiver(receiver):
    once_helping(receiver, receiver.close)
    assert receiver.help(lambda: False, 10) > 1


def test_what_who_has_the_role_marks_is_read_at_once():
    read = []
    receiver = Receiver(lambda: None, 60.0)
    receiver.start()
    try:
        with receiver.held():
            assert receiver._leader == threading.get_ident()
            receiver.mark(lambda: bool(read.append("it")))
            assert receiver.help(lambda: bool(read), 5.0)
    finally:
        receiver.close()
        receiver.release()
    assert read == ["it"]


def test_nothing_is_written_to_what_has_the_number_of_a_descriptor_next():
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    receiver = Receiver(lambda: None, 0.05)
    receiver.start()
    receiver.close()
    waker = receiver._waker._write_end
    receiver.release()
    os.dup2(write_end, waker)
    try:
        receiver.mark(lambda: False)
        with pytest.raises(BlockingIOError):
            os.read(read_end, 1)
    finally:
        for each in (read_end, write_end, waker):
            os.close(each)
