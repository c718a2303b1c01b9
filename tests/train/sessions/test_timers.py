"""When hooks are due."""

from __future__ import annotations

import pytest

from workbench.train.sessions import timers


def due_steps(timer: timers.SecondOrStepTimer, steps: range) -> list[int]:
    """The steps at which a hook does its work."""
    found = []
    for step in steps:
        if timer.should_trigger_for_step(step):
            timer.update_last_triggered_step(step)
            found.append(step)
    return found


@pytest.mark.parametrize(
    ("every", "steps", "expected"),
    [
        (1, range(4), [0, 1, 2, 3]),
        (3, range(8), [0, 3, 6]),
        (3, range(5, 12), [5, 8, 11]),
        (10, range(0, 40, 7), [0, 14, 28]),
    ],
)
def test_steps(every: int, steps: range, expected: list[int]) -> None:
    assert due_steps(timers.SecondOrStepTimer(every_steps=every), steps) == expected


def test_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(timers.time, "time", lambda: now)
    timer = timers.SecondOrStepTimer(every_secs=2.0)
    assert timer.should_trigger_for_step(5)
    assert timer.update_last_triggered_step(5) == (None, None)
    now = 101.9
    assert not timer.should_trigger_for_step(6)
    now = 102.0
    assert timer.should_trigger_for_step(6)
    # Never twice at one step.
    assert not timer.should_trigger_for_step(5)
    assert timer.update_last_triggered_step(8) == (2.0, 3)
    assert timer.last_triggered_step() == 8
    timer.reset()
    assert timer.last_triggered_step() is None
    assert timer.should_trigger_for_step(8)


@pytest.mark.parametrize("arguments", [{}, {"every_secs": 1.0, "every_steps": 1}])
def test_one_interval_is_needed(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"every_secs (or|and) every_steps"):
        timers.SecondOrStepTimer(**arguments)  # type: ignore[arg-type]


def test_a_timer_that_is_never_due() -> None:
    timer = timers.HookTimer()
    assert not timer.should_trigger_for_step(0)
    assert timer.update_last_triggered_step(0) == (None, None)
