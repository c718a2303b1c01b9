"""What changes in runs, sent to a view a few times a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from workbench.live.history import thinned
from workbench.notebook.protocol import Refusal
from workbench.notebook.run_message import events_message, history_buffers

if TYPE_CHECKING:
    from workbench.notebook.connection import Connection

#: The most rows in one update.
_POINTS = 500
#: Seconds between two lists of runs in which only numbers have changed.
_LIST_INTERVAL = 0.5


class RunFeed:
    """Sends the steps, events and states of one run since the last update."""

    def __init__(
        self, connection: Connection, key: str, points: int, epoch: int, rows: int, events: int
    ) -> None:
        self._connection = connection
        self._key = key
        #: How many points a whole history has.
        self._points = points
        # What the view has: of which epoch, how many rows and events.
        self._epoch = epoch
        self._rows = rows
        self._events = events
        self._told: Any = None

    def poll(self) -> None:
        """Sends `run.update` where there is something new."""
        try:
            # Found again each time: a record may have been written anew, or been resumed.
            run = self._connection.hub.runs.find(self._key)
        except Refusal:
            self._connection.unfollow(("run", self._key))
            return
        status = run.status()
        history = run.history
        events = list(history.events)
        reset = status.epoch != self._epoch
        if reset:
            excerpt = history.since(0)
            count = len(excerpt.steps)
            excerpt = thinned(excerpt, self._points)
            new_events = events
        else:
            excerpt = history.since(self._rows)
            count = self._rows + len(excerpt.steps)
            excerpt = thinned(excerpt, _POINTS)
            new_events = events[self._events :]
        if run.status().epoch != status.epoch:
            return  # it was rewound meanwhile: the next look sees one state, not two
        if not reset and not new_events and status == self._told:
            return
        self._epoch, self._rows, self._events = status.epoch, count, len(events)
        self._told = status
        params: dict[str, Any] = {
            "run": status.run,
            "epoch": status.epoch,
            "status": self._connection.hub.runs.message(run, status),
            "names": list(history.names),
            "count": count,
            "events": events_message(new_events),
        }
        if reset:
            params["reset"] = True
        self._connection.notify("run.update", params, history_buffers(excerpt))

    def close(self) -> None:
        """A run does not know who looks at it."""


class RunsFeed:
    """Sends the list of all runs whenever one has changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._states: Any = None
        self._told: Any = None
        self._due = 0.0

    def poll(self) -> None:
        """Sends `runs`; a run that comes, goes or changes its state is told of at once."""
        now = time.monotonic()
        runs = self._connection.hub.runs.messages()
        states = [(run["run"], run["state"], run["name"], run["epoch"]) for run in runs]
        if states == self._states and (now < self._due or runs == self._told):
            return
        self._states, self._told, self._due = states, runs, now + _LIST_INTERVAL
        self._connection.notify("runs", {"runs": runs})

    def close(self) -> None:
        """Runs do not know who looks at them."""
