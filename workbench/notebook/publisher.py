"""The one thread that sends to views: answers at once, updates a few times a second."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

_log = logging.getLogger("workbench.notebook")

#: Seconds between two looks at what changed; every feed sees 10 a second.
INTERVAL = 0.1
#: The share of one processor that updates may take: what they need beyond it makes them rarer.
SHARE = 0.03


class Pollable(Protocol):
    """Something that is looked at a few times a second."""

    def poll(self) -> None:
        """Sends what changed since the last call, if anything did."""


class Feed(Pollable, Protocol):
    """Something that changes, and that a view follows."""

    def close(self) -> None:
        """Called when the view follows it no more."""


class Publisher:
    """Sends on a thread of its own, so that neither a run nor the shell waits for a view.

    Jobs are done in the order they were posted, as soon as the thread is free. Feeds are polled at
    intervals: whatever changed in between is one update, so a slow view gets fewer of them and no
    queue of old ones grows. The thread starts with the first job or feed, sleeps while there is
    neither, and ends with `close`.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._feeds: list[Pollable] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        #: Seconds of processor time that it took, and how often it looked at what changed.
        self.seconds = 0.0
        self.rounds = 0

    def post(self, job: Callable[[], None]) -> None:
        """Does `job` on the thread, after those posted before; dropped when closed."""
        with self._changed:
            if not self._closed:
                self._jobs.append(job)
                self._wake()

    def add(self, feed: Pollable) -> None:
        """Polls `feed` from now on, once a round however often it is added."""
        with self._changed:
            if not self._closed and feed not in self._feeds:
                self._feeds.append(feed)
                self._wake()

    def remove(self, feed: Pollable) -> None:
        """Polls `feed` no more."""
        with self._changed:
            if feed in self._feeds:
                self._feeds.remove(feed)

    def close(self, timeout: float = 2.0) -> None:
        """Sends what was posted, then ends the thread."""
        with self._changed:
            self._closed = True
            self._feeds.clear()
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name="workbench-publisher", daemon=True
            )
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        due = time.monotonic()
        accounted = 0.0
        while True:
            with self._changed:
                while not self._jobs and not self._closed:
                    left = due - time.monotonic() if self._feeds else None
                    if left is not None and left <= 0:
                        break
                    self._changed.wait(left)
                jobs = list(self._jobs)
                self._jobs.clear()
                feeds = list(self._feeds)
                if self._closed and not jobs:
                    return
            for job in jobs:
                _guarded(job)
            if feeds and time.monotonic() >= due:
                for feed in feeds:
                    _guarded(feed.poll)
                self.rounds += 1
                # What was sent since the last round counts too: it came from that round.
                spent = time.thread_time() - accounted
                accounted += spent
                due = time.monotonic() + max(self._interval, spent / SHARE)
            self.seconds = time.thread_time()


def _guarded(call: Callable[[], None]) -> None:
    """A view that fails must not silence the others."""
    try:
        call()
    except Exception:
        _log.exception("an update of a view failed")
