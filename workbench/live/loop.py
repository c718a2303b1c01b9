"""The loop of a run: a thread that runs steps and, between two of them, obeys.

All that changes a run happens here, in one thread. Others put commands into the queue and read;
what they read is replaced as a whole or only grows, so nobody waits for anybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.errors import CancelledError, DeadlineExceededError, OutOfRangeError
from workbench.core.runtime.activity import COMPUTE, span
from workbench.live import machine as m
from workbench.live.acknowledgement import Acknowledgement
from workbench.live.commands import Command
from workbench.live.conduct import Conduct
from workbench.live.engine import Engine
from workbench.live.errors import TakenOverError
from workbench.live.events import Stepped
from workbench.live.history import History
from workbench.live.machine import RunMachine
from workbench.live.obedience import obey
from workbench.live.observation import Observer
from workbench.live.past import Past
from workbench.live.stopwatch import Stopwatch
from workbench.live.watching import Watching
from workbench.live.writer import RunWriter

#: What is done now and then (frames, news for listeners) is looked at this often, in seconds.
_CHORES = 0.05

#: Operations whose OutOfRangeError means that the data has ended.
_SOURCES = frozenset(
    "IteratorGetNext ReaderRead ReaderReadV2 QueueDequeue QueueDequeueV2 QueueDequeueMany "
    "QueueDequeueManyV2 QueueDequeueUpTo QueueDequeueUpToV2 BarrierTakeMany".split()
)


class Loop(Conduct):
    """Runs the steps of one run.

    Args:
      key: the run's id.
      engine, machine, history, past: its parts.
      writer: writes its folder, if it has one.
      begin: brings the engine to where the run starts; called in the loop's thread.
      paused: whether it waits before its first step.
      checkpoint_seconds, checkpoint_steps: how often a checkpoint is written.
      ended: the state in which it had ended, where it is only to be looked at, or rewound.
    """

    def __init__(
        self,
        key: str,
        engine: Engine,
        machine: RunMachine,
        history: History,
        past: Past,
        writer: RunWriter | None,
        begin: Callable[[], None],
        paused: bool,
        checkpoint_seconds: float,
        checkpoint_steps: int | None,
        ended: str | None = None,
    ) -> None:
        super().__init__(key, engine, machine, history, past, writer, checkpoint_seconds)
        self.watching = Watching(self)
        #: Looks into some steps, for whoever asks.
        self.observer = Observer(engine.session, is_patient=False)
        self.stopwatch = Stopwatch()
        #: Makes a run beside this one, see `workbench.live.offspring`.
        self.offspring: Any = None
        #: Whether it begins with a state that no initializers give: a fork, or a session's.
        self.begins_with_a_state = False
        self._begin: Callable[[], None] | None = begin
        self._paused = paused
        self._ended = ended
        self._checkpoint_steps = checkpoint_steps

    @property
    def has_work(self) -> bool:
        """True while steps are to be run."""
        return self.machine.wants_step

    @property
    def has_ended(self) -> bool:
        """True once the run has ended, until it is rewound."""
        return self.machine.has_ended

    # -- the thread --------------------------------------------------------------------------

    def prepare(self) -> None:
        """Brings the engine to where the run starts, the first time."""
        if self._begin is not None:
            self._start()

    def _start(self) -> None:
        begin, self._begin = self._begin, None
        assert begin is not None
        self.engine.on_change = self._note_change
        self.engine.on_program = self.note
        self.engine.on_trouble = lambda text: self.record("log", text)
        try:
            begin()
        except Exception as error:
            self.fail(error)
            return
        frame = self.past.take()
        if frame is not None:
            first = self.past.frames.nearest(0)
            if first is not None and self.writer is not None:
                # A fork: its own folder has all it needs to go back to the beginning.
                self.writer.checkpoint(first, self.machine.epoch, pinned=True)
            self.keep(frame, pinned=frame.step == 0, checkpoint=True)
            if self.begins_with_a_state and self.writer is not None:
                # Killed after its first step, it could begin with nothing else.
                self.writer.flush()
        self.perform(self.machine.handle(m.Started(self.engine.step, self._paused, self._ended)))
        self._rest_engine()

    def work(self) -> None:
        """Steps until there is something else to do."""
        self._take_steps()
        self._rest_engine()

    def _take_steps(self) -> None:
        clock, queue, engine, machine = time.perf_counter, self._queue, self.engine, self.machine
        append, count = self.history.append, len(engine.tracked)
        observer = self.observer
        began = clock()
        self.stopwatch.begin(began, engine.step)
        next_chores = began + _CHORES
        next_stop = self._next_stop()
        try:
            while True:
                with span(COMPUTE, engine.step + 1):
                    if not observer.active:
                        results = engine.advance()
                    elif observer.due():
                        results = engine.advance(observer)
                    else:
                        started = clock()
                        results = engine.advance()
                        observer.note(engine.own_seconds(clock() - started))
                try:
                    append(engine.step, results[:count])
                except (TypeError, ValueError) as error:
                    raise self._unrecorded(results, error) from None
                instructions = machine.step_done(engine.step - machine.step)
                if engine.watched:
                    self.watching.look(results[count:])
                if instructions:
                    self.perform(instructions)
                if queue or not machine.wants_step:
                    return
                now = clock()
                if now >= next_chores or engine.step == next_stop:
                    self._chores(now, engine.step == next_stop)
                    next_chores = clock() + _CHORES
                    next_stop = self._next_stop()
        except Exception as error:
            self._ended_by(error)
        finally:
            self.stopwatch.count(clock(), engine.step)

    def _rest_engine(self) -> None:
        """Lets those who take the steps with this engine know that none comes now."""
        if self.machine.has_ended or (self.machine.wants_step and not self._queue):
            return
        if self._between_steps(self.engine.rest) and self.engine.step > self.machine.step:
            # Others came to the end of their steps meanwhile.
            self.perform(self.machine.step_done(self.engine.step - self.machine.step))

    def tend(self) -> None:
        """While no step is to be run: others may wait to take those that come."""
        if not self.machine.has_ended:
            self._between_steps(self.engine.tend)

    def _between_steps(self, act: Callable[[], None]) -> bool:
        """Has the engine do something while no step runs; False where it failed."""
        try:
            act()
        except Exception as error:
            if not self._ends_here(error):
                self.fail(error, between_steps=True)
            return False
        return True

    def _ends_here(self, error: Exception) -> bool:
        """Whether an error says that another process goes on with the run; it has ended here then,
        as with the end of this process."""
        if isinstance(error, TakenOverError):
            self.record("log", str(error))
            self.tell(m.ProcessEnds())
            return True
        return False

    def _unrecorded(self, results: list[Any], error: Exception) -> Exception:
        """The error of values that cannot be recorded, in the user's terms."""
        for name, value in zip(self.history.names, results, strict=False):
            if np.shape(value):
                return ValueError(
                    f"{name!r} cannot be tracked: its value has shape {np.shape(value)}, but "
                    "tracked values are scalars"
                )
        return error

    def _next_stop(self) -> int:
        every = self._checkpoint_steps
        return -1 if every is None else (self.engine.step // every + 1) * every

    def _ended_by(self, error: Exception) -> None:
        is_given_up = isinstance(error, (CancelledError, DeadlineExceededError))
        if self.was_told_to_stop and is_given_up:
            self._is_torn = True
            self.record("log", f"a step that waited was given up: {error}")
            return
        op = getattr(error, "op", None)
        if self._ends_here(error):
            return
        if isinstance(error, StopIteration) or (
            isinstance(error, OutOfRangeError) and getattr(op, "type", "") in _SOURCES
        ):
            self.perform(self.machine.handle(m.DataEnded()))
        else:
            self.fail(error, self.engine.is_between_steps)

    def _chores(self, now: float, checkpoint: bool) -> None:
        self.stopwatch.count(now, self.engine.step)
        if self._listeners:
            last = self.history.last
            self.publish(Stepped(self.key, self.engine.step, last[1] if last else {}))
        checkpoint = checkpoint or now >= self._next_checkpoint
        if checkpoint or now >= self.past.pace.due:
            frame = self.past.take()
            if frame is not None:
                self.past.pace.took(now, time.perf_counter() - now)
                self.keep(frame, checkpoint=checkpoint)
            else:
                self._next_checkpoint = self.past.pace.due = float("inf")

    def obey(self, command: Command, acknowledgement: Acknowledgement) -> None:
        """Does what a command says between two steps."""
        try:
            value = obey(self, command)
        except Exception as error:
            acknowledgement.fail(error)
        else:
            acknowledgement.succeed(self.engine.step, value)
