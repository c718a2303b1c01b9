"""The threads of a supervisor: those that save and write, queue runners, and users' own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workbench.core.graph.keys import GraphKeys
from workbench.core.platform import logging
from workbench.core.runtime.session import Session
from workbench.train.coordinator import Coordinator, LooperThread
from workbench.train.global_steps import global_step as step_number
from workbench.train.sessions.supervised_operations import SupervisedOperations
from workbench.train.sessions.supervisor_services import (
    SVStepCounterThread,
    SVSummaryThread,
    SVTimerCheckpointThread,
)


class SupervisedThreads(SupervisedOperations):
    """Starts the threads, and ends them together."""

    _coord: Coordinator
    _is_chief: bool
    _logdir: str | None
    _save_summaries_secs: float | None
    _save_model_secs: float | None
    _stop_grace_secs: float
    _summary_writer: Any
    _graph_added_to_summary: bool
    #: Who stops twice says so once.
    _is_writing: bool
    _save_path: str | None

    @property
    def is_chief(self) -> bool:
        """Whether this process initialises, saves and writes."""
        return self._is_chief

    @property
    def coord(self) -> Coordinator:
        """What ends the threads."""
        return self._coord

    @property
    def summary_writer(self) -> Any:
        """What writes the summaries."""
        return self._summary_writer

    @property
    def save_summaries_secs(self) -> float | None:
        """How many seconds lie between two summaries."""
        return self._save_summaries_secs

    @property
    def save_model_secs(self) -> float | None:
        """How many seconds lie between two checkpoints."""
        return self._save_model_secs

    @property
    def save_path(self) -> str | None:
        """How the names of checkpoints start."""
        return self._save_path

    def start_standard_services(self, sess: Session) -> list[LooperThread] | None:
        """Starts the threads that save and write; None without a folder to do so.

        Raises:
          RuntimeError: this process is not the chief.
        """
        from workbench.core.protos import SessionLog

        if not self._is_chief:
            raise RuntimeError(
                "Only chief supervisor can start standard services. Because only chief supervisors "
                "can write events."
            )
        if not self._logdir:
            logging.warning("Standard services need a 'logdir' passed to the SessionManager")
            return None
        if self._global_step is not None and self._summary_writer:
            step = step_number(sess, self._global_step)
            self._summary_writer.add_session_log(SessionLog(status=SessionLog.START), step)
        threads: list[LooperThread] = []
        if self._save_summaries_secs and self._summary_writer:
            if self._summary_op is not None:
                threads.append(SVSummaryThread(self, sess))
            if self._global_step is not None:
                threads.append(SVStepCounterThread(self, sess))
        if self._saver and self._save_model_secs:
            threads.append(SVTimerCheckpointThread(self, sess))
        for thread in threads:
            thread.start()
        return threads

    def start_queue_runners(
        self, sess: Session, queue_runners: Iterable[Any] | None = None
    ) -> list[threading.Thread]:
        """Starts the threads of queue runners, by default all of the graph's collection."""
        if queue_runners is None:
            queue_runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS)
        return [
            thread
            for runner in queue_runners
            for thread in runner.create_threads(sess, coord=self._coord, daemon=True, start=True)
        ]

    def loop(
        self,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> LooperThread:
        """Starts a thread that calls `target` every so many seconds, until the end."""
        return LooperThread.loop(self._coord, timer_interval_secs, target, args, kwargs)

    def stop(
        self,
        threads: Iterable[threading.Thread] | None = None,
        close_summary_writer: bool = True,
        ignore_live_threads: bool = False,
    ) -> None:
        """Ends the threads and waits for them; raises the first error of theirs.

        Raises:
          RuntimeError: some still run after the time they have, unless `ignore_live_threads`.
        """
        from workbench.core.protos import SessionLog

        self._coord.request_stop()
        try:
            self._coord.join(
                threads,
                stop_grace_period_secs=self._stop_grace_secs,
                ignore_live_threads=ignore_live_threads,
            )
        finally:
            if close_summary_writer and self._summary_writer and self._is_writing:
                self._is_writing = False
                self._summary_writer.add_session_log(SessionLog(status=SessionLog.STOP))
                self._summary_writer.close()
                self._graph_added_to_summary = False

    def request_stop(self, ex: Any = None) -> None:
        """Asks all threads to stop, because of an error or without one."""
        self._coord.request_stop(ex=ex)

    def should_stop(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._coord.should_stop()

    def stop_on_exception(self) -> Any:
        """A scope in which an error asks all threads to stop because of it."""
        return self._coord.stop_on_exception()

    def wait_for_stop(self) -> None:
        """Waits until somebody asks to stop."""
        self._coord.wait_for_stop()

    def summary_computed(self, sess: Session, summary: Any, global_step: Any = None) -> None:
        """Writes a summary that was computed elsewhere.

        Raises:
          RuntimeError: there is nothing to write with.
        """
        if not self._summary_writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self._global_step is not None:
            global_step = step_number(sess, self._global_step)
        self._summary_writer.add_summary(summary, global_step)
