"""What can be read of a run at any time, at no cost to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from workbench.live import commands as c
from workbench.live import machine as m
from workbench.live.acknowledgement import Acknowledgement
from workbench.live.events import Published
from workbench.live.folder import RunFolder
from workbench.live.history import History
from workbench.live.hyperparameters import Value
from workbench.live.loop import Loop
from workbench.live.overlay import Observation
from workbench.live.run_controls import RunControls
from workbench.live.spec import RunSpec
from workbench.live.status import RunStatus
from workbench.live.taps import Tap
from workbench.live.together import told_terms


class RunView(RunControls):
    """Where a run of this process stands, and what comes of it."""

    spec: RunSpec
    _folder: RunFolder | None
    _history: History
    _loop: Loop

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
        return self._loop.past.epoch

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
        return {name: str(each) for name, each in list(self._loop.watching.conditions.items())}

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
        step, limit, rate = loop.engine.step, loop.machine.limit, loop.stopwatch.rate
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
            seconds=loop.stopwatch.seconds,
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
            replicas=tuple(loop.engine.replicas),
            taken=tuple(tuple(row) for row in loop.engine.taken),
            terms=told_terms(loop.engine.terms),
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

    def submit(self, command: c.Command) -> Acknowledgement:
        """Puts a command into the run's queue, without waiting for it."""
        if isinstance(command, c.Fork) and command.pool is not None:
            if not hasattr(command.pool, "send_fork"):
                raise TypeError(f"pool must be a pool of workers, but got {command.pool!r:.80}")
            sent: Acknowledgement = command.pool.send_fork(self, command)
            return sent
        return self._loop.submit(command)

    @property
    def _is_own_thread(self) -> bool:
        return self._loop.is_own_thread

    def _wait_rest(self, seconds: float) -> bool:
        return self._loop.resting.wait(seconds)

    def _wait_settled(self, seconds: float) -> bool:
        return self._loop.settled.wait(seconds)
