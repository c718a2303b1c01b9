"""The hook that saves checkpoints, and what can listen to it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from workbench.core.graph.context import get_collection, get_default_graph
from workbench.core.graph.graph_files import write_graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.platform import logging
from workbench.train.meta_graph_export import create_meta_graph_def
from workbench.train.sessions.run_hook import (
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
)
from workbench.train.sessions.step_reading import required_global_step
from workbench.train.sessions.timers import SecondOrStepTimer


class CheckpointSaverListener:
    """Is told before and after each checkpoint; a subclass overrides what it needs.

    The order of the calls is `begin`, then `before_save` and `after_save` around each checkpoint,
    and `end`.
    """

    def begin(self) -> None:
        """Called once, before there is a session: the graph can still be added to."""

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Called before each checkpoint is written."""

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Called after each checkpoint is written."""

    def end(self, session: Any, global_step_value: int) -> None:
        """Called once where the session is closed without an error."""


class CheckpointSaverHook(SessionRunHook):
    """Saves a checkpoint every so many steps or seconds, after the first step and at the end.

    Args:
      checkpoint_dir: the folder of the checkpoints.
      save_secs: how many seconds lie between two checkpoints.
      save_steps: how many steps lie between two checkpoints.
      saver: what to save with; where neither it nor a scaffold is given, that of the graph's
        collection of savers.
      checkpoint_basename: how their names start.
      scaffold: whose saver to save with.
      listeners: who is told of each checkpoint.

    Raises:
      ValueError: both or none of the intervals are given, or both a saver and a scaffold.
    """

    def __init__(
        self,
        checkpoint_dir: str,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Any = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Any = None,
        listeners: Iterable[CheckpointSaverListener] | None = None,
    ) -> None:
        logging.info("Create CheckpointSaverHook.")
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver = saver
        self._checkpoint_dir = checkpoint_dir
        self._save_path = os.path.join(checkpoint_dir, checkpoint_basename)
        self._scaffold = scaffold
        self._timer = SecondOrStepTimer(every_secs=save_secs, every_steps=save_steps)
        self._listeners = list(listeners or [])

    def begin(self) -> None:
        from workbench.train.summary_io import FileWriterCache

        self._summary_writer = FileWriterCache.get(self._checkpoint_dir)
        self._global_step_tensor = required_global_step("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        if self._timer.last_triggered_step() is None:
            # The graph is final only now: a scaffold adds to it until there is a session.
            self._write_graph()
        return SessionRunArgs(self._global_step_tensor)

    def _write_graph(self) -> None:
        graph = get_default_graph()
        definition = graph.as_graph_def(add_shapes=True)
        write_graph(definition, self._checkpoint_dir, "graph.pbtxt")
        saver = self._get_saver()
        saver_def = saver.saver_def if saver is not None else None
        self._summary_writer.add_graph(graph)
        self._summary_writer.add_meta_graph(
            create_meta_graph_def(graph_def=definition, saver_def=saver_def)
        )

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        if not self._timer.should_trigger_for_step(run_values.results + 1):
            return
        # Only the session knows how far other workers have come.
        step = int(run_context.session.run(self._global_step_tensor))
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            self._save(run_context.session, step)

    def end(self, session: Any) -> None:
        step = int(session.run(self._global_step_tensor))
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session: Any, step: int) -> None:
        from workbench.core.protos import SessionLog

        logging.info("Saving checkpoints for %d into %s.", step, self._save_path)
        for listener in self._listeners:
            listener.before_save(session, step)
        self._get_saver().save(session, self._save_path, global_step=step)
        self._summary_writer.add_session_log(
            SessionLog(status=SessionLog.CHECKPOINT, checkpoint_path=self._save_path), step
        )
        for listener in self._listeners:
            listener.after_save(session, step)

    def _get_saver(self) -> Any:
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        savers = get_collection(GraphKeys.SAVERS)
        if len(savers) != 1:
            found = "No items" if not savers else "More than one item"
            advice = "add a saver to the collection or provide" if not savers else "provide"
            raise RuntimeError(
                f"{found} in collection {GraphKeys.SAVERS}. Please {advice} a saver or scaffold."
            )
        self._saver = savers[0]
        return self._saver
