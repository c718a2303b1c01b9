"""Who receives: one thread at a time waits for file descriptors and has read what came at them.

An endpoint has threads for that. But a thread that waits for an answer takes the role meanwhile
(`Receiver.help`): what it waits for then wakes it, and not another one that wakes it. And a thread
of the endpoint that is about to do what takes longer leaves the role to the next (`step_back`);
what takes no longer than another thread takes to wake up is done first.

The descriptors are in one set, which itself is in a second one: the endpoint's threads wait for the
second, in which the first is switched off while somebody has the role. So that taking the role, and
giving it back, wakes nobody.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from workbench.cluster.wire.haste import Haste
from workbench.cluster.wire.interrupts import held_back
from workbench.cluster.wire.notices import Notices
from workbench.cluster.wire.waker import Waker
from workbench.cluster.wire.watch import Watch

#: Reads one thing that has come at a descriptor, if there is one; whether to call it again at once.
Reader = Callable[[], bool]

#: For what takes less, others that wait to be received wait rather than have a thread woken.
_BRIEF_SECONDS = 0.0005

_NOTHING = contextlib.nullcontext()
_log = logging.getLogger("workbench.cluster")


class _Held:
    """See `Receiver.held`. A class: a generator takes twice as long, and messages wait."""

    __slots__ = ("_has_role", "_interrupts", "_receiver")

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._interrupts = held_back(receiver._wake)
        self._has_role = False

    def __enter__(self) -> None:
        self._interrupts.__enter__()
        try:
            self._has_role = self._receiver._take_role(is_own=False)
            if self._has_role:
                self._receiver._watch.switch(False)
        except BaseException:
            # It may be closed meanwhile.
            self.__exit__(None, None, None)
            raise

    def __exit__(self, *error: Any) -> None:
        try:
            if self._has_role:
                self._receiver._leave_role()
        finally:
            self._interrupts.__exit__(*error)


class Receiver:
    """Calls readers whose descriptors have something, and `look_after` every `seconds`."""

    def __init__(self, look_after: Callable[[], None], seconds: float) -> None:
        self._look_after, self._seconds = look_after, seconds
        self._looked = time.monotonic()
        self._waker, self._watch = Waker(), Watch()
        self._wake, self._woken = self._waker.wake, self._waker.descriptor
        self._watch.add(self._woken)
        self._readers: dict[int, Reader] = {}
        self._writers: dict[int, Callable[[], None]] = {}
        #: Readers that have something that their descriptors do not tell of.
        self._ready: collections.deque[Reader] = collections.deque()
        self._role = threading.Lock()
        #: The thread that has the role, by its number; whether it is one of the endpoint's.
        self._leader = 0
        self._is_own = False
        #: The descriptors that tell of an edge, and the reader of such a one that is called.
        self._edges: set[int] = set()
        self._current: Reader | None = None
        self._failures = Notices(_log)
        #: Of those who wait for answers.
        self._haste = Haste()
        self._is_closed = False
        self._threads: list[threading.Thread] = []
        self._own: set[int] = set()
        self._threads_lock = threading.Lock()

    def start(self) -> None:
        """Begins to receive."""
        self._add_thread()

    def _add_thread(self) -> None:
        with self._threads_lock:
            if not self._is_closed:
                name = f"workbench-wire-{len(self._threads)}" if self._threads else "workbench-wire"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    # -- what is received --------------------------------------------------------------------

    def add(self, descriptor: int, reader: Reader, has_edges: bool = False) -> None:
        """From now on `reader` is called when there is something at a descriptor.

        ZeroMQ's descriptors tell of an edge: their readers are called until nothing is left.
        """
        self._readers[descriptor] = reader
        if has_edges:
            self._edges.add(descriptor)
        self._watch.add(descriptor)
        if has_edges:
            # What came before made its edge then.
            self.mark(reader)

    def mark(self, reader: Reader) -> None:
        """A reader is to be called: something came that its descriptor does not tell of."""
        self._ready.append(reader)
        if self._leader != threading.get_ident():
            self._wake()

    def remove(self, descriptor: int) -> None:
        """Forgets a descriptor. By who has the role only, before it is closed."""
        self._writers.pop(descriptor, None)
        self._edges.discard(descriptor)
        if self._readers.pop(descriptor, None) is not None:
            self._watch.remove(descriptor)

    def await_room(self, descriptor: int, writer: Callable[[], None] | None) -> None:
        """Has `writer` called when a descriptor that was added takes more; None: no more."""
        if writer is None:
            self._writers.pop(descriptor, None)
        else:
            self._writers[descriptor] = writer
        if descriptor in self._readers:
            self._watch.change(descriptor, writer is not None)

    # -- the role ----------------------------------------------------------------------------

    def help(self, is_done: Callable[[], bool], seconds: float | None = None) -> float | None:
        """Receives in this thread until something is done, unless another one does already.

        Returns after `seconds` at the latest: how many of them are left. Whoever does it from
        another thread calls `nudge` then.
        """
        if is_done() or not self._watch.is_nested:
            return seconds
        deadline = None if seconds is None else time.monotonic() + seconds
        if self._leader == threading.get_ident():
            self._receive_until(is_done, deadline)
        else:
            with self.held():
                self._receive_until(is_done, deadline)
        return None if deadline is None else max(deadline - time.monotonic(), 0.0)

    def held(self) -> AbstractContextManager[None]:
        """A short block in which this thread has the role, where nobody has it and it is not one of
        the endpoint's: what it asks for in there, and waits for, wakes no other thread."""
        if self._leader == threading.get_ident() or not self._watch.is_nested:
            return _NOTHING
        return _Held(self)

    def _receive_until(self, is_done: Callable[[], bool], deadline: float | None) -> None:
        own = threading.get_ident()
        while self._leader == own and not self._is_closed and not is_done():
            left = self._seconds
            if deadline is not None:
                left = min(left, deadline - time.monotonic())
            if left <= 0 or held_back.is_due():
                return
            self._turn(left, self._haste)

    def nudge(self) -> None:
        """What a thread that helps waits for may be done."""
        if self._leader and not self._is_own and self._leader != threading.get_ident():
            self._wake()

    def step_back(self, seconds: float) -> bool:
        """Leaves the role to another thread, for the rest of what this one is called for, where
        that takes about so long.

        False where this is not a thread that receives and does nothing else: it has no time.
        """
        if threading.get_ident() not in self._own:
            return False
        if seconds > _BRIEF_SECONDS and self._leader == threading.get_ident():
            if len(self._threads) < 2:
                self._add_thread()
            if self._current is not None:
                self.mark(self._current)
                self._wake()
            self._leave_role()
        return True

    def _take_role(self, is_own: bool) -> bool:
        if not self._role.acquire(blocking=is_own and not self._watch.is_nested):
            return False
        if self._is_closed:
            self._role.release()
            return False
        self._is_own = is_own
        self._leader = threading.get_ident()
        return True

    def _leave_role(self) -> None:
        if self._leader == threading.get_ident():
            self._leader = 0
            self._role.release()
            # In this order: who is woken in between, and does not get the role, need not care.
            if not self._is_closed:
                with contextlib.suppress(OSError, ValueError):
                    self._watch.switch(True)

    # -- the threads -------------------------------------------------------------------------

    def _run(self) -> None:
        self._own.add(threading.get_ident())
        while not self._is_closed:
            if self._watch.await_any(self._seconds) or self._is_late():
                if not self._take_role(is_own=True):
                    continue
                try:
                    self._turn(0.0 if self._watch.is_nested else self._seconds)
                finally:
                    self._leave_role()
        # The next one ends as well.
        self._own.discard(threading.get_ident())
        self._wake()
        with contextlib.suppress(OSError, ValueError):
            self._watch.switch(True)

    def _is_late(self) -> bool:
        return time.monotonic() - self._looked >= self._seconds

    def _turn(self, seconds: float, haste: Haste | None = None) -> None:
        """Waits so long for something, and has it read. Who has the role may lose it here."""
        own, watch = threading.get_ident(), self._watch
        if self._ready:
            # By this thread perhaps, which wakes nobody: no descriptor tells of it.
            seconds = 0.0
        found = watch.wait(seconds) if haste is None else haste.wait(watch, seconds)
        for descriptor, reads, writes in found:
            if descriptor == self._woken:
                # At the end it wakes the others too.
                if not self._is_closed:
                    self._waker.drain()
                continue
            if writes and (writer := self._writers.get(descriptor)) is not None:
                writer()
            # One that was called before may have removed it.
            reader = self._readers.get(descriptor) if reads else None
            if reader is not None and not self._call(reader, descriptor in self._edges, own):
                return
        while self._ready:
            if not self._call(self._ready.popleft(), True, own):
                return
        if self._is_late():
            self._looked = time.monotonic()
            self._look_after()

    def _call(self, reader: Reader, has_edges: bool, own: int) -> bool:
        """Calls a reader as often as it likes; whether this thread has the role still."""
        self._current = reader if has_edges else None
        goes_on = True
        while goes_on and self._leader == own:
            try:
                goes_on = reader()
            except Exception:
                # Whatever one message was, the others are handled.
                self._failures.tell("A message could not be handled", has_trace=True)
        if self._leader != own:
            return False
        self._current = None
        return True

    # -- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Ends the threads, unless this is one of them, which ends by itself then."""
        with self._threads_lock:
            self._is_closed = True
        self._wake()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(10)
        if self._leader != threading.get_ident() and self._role.acquire(timeout=10):
            self._role.release()

    def release(self) -> None:
        """Gives its own descriptors back, after the end."""
        self._watch.close()
        self._waker.close()
