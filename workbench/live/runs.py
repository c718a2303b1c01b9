"""`wb.runs`: the runs of a project, those of this process and those of which there are folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, overload

from workbench.core.files import local_path
from workbench.live.folder import RunFolder, project_runs
from workbench.live.registry import registry
from workbench.live.removal import delete_with_data
from workbench.live.run_record import RunRecord
from workbench.live.run_table import run_table
from workbench.live.start import PROJECT


class Runs(Sequence[Any]):
    """The runs of a project folder, oldest first: by position, or by name or id.

    >>> import tempfile
    >>> from workbench.live.runs import runs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(runs(folder))
    0
    """

    def __init__(self, project: str, entries: Sequence[Any]) -> None:
        self.project = project
        self._entries = list(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries)

    @overload
    def __getitem__(self, key: int | str) -> Any: ...

    @overload
    def __getitem__(self, key: slice) -> Runs: ...

    def __getitem__(self, key: int | str | slice) -> Any:
        if isinstance(key, slice):
            return Runs(self.project, self._entries[key])
        if not isinstance(key, str):
            return self._entries[key]
        for entry in self._entries:
            if key in (entry.name, entry.id):
                return entry
        listed = ", ".join(e.name for e in self._entries) or "none"
        raise KeyError(f"There is no run {key!r} in {self.project!r}; there are {listed}")

    def __contains__(self, key: object) -> bool:
        return any(key in (e, e.name, e.id) for e in self._entries)

    def compare(self, *names: str) -> Comparison:
        """The hyperparameters and last values of all runs, or of those named, side by side."""
        return compare([self[n] for n in names] if names else self._entries)

    def delete(self, name: str) -> None:
        """Removes a run that has ended, with its folder.

        Raises:
          KeyError: there is no such run.
          RuntimeError: it goes on, here or in another process.
        """
        entry = self[name]
        if entry.is_live or getattr(entry, "is_running", False):
            raise RuntimeError(f"{entry.name!r} is {entry.state}: stop it before it is deleted")
        if isinstance(entry, RunRecord):
            delete_with_data(RunFolder(entry.folder))
        else:
            entry.delete()
        self._entries.remove(entry)

    def __repr__(self) -> str:
        if not self._entries:
            return f"<no runs in {self.project!r}>"
        return run_table(self._entries)


def runs(folder: str | os.PathLike[str] = PROJECT, name: str | None = None) -> Runs:
    """The runs of a project folder: those of this process, and those of which there are records.

    A run of this process can be told what to do; of others the history and status can be read, and
    `wb.resume` goes on with them. Runs of this process without a folder are listed too.

    Args:
      folder: the project's folder.
      name: only runs of this name; `*` and `?` stand for any characters, as in names of files.

    >>> import workbench as wb
    >>> wb.runs("no/such/folder")
    <no runs in 'no/such/folder'>
    """
    project = os.path.abspath(local_path(folder))
    found: dict[str, Any] = {}
    for each in registry.runs():
        if each.folder is None:
            found[each.id] = each
        elif os.path.dirname(os.path.abspath(each.folder)) == project:
            found[os.path.abspath(each.folder)] = each
    for place in project_runs(project):
        path = os.path.abspath(place.path)
        if path not in found:
            found[path] = RunRecord(RunFolder(os.path.join(local_path(folder), place.name)))
    chosen = [run for run in found.values() if name is None or fnmatchcase(run.name, name)]
    return Runs(local_path(folder), sorted(chosen, key=lambda run: run.created))


class Comparison(NamedTuple):
    """Runs side by side: the names of the columns, and a row for each run."""

    columns: list[str]
    rows: list[list[Any]]

    def __repr__(self) -> str:
        cells = [self.columns, *([_shown(v) for v in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join(lines)


def compare(entries: Sequence[Any]) -> Comparison:
    """The hyperparameters and last values of runs."""
    statuses = [e.status() for e in entries]
    parameters = list(dict.fromkeys(h.name for s in statuses for h in s.hyperparameters))
    tracked = list(dict.fromkeys(n for s in statuses for n in s.values))
    rows = []
    for status in statuses:
        known = {h.name: h.value for h in status.hyperparameters}
        rows.append(
            [
                status.name,
                status.state,
                status.step,
                *(known.get(p) for p in parameters),
                *(status.values.get(n) for n in tracked),
            ]
        )
    return Comparison(["run", "state", "step", *parameters, *tracked], rows)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
