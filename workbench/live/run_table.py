"""Runs as lines of text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

_HEADER = ("run", "state", "step", "values", "hyperparameters", "started")


def run_table(runs: Sequence[Any]) -> str:
    """Runs and records of runs, one a line, in the given order.

    >>> import workbench as wb
    >>> with wb.run(wb.constant(1.0), 3, folder=None, name="one", paused=True) as run:
    ...     print(run_table([run]).rpartition("  ")[0].rstrip())
    run  state   step  values  hyperparameters  started
    one  paused  0/3
    """
    rows = [_HEADER, *map(_row, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _row(run: Any) -> tuple[str, ...]:
    status = run.status()
    of = f"/{status.steps}" if status.steps else ""
    values = " ".join(f"{name}={value:.4g}" for name, value in status.values.items())
    given = " ".join(f"{h.name}={_short(h.value)}" for h in status.hyperparameters)
    started = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created))
    return run.name, status.state, f"{status.step}{of}", values, given, started


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
