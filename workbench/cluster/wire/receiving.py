"""The thread that receives: waits for file descriptors, and has read what came at them."""

from __future__ import annotations

import collections
import contextlib
import os
import select
import threading
import time
from collections.abc import Callable

#: Reads all that has come at a descriptor.
Reader = Callable[[], None]


class Receiver:
    """Calls readers whose descriptors have something, and `look_after` now and then.

    ZeroMQ's descriptors tell of an edge: whoever is called reads until nothing is left.
    """

    def __init__(self, look_after: Callable[[], None], seconds: float) -> None:
        self._look_after = look_after
        self._seconds = seconds
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)
        self._readers: dict[int, Reader] = {}
        #: What other threads have to say: new readers, and readers that have something to read.
        self._added: collections.deque[tuple[int, Reader]] = collections.deque()
        self._ready: collections.deque[Reader] = collections.deque()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="workbench-wire", daemon=True)

    def start(self) -> None:
        """Begins to receive."""
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether this is the receiving thread."""
        return threading.current_thread() is self._thread

    def add(self, descriptor: int, reader: Reader) -> None:
        """From now on `reader` is called when there is something at a descriptor."""
        self._added.append((descriptor, reader))
        self._wake()

    def mark(self, reader: Reader) -> None:
        """A reader is to be called: something came that its descriptor does not tell of."""
        self._ready.append(reader)
        self._wake()

    def remove(self, descriptor: int) -> None:
        """Forgets a descriptor. In the receiving thread only, before it is closed."""
        if self._readers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def _wake(self) -> None:
        # It may be awake already, or gone.
        with contextlib.suppress(OSError):
            os.write(self._waker, b"\0")

    def _run(self) -> None:
        looked = time.monotonic()
        while not self._is_closed:
            ready = [fd for fd, _ in self._poll.poll(self._seconds * 1000)]
            if self._woken in ready:
                self._drain()
            for descriptor in ready:
                # One that was called before may have removed it.
                reader = self._readers.get(descriptor)
                if reader is not None:
                    reader()
            self._take_news()
            now = time.monotonic()
            if now - looked >= self._seconds:
                looked = now
                self._look_after()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._woken, 4096)) == 4096:
                pass

    def _take_news(self) -> None:
        while self._added:
            descriptor, reader = self._added.popleft()
            self._readers[descriptor] = reader
            self._poll.register(descriptor, select.POLLIN)
            # What came before it was registered made its edge then.
            reader()
        while self._ready:
            self._ready.popleft()()

    def close(self) -> None:
        """Ends the thread, unless it is this one, which ends by itself then."""
        self._is_closed = True
        self._wake()
        if not self.is_current and self._thread.ident is not None:
            self._thread.join(10)

    def release(self) -> None:
        """Gives its own descriptors back, after the end."""
        os.close(self._woken)
        os.close(self._waker)
