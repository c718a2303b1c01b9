"""What writes summaries for the operations of a session: a queue of events, and a file."""

from __future__ import annotations

import os
import threading
import time
from io import FileIO
from typing import Any

from workbench.core.errors import FailedPreconditionError
from workbench.core.event_files import FILE_VERSION, event, new_event_file
from workbench.core.files import local_path, translated_errors
from workbench.core.records import framed


class SummaryWriter:
    """Writes events to a new file of a folder, which is made with the first of them.

    Up to `max_queue` events wait, for at most `flush_millis` milliseconds: then the next event
    takes them along.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._path = ""
        self._waiting: list[bytes] = []
        self._limits = 0, 0.0
        self._flushed = 0.0

    def open(self, logdir: str, max_queue: int, flush_millis: int, suffix: str) -> None:
        """Begins a file, unless there is one already."""
        with self._lock:
            if self._file is not None:
                return
            folder = local_path(logdir)
            with translated_errors(folder):
                os.makedirs(folder, exist_ok=True)
                self._path, self._file = new_event_file(folder, suffix)
            self._limits = max(1, max_queue), flush_millis / 1000
            self._waiting = [event(file_version=FILE_VERSION)]
            self._write()

    def add(self, step: int, summary: Any) -> None:
        """Adds a summary, a message or its bytes; FailedPreconditionError without a file."""
        from workbench.core.protos import Summary

        message = Summary.FromString(summary) if isinstance(summary, bytes) else summary
        with self._lock:
            if self._file is None:
                raise FailedPreconditionError(
                    None,
                    None,
                    "The summary writer has no file: run "
                    "tf.contrib.summary.summary_writer_initializer_op() first",
                )
            self._waiting.append(event(step, summary=message))
            count, seconds = self._limits
            if len(self._waiting) >= count or time.monotonic() - self._flushed > seconds:
                self._write()

    def flush(self) -> None:
        """Writes what waits."""
        with self._lock:
            if self._file is not None:
                self._write()

    def close(self) -> None:
        """Writes what waits and ends the file."""
        with self._lock:
            if self._file is not None:
                self._write()
                self._file.close()
                self._file = None

    def _write(self) -> None:
        assert self._file is not None
        content = b"".join(framed(record) for record in self._waiting)
        with translated_errors(self._path):
            self._file.write(content)
        self._waiting = []
        self._flushed = time.monotonic()

    def saved(self) -> dict[str, Any]:
        """Nothing: what was written stays written."""
        return {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Does nothing: the file goes on."""
