"""The loop of a run: a thread that runs steps and, between two of them, obeys.

All that changes a run happens here, in one thread. Others put commands into the queue and read;
what they read is replaced as a whole or only grows, so nobody waits for anybody.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.core.errors import CancelledError, DeadlineExceededError, OutOfRangeError
from workbench.core.sync.registry import idle
from workbench.core.sync.scope import Scope, deadline
from workbench.live import commands as c
from workbench.live import machine as m
from workbench.live.acknowledgement import Acknowledgement
from workbench.live.commands import Command
from workbench.live.engine import Engine
from workbench.live.errors import RunEndedError
from workbench.live.events import Event, Happened, Published, Rewound, StateChanged, Stepped
from workbench.live.frames import Frame
from workbench.live.history import History
from workbench.live.inspection import inspect
from workbench.live.machine import RunMachine
from workbench.live.obedience import obey
from workbench.live.observation import Observer
from workbench.live.past import Past
from workbench.live.reports import Failure, WatchStop, failure_of
from workbench.live.watches import Condition
from workbench.live.writer import RunWriter

#: What is done now and then (frames, news for listeners) is looked at this often, in seconds.
_CHORES = 0.05

#: Operations whose OutOfRangeError means that the data has ended.
_SOURCES = frozenset(
    "IteratorGetNext ReaderRead ReaderReadV2 QueueDequeue QueueDequeueV2 QueueDequeueMany "
    "QueueDequeueManyV2 QueueDequeueUpTo QueueDequeueUpToV2 BarrierTakeMany".split()
)
#: How long a step may go on waiting, for a queue say, when the run is to stop, in seconds.
_STOP_SECONDS = 1.0

Listener = Callable[[Published], None]


class Loop:
    """Runs the steps of one run.

    Args:
      key: the run's id.
      engine, machine, history, past: its parts.
      writer: writes its folder, if it has one.
      begin: brings the engine to where the run starts; called in the loop's thread.
      paused: whether it waits before its first step.
      checkpoint_seconds, checkpoint_steps: how often a checkpoint is written.
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
    ) -> None:
        self.key = key
        self.engine = engine
        self.machine = machine
        self.history = history
        self.past = past
        self.writer = writer
        self.watches: dict[str, Condition] = {}
        self.watch_count = 0
        self.error: BaseException | None = None
        self.failure: Failure | None = None
        self.stopped_by: WatchStop | None = None
        #: Looks into some steps, for whoever asks.
        self.observer = Observer(engine.session, is_patient=False)
        self.rate = 0.0
        self.seconds = 0.0
        #: Set while there is nothing to wait for: the run has ended, or a watch has paused it.
        self.settled = threading.Event()
        #: Set while no step is to be run.
        self.resting = threading.Event()
        #: Makes a run beside this one, see `workbench.live.offspring`.
        self.offspring: Any = None
        self._begin: Callable[[], None] | None = begin
        self._paused = paused
        self._checkpoint_seconds = checkpoint_seconds
        self._checkpoint_steps = checkpoint_steps
        self._next_checkpoint = 0.0
        self._queue: deque[tuple[Command, Acknowledgement]] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._listeners: list[Listener] = []
        self._mark = (0.0, 0)
        #: What ends the waits of the steps that are running, if any are.
        self._scope: Scope | None = None
        #: Whether a step was given up in its midst: the state is that of no step then.
        self._is_torn = False

    # -- from any thread ---------------------------------------------------------------------

    def start(self) -> None:
        """Begins; the loop's thread lives until the run has ended."""
        with self._wake:
            self._ensure_thread()

    def submit(self, command: Command) -> Acknowledgement:
        """Puts a command into the queue."""
        acknowledgement = Acknowledgement(command)
        with self._wake:
            if self._closed:
                acknowledgement.fail(RunEndedError("The run is closed"))
                return acknowledgement
            self._queue.append((command, acknowledgement))
            if isinstance(command, (c.Stop, c.Interrupt)) and self._scope is not None:
                self._scope.limit(_STOP_SECONDS)
            self._ensure_thread()
            self._wake.notify_all()
        return acknowledgement

    @property
    def is_own_thread(self) -> bool:
        """True in the loop's thread, which must not wait for itself."""
        return threading.current_thread() is self._thread

    @property
    def busy(self) -> bool:
        """True while the loop's thread lives."""
        return self._thread is not None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with what is published; the result ends that."""
        with self._wake:
            self._listeners = [*self._listeners, listener]
        return lambda: self._unsubscribe(listener)

    def _unsubscribe(self, listener: Listener) -> None:
        with self._wake:
            # A new list: whoever walks through the old one is not disturbed.
            self._listeners = [each for each in self._listeners if each is not listener]

    def close(self, patience: float) -> bool:
        """Takes no more commands, and waits for the thread to end."""
        with self._wake:
            self._closed = True
            thread = self._thread
            self._wake.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(patience)
            return not thread.is_alive()
        return True

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._main, name=f"workbench-run-{self.key}", daemon=True
            )
            self._thread.start()

    # -- the thread --------------------------------------------------------------------------

    def _main(self) -> None:
        if self._begin is not None:
            self._start()
        while True:
            if self._queue:
                self._obey(*self._queue.popleft())
            elif self.machine.wants_step:
                self._run_steps()
            elif not self._rest():
                return

    def _rest(self) -> bool:
        """Waits for a command; False where none can come any more."""
        with self._wake:
            while not self._queue:
                if self.machine.has_ended or self._closed:
                    self._thread = None
                    return False
                with idle():
                    self._wake.wait(1.0)
        return True

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
        self.perform(self.machine.handle(m.Started(self.engine.step, self._paused)))

    def _run_steps(self) -> None:
        """Steps until there is something else to do, in a scope that ends their waits."""
        with deadline(None) as self._scope:
            # A command that came before did not see the scope.
            if not self._queue:
                self._step_on()
        self._scope = None

    def _step_on(self) -> None:
        clock, queue, engine, machine = time.perf_counter, self._queue, self.engine, self.machine
        append, count = self.history.append, len(engine.tracked)
        observer = self.observer
        began = clock()
        self._mark = (began, engine.step)
        next_chores = began + _CHORES
        next_stop = self._next_stop()
        try:
            while True:
                if not observer.active:
                    results = engine.advance()
                elif observer.due():
                    results = engine.advance(observer)
                else:
                    started = clock()
                    results = engine.advance()
                    observer.note(clock() - started)
                try:
                    append(engine.step, results[:count])
                except (TypeError, ValueError) as error:
                    raise self._unrecorded(results, error) from None
                instructions = machine.step_done()
                if engine.watched:
                    self._look(results[count:])
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
            self._count_time(clock())

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
        was_stopped = self._scope is not None and self._scope.deadline is not None
        if was_stopped and isinstance(error, (CancelledError, DeadlineExceededError)):
            # The command to stop is in the queue.
            self._is_torn = True
            self.record("log", f"a step that waited was given up: {error}")
            return
        op = getattr(error, "op", None)
        if isinstance(error, StopIteration) or (
            isinstance(error, OutOfRangeError) and getattr(op, "type", "") in _SOURCES
        ):
            self.perform(self.machine.handle(m.DataEnded()))
        else:
            self.fail(error)

    def _chores(self, now: float, checkpoint: bool) -> None:
        self._count_time(now)
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

    def _count_time(self, now: float) -> None:
        since, step = self._mark
        if now - since > 0 and self.engine.step > step:
            rate = (self.engine.step - step) / (now - since)
            # Half a second is what the eye takes for now.
            share = min(1.0, (now - since) / 0.5) if self.rate else 1.0
            self.rate += share * (rate - self.rate)
        self.seconds += now - since
        self._mark = (now, self.engine.step)

    # -- watches -----------------------------------------------------------------------------

    def _look(self, values: list[Any]) -> None:
        """Whether a watched value of the step that is done meets its condition."""
        found = dict(zip(self.engine.watched, values, strict=False))
        for condition in list(self.watches.values()):
            try:
                if not condition.meets(found[condition.tensor]):
                    continue
            except Exception as error:  # a user's function may raise anything
                self.watches.pop(condition.name)
                self.record("log", f"the watch {condition} raised {error!r} and is no more")
                self.refresh_watches()
                continue
            self._hit(condition, found[condition.tensor])
            return

    def _hit(self, condition: Condition, value: Any) -> None:
        is_repeatable = self.engine.source.unrepeatable is None and self.past.lost is None

        def go_back(to: int) -> None:
            self.engine.return_to(self.past.frame_for(to), to, self.past.changes)

        report = inspect(self.engine, condition, value, go_back if is_repeatable else None)
        self.stopped_by = report
        self.record("watch", f"paused at {report.headline}")
        self.perform(self.machine.handle(m.WatchHit()))
        self.settled.set()

    def refresh_watches(self) -> None:
        """Has the engine give the values that are watched now."""
        self.engine.watch(dict.fromkeys(c.tensor for c in self.watches.values()))

    # -- what is told and written ------------------------------------------------------------

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
        if self.writer is not None:
            if not self.writer.finish():
                self.record("log", "the run's folder is still being written")
            self.writer.folder.unlock()
        self.resting.set()
        self.settled.set()

    def fail(self, error: BaseException) -> None:
        """Ends the run with an error."""
        self.error = error
        self.failure = failure_of(error)
        self.record("failed", f"{type(error).__name__}: {error}")
        self.perform(self.machine.handle(m.Failure()))

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
        """Tells the listeners; one that raises is told no more."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # a listener must never hurt the run
                self._unsubscribe(listener)
                text = f"the listener {listener!r} raised {error!r} and is told no more"
                self.history.events.append(Event(self.engine.step, "log", text))

    def _obey(self, command: Command, acknowledgement: Acknowledgement) -> None:
        try:
            value = obey(self, command)
        except Exception as error:
            acknowledgement.fail(error)
        else:
            acknowledgement.succeed(self.engine.step, value)
