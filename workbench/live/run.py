"""A run: steps of a graph in a thread of their own, watched and steered from anywhere."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

from workbench.core.sync.registry import idle
from workbench.live import commands as c
from workbench.live import machine as m
from workbench.live.acknowledgement import PATIENCE, Acknowledgement, Obeyed
from workbench.live.engine import Engine
from workbench.live.errors import RunEndedError
from workbench.live.events import Event, Published
from workbench.live.folder import RunFolder
from workbench.live.frames import Frames
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.loop import Loop
from workbench.live.machine import RunMachine
from workbench.live.observation import Observation
from workbench.live.offspring import Offspring
from workbench.live.past import Past
from workbench.live.program_log import ProgramLog
from workbench.live.progress import ProgressBar
from workbench.live.record import (
    initializers,
    lasting_document,
    run_document,
    set_data_key,
)
from workbench.live.registry import registry
from workbench.live.spec import RunSpec
from workbench.live.status import RunStatus
from workbench.live.taps import Tap
from workbench.live.writer import RunWriter

#: How often `wait` looks, in seconds.
_TICK = 0.1
#: The same where it waits for a step.
_QUICK_TICK = 0.005


class Run:
    """A training that goes on by itself; `wb.run` makes it.

    Every method that tells it something returns when the loop has obeyed, between two steps. What
    can be read (`state`, `step_number`, `history`, `status()`) is there at any time, at no cost to
    the run.

    >>> import workbench as wb
    >>> rate = wb.hyperparameter("rate", 0.5)
    >>> w = wb.Variable(0.0)
    >>> with wb.run(w.assign_add(rate), folder=None, paused=True) as run:
    ...     run.step(4), run.set(rate=0.25), run.step(2)
    ...     after = float(run.eval(w))
    ...     run.rewind(3), after, float(run.eval(w)), run.hyperparameters
    (4, 4, 6)
    (3, 2.5, 1.5, {'rate': 0.5})
    """

    def __init__(
        self,
        spec: RunSpec,
        session: Any,
        *,
        name: str,
        folder: RunFolder | None,
        owns_session: bool,
        begin: Callable[[Engine], None],
        history: History | None = None,
        frames: Frames | None = None,
        initial: Mapping[str, Value] | None = None,
        key: str | None = None,
        parent: Mapping[str, Any] | None = None,
        paused: bool = False,
        resumed: Mapping[str, Any] | None = None,
        log: ProgramLog | None = None,
    ) -> None:
        self.id = key or uuid.uuid4().hex[:12]
        self.name = folder.name if folder is not None else name
        self.spec = spec
        self.session = session
        self.parent = parent
        self.created = time.time()
        #: The name under which a view shows its graph, where one does.
        self.graph_name: str | None = None
        self._owns_session = owns_session
        self._folder = folder
        self._history = history or History(spec.tracked)
        tracked = list(spec.tracked.values())
        engine = Engine(session, spec.targets, tracked, spec.source, spec.known, log)
        engine.values.update(initial or {})
        self.initial = dict(engine.values)
        #: What random operations without seeds begin with.
        self.entropy = session.state.entropy
        machine = RunMachine(spec.limit)
        writer = None
        if folder is not None:
            writer = RunWriter(
                folder,
                self._history,
                lambda: run_document(self),
                spec.options.keep_checkpoints,
                self._note_trouble,
            )
        past = Past(
            engine,
            self._history,
            frames if frames is not None else Frames(spec.options.snapshot_bytes),
            folder,
            writer.flush if writer is not None else lambda: None,
        )
        self._loop = Loop(
            self.id,
            engine,
            machine,
            self._history,
            past,
            writer,
            lambda: begin(engine),
            paused,
            spec.options.checkpoint_seconds,
            spec.options.checkpoint_steps,
        )
        self._loop.offspring = Offspring(self)
        if resumed is not None:
            self.created = float(resumed["created"])
            machine.epoch = int(resumed["epoch"])
            self._loop.seconds = float(resumed["seconds"])
            past.cuts = [list(cut) for cut in resumed["cuts"]]
            past.barriers = list(resumed["barriers"])
        #: Where the data is kept, for run.json.
        self.data_key: str | None = (resumed or {}).get("data")
        #: The operations that initialise it: a graph that was read from a file does not know them.
        self.initializers: list[str] = (
            [op.name for op in initializers(spec.graph)]
            if resumed is None
            else list(resumed["initializers"])
        )
        self._writer = writer
        self._resumed = resumed is not None

    @cached_property
    def _lasting_document(self) -> dict[str, Any]:
        return lasting_document(self)

    def _begin(self) -> None:
        """Starts the threads."""
        registry.add(self)
        self._loop.subscribe(self._follow)
        if self._folder is not None and self._writer is not None:
            # Before anybody may look for it, or kill the process.
            self._folder.write(run_document(self))
            self._writer.start(self.spec.graph, self._history.count if self._resumed else 0)
            set_data_key(self, self._writer)
        self._loop.start()

    def _follow(self, event: Published) -> None:
        state = getattr(event, "state", None)
        if state in m.ENDED:
            registry.ended(self)
        elif state is not None:
            registry.add(self)

    def _note_trouble(self, text: str) -> None:
        self._history.events.append(Event(self.step_number, "log", text))

    # -- reading -----------------------------------------------------------------------------

    @property
    def graph(self) -> Any:
        """The graph it runs."""
        return self.spec.graph

    @property
    def state(self) -> str:
        """created, running, paused, stepping, finished, stopped, failed or interrupted."""
        return self._loop.machine.state

    @property
    def step_number(self) -> int:
        """How many steps are done."""
        return self._loop.engine.step

    @property
    def steps(self) -> int | None:
        """How many steps there are to be; None where there is no end."""
        return self._loop.machine.limit

    @property
    def epoch(self) -> int:
        """How often it was rewound."""
        return self._loop.machine.epoch

    @property
    def history(self) -> History:
        """What was recorded: `history["loss"]`, `history.steps`, `history.events`."""
        return self._history

    @property
    def hyperparameters(self) -> dict[str, Value]:
        """The values of the hyperparameters from the next step on."""
        return dict(self._loop.engine.values)

    @property
    def error(self) -> BaseException | None:
        """What it failed with, or None."""
        return self._loop.error

    @property
    def stopped_by(self) -> Any:
        """The report of the watch that paused it, or None."""
        return self._loop.stopped_by

    @property
    def watches(self) -> dict[str, str]:
        """What is watched, by the name that `watch` gave."""
        return {name: str(each) for name, each in list(self._loop.watches.items())}

    @property
    def folder(self) -> str | None:
        """Its folder, or None."""
        return self._folder.path if self._folder is not None else None

    @property
    def is_live(self) -> bool:
        """True until it has ended."""
        return not self._loop.machine.has_ended

    def status(self) -> RunStatus:
        """Where it stands now."""
        loop = self._loop
        step, limit, rate = loop.engine.step, loop.machine.limit, loop.rate
        state = loop.machine.state
        is_running = state in (m.RUNNING, m.STEPPING)
        last = self._history.last
        values = loop.engine.values
        return RunStatus(
            run=self.id,
            name=self.name,
            state=m.RUNNING if state == m.STEPPING else state,
            step=step,
            steps=limit,
            rate=rate,
            eta=(limit - step) / rate if is_running and limit is not None and rate else None,
            seconds=loop.seconds,
            values=last[1] if last else {},
            observer_cost=loop.observer.cost,
            tier=loop.engine.tier,
            hyperparameters=tuple(
                replace(h, value=values[name]) for name, h in loop.engine.known.items()
            ),
            graph=self.graph_name,
            folder=self.folder,
            parent=self.parent,
            live=self.is_live,
            epoch=self.epoch,
            error=loop.failure,
            stopped_by=loop.stopped_by,
        )

    def subscribe(self, listener: Callable[[Published], None]) -> Callable[[], None]:
        """Calls `listener` with every event of the run; the function returned ends that.

        It is called in the run's thread and must be quick; one that raises is detached.
        """
        return self._loop.subscribe(listener)

    def observe(self, channels: Iterable[str], rate: float = 10.0) -> Observation:
        """Looks at all operations while the run goes on; `.latest()` is the newest frame.

        It costs the run at most 2 % of its time: `status().observer_cost` says how much.

        Args:
          channels: of "time", "memory", "calls", "mean", "deviation", "zeros" and "nonfinite".
          rate: frames a second, at most 10.

        Raises:
          ValueError: there is no such channel.
        """
        return self._loop.observer.subscribe(channels, rate)

    def tap(self, tensor: Any, samples: int = 200) -> Tap:
        """Samples a tensor up to ten times a second; `.latest()` is its value, `.history` the last.

        Args:
          tensor: a tensor, or its name; one that the steps do not compute is computed beside them.
          samples: how many steps and values `history` holds.
        """
        return self._loop.observer.tap(tensor, samples)

    # -- telling -----------------------------------------------------------------------------

    def submit(self, command: c.Command) -> Acknowledgement:
        """Puts a command into the run's queue, without waiting for it."""
        return self._loop.submit(command)

    def _obey(self, command: c.Command) -> Obeyed:
        if self._loop.is_own_thread:
            raise RuntimeError(
                "The run's own thread cannot wait for itself: use run.submit(...) in a listener, "
                "a feed or a watch"
            )
        return self.submit(command).result(PATIENCE)

    def pause(self) -> int:
        """Waits before the next step; returns the number of steps done."""
        return self._obey(c.Pause()).step

    def resume(self) -> int:
        """Goes on; returns the step after which it does."""
        return self._obey(c.Resume()).step

    def step(self, count: int = 1) -> int:
        """Runs `count` steps and pauses; returns the number of steps done, when they are done.

        Raises:
          TimeoutError: no step has ended for a minute.
          Exception: what a step failed with.
        """
        self._obey(c.Step(count))
        done, deadline = self.step_number, time.monotonic() + PATIENCE
        while not self._loop.resting.wait(self._slice(deadline)):
            if self.step_number != done:
                done, deadline = self.step_number, time.monotonic() + PATIENCE
            elif time.monotonic() >= deadline:
                raise TimeoutError(f"no step has ended for {PATIENCE:g} s; the run goes on")
        if self._loop.error is not None:
            raise self._loop.error
        return self.step_number

    def stop(self) -> int:
        """Ends the run; returns its last step when its folder is written."""
        return self._obey(c.Stop()).step

    def set(self, **values: Any) -> int:
        """New values of hyperparameters; returns the step after which they count.

        Raises:
          ValueError: there is no such hyperparameter, or a value is out of range.
          TypeError: a value is of the wrong type.
        """
        return self._obey(c.Set(values)).step

    def watch(
        self,
        tensor: Any,
        when: str | Callable[[Any], Any] = "not finite",
        threshold: float | None = None,
    ) -> str:
        """Pauses the run in the step in which the tensor's value meets a condition.

        `run.stopped_by` then says which operation, the line that made it, and what went into it.

        Args:
          tensor: a tensor of the step, or its name.
          when: "not finite", "above" or "below" a threshold, or a function of the value.
          threshold: for "above" and "below".

        Returns the watch's name, for `unwatch`.
        """
        name: str = self._obey(c.Watch(tensor, when, threshold)).value
        return name

    def unwatch(self, watch: str) -> int:
        """Watches no more; returns the step after which it does not."""
        return self._obey(c.Unwatch(watch)).step

    def peek(self, tensor: Any) -> Any:
        """The value of a tensor now, with the last batch; the run does not notice."""
        return self._obey(c.Peek(tensor)).value

    def eval(self, fetches: Any, feed: Mapping[Any, Any] | None = None) -> Any:
        """Runs fetches in the run's session between two steps, with its hyperparameters."""
        return self._obey(c.Evaluate(fetches, feed)).value

    def snapshot(self) -> int:
        """Keeps the state of now, in memory and on disk; returns its step."""
        step: int = self._obey(c.Snapshot()).value
        return step

    def rewind(self, step: int) -> int:
        """Goes back to the state after `step` steps, exactly, and pauses there; returns `step`.

        What was recorded later is dropped. A run that has ended can be rewound too.

        Raises:
          NoWayBackError: the state cannot be had again; nothing has changed.
        """
        self._obey(c.Rewind(step))
        return step

    def fork(
        self, step: int | None = None, name: str | None = None, paused: bool = False, **values: Any
    ) -> Run:
        """A second run, with this one's past up to `step` and other hyperparameters from there.

        It has a session of its own, and starts at once, or waits at `step` with `paused=True`.
        """
        made: Run = self._obey(c.Fork(step, name, values, paused)).value
        return made

    def replay(self, name: str | None = None) -> Run:
        """A new run that does all the same again, to the bit: same data, seeds and changes."""
        made: Run = self._obey(c.Replay(name)).value
        return made

    # -- waiting -----------------------------------------------------------------------------

    def wait(
        self, timeout: float | None = None, progress: bool = True, step: int | None = None
    ) -> Run:
        """Waits until the run has ended, or a watch has paused it; returns the run.

        A terminal shows a progress bar meanwhile. An interrupt ends the waiting, not the run.

        Args:
          timeout: the longest time to wait, in seconds.
          progress: whether a terminal shows a progress bar.
          step: waits no longer than until so many steps are done.

        Raises:
          TimeoutError: it takes longer than `timeout` seconds.
          Exception: what the run failed with.
        """
        if self._loop.is_own_thread:
            raise RuntimeError("The run's own thread cannot wait for itself")
        deadline = None if timeout is None else time.monotonic() + timeout
        bar = ProgressBar(progress)
        try:
            while not self._settles(self._pause(bar.shows, step, deadline), deadline):
                if step is not None and self.step_number >= step:
                    break
                bar.draw(self.status())
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"{self.name!r} is {self.state} at step {self.step_number} after "
                        f"{timeout:g} s of waiting"
                    )
            bar.draw(self.status())
        except KeyboardInterrupt:
            bar.close()
            print(
                f"{self.name!r} goes on at step {self.step_number}; run.stop() ends it",
                file=sys.stderr,
            )
            raise
        finally:
            bar.close()
        if self._loop.error is not None:
            raise self._loop.error
        return self

    def _settles(self, seconds: float, deadline: float | None) -> bool:
        """Waits for so long, and no longer than until there is nothing to wait for."""
        if deadline is not None:
            return self._loop.settled.wait(seconds)
        # A step that waits, too, may wait for this thread: then that is told.
        with idle():
            return self._loop.settled.wait(seconds)

    def _pause(self, shows: bool, step: int | None, deadline: float | None) -> float:
        """How long to wait before the next look, in seconds."""
        if step is not None:
            return 0.0 if self.step_number >= step else _QUICK_TICK
        return _TICK if shows else self._slice(deadline)

    @staticmethod
    def _slice(deadline: float | None) -> float:
        return 1.0 if deadline is None else min(1.0, max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Stops the run where it goes on, and frees its session and the states it kept."""
        if self.is_live and not self._loop.is_own_thread:
            # It may end by itself just now.
            with suppress(RunEndedError):
                self._loop.submit(c.Stop()).result(PATIENCE)
        self._loop.close(PATIENCE)
        self._loop.observer.close()
        self._loop.past.frames.clear()
        if self._owns_session:
            self.session.close()
        registry.forget(self)

    def _interrupt(self) -> None:
        self._loop.submit(c.Interrupt())

    def _end_with_process(self, patience: float) -> None:
        if self._loop.settled.wait(patience) and not self.is_live and self.folder is not None:
            print(
                f"The run {self.name!r} was interrupted after step {self.step_number}: "
                f"wb.resume({self.folder!r}) goes on",
                file=sys.stderr,
            )
        self._loop.close(patience)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        status = self.status()
        of = f" of {status.steps}" if status.steps else ""
        values = "".join(f", {name} {value:.4g}" for name, value in status.values.items())
        text = f"<wb.Run {self.name!r} {status.state}, step {status.step}{of}{values}"
        if status.error is not None:
            line = f"{status.error.line}: " if status.error.line else ""
            text += f": {line}{status.error.message}"
        if status.stopped_by is not None:
            text += f": {status.stopped_by}"
        return text + ">"
