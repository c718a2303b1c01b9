"""A run that is known from its folder alone: one of another process, or of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.errors import OpError
from workbench.core.graph.graph import Graph
from workbench.live.events import Event
from workbench.live.folder import RunFolder
from workbench.live.graph_file import stored_graph
from workbench.live.history import History
from workbench.live.history_file import read_history
from workbench.live.hyperparameters import Hyperparameter, Value, add_hyperparameters
from workbench.live.machine import ENDED, INTERRUPTED, RUNNING, STEPPING
from workbench.live.reports import Failure, WatchStop
from workbench.live.status import RunStatus
from workbench.live.together import told_terms


class RunRecord:
    """What a folder says of a run. It can be read, resumed and deleted, but not told anything.

    A run whose process is gone before it ended is "interrupted".
    """

    is_live = False

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.name = folder.name
        self.folder = folder.path
        #: Why the record cannot be read; None where it can.
        self.damage: str | None = None
        try:
            self._document = folder.read()
        except OpError as error:
            self.damage = error.message
            self._document = {}
        self.id = str(self._document.get("id", self.name))
        self.created = float(self._document.get("created", 0.0))
        self._history: History | None = None
        self._graph: Graph | None = None

    @property
    def document(self) -> Mapping[str, Any]:
        """All that run.json says; nothing where it cannot be read."""
        return self._document

    @property
    def is_running(self) -> bool:
        """True while a process runs it."""
        return self._folder.is_running

    @property
    def state(self) -> str:
        """As of a run; "interrupted" where its process is gone."""
        state = str(self._document.get("state", INTERRUPTED))
        if state not in ENDED and not self.is_running:
            return INTERRUPTED
        return RUNNING if state == STEPPING else state

    @property
    def step_number(self) -> int:
        """How many steps were done, as far as it is recorded."""
        if "step" in self._document:
            return int(self._document["step"])
        last = self.history.last
        return last[0] if last else 0

    @property
    def steps(self) -> int | None:
        """How many steps there were to be."""
        found: int | None = self._document.get("steps")
        return found

    @property
    def parent(self) -> Mapping[str, Any] | None:
        """The run that it was forked from, and the step: `{"run": id, "step": 500}`; or None."""
        found: Mapping[str, Any] | None = self._document.get("parent")
        return found

    @property
    def graph(self) -> Graph:
        """The graph that it ran, read when it is first asked for.

        Raises:
          NotFoundError: it ended before its graph was written.
          DataLossError: the file is damaged.
        """
        if self._graph is None:
            self._graph = stored_graph(self._folder)
            add_hyperparameters(self._graph, self._known())
        return self._graph

    @property
    def history(self) -> History:
        """What was recorded, up to the last good record."""
        if self._history is None:
            try:
                self._history = read_history(self._folder.file("history"))
            except OpError:
                self._history = History(self._document.get("track", ()))
            self._history.events = [Event.from_json(e) for e in self._document.get("events", ())]
        return self._history

    @property
    def hyperparameters(self) -> dict[str, Value]:
        """The last values of the hyperparameters."""
        return {h.name: h.value for h in self._known()}

    def _known(self) -> tuple[Hyperparameter, ...]:
        listed = self._document.get("hyperparameters", ())
        return tuple(Hyperparameter.from_json(h) for h in listed)

    def status(self) -> RunStatus:
        """Where it stood when it was written."""
        found = self._document
        error, stopped = found.get("error"), found.get("stopped_by")
        values = found.get("values")
        if values is None:
            last = self.history.last
            values = last[1] if last else {}
        return RunStatus(
            run=self.id,
            name=self.name,
            state=self.state,
            step=self.step_number,
            steps=self.steps,
            seconds=float(found.get("seconds", 0.0)),
            values=values,
            hyperparameters=self._known(),
            folder=self.folder,
            parent=found.get("parent"),
            epoch=int(found.get("epoch", 0)),
            error=Failure.from_json(error) if error else None,
            stopped_by=WatchStop.from_json(stopped) if stopped else None,
            terms=told_terms(found.get("replicas")),
        )

    def renewed(self) -> RunRecord:
        """What the folder says now; the graph stays, since that of a run never changes."""
        record = RunRecord(self._folder)
        record._graph = self._graph
        return record

    def resume(self, **arguments: Any) -> Any:
        """Goes on with it here: `wb.resume(folder, ...)`."""
        from workbench.live.resume import resume

        return resume(self.folder, **arguments)

    def close(self) -> None:
        """Nothing is open: a record is only read."""

    def __repr__(self) -> str:
        of = f" of {self.steps}" if self.steps else ""
        damage = f", its record is damaged: {self.damage}" if self.damage else ""
        return (
            f"<wb.RunRecord {self.name!r} {self.state}, step {self.step_number}{of}{damage}; "
            f"wb.resume({self.folder!r}) goes on>"
        )
