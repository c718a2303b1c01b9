"""What happens to the runs of a worker, as lines of its log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from workbench.live.events import Happened, Published, Rewound, StateChanged


def follow_run(run: Any, write: Callable[[str], object]) -> None:
    """Has `write` get a line for each state and each event of a run, from now on."""

    def told(published: Published) -> None:
        text = line_of(published)
        if text:
            write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} run {run.name!r}: {text}\n")

    run.subscribe(told)


def line_of(published: Published) -> str:
    """What a log says of something that happened to a run; "" for what it does not tell of.

    >>> from workbench.live.events import Event, Happened, StateChanged
    >>> from workbench.pool.statistics.run_log import line_of
    >>> line_of(StateChanged("a", 512, "paused"))
    'paused at step 512'
    >>> line_of(Happened("a", 512, Event(512, "set", "lr 0.1 -> 0.01")))
    'step 512: set: lr 0.1 -> 0.01'
    """
    match published:
        case StateChanged(step=step, state=state):
            return f"{state} at step {step}"
        case Rewound(step=step):
            return f"rewound to step {step}"
        case Happened(event=event):
            # An error of many lines is one here.
            return " | ".join(str(event).splitlines())
    return ""
