"""The runs that a worker has: it keeps them, and goes on with those of an earlier process."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.errors import NotFoundError
from workbench.live.acknowledgement import PATIENCE
from workbench.live.run import Run
from workbench.live.run_record import RunRecord
from workbench.pool.runs.beginning import read_lines, write_lines
from workbench.pool.runs.data import ReceivedData
from workbench.pool.runs.recovering import back, records, recovered
from workbench.pool.runs.replicas.team import Team
from workbench.pool.runs.replicas.terms import Identity
from workbench.pool.runs.served_run import ServedRun


class WorkerRuns:
    """The runs of one worker by their ids, each as it is served to others; for any thread.

    Args:
      project: the folder of the runs.
      identity: what the worker is known by, for runs that it trains together with others.
      received: the data that it has got.
      met: called with each run that it has from now on.
    """

    def __init__(
        self,
        project: str,
        identity: Identity,
        received: ReceivedData,
        met: Callable[[Run], object] | None,
    ) -> None:
        self._project, self._met = project, met
        #: Tells this process from earlier ones that had the folder.
        self.life = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._served: dict[str, ServedRun] = {}
        #: The replicas of runs that others lead, or that are led here.
        self.team = Team(identity, project, received, self.serve)

    def recover(self) -> None:
        """Goes on with the runs that an earlier process of this folder left in their midst."""
        for run in recovered(self._project, self.team):
            self._begin_again(run)

    @property
    def served(self) -> list[ServedRun]:
        """Those that are served now."""
        with self._lock:
            return list(self._served.values())

    @property
    def ended(self) -> list[RunRecord]:
        """The records of those that ended in an earlier life, and that nobody has asked for yet."""
        with self._lock:
            known = set(self._served)
        return [r for r in records(self._project) if r.id not in known]

    @property
    def live(self) -> int:
        """How many go on, with those that others lead."""
        return len(self.team.followers) + len([s for s in self.served if s.run.is_live])

    def serve(self, run: Run, lines: Mapping[str, Any] | None) -> ServedRun:
        """From now on a run is one of the worker's; `lines` are those of the users that made it."""
        served = ServedRun(run, self.life, lines)
        run._loop.offspring.met = lambda made: self._meet(made, served.lines)
        if self._met is not None:
            self._met(run)
        with self._lock:
            self._served[run.id] = served
        return served

    def _meet(self, made: Run, lines: Mapping[str, Any]) -> None:
        """One of the runs has begun another one, in its own thread."""
        if made.folder is not None:
            write_lines(made.folder, lines)
        self.serve(made, lines)

    def _begin_again(self, run: Run) -> ServedRun:
        assert run.folder is not None
        served = self.serve(run, read_lines(run.folder))
        run._begin()
        return served

    def known(self, key: Any) -> ServedRun | None:
        """The run of an id that is served now."""
        with self._lock:
            return self._served.get(key) if isinstance(key, str) else None

    def once(self, key: Any, start: Callable[[], ServedRun]) -> ServedRun:
        """The run of an id; `start` starts it where there is none yet."""
        with self._starting:
            found = self.known(key)
            return start() if found is None else found

    def find(self, key: Any) -> ServedRun:
        """The run of an id. NotFoundError where the worker has none."""
        found = self.known(key)
        return self.once(key, lambda: self._back(key)) if found is None else found

    def _back(self, key: Any) -> ServedRun:
        """A run that ended in an earlier life: here again, it can be read, rewound and forked."""
        for record in self.ended:
            if record.id == key:
                run = back(record, self.team)
                if run is not None:
                    return self._begin_again(run)
        raise NotFoundError(None, None, f"The worker has no run {key!r:.80}")

    def let_go(self, served: ServedRun) -> None:
        """A run is served no more; its folder stays."""
        key = served.run.id
        with self._lock:
            self._served.pop(key, None)
        served.close()
        served.run.close()
        self.team.forget(key)

    def close(self) -> None:
        """Ends the runs as the end of a process does: another one can go on with them."""
        self.team.followers.close()
        with self._lock:
            served, self._served = list(self._served.values()), {}
        for each in served:
            each.close()
            if each.run.is_live:
                each.run._interrupt()
        for each in served:
            each.run._loop.settled.wait(PATIENCE)
            each.run.close()
