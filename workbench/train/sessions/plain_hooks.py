"""Small hooks: values at the end, feeds for each step, traces of steps."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from workbench.core.files import atomic_write
from workbench.core.platform import logging
from workbench.train.sessions.run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from workbench.train.sessions.step_reading import required_global_step
from workbench.train.sessions.timers import SecondOrStepTimer


class FinalOpsHook(SessionRunHook):
    """Computes values at the end of the training.

    Args:
      final_ops: what to run: a tensor or operation, or a structure of them.
      final_ops_feed_dict: what to feed then.
    """

    def __init__(self, final_ops: Any, final_ops_feed_dict: Any = None) -> None:
        self._final_ops = final_ops
        self._final_ops_feed_dict = final_ops_feed_dict
        self._final_ops_values: Any = None

    @property
    def final_ops_values(self) -> Any:
        """The values of `final_ops`; None before the end."""
        return self._final_ops_values

    def end(self, session: Any) -> None:
        if self._final_ops is not None:
            self._final_ops_values = session.run(
                self._final_ops, feed_dict=self._final_ops_feed_dict
            )


class FeedFnHook(SessionRunHook):
    """Feeds each step what a function gives.

    Args:
      feed_fn: takes nothing and gives a `feed_dict`.
    """

    def __init__(self, feed_fn: Callable[[], Any]) -> None:
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(fetches=None, feed_dict=self.feed_fn())


class ProfilerHook(SessionRunHook):
    """Traces a step every so many steps or seconds, for chrome://tracing: `timeline-STEP.json`.

    Args:
      save_steps: how many steps lie between two traces.
      save_secs: how many seconds lie between two traces.
      output_dir: the folder of the files.
      show_dataflow: whether to show what each operation waits for.
      show_memory: whether to show the memory in use.

    Raises:
      ValueError: both or none of the intervals are given.
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str = "",
        show_dataflow: bool = True,
        show_memory: bool = False,
    ) -> None:
        self._output_file = os.path.join(output_dir, "timeline-{}.json")
        self._show_dataflow = show_dataflow
        self._show_memory = show_memory
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)

    def begin(self) -> None:
        self._next_step: int | None = None
        self._global_step_tensor = required_global_step("ProfilerHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        from workbench.core.protos import RunOptions

        self._request_trace = self._next_step is None or self._timer.should_trigger_for_step(
            self._next_step
        )
        options = RunOptions(trace_level=RunOptions.FULL_TRACE) if self._request_trace else None
        return SessionRunArgs({"global_step": self._global_step_tensor}, options=options)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        step = int(run_values.results["global_step"]) + 1
        if self._request_trace:
            step = int(run_context.session.run(self._global_step_tensor))
            self._timer.update_last_triggered_step(step)
            self._save(step, run_values.run_metadata.step_stats)
        self._next_step = step + 1

    def _save(self, step: int, step_stats: Any) -> None:
        from workbench.core.runtime.timeline import Timeline

        path = self._output_file.format(step)
        logging.info("Saving timeline for %d into '%s'.", step, path)
        trace = Timeline(step_stats).generate_chrome_trace_format(
            show_dataflow=self._show_dataflow, show_memory=self._show_memory
        )
        atomic_write(path, trace.encode())
