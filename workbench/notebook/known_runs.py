"""The runs that views may name: those of this kernel, and those in the project folder."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from workbench.core.errors import OpError
from workbench.core.graph.graph import Graph
from workbench.live.folder import RunFolder, project_runs
from workbench.live.registry import registry
from workbench.live.run_record import RunRecord
from workbench.live.start import PROJECT
from workbench.live.status import RunStatus
from workbench.notebook import run_lookup
from workbench.notebook.protocol import BAD_PARAMETERS, RUN_ENDED, Refusal, nearest
from workbench.notebook.run_message import status_message

if TYPE_CHECKING:
    from workbench.notebook.shown import ShownGraphs

#: Seconds between two looks into the project folder.
_SCAN_INTERVAL = 1.0


#: What the name of a record's graph begins with; the run's id follows.
_RECORD = "run:"


def record_graph_name(record: RunRecord) -> str | None:
    """The name under which a view gets the graph of a record; None where its folder has none."""
    has_graph = os.path.exists(os.path.join(record.folder, "graph.pb"))
    return f"{_RECORD}{record.id}" if has_graph else None


class KnownRuns:
    """Finds runs by id and tells of them as the protocol does."""

    def __init__(self, graphs: ShownGraphs) -> None:
        self._graphs = graphs
        graphs.find_elsewhere = self.record_graph
        self._lock = threading.Lock()
        #: Records by folder, each with the time at which its file was written.
        self._records: dict[str, tuple[int, RunRecord]] = {}
        self._scanned = 0.0
        self._project = ""

    def find(self, key: str) -> Any:
        """The run, or the record of one, of that id; a `Refusal` where there is none."""
        run = registry.find(key)
        if run is not None:
            return run
        records = self.records()
        for record in records:
            if record.id == key:
                return record
        known = [run.id for run in (*registry.runs(), *records)]
        raise Refusal(BAD_PARAMETERS, f"there is no run {key!r}{nearest(key, known)}")

    def record_graph(self, name: str) -> Graph | None:
        """The graph of a record, by the name that its status gives; None for any other name."""
        if not name.startswith(_RECORD):
            return None
        run = self.find(name.removeprefix(_RECORD))
        try:
            return run.graph  # type: ignore[no-any-return]
        except OpError as error:
            raise Refusal(BAD_PARAMETERS, f"the graph of {run.name!r}: {error}") from None

    def find_here(self, key: str) -> Any:
        """As `find`, for what only a run of this kernel can do."""
        run = self.find(key)
        if isinstance(run, RunRecord):
            raise Refusal(
                RUN_ENDED,
                f"the run {run.name!r} is not in this kernel: wb.resume({run.folder!r}) goes on "
                "with it",
            )
        return run

    def records(self) -> list[RunRecord]:
        """The runs of which there are only folders, as of at most a second ago."""
        with self._lock:
            project = os.path.abspath(PROJECT)
            now = time.monotonic()
            if project != self._project or now - self._scanned > _SCAN_INTERVAL:
                self._records = self._scan(project)
                self._project, self._scanned = project, now
            here = {run.id for run in registry.runs()}
            return [record for _, record in self._records.values() if record.id not in here]

    def _scan(self, project: str) -> dict[str, tuple[int, RunRecord]]:
        found: dict[str, tuple[int, RunRecord]] = {}
        for folder in project_runs(project):
            try:
                written = os.stat(folder.file("run.json")).st_mtime_ns
            except OSError:
                continue
            known = self._records.get(folder.path)
            if known is None:
                known = (written, RunRecord(RunFolder(folder.path)))
            elif known[0] != written:
                known = (written, known[1].renewed())
            found[folder.path] = known
        return found

    def message(self, run: Any, status: RunStatus | None = None) -> dict[str, Any]:
        """The protocol's RunStatus."""
        status = status or run.status()
        if isinstance(run, RunRecord):
            return status_message(status, False, record_graph_name(run))
        return status_message(status, True, self._graphs.name_of(run.graph))

    def messages(self) -> list[dict[str, Any]]:
        """Of all runs, the newest first."""
        runs = sorted([*registry.runs(), *self.records()], key=lambda run: -run.created)
        return [self.message(run) for run in runs]

    def delete(self, key: str) -> None:
        """Removes a run that has ended, with its folder; a `Refusal` for one that goes on."""
        try:
            run_lookup.delete(self.find(key))
        except (ValueError, RuntimeError) as error:
            raise Refusal(BAD_PARAMETERS, str(error)) from None
        self._scanned = 0.0
