"""Runs by the word a user has for them."""

from __future__ import annotations

import difflib
import os
from typing import Any

from workbench.live.registry import registry
from workbench.live.run_controls import RunControls
from workbench.live.runs import runs


def all_runs() -> list[Any]:
    """The runs of this kernel and of the project folder, the oldest first."""
    return list(runs())


def names() -> list[str]:
    """The names of the runs, the newest first, each once."""
    return list(dict.fromkeys(run.name for run in reversed(all_runs())))


def find(name: str | None = None) -> Any:
    """The newest run of that name, or the run of that id; for None the newest of this kernel.

    Raises:
      ValueError: there is none.
    """
    if name is None:
        here = registry.runs()
        if not here:
            raise ValueError("there is no run in this kernel yet: wb.run(...) or %train starts one")
        return here[-1]
    for run in reversed(all_runs()):
        if name in (run.name, run.id):
            return run
    near = difflib.get_close_matches(name, names(), n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(f"there is no run {name!r}{hint}")


def find_here(name: str | None = None) -> Any:
    """As `find`, for what only a run of this kernel can do.

    Raises:
      ValueError: there is none, or there is only its record.
    """
    run = find(name)
    if not isinstance(run, RunControls):
        raise ValueError(
            f"the run {run.name!r} is not in this kernel: wb.resume({run.folder!r}) goes on with it"
        )
    return run


def hyperparameter_names(run: Any) -> list[str]:
    """The hyperparameters of a run."""
    return list(run.hyperparameters)


def delete(run: Any) -> None:
    """Removes a run that has ended, with its folder.

    Raises:
      RuntimeError: it goes on.
    """
    if isinstance(run, RunControls):
        run.delete()
    else:
        runs(os.path.dirname(os.path.abspath(run.folder))).delete(run.id)
