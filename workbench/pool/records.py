"""What is written down about pools: a folder for each, readable by their user only.

A record is written whole or not at all, so that any process of the user may read it at any time.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.core.files import atomic_write
from workbench.pool.errors import PoolError
from workbench.pool.processes import alive

_RECORD = "record.json"
#: What was said of a failure to start.
FAILURE = "failure.txt"
LOG = "log.txt"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def home() -> Path:
    """The folder of what Workbench keeps for this user: WORKBENCH_HOME, or by the XDG rules."""
    named = os.environ.get("WORKBENCH_HOME")
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return Path(data) / "workbench"


def private_folder(path: Path) -> Path:
    """Makes a folder that only this user enters."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def pools_folder() -> Path:
    """The folder with a folder for each pool."""
    private_folder(home())
    return private_folder(home() / "pools")


@dataclass(frozen=True)
class Record:
    """A pool, as every process of its user finds it."""

    name: str
    #: How it was made: "local", "ssh", ...
    kind: str
    #: Where its scheduler listens.
    address: str
    #: The process that keeps it, and what tells that from a later one of its number.
    pid: int
    identity: str
    #: When it was started, in seconds since 1970.
    since: float
    #: The certificates and keys of the control plane, as PEM texts; empty for none.
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its log and the files of its workers are."""
        return pools_folder() / self.name

    @property
    def is_alive(self) -> bool:
        """Whether the process that keeps it runs."""
        return alive(self.pid, self.identity)

    def write(self) -> None:
        """Writes it down."""
        text = json.dumps(dataclasses.asdict(self), indent=1)
        atomic_write(self.folder / _RECORD, text.encode())
        (self.folder / _RECORD).chmod(0o600)

    def remove(self) -> None:
        """Removes the folder of the pool."""
        remove_folder(self.name)


def remove_folder(name: str) -> None:
    """Removes the folder of a pool, with all that its workers keep there."""
    shutil.rmtree(pools_folder() / name, ignore_errors=True)


def claim(name: str | None, kind: str) -> str:
    """Makes the folder of a new pool; its name. PoolError for a name that is taken or is none."""
    folder = pools_folder()
    number = 1
    while True:
        tried = name or (kind if number == 1 else f"{kind}-{number}")
        if not _NAME.fullmatch(tried):
            raise PoolError(
                f"{tried!r} is no name for a pool: letters, digits, '.', '_' and '-', 64 at most"
            )
        try:
            (folder / tried).mkdir(mode=0o700)
            return tried
        except FileExistsError:
            if name:
                raise PoolError(
                    f"There is a pool {name!r} already: wb.pool.attach({name!r}), or stop it first"
                ) from None
            number += 1


def read(name: str) -> Record | None:
    """The record of a pool; None where there is none."""
    try:
        found: dict[str, Any] = json.loads((pools_folder() / name / _RECORD).read_bytes())
        return Record(**found)
    except (OSError, ValueError, TypeError):
        return None


def find(name: str | None) -> Record:
    """The record of a pool, or of the only one. PoolError where it is unknown or not clear."""
    known = list(records())
    if name is None:
        if len(known) == 1:
            return known[0]
        if not known:
            raise PoolError("There are no pools: wb.pool.local(), or `workbench pool start`")
        raise PoolError(f"Which pool? {', '.join(r.name for r in known)}")
    for record in known:
        if record.name == name:
            return record
    listed = ", ".join(r.name for r in known) or "none"
    raise PoolError(f"There is no pool {name!r}; known: {listed}")


def records() -> Iterator[Record]:
    """The pools of this user, by name."""
    # Whoever only looks makes no folder.
    found = home() / "pools"
    for folder in sorted(found.iterdir()) if found.is_dir() else ():
        record = read(folder.name)
        if record is not None:
            yield record
