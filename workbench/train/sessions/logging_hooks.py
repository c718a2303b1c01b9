"""Hooks that tell how the training goes: the values of tensors, the steps per second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from workbench.core.graph.context import get_default_graph
from workbench.core.platform import logging
from workbench.train.global_steps import get_global_step
from workbench.train.sessions.run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from workbench.train.sessions.step_reading import required_global_step
from workbench.train.sessions.timers import HookTimer, SecondOrStepTimer

#: After so many steps without progress of the global step, a warning says so.
_STEPS_WITHOUT_PROGRESS = 20


class LoggingTensorHook(SessionRunHook):
    """Logs the values of tensors every so many steps or seconds, and perhaps at the end.

    Args:
      tensors: tensors or their names, or a dict from how to call them.
      every_n_iter: how many steps lie between two messages.
      every_n_secs: how many seconds lie between two messages.
      at_end: log at the end of the training too.
      formatter: makes the message of the dict of values.

    Raises:
      ValueError: both or none of the intervals are given (at_end can do without), or one is not
        positive.
    """

    def __init__(
        self,
        tensors: Mapping[str, Any] | Iterable[Any],
        every_n_iter: int | None = None,
        every_n_secs: float | None = None,
        at_end: bool = False,
        formatter: Callable[[dict[Any, Any]], str] | None = None,
    ) -> None:
        only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError(
                "either at_end and/or exactly one of every_n_iter and every_n_secs must be "
                "provided."
            )
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        self._tensors: dict[Any, Any] = (
            dict(tensors) if isinstance(tensors, Mapping) else {each: each for each in tensors}
        )
        self._formatter = formatter
        self._log_at_end = at_end
        self._timer = (
            HookTimer()
            if only_at_end
            else SecondOrStepTimer(every_secs=every_n_secs, every_steps=every_n_iter)
        )

    def begin(self) -> None:
        self._timer.reset()
        self._iter_count = 0
        self._current_tensors = {tag: _element(tensor) for tag, tensor in self._tensors.items()}

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        self._should_trigger = self._timer.should_trigger_for_step(self._iter_count)
        return SessionRunArgs(self._current_tensors) if self._should_trigger else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if self._should_trigger:
            self._log_tensors(run_values.results)
        self._iter_count += 1

    def end(self, session: Any) -> None:
        if self._log_at_end:
            self._log_tensors(session.run(self._current_tensors))

    def _log_tensors(self, values: dict[Any, Any]) -> None:
        seconds, _ = self._timer.update_last_triggered_step(self._iter_count)
        with np.printoptions(suppress=True):
            if self._formatter is not None:
                logging.info(self._formatter(values))
                return
            text = ", ".join(f"{tag} = {values[tag]}" for tag in self._tensors)
        if seconds is None:
            logging.info("%s", text)
        else:
            logging.info("%s (%.3f sec)", text, seconds)


def _element(value: Any) -> Any:
    """A tensor of the default graph, given that or its name (":0" may be missing)."""
    graph = get_default_graph()
    if not isinstance(value, str):
        if getattr(value, "graph", None) is not graph:
            raise ValueError(
                f"Passed {value} should have graph attribute that is equal to current graph {graph}"
            )
        return value
    if ":" in value:
        return graph.as_graph_element(value)
    operation = graph.get_operation_by_name(value)
    if len(operation.outputs) > 1:
        raise ValueError(
            f"Name {value} is ambiguous, as this `Operation` has {len(operation.outputs)} outputs: "
            f"say which one, such as {value}:0."
        )
    return graph.as_graph_element(f"{value}:0")


class StepCounterHook(SessionRunHook):
    """Counts the steps per second, logs them, and writes them as a summary.

    Args:
      every_n_steps: how many steps lie between two counts.
      every_n_secs: how many seconds lie between two counts.
      output_dir: the folder of the event file to write to.
      summary_writer: what to write with, in place of `output_dir`.

    Raises:
      ValueError: both or none of the intervals are given.
    """

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: str | None = None,
        summary_writer: Any = None,
    ) -> None:
        if (every_n_steps is None) == (every_n_secs is None):
            raise ValueError("exactly one of every_n_steps and every_n_secs should be provided.")
        self._timer = SecondOrStepTimer(every_steps=every_n_steps, every_secs=every_n_secs)
        self._summary_writer = summary_writer
        self._output_dir = output_dir
        self._last_global_step: int | None = None
        self._steps_without_progress = 0

    def begin(self) -> None:
        if self._summary_writer is None and self._output_dir:
            from workbench.train.summary_io import FileWriterCache

            self._summary_writer = FileWriterCache.get(self._output_dir)
        self._global_step_tensor = required_global_step("StepCounterHook")
        self._summary_tag = f"{get_global_step().op.name}/sec"

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(self._global_step_tensor)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        before = run_values.results
        if self._timer.should_trigger_for_step(before + 1):
            # Only the session knows how far other workers have come.
            step = run_context.session.run(self._global_step_tensor)
            if self._timer.should_trigger_for_step(step):
                seconds, steps = self._timer.update_last_triggered_step(step)
                if seconds is not None and steps is not None:
                    self._report(steps / max(seconds, 1e-9), step)
        self._note_progress(before)

    def _report(self, steps_per_second: float, step: int) -> None:
        if self._summary_writer is not None:
            from workbench.core.protos import Summary

            value = Summary.Value(tag=self._summary_tag, simple_value=steps_per_second)
            self._summary_writer.add_summary(Summary(value=[value]), step)
        logging.info("%s: %g", self._summary_tag, steps_per_second)

    def _note_progress(self, step: int) -> None:
        if step != self._last_global_step:
            self._steps_without_progress = 0
        else:
            self._steps_without_progress += 1
            if self._steps_without_progress % _STEPS_WITHOUT_PROGRESS == 0:
                logging.warning(
                    "It seems that global step (tf.train.get_global_step) has not been increased. "
                    "Current value (could be stable): %s vs previous value: %s. You could increase "
                    "the global step by passing tf.train.get_global_step() to "
                    "Optimizer.apply_gradients or Optimizer.minimize.",
                    step,
                    self._last_global_step,
                )
        self._last_global_step = step
