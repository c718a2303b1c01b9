"""A progress bar in a terminal: steps, steps a second, time to go, tracked values."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from workbench.live.status import RunStatus

_WIDTH = 20


class ProgressBar:
    """Draws a run's status on one line of a terminal; does nothing where there is no terminal."""

    def __init__(self, wanted: bool = True, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self.shows = wanted and bool(getattr(self._stream, "isatty", lambda: False)())
        self._length = 0

    def draw(self, status: RunStatus) -> None:
        """Draws the line again."""
        if self.shows:
            line = progress_line(status)
            self._stream.write("\r" + line.ljust(self._length))
            self._stream.flush()
            self._length = len(line)

    def close(self) -> None:
        """Leaves the line, for what comes next."""
        if self.shows and self._length:
            self._stream.write("\n")
            self._stream.flush()
            self._length = 0


def progress_line(status: RunStatus) -> str:
    """A run in a line.

    >>> progress_line(
    ...     RunStatus("1", "digits", "running", 50, 200, rate=100.0, eta=1.5, values={"loss": 0.25})
    ... )
    'digits |#####               | 50/200, 100 steps/s, 0:01 to go, loss 0.25'
    """
    parts = []
    if status.steps:
        full = int(_WIDTH * status.step / status.steps)
        bar = "#" * full + " " * (_WIDTH - full)
        start = f"{status.name} |{bar}| {status.step}/{status.steps}"
    else:
        start = f"{status.name} step {status.step}"
    if status.state != "running":
        parts.append(status.state)
    if status.rate:
        parts.append(f"{status.rate:.3g} steps/s" if status.rate < 100 else
                     f"{status.rate:.0f} steps/s")  # fmt: skip
    if status.eta is not None:
        parts.append(f"{_clock(status.eta)} to go")
    parts += [f"{name} {value:.4g}" for name, value in status.values.items()]
    return ", ".join([start, *parts])


def _clock(seconds: float) -> str:
    whole: Any = int(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
