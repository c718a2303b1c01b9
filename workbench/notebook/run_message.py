"""Runs as the protocol tells of them: status, history, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.live.events import Event
from workbench.live.history import Excerpt, History
from workbench.live.reports import Line
from workbench.live.status import RunStatus, wire_number
from workbench.notebook.cells import followed_cells


def status_message(status: RunStatus, here: bool, graph: str | None) -> dict[str, Any]:
    """A status; `here` is true for the runs of this kernel, `graph` names the run's graph."""
    found = status.to_json()
    found["live"] = here
    found["graph"] = graph
    for name in ("rate", "eta", "seconds", "observer_cost"):
        if found[name] is not None:
            found[name] = wire_number(float(found[name]))
    for name, report in (("error", status.error), ("stopped_by", status.stopped_by)):
        if report is not None:
            found[name]["line"] = _line(report.line)
    return found


def events_message(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events; numbers that JSON has no word for are text."""
    return [_event(event) for event in events]


def history_buffers(excerpt: Excerpt) -> list[bytes]:
    """The steps, then the values of each name, as f64."""
    steps = excerpt.steps.astype("<f8").tobytes()
    return [steps, *(row.astype("<f8").tobytes() for row in excerpt.values)]


def history_header(
    run: str, epoch: int, history: History, count: int, events: Sequence[Event]
) -> dict[str, Any]:
    """What says how to read `history_buffers`."""
    return {
        "run": run,
        "epoch": epoch,
        "names": list(history.names),
        "count": count,
        "events": events_message(events),
    }


def wire(value: Any) -> Any:
    """A value of a hyperparameter or of a tensor as JSON can say it."""
    if isinstance(value, np.generic):
        value = value.item()
    return wire_number(value) if isinstance(value, float) else value


def _event(event: Event) -> dict[str, Any]:
    found = event.to_json()
    values: Mapping[str, Any] | None = found.get("values")
    if values is not None:
        found["values"] = {name: wire(value) for name, value in values.items()}
    return found


def _line(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    cells = followed_cells()
    cell = cells.find(line.filename) if cells is not None and line.filename else None
    return {
        "file": line.file,
        "line": line.line,
        "text": line.text,
        "cell": cell.id if cell is not None else None,
    }
