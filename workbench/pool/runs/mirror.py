"""What a client knows of a run elsewhere: pure data, which answers of the worker change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.live.events import Event, Happened, Published, Rewound, StateChanged, Stepped
from workbench.live.history import History
from workbench.live.hyperparameters import Hyperparameter
from workbench.live.reports import Failure, WatchStop
from workbench.live.status import RunStatus


class Mirror:
    """The newest known state of a run, and its history.

    `apply` takes in what came, in any order: what is older than what is known changes nothing.
    """

    def __init__(self, run: str, name: str, names: Sequence[str]) -> None:
        self.history = History(names)
        self.status = RunStatus(run, name, "created", 0, None)
        self.state = "created"
        self.life: str | None = None
        self.settled = self.resting = False
        self.watches: dict[str, str] = {}
        #: What it failed with, as `error_fields` has it.
        self.error: Mapping[str, Any] | None = None
        #: True where the worker had more rows than it sent.
        self.lacks_rows = False
        self._revision = 0

    def have(self) -> dict[str, Any]:
        """What need not be sent again."""
        return {
            "life": self.life,
            "epoch": self.status.epoch,
            "rows": self.history.count,
            "events": len(self.history.events),
        }

    def apply(self, fields: Mapping[str, Any], arrays: Mapping[str, Any]) -> list[Published]:
        """Takes in an answer; gives what listeners are to be told."""
        status = status_of(fields["status"])
        same_life = fields["life"] == self.life
        is_reset = not same_life or status.epoch != self.status.epoch
        if is_reset and (fields["first_row"] or fields["first_event"]):
            return []
        if same_life and status.epoch < self.status.epoch:
            return []
        told: list[Published] = []
        was_known, before = self.life is not None, self.status
        events = [Event.from_json(e) for e in fields["events"]]
        if is_reset:
            fresh = History(self.history.names)
            _add_rows(fresh, 0, arrays)
            self.history.replace(fresh, events)
            self.life, self._revision = str(fields["life"]), 0
            if was_known:
                told.append(Rewound(status.run, status.step, status.epoch))
        else:
            _add_rows(self.history, fields["first_row"], arrays)
            known = len(self.history.events) - fields["first_event"]
            new = events[known:] if known >= 0 else []
            self.history.events.extend(new)
            told += [Happened(status.run, e.step, e) for e in new]
        if fields["revision"] > self._revision:
            self._revision = fields["revision"]
            self.status = status
            state, self.state = self.state, str(fields["state"])
            self.settled, self.resting = bool(fields["settled"]), bool(fields["resting"])
            self.watches = dict(fields["watches"])
            self.error = fields["error"]
            self.lacks_rows = bool(fields["more"])
            if status.step != before.step:
                told.append(Stepped(status.run, status.step, status.values))
            if self.state != state:
                told.append(StateChanged(status.run, status.step, self.state))
        return told


def _add_rows(history: History, first: int, arrays: Mapping[str, Any]) -> None:
    if "steps" not in arrays:
        return
    known = history.count - first
    steps, values = np.asarray(arrays["steps"]), np.asarray(arrays["values"])
    if 0 <= known < steps.size:
        history.extend(steps[known:], values[:, known:])


def status_of(fields: Mapping[str, Any]) -> RunStatus:
    """The status that was sent."""
    found = {name: fields[name] for name in RunStatus.__dataclass_fields__}
    found["hyperparameters"] = tuple(Hyperparameter.from_json(h) for h in fields["hyperparameters"])
    found["replicas"] = tuple(fields["replicas"])
    found["taken"] = tuple(tuple(row) for row in fields["taken"])
    error, stopped = fields["error"], fields["stopped_by"]
    found["error"] = None if error is None else Failure.from_json(error)
    found["stopped_by"] = None if stopped is None else WatchStop.from_json(stopped)
    return RunStatus(**found)
