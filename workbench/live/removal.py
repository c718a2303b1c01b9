"""Removing the folder of a run, and the data that no other run needs."""

from __future__ import annotations

import os
from contextlib import suppress

from workbench.core.errors import OpError
from workbench.live.data_store import data_path
from workbench.live.folder import RunFolder, project_runs


def delete_with_data(folder: RunFolder) -> None:
    """Removes the folder of a run that nobody runs.

    Raises:
      OpError: as the operating system's error demands.
    """
    key = _data_key(folder)
    folder.delete()
    _drop_data(folder.project, key)


def _data_key(folder: RunFolder) -> str | None:
    with suppress(OpError, KeyError):
        found: str | None = folder.read()["feed"].get("data")
        return found
    return None


def _drop_data(project: str, key: str | None) -> None:
    """Removes data that no run of the project needs any more."""
    if key is None or any(_data_key(f) == key for f in project_runs(project)):
        return
    with suppress(OSError):
        os.unlink(data_path(project, key))
