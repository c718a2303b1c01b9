"""What a run can be told: it obeys between two steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.live import commands as c
from workbench.live.acknowledgement import PATIENCE, Acknowledgement, Obeyed
from workbench.live.run_view import RunView
from workbench.live.waiting import look_after

if TYPE_CHECKING:
    from workbench.live.run import Run


class RunControls(RunView):
    """The commands of a run. Each returns when the loop has obeyed."""

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
        while not self._loop.resting.wait(look_after(deadline)):
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
