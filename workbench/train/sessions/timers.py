"""When a hook is due: every so many steps or seconds."""

from __future__ import annotations

import time


class HookTimer:
    """What the timers of hooks have in common; this one is never due."""

    def reset(self) -> None:
        """Forgets when it was due."""

    def should_trigger_for_step(self, step: int) -> bool:
        """Whether the hook is due at a step."""
        return False

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Notes that the hook did its work; gives the seconds and steps since the last time."""
        return None, None

    def last_triggered_step(self) -> int | None:
        """The step at which the hook last did its work."""
        return None


class SecondOrStepTimer(HookTimer):
    """Is due at the first step, and then every so many seconds or steps.

    Args:
      every_secs: how many seconds lie between two times.
      every_steps: how many steps lie between two times.

    Raises:
      ValueError: both are given, or none.

    >>> timer = SecondOrStepTimer(every_steps=10)
    >>> timer.should_trigger_for_step(3), timer.update_last_triggered_step(3)
    (True, (None, None))
    >>> timer.should_trigger_for_step(12), timer.should_trigger_for_step(13)
    (False, True)
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None) -> None:
        if every_secs is None and every_steps is None:
            raise ValueError("Either every_secs or every_steps should be provided.")
        if every_secs is not None and every_steps is not None:
            raise ValueError("Can not provide both every_secs and every_steps.")
        self._every_secs = every_secs
        self._every_steps = every_steps
        self.reset()

    def reset(self) -> None:
        self._last_step: int | None = None
        self._last_time = 0.0

    def should_trigger_for_step(self, step: int) -> bool:
        if self._last_step is None:
            return True
        if step == self._last_step:
            return False
        if self._every_secs is not None:
            # The wall clock, as TensorFlow's timer: tests of hooks put their own in its place.
            # One that was set back since would keep everybody waiting until it has caught up.
            since = time.time() - self._last_time
            return since < 0 or since >= self._every_secs
        assert self._every_steps is not None
        return step >= self._last_step + self._every_steps

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        now = time.time()
        since = (None, None)
        if self._last_step is not None:
            since = (max(now - self._last_time, 0.0), step - self._last_step)  # type: ignore[assignment]
        self._last_time, self._last_step = now, step
        return since

    def last_triggered_step(self) -> int | None:
        return self._last_step
