"""The thread that writes a run's folder.

The loop hands over what cannot change any more (a frame, a document, rows of the history) and never
waits for a disk. Of documents and checkpoints the newest counts: one that is still waiting when
the next comes is given up, so a slow disk costs neither memory nor steps.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from workbench.core.errors import OpError
from workbench.core.files import atomic_write
from workbench.core.graph.graph import Graph
from workbench.live.data_store import store
from workbench.live.event_log import EventLog
from workbench.live.folder import RunFolder
from workbench.live.frame_files import read_place, write_frame
from workbench.live.frames import Frame
from workbench.live.history import History
from workbench.live.history_file import HistoryFile

#: Rows of the history, and what changed in the record, are written this often, in seconds.
_INTERVAL = 1.0
#: So often run.json is written where nothing but the step has changed.
_REFRESH = 5.0
#: How long the end of a run waits for what is still to be written.
PATIENCE = 60.0


class RunWriter:
    """Writes the folder of one run, in a thread that lives from `start` to `finish`.

    Args:
      folder: the folder, locked.
      history: what the loop appends to.
      document: gives the newest record for run.json.
      keep: how many checkpoints stay, beside the first and the pinned ones.
      report: told of an error once, in words.
    """

    def __init__(
        self,
        folder: RunFolder,
        history: History,
        document: Callable[[], dict[str, Any]],
        keep: int,
        report: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self._history = history
        self._document = document
        self._keep = keep
        self._report = report
        self._written = 0
        self._cuts = 0
        self._changed = False
        self._ending = False
        self._checkpoint: tuple[Frame, int] | None = None
        self._pinned: list[tuple[Frame, int]] = []
        self._jobs: list[Callable[[], None] | threading.Event] = []
        self._wake = threading.Condition()
        #: Held while rows are written, and by whoever drops some.
        self._rows = threading.Lock()
        self._documents = threading.Lock()
        self._thread: threading.Thread | None = None
        self._history_file: HistoryFile | None = None
        self._event_log: EventLog | None = None
        self._graph: Graph | None = None
        #: The kinds of jobs that fail at present.
        self._failing: set[str] = set()
        self._next_document = 0.0

    # -- the loop's side ---------------------------------------------------------------------

    def start(self, graph: Graph | None, written: int = 0) -> None:
        """Opens the files and begins; `written` rows of the history are in its file already."""
        if self._thread is not None:
            # It has not ended yet; then it goes on.
            self._ending = False
            return
        self._graph, self._written, self._ending = graph, written, False
        self._thread = threading.Thread(
            target=self._main, name=f"workbench-writer-{self.folder.name}", daemon=True
        )
        self._thread.start()

    def save_data(
        self, arrays: Sequence[np.ndarray[Any, Any]], done: Callable[[str], None]
    ) -> None:
        """Keeps the data of the run; `done` is called with its key."""

        def save() -> None:
            done(store(self.folder.project, arrays))

        self._add(save)

    def note(self) -> None:
        """The record has changed: write it soon."""
        with self._wake:
            self._changed = True
            self._wake.notify()

    def checkpoint(self, frame: Frame, epoch: int, pinned: bool = False) -> None:
        """Write a frame; the newest one counts, pinned ones all do."""
        with self._wake:
            if pinned:
                self._pinned.append((frame, epoch))
            else:
                self._checkpoint = (frame, epoch)
            self._wake.notify()

    def cut(self, step: int, epoch: int, truncate: Callable[[], None]) -> None:
        """Drops what was recorded after `step`, in memory (`truncate`) and on disk.

        When it returns, a kill cannot bring what was dropped back.
        """
        # The files are open then, and hold all that was recorded so far.
        self.flush()
        with self._rows:
            truncate()
            self._cuts += 1
            self._written = min(self._written, self._history.count)
            # First the record: from then on later checkpoints are void, whatever comes between.
            self._guarded(self._write_document)
            self._guarded(self._cut_files, step)
        with self._wake:
            if self._checkpoint is not None and self._checkpoint[0].step > step:
                self._checkpoint = None
            self._pinned = [p for p in self._pinned if p[0].step <= step]
            self._changed = True
        self._add(lambda: self._remove_after(step, epoch))
        self.flush()

    def _cut_files(self, step: int) -> None:
        history_file, event_log = self._open_files()
        history_file.truncate(step)
        event_log.restart(step)

    def flush(self, patience: float = PATIENCE) -> bool:
        """Waits until all that was handed over is written; False after `patience` seconds."""
        done = threading.Event()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        self._add(done)
        deadline = time.monotonic() + patience
        while not done.wait(0.05):
            if not thread.is_alive() or time.monotonic() > deadline:
                return done.is_set()
        return True

    def finish(self, patience: float = PATIENCE) -> bool:
        """Writes what is left and ends the thread; False where that takes longer."""
        thread = self._thread
        if thread is None:
            return True
        with self._wake:
            self._ending = True
            self._changed = True
            self._wake.notify()
        thread.join(patience)
        if thread.is_alive():
            return False
        self._thread = None
        return True

    def _add(self, job: Callable[[], None] | threading.Event) -> None:
        with self._wake:
            self._jobs.append(job)
            self._wake.notify()

    # -- the thread --------------------------------------------------------------------------

    def _main(self) -> None:
        try:
            self._guarded(self._write_graph)
            while True:
                with self._wake:
                    if not (self._jobs or self._waits() or self._ending or self._changed):
                        self._wake.wait(_INTERVAL)
                    ending, jobs = self._ending, self._jobs
                    self._jobs = []
                for job in jobs:
                    if not isinstance(job, threading.Event):
                        self._guarded(job)
                # The record comes first: what stands in it of data and of changes counts for the
                # rows and checkpoints that follow, and is on the disk before them.
                reached = self._reached()
                self._write_changes(ending)
                self._guarded(self._write_rows, *reached)
                if self._waits():
                    # Nothing to write would pass for a disk that can be written again.
                    self._guarded(self._write_checkpoints)
                self._write_changes(False)
                for job in jobs:
                    # Who waits for all to be written is told at the end.
                    if isinstance(job, threading.Event):
                        job.set()
                if ending and not (self._jobs or self._waits() or self._changed):
                    return
        finally:
            with self._rows:
                for file in (self._history_file, self._event_log):
                    if file is not None:
                        with suppress(OpError):
                            file.close()
                self._history_file = self._event_log = None

    def _write_changes(self, always: bool) -> None:
        if self._changed or always or time.monotonic() >= self._next_document:
            self._changed = False
            self._next_document = time.monotonic() + _REFRESH
            self._guarded(self._write_document)

    def _waits(self) -> bool:
        return self._checkpoint is not None or bool(self._pinned)

    def _guarded(self, job: Callable[..., None], *arguments: Any) -> None:
        """A disk that is full must not hurt the run: it is told, and tried again next time."""
        kind = getattr(job, "__qualname__", "")
        try:
            job(*arguments)
        except Exception as error:  # whatever the files raise, the run goes on
            if kind not in self._failing:
                self._failing.add(kind)
                self._report(f"the run's folder cannot be written: {error}")
        else:
            self._failing.discard(kind)

    def _write_graph(self) -> None:
        path = self.folder.file("graph.pb")
        if self._graph is not None and not os.path.exists(path):
            definition = self._graph.as_graph_def()
            atomic_write(path, definition.SerializeToString(deterministic=True))

    def _open_files(self) -> tuple[HistoryFile, EventLog]:
        """The files that grow, opened where they are not; the lock is held."""
        if self._history_file is None:
            self._history_file = HistoryFile(self.folder.file("history"), self._history.names)
        if self._event_log is None:
            self._event_log = EventLog(self.folder.path, self._graph)
            self._graph = None
        return self._history_file, self._event_log

    def _reached(self) -> tuple[int, int]:
        """How far the history reaches now, and how often it was cut."""
        # In this order: a cut between the two is noticed.
        cuts = self._cuts
        return self._history.count, cuts

    def _write_rows(self, count: int, cuts: int) -> None:
        """Writes the rows of the history up to `count`, unless it was cut meanwhile."""
        with self._rows:
            history_file, event_log = self._open_files()
            steps, values = self._history.since(self._written)
            steps, values = steps[: count - self._written], values[:, : count - self._written]
            if count <= self._written or not steps.size or cuts != self._cuts:
                return
            history_file.append(steps, values)
            self._written += steps.size
            event_log.scalars(self._history.names, steps, values)

    def _write_document(self) -> None:
        with self._documents:
            # Made under the lock: an older one must not replace a newer one.
            self.folder.write(self._document())

    def _write_checkpoints(self) -> None:
        with self._wake:
            pinned, self._pinned = self._pinned, []
            newest, self._checkpoint = self._checkpoint, None
        if pinned or newest is not None:
            # The history on disk reaches as far as the checkpoints, always.
            reached = self._reached()
            self._write_document()
            self._write_rows(*reached)
        for frame, epoch in pinned:
            write_frame(self.folder.checkpoints, frame, epoch, True, self._document())
        if newest is not None:
            frame, epoch = newest
            write_frame(self.folder.checkpoints, frame, epoch, False, self._document())
            self._rotate()
        if pinned or newest is not None:
            self._changed = True

    def _rotate(self) -> None:
        places = []
        for path in self.folder.checkpoint_paths():
            with suppress(OpError):
                places.append(read_place(path))
        free = sorted(p for p in places if not p.pinned)
        for place in free[: -self._keep]:
            os.unlink(place.path)

    def _remove_after(self, step: int, epoch: int) -> None:
        for path in self.folder.checkpoint_paths():
            with suppress(OpError, OSError):
                place = read_place(path)
                if place.step > step and place.epoch < epoch:
                    os.unlink(path)
