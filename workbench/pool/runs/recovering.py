"""Runs that an earlier process of a worker has left in its folder."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.errors import OpError
from workbench.live.folder import RunFolder, project_runs
from workbench.live.machine import FINISHED, INTERRUPTED, STOPPED
from workbench.live.resume import taken_up
from workbench.live.run import Run
from workbench.live.run_record import RunRecord
from workbench.pool.runs.replicas.team import Team

#: The states in which a run waited for somebody.
_WAITING = ("paused", "stepping", "created")


def records(project: str) -> Iterator[RunRecord]:
    """The records of a worker's runs that can be read: of each run the one that goes furthest.

    A worker that has led a run twice has two of it, where another one did in between.
    """
    found: dict[str, RunRecord] = {}
    for place in project_runs(project):
        record = RunRecord(RunFolder(place.path))
        known = found.get(record.id)
        if record.damage is None and (known is None or _reach(record) > _reach(known)):
            found[record.id] = record
    yield from found.values()


def _reach(record: RunRecord) -> tuple[bool, int]:
    """Without a checkpoint a run would begin anew."""
    has_some = bool(RunFolder(record.folder).checkpoint_paths())
    return has_some, int(record.document.get("epoch", 0))


def recovered(project: str, team: Team) -> Iterator[Run]:
    """The runs that were in their midst; they have not begun.

    One that lacks its graph or data stays as it is, and says so when it is asked for; so does one
    of which it is not certain who has it. Of one that another worker has nothing stays here.
    """
    for record in records(project):
        if record.state != INTERRUPTED:
            continue
        try:
            run = back(record, team)
        except (OpError, OSError, ValueError, RuntimeError):
            continue
        if run is not None:
            yield run
        else:
            RunFolder(record.folder).delete()


def back(record: RunRecord, team: Team) -> Run | None:
    """The run of a record: it goes on, or has ended as it had. None where another worker has it,
    and keeps it.

    Raises:
      OpError, OSError, ValueError, RuntimeError: it cannot be had.
    """
    document = record.document
    state = record.state
    is_paused = state != INTERRUPTED or document.get("state") in _WAITING
    # One that has failed waits: what it failed with is on its record.
    ended = state if state in (FINISHED, STOPPED) else None
    if document.get("replicas") is not None:
        return team.taken_up(record.folder, document, is_paused, ended)
    return taken_up(record.folder, paused=is_paused, ended=ended)
