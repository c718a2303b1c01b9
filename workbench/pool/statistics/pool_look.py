"""Looks at one pool again and again: its membership, and what each of its workers tells."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.core.errors import OpError
from workbench.pool.errors import PoolError
from workbench.pool.pool import Pool
from workbench.pool.records import LOG
from workbench.pool.statistics.log_tail import FileTail, LogTail
from workbench.pool.statistics.worker_view import WorkerView
from workbench.pool.worker import Worker

#: Seconds between two looks.
INTERVAL = 0.5
#: How long a look waits for the workers' answers; those that come later count with the next look.
_ANSWER_SECONDS = 1.0
#: The file log of a pool in `PoolLook.log`, beside the workers' numbers.
OF_POOL = -1


class _Question:
    """A worker was asked, and perhaps has answered."""

    def __init__(self, answer: Future[Message]) -> None:
        self.asked = self.heard = time.monotonic()
        self.answer = answer
        answer.add_done_callback(self._has_answered)

    def _has_answered(self, answer: Future[Message]) -> None:
        self.heard = time.monotonic()


class PoolLook:
    """A thread that looks at a pool until it is stopped.

    Args:
      pool: the pool.
      changed: called in that thread after each look.
    """

    def __init__(self, pool: Pool, changed: Callable[[], None]) -> None:
        self.pool = pool
        self._changed = changed
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._views: dict[str, WorkerView] = {}
        self._asked: dict[str, _Question] = {}
        self._logs: dict[int, LogTail] = {}
        self._files: dict[int, FileTail] = {}
        self._status: dict[str, Any] = {
            "state": "starting",
            "epoch": 0,
            "can_scale": False,
            "wanted": None,
        }
        self._trouble: str | None = None
        self._thread = threading.Thread(
            target=self._work, name=f"workbench-pool-look-{pool.name}", daemon=True
        )

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it, without waiting for a look that goes on."""
        self._ended.set()

    # -- what was seen -----------------------------------------------------------------------

    def description(self) -> tuple[dict[str, Any], list[Any]]:
        """The pool as plain data, and the spans of its workers, in their order."""
        now = time.monotonic()
        with self._lock:
            views = sorted(self._views.values(), key=lambda view: view.known["index"])
            status, trouble = dict(self._status), self._trouble
        record = self.pool.described()
        told = {**record, **status, "trouble": trouble}
        told["workers"] = [view.description(now) for view in views]
        return told, [view.spans for view in views]

    def log(self, worker: int) -> LogTail:
        """The log of a worker, by its number, or that `OF_POOL`, as far as it was looked at."""
        with self._lock:
            tail = self._logs.get(worker)
            if tail is None:
                tail = self._logs[worker] = LogTail()
                if worker == OF_POOL and self.pool.folder is not None:
                    self._files[worker] = FileTail(self.pool.folder / LOG, tail)
            return tail

    # -- looking -----------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._ended.is_set():
            begun = time.monotonic()
            try:
                self._look()
            except (PoolError, OpError, OSError) as error:
                record = self.pool.record
                with self._lock:
                    self._trouble = record.problem or str(error)
                    # It lives and cannot be asked, unless it is known why.
                    self._status["state"] = "silent" if record.state == "alive" else record.state
            if not self._ended.is_set():
                self._changed()
            self._ended.wait(max(INTERVAL - (time.monotonic() - begun), 0.05))

    def _look(self) -> None:
        for file in list(self._files.values()):
            file.look()
        status, workers = self.pool.look()
        now = time.monotonic()
        with self._lock:
            self._trouble = status["problem"] or None
            self._status = {
                "state": "alive",
                "epoch": status["epoch"],
                "can_scale": status["can_scale"],
                "wanted": status["wanted"],
            }
            before, self._views = self._views, {}
            for worker, known in zip(workers, status["workers"], strict=True):
                view = before.get(worker.control)
                if view is None or view.incarnation != worker.incarnation:
                    view = WorkerView(known, now)
                view.known = dict(known)
                self._views[worker.control] = view
            self._asked = {c: q for c, q in self._asked.items() if c in self._views}
        until = time.monotonic()
        for worker in workers:
            if worker.control not in self._asked:
                self._ask(worker, until)
        wait([question.answer for question in self._asked.values()], _ANSWER_SECONDS)
        for control, question in list(self._asked.items()):
            if question.answer.done():
                del self._asked[control]
                self._take(control, question)

    def _ask(self, worker: Worker, until: float) -> None:
        """Asks what it has done up to a time, the same for all: else their steps are others."""
        tail = self._logs.get(worker.index)
        fields: dict[str, Any] = {"until": self._views[worker.control].by_its_clock(until)}
        if tail is not None and tail.followers > 0:
            fields["log"] = tail.wanted
        self._asked[worker.control] = _Question(worker.request("statistics", "look", fields))

    def _take(self, control: str, question: _Question) -> None:
        with contextlib.suppress(OpError):
            message = question.answer.result(0)
            if message.kind != "look":
                return
            spans = next((array for name, array in message.arrays if name == "spans"), None)
            with self._lock:
                view = self._views[control]
                view.answered(question.asked, question.heard, message.fields, spans)
                tail = self._logs.get(view.known["index"])
            told = message.fields.get("log")
            if tail is not None and told is not None:
                tail.take(view.incarnation, told["first"], told["lines"])
