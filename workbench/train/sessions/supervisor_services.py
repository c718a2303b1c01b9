"""The threads of a supervisor: summaries, steps per second, checkpoints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from workbench.core.platform import logging
from workbench.train.coordinator import LooperThread
from workbench.train.global_steps import global_step

if TYPE_CHECKING:
    from workbench.train.sessions.supervised_threads import SupervisedThreads


class SVSummaryThread(LooperThread):
    """Computes and writes the summaries every `save_summaries_secs` seconds."""

    def __init__(self, sv: SupervisedThreads, sess: Any) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._supervisor = sv
        self._session = sess

    def run_loop(self) -> None:
        """Writes once."""
        supervisor = self._supervisor
        if supervisor.global_step is None:
            summary, step = self._session.run(supervisor.summary_op), None
        else:
            summary, step = self._session.run([supervisor.summary_op, supervisor.global_step])
        if supervisor.summary_writer:
            logging.info("Recording summary at step %s.", step)
            supervisor.summary_writer.add_summary(summary, step)


class SVStepCounterThread(LooperThread):
    """Counts the steps per second."""

    def __init__(self, sv: SupervisedThreads, sess: Any, step_counter: Any = None) -> None:
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._supervisor = sv
        self._session = sess
        self._step_counter = sv.global_step if step_counter is None else step_counter
        self._summary_tag = f"{self._step_counter.op.name}/sec"
        self._last_time = 0.0
        self._last_step = 0

    def start_loop(self) -> None:
        """Notes where the count starts."""
        self._last_time = time.time()
        self._last_step = global_step(self._session, self._step_counter)

    def run_loop(self) -> None:
        """Counts the steps since the last time."""
        from workbench.core.protos import Summary

        step, now = global_step(self._session, self._step_counter), time.time()
        steps, seconds = step - self._last_step, now - self._last_time
        self._last_step, self._last_time = step, now
        rate = steps / seconds if seconds > 0 else float("inf")
        if self._supervisor.summary_writer:
            value = Summary.Value(tag=self._summary_tag, simple_value=rate)
            self._supervisor.summary_writer.add_summary(Summary(value=[value]), step)
        logging.log_first_n(logging.INFO, "%s: %g", 10, self._summary_tag, rate)


class SVTimerCheckpointThread(LooperThread):
    """Saves a checkpoint every `save_model_secs` seconds."""

    def __init__(self, sv: SupervisedThreads, sess: Any) -> None:
        super().__init__(sv.coord, sv.save_model_secs)
        self._supervisor = sv
        self._session = sess

    def run_loop(self) -> None:
        """Saves once."""
        from workbench.core.protos import SessionLog

        supervisor = self._supervisor
        logging.info("Saving checkpoint to path %s", supervisor.save_path)
        supervisor.saver.save(
            self._session, supervisor.save_path, global_step=supervisor.global_step
        )
        if supervisor.summary_writer and supervisor.global_step is not None:
            step = global_step(self._session, supervisor.global_step)
            log = SessionLog(status=SessionLog.CHECKPOINT, checkpoint_path=supervisor.save_path)
            supervisor.summary_writer.add_session_log(log, step)
