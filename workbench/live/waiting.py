"""Waiting for a run, in slices: an interrupt gets through, and a terminal shows how far it is."""

from __future__ import annotations

import sys
import time

from workbench.core.sync.registry import idle
from workbench.live.progress import ProgressBar
from workbench.live.steered_run import SteeredRun

#: How often is looked where a progress bar shows, in seconds.
_TICK = 0.1
#: The same where a step is waited for.
_QUICK_TICK = 0.005


def look_after(deadline: float | None) -> float:
    """How long to wait before the next look, in seconds: at most 1."""
    return 1.0 if deadline is None else min(1.0, max(0.0, deadline - time.monotonic()))


def wait_for(run: SteeredRun, timeout: float | None, progress: bool, step: int | None) -> None:
    """Waits until a run has ended, a watch has paused it, or `step` steps are done.

    Raises:
      TimeoutError: it takes longer than `timeout` seconds.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    bar = ProgressBar(progress)
    try:
        while not _settles(run, _pause(run, bar.shows, step, deadline), deadline):
            if step is not None and run.step_number >= step:
                break
            bar.draw(run.status())
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(
                    f"{run.name!r} is {run.state} at step {run.step_number} after "
                    f"{timeout:g} s of waiting"
                )
        bar.draw(run.status())
    except KeyboardInterrupt:
        bar.close()
        print(
            f"{run.name!r} goes on at step {run.step_number}; run.stop() ends it",
            file=sys.stderr,
        )
        raise
    finally:
        bar.close()


def _settles(run: SteeredRun, seconds: float, deadline: float | None) -> bool:
    """Waits for so long, and no longer than until there is nothing to wait for."""
    if deadline is not None:
        return run._wait_settled(seconds)
    # A step that waits, too, may wait for this thread: then that is told.
    with idle():
        return run._wait_settled(seconds)


def _pause(run: SteeredRun, shows: bool, step: int | None, deadline: float | None) -> float:
    """How long to wait before the next look, in seconds."""
    if step is not None:
        return 0.0 if run.step_number >= step else _QUICK_TICK
    return _TICK if shows else look_after(deadline)
