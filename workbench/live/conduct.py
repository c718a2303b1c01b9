"""What a run does when its machine says so, and what it records and tells of itself.

All of it happens in the run's own thread, between two steps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from workbench.live import machine as m
from workbench.live.command_thread import CommandThread
from workbench.live.engine import Engine
from workbench.live.errors import RunEndedError
from workbench.live.events import Event, Happened, Published, Rewound, StateChanged
from workbench.live.frames import Frame
from workbench.live.history import History
from workbench.live.listeners import Listener, Listeners
from workbench.live.machine import RunMachine
from workbench.live.past import Past
from workbench.live.reports import Failure, WatchStop, failure_of
from workbench.live.writer import RunWriter


class Conduct(CommandThread):
    """The thread of one run, as far as it does not take steps.

    Args:
      key: the run's id.
      engine, machine, history, past: its parts.
      writer: writes its folder, if it has one.
      checkpoint_seconds: how often a checkpoint is written.
    """

    def __init__(
        self,
        key: str,
        engine: Engine,
        machine: RunMachine,
        history: History,
        past: Past,
        writer: RunWriter | None,
        checkpoint_seconds: float,
    ) -> None:
        super().__init__(f"workbench-run-{key}")
        self.key = key
        self.engine = engine
        self.machine = machine
        self.history = history
        self.past = past
        self.writer = writer
        self.error: BaseException | None = None
        self.failure: Failure | None = None
        self.stopped_by: WatchStop | None = None
        #: Set while there is nothing to wait for: the run has ended, or a watch has paused it.
        self.settled = threading.Event()
        #: Set while no step is to be run.
        self.resting = threading.Event()
        self._checkpoint_seconds = checkpoint_seconds
        self._next_checkpoint = 0.0
        self._listeners = Listeners()
        #: Whether a step was given up in its midst: the state is that of no step then.
        self._is_torn = False

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with what is published; the result ends that."""
        return self._listeners.add(listener)

    # -- what the machine says ---------------------------------------------------------------

    def tell(self, stimulus: m.Stimulus) -> None:
        """Has the machine take in a stimulus, and does what it says; its refusal is an error."""
        instructions = self.machine.handle(stimulus)
        for each in instructions:
            if isinstance(each, m.Refuse):
                raise RunEndedError(each.message) if each.ended else ValueError(each.message)
        self.perform(instructions)

    def perform(self, instructions: list[m.Instruction]) -> None:
        """Does what the machine says."""
        for each in instructions:
            match each:
                case m.Publish(state):
                    if state in (m.RUNNING, m.STEPPING):
                        self.stopped_by = None
                        self.settled.clear()
                        self.resting.clear()
                    elif state == m.PAUSED:
                        self.resting.set()
                    self.publish(StateChanged(self.key, self.machine.step, state))
                    self.note()
                case m.Note(kind, text):
                    self.record(kind, text)
                case m.Restore(step):
                    self._restore(step)
                case m.Conclude(clean):
                    self._conclude(clean)

    def _restore(self, step: int) -> None:
        frame = self.past.frame_for(step)
        self.error = self.failure = self.stopped_by = None
        self._is_torn = False
        self.settled.clear()
        changes = self.past.changes
        epoch = self.machine.epoch
        if self.writer is not None:
            self.writer.folder.lock()
            self.writer.start(None, self.history.count)
            self.writer.cut(step, epoch, lambda: self.past.cut(step, epoch))
        else:
            self.past.cut(step, epoch)
        self.engine.schedule([])
        try:
            self.engine.return_to(frame, step, changes)
        except Exception as error:
            self.fail(error)
            raise
        self.publish(Rewound(self.key, step, epoch))

    def _conclude(self, clean: bool) -> None:
        frame = self.past.take() if clean and not self._is_torn else None
        if frame is not None:
            self.keep(frame, checkpoint=True)
        self.engine.finish(self.machine.state)
        if self.writer is not None:
            if not self.writer.finish():
                self.record("log", "the run's folder is still being written")
            self.writer.folder.unlock()
        self.resting.set()
        self.settled.set()

    def fail(self, error: BaseException, between_steps: bool = False) -> None:
        """Ends the run with an error; its state is kept where it is that after a step."""
        self.error = error
        self.failure = failure_of(error)
        self.record("failed", f"{type(error).__name__}: {error}")
        self.perform(self.machine.handle(m.Failure(between_steps)))

    # -- what is written and told ------------------------------------------------------------

    def keep(self, frame: Frame, pinned: bool = False, checkpoint: bool = False) -> None:
        """Keeps a frame in memory, and on disk too where it is to be a checkpoint."""
        self.past.frames.add(frame, pinned)
        if checkpoint and self.writer is not None:
            self.writer.checkpoint(frame, self.machine.epoch, pinned)
        if checkpoint:
            self._next_checkpoint = time.perf_counter() + self._checkpoint_seconds

    def record(self, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Adds an event to the history."""
        event = Event(self.engine.step, kind, text, values)
        self.history.events.append(event)
        self.publish(Happened(self.key, event.step, event))
        self.note()

    def note(self) -> None:
        """The record of the run has changed."""
        if self.writer is not None:
            self.writer.note()

    def _note_change(self, step: int, values: Mapping[str, Any]) -> None:
        listed = ", ".join(f"{name} -> {value!r}" for name, value in values.items())
        self.record("set", listed, values)

    def publish(self, event: Published) -> None:
        """Tells the listeners."""
        for trouble in self._listeners.tell(event):
            self.history.events.append(Event(self.engine.step, "log", trouble))
