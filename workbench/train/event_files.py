"""Event files, which TensorBoard reads: written by a thread of their own, and read again."""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from collections.abc import Iterator
from io import FileIO
from typing import Any

from workbench.core import protos
from workbench.core.errors import FailedPreconditionError, OpError
from workbench.core.event_files import FILE_VERSION, new_event_file
from workbench.core.files import error_from, local_path, translated_errors
from workbench.core.platform import logging
from workbench.core.protos.reading import parse_message, serialize
from workbench.core.records import framed, read_records

# How much is written with one call of the operating system.
_BATCH = 64
# How often who waits for the thread looks whether it lives, in seconds.
_GLANCE_SECONDS = 1.0


class _Flush:
    """Asks the thread to say when all that was added before is written."""

    def __init__(self) -> None:
        self.done = threading.Event()


_STOP: Any = object()


class _Worker:
    """The thread that writes one event file, and the queue to it.

    It knows nothing of the writer that owns it, so that a writer that nobody holds any more is
    collected and its file closed.
    """

    def __init__(self, path: str, file: FileIO, max_queue: int) -> None:
        self.path = path
        self._file = file
        self._queue: queue.Queue[Any] = queue.Queue(max_queue)
        self._failure: OpError | None = None
        self._process = os.getpid()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="workbench events", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch = [self._queue.get()]
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            # What another thread asks for beside the closing may stand behind it.
            stopping = any(each is _STOP for each in batch)
            content = b"".join(framed(each) for each in batch if isinstance(each, bytes))
            # After a failure the rest is dropped: waiting for space would stop the training.
            if content and self._failure is None:
                try:
                    self._write(content)
                except OSError as error:
                    self._failure = error_from(error, self.path)
            for each in batch:
                if isinstance(each, _Flush):
                    each.done.set()

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]

    def check(self) -> None:
        """Raise what the thread failed with, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def put(self, record: bytes) -> None:
        if self._is_elsewhere():
            raise FailedPreconditionError(
                None, None, f"{self.path}: only the process that opened the file can add events"
            )
        self.check()
        self._ask(record)

    def flush(self) -> None:
        if self._is_elsewhere():
            return
        request = _Flush()
        self._ask(request)
        while self._thread.is_alive() and not request.done.wait(_GLANCE_SECONDS):
            pass
        self.check()

    def _ask(self, what: Any) -> None:
        """Hands something to the thread; once that has ended, everything is written, or lost."""
        while self._thread.is_alive():
            try:
                self._queue.put(what, timeout=_GLANCE_SECONDS)
            except queue.Full:
                continue
            return

    def close(self) -> None:
        """Write what is waiting and close the file; what cannot be written is reported."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if not self._is_elsewhere():
            self._ask(_STOP)
            self._thread.join()
        self._file.close()

    def close_quietly(self) -> None:
        """Close at the end of the program, where nobody would catch an error."""
        self.close()
        if self._failure is not None:
            logging.error("Events were lost: %s", self._failure)

    def _is_elsewhere(self) -> bool:
        # A forked process has the object, but not the thread.
        return os.getpid() != self._process


class EventFileWriter:
    """Adds events to a new event file in a folder.

    Events are written by a thread; an event is readable as soon as the thread is done with it, and
    at the latest when :meth:`flush` or :meth:`close` returns. A writer that is not closed is closed
    when it is collected or the program ends.

    Args:
      logdir: the folder; it is made where it does not exist.
      max_queue: how many events may wait before adding one more waits too.
      flush_secs: accepted for compatibility; events never wait for a time.
      filename_suffix: what to end the file's name with.

    Raises:
      OpError: the folder or file cannot be made; later, that events could not be written.
    """

    def __init__(
        self,
        logdir: str | bytes | os.PathLike[str],
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str | None = None,
    ) -> None:
        self._logdir = local_path(logdir)
        self._max_queue = max_queue
        self._suffix = filename_suffix or ""
        self._open()

    def _open(self) -> None:
        with translated_errors(self._logdir):
            os.makedirs(self._logdir, exist_ok=True)
            path, file = new_event_file(self._logdir, self._suffix)
        self._worker = _Worker(path, file, self._max_queue)
        self._closed = False
        self._finalizer = weakref.finalize(self, self._worker.close_quietly)
        self.add_event(protos.Event(wall_time=time.time(), file_version=FILE_VERSION))

    @property
    def path(self) -> str:
        """The file that events are added to."""
        return self._worker.path

    def get_logdir(self) -> str:
        """The folder of the event files."""
        return self._logdir

    def add_event(self, event: Any) -> None:
        """Add an ``Event``. A closed writer drops it and says so."""
        if self._closed:
            logging.warning("An event was added to a closed writer and is lost: %s", self.path)
            return
        # Made bytes here, because the caller may go on to change the message.
        self._worker.put(serialize(event))

    def flush(self) -> None:
        """Wait until all events are in the file.

        Raises:
          OpError: they could not be written.
        """
        if not self._closed:
            self._worker.flush()

    def close(self) -> None:
        """Write what is waiting, and close the file. Closing again does nothing.

        Raises:
          OpError: what was waiting could not be written.
        """
        if not self._closed:
            self._closed = True
            self._finalizer.detach()
            self._worker.close()
            self._worker.check()

    def reopen(self) -> None:
        """Go on in a new event file of the folder, if the writer is closed."""
        if self._closed:
            self._open()


def summary_iterator(path: str | bytes | os.PathLike[str]) -> Iterator[Any]:
    """The events of an event file, in order.

    Raises:
      NotFoundError: there is no such file.
      DataLossError: an event is truncated or damaged; the error names the file and the position.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     writer = EventFileWriter(folder)
    ...     writer.close()
    ...     [event.file_version for event in summary_iterator(writer.path)]
    ['brain.Event:2']
    """
    for record in read_records(path):
        yield parse_message(protos.Event, record, local_path(path))
