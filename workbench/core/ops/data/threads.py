"""Threads that make elements ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from workbench.core.ops.data.pipeline import Element

#: How often a thread that waits looks whether it is to end, in seconds.
_GLANCE_SECONDS = 0.1
#: How long the end of a thread is waited for, in seconds.
_END_SECONDS = 10.0


class Channel:
    """What passes from threads to a reader: elements, errors where theirs would be, ends."""

    def __init__(self, size: int) -> None:
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(max(1, size))
        self._closed = threading.Event()

    def put(self, kind: str, value: Any = None) -> bool:
        """Waits for a place; False once the channel is closed."""
        while not self._closed.is_set():
            try:
                self._queue.put((kind, value), timeout=_GLANCE_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def get(self) -> tuple[str, Any]:
        """Waits for the next thing; an end once the channel is closed."""
        while not self._closed.is_set():
            try:
                return self._queue.get(timeout=_GLANCE_SECONDS)
            except queue.Empty:
                continue
        return "end", None

    def pass_on(self, elements: Iterator[Element]) -> bool:
        """Puts elements until they end; False once the channel is closed."""
        while True:
            try:
                element = next(elements)
            except StopIteration:
                return not self._closed.is_set()
            except BaseException as error:
                # It is raised where the element is asked for; those after it may be sound.
                going = self.put("error", error)
            else:
                going = self.put("element", element)
            if not going:
                return False

    def close(self) -> None:
        """Ends all waits."""
        self._closed.set()


class _Threads(Iterator[Element]):
    """Elements that threads make, which start with the first element that is asked for."""

    def __init__(self, size: int, count: int, on_end: Callable[[Any], None]) -> None:
        self._channel = Channel(size)
        self._threads = [
            threading.Thread(target=self._make, name="workbench-prefetch", daemon=True)
            for _ in range(count)
        ]
        self._started = False
        #: How many threads have not come to their end yet.
        self._going = count
        self._on_end = on_end

    def _make(self) -> None:
        """What each thread does."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts the threads, unless they were started already."""
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()

    def __next__(self) -> Element:
        self.start()
        while self._going:
            kind, value = self._channel.get()
            if kind == "element":
                return value  # type: ignore[no-any-return]
            if kind == "error":
                raise value
            self._going -= 1
            if not self._going:
                self._on_end(self)
        raise StopIteration

    def close(self) -> None:
        """Ends the threads."""
        self._channel.close()
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(timeout=_END_SECONDS)


class Prefetcher(_Threads):
    """A thread that makes elements ahead, in order."""

    def __init__(
        self, elements: Iterable[Element], size: int, on_end: Callable[[Any], None]
    ) -> None:
        super().__init__(size, 1, on_end)
        self._source = iter(elements)

    def _make(self) -> None:
        if self._channel.pass_on(self._source):
            self._channel.put("end")


class Gatherer(_Threads):
    """Threads that each take the elements of one iterator after the other, in any order."""

    def __init__(
        self,
        sources: Iterator[Iterator[Element]],
        count: int,
        size: int,
        on_end: Callable[[Any], None],
    ) -> None:
        super().__init__(size, count, on_end)
        self._sources = sources
        self._lock = threading.Lock()

    def _make(self) -> None:
        while True:
            try:
                with self._lock:
                    source = next(self._sources)
            except StopIteration:
                break
            except BaseException as error:
                if not self._channel.put("error", error):
                    return
                continue
            if not self._channel.pass_on(source):
                return
        self._channel.put("end")
