"""What a run can be told: it obeys between two steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from workbench.live import commands as c
from workbench.live.acknowledgement import PATIENCE, Obeyed
from workbench.live.steered_run import SteeredRun
from workbench.live.waiting import look_after, wait_for


class RunControls(SteeredRun):
    """The commands of a run. Each returns when the loop has obeyed."""

    def _obey(self, command: c.Command) -> Obeyed:
        if self._is_own_thread:
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
        while not self._wait_rest(look_after(deadline)):
            if self.step_number != done:
                done, deadline = self.step_number, time.monotonic() + PATIENCE
            elif time.monotonic() >= deadline:
                raise TimeoutError(f"no step has ended for {PATIENCE:g} s; the run goes on")
        if self.error is not None:
            raise self.error
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
        self,
        step: int | None = None,
        name: str | None = None,
        paused: bool = False,
        *,
        pool: Any = None,
        worker: Any = None,
        replicas: int | None = None,
        strategy: str | None = None,
        encoding: str | None = None,
        **values: Any,
    ) -> Any:
        """A second run, with this one's past up to `step` and other hyperparameters from there.

        It has a session of its own, and starts at once, or waits at `step` with `paused=True`. The
        fork of a run of this process is one too; that of a run of a pool goes to the worker that
        has the fewest runs, and that of a run of several replicas is trained by as many, on the
        same terms.

        Args:
          step: how many steps of the past it has; all without it.
          name: of the fork and its folder.
          paused: whether it waits before its first step.
          pool: the pool that it goes to, where it is to be another one.
          worker: the worker of the pool that runs it, or leads its replicas, or the number of that.
          replicas, strategy, encoding: as for `wb.run`, where it is to be trained otherwise than
            this one; "float32" is the encoding of what goes as it is.
          **values: of hyperparameters, from `step` on.

        Raises:
          NoWayBackError: the state after `step` cannot be had again.
          ValueError: there is no such step, hyperparameter, worker, strategy or encoding, or it is
            for several replicas, or these need a pool.
        """
        command = c.Fork(step, name, values, paused, pool, worker, replicas, strategy, encoding)
        return self._obey(command).value

    def replay(self, name: str | None = None) -> Any:
        """A new run that does all the same again, to the bit: same data, seeds and changes."""
        return self._obey(c.Replay(name)).value

    def wait(
        self, timeout: float | None = None, progress: bool = True, step: int | None = None
    ) -> Self:
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
        if self._is_own_thread:
            raise RuntimeError("The run's own thread cannot wait for itself")
        wait_for(self, timeout, progress, step)
        if self.error is not None:
            raise self.error
        return self

    def __enter__(self) -> Self:
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
