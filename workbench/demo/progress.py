"""A progress bar for terminals; a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class ProgressBar:
    """Shows how far a loop is, how fast it goes, and a few values."""

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self._total = total
        self._first = done
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._started = time.monotonic()
        self._shown = 0.0
        self._written_tenth = -1

    def show(self, done: int, **values: float) -> None:
        """Shows that `done` steps are done; terminals are repainted ten times a second at most."""
        now = time.monotonic()
        last = done >= self._total
        if self._terminal and not last and now - self._shown < 0.1:
            return
        tenth = 10 * done // self._total
        if not self._terminal and tenth == self._written_tenth and not last:
            return
        self._shown, self._written_tenth = now, tenth
        elapsed = max(now - self._started, 1e-9)
        speed = (done - self._first) / elapsed
        text = f"{done:>5}/{self._total} steps"
        if speed > 0:
            text += f"  {speed:.0f} steps/s  {max(0.0, (self._total - done) / speed):.0f} s left"
        text += "".join(f"  {name} {value:.4f}" for name, value in values.items())
        if self._terminal:
            filled = 24 * done // self._total
            bar = "█" * filled + "░" * (24 - filled)
            self._stream.write(f"\r{bar} {text}\x1b[K")
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Ends the line."""
        if self._terminal:
            self._stream.write("\n")
            self._stream.flush()
