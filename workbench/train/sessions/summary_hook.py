"""The hook that writes summaries."""

from __future__ import annotations

from typing import Any

from workbench.train.sessions.run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from workbench.train.sessions.step_reading import required_global_step
from workbench.train.sessions.timers import SecondOrStepTimer


class SummarySaverHook(SessionRunHook):
    """Writes summaries every so many steps or seconds, the first time at the first step.

    Args:
      save_steps: how many steps lie between two times.
      save_secs: how many seconds lie between two times.
      output_dir: the folder of the event file to write to.
      summary_writer: what to write with, in place of `output_dir`.
      scaffold: whose `summary_op` to run.
      summary_op: what gives the summary: a tensor, or a list of them.

    Raises:
      ValueError: both or none of the intervals are given, or of scaffold and summary_op.
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str | None = None,
        summary_writer: Any = None,
        scaffold: Any = None,
        summary_op: Any = None,
    ) -> None:
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op = summary_op
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)

    def begin(self) -> None:
        if self._summary_writer is None and self._output_dir:
            from workbench.train.summary_io import FileWriterCache

            self._summary_writer = FileWriterCache.get(self._output_dir)
        #: None before the first step, whose number is not known yet.
        self._next_step: int | None = None
        self._global_step_tensor = required_global_step("SummarySaverHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        self._request_summary = self._next_step is None or self._timer.should_trigger_for_step(
            self._next_step
        )
        requests = {"global_step": self._global_step_tensor}
        summary_op = self._get_summary_op() if self._request_summary else None
        if summary_op is not None:
            requests["summary"] = summary_op
        return SessionRunArgs(requests)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not self._summary_writer:
            return
        step = run_values.results["global_step"] + 1
        if self._request_summary:
            step = run_context.session.run(self._global_step_tensor)
        if self._next_step is None:
            from workbench.core.protos import SessionLog

            self._summary_writer.add_session_log(SessionLog(status=SessionLog.START), step)
        if self._request_summary:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results.get("summary", ()):
                self._summary_writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session: Any = None) -> None:
        if self._summary_writer:
            self._summary_writer.flush()

    def _get_summary_op(self) -> list[Any] | None:
        summary_op = self._summary_op if self._scaffold is None else self._scaffold.summary_op
        if summary_op is None or isinstance(summary_op, list):
            return summary_op
        return [summary_op]
