"""What is written down about pools: a folder for each, readable by their user only.

A record is written whole or not at all, so that any process of the user may read it at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.pool.errors import PoolError
from workbench.pool.processes import alive, identity

_RECORD = "record.json"
#: There where a pool ends for good, and not for a while.
_LAST = "last"
#: Who makes a pool that has no record yet.
_CLAIM = "claim.json"
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
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    #: The version of workbench that keeps it.
    version: str = ""
    #: Why it has no scheduler at present, where it has none.
    problem: str = ""

    @property
    def folder(self) -> Path:
        """Where its log and the files of its workers are."""
        return pools_folder() / self.name

    @property
    def is_alive(self) -> bool:
        """Whether the process that keeps it runs."""
        return alive(self.pid, self.identity)

    @property
    def state(self) -> str:
        """ "alive", "dead", or "restarting" where it has no scheduler at present."""
        return "dead" if not self.is_alive else "alive" if self.address else "restarting"

    def write(self) -> None:
        """Writes it down."""
        write_private(self.folder / _RECORD, dataclasses.asdict(self))

    def remove(self) -> None:
        """Removes the folder of the pool."""
        remove_folder(self.name)


def end_for_good(name: str) -> None:
    """Tells the processes of a pool that its files go when they end."""
    with contextlib.suppress(OSError):
        (pools_folder() / name / _LAST).touch(mode=0o600)


def is_last(name: str) -> bool:
    """Whether the pool ends for good; a keeper may also be ended with its machine."""
    return (pools_folder() / name / _LAST).exists()


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON that only this user ever reads, whole or not at all."""
    private_file(path, json.dumps(content, indent=1))


def private_file(path: Path, text: str) -> None:
    """Writes a file that only this user ever reads, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_folder(name: str) -> None:
    """Removes the folder of a pool, with all that its workers keep there."""
    shutil.rmtree(pools_folder() / name, ignore_errors=True)


def claim(name: str | None, kind: str) -> str:
    """Makes the folder of a new pool; its name. PoolError for a name that is taken or is none."""
    if name is not None and not _NAME.fullmatch(name):
        raise PoolError(
            f"{name!r} is no name for a pool: letters, digits, '.', '_' and '-', 64 at most"
        )
    sweep()
    number = 1
    while True:
        tried = name or (kind if number == 1 else f"{kind}-{number}")
        try:
            folder = pools_folder() / tried
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if name:
                raise PoolError(_taken(name)) from None
            number += 1
            continue
        except OSError as error:
            raise PoolError(f"No pool can be kept in {home()}: {error.strerror}") from None
        try:
            pid = os.getpid()
            write_private(folder / _CLAIM, {"pid": pid, "identity": identity(pid)})
        except OSError as error:
            remove_folder(tried)
            raise PoolError(f"No pool can be kept in {home()}: {error.strerror}") from None
        return tried


def _taken(name: str) -> str:
    record = read(name)
    if record is None or record.is_alive:
        return f"There is a pool {name!r} already: wb.pool.attach({name!r}), or stop it first"
    return (
        f"There is a dead pool {name!r}: wb.pool.restart({name!r}) goes on with its runs, "
        f"`workbench pool stop {name}` removes it"
    )


def hand_over(name: str, pid: int) -> None:
    """Another process makes the pool of a folder."""
    write_private(pools_folder() / name / _CLAIM, {"pid": pid, "identity": identity(pid)})


#: A folder without a record may be one that is just made, by one who has not said so yet.
_YOUNG_SECONDS = 60.0


def sweep() -> list[str]:
    """Removes what is left of starts that were broken off; the names of what was removed."""
    removed = []
    found = home() / "pools"
    for folder in sorted(found.iterdir()) if found.is_dir() else ():
        if not (folder / _RECORD).exists() and _is_left(folder):
            remove_folder(folder.name)
            removed.append(folder.name)
    return removed


def _is_left(folder: Path) -> bool:
    try:
        claimed = json.loads((folder / _CLAIM).read_bytes())
        return not alive(int(claimed["pid"]), str(claimed["identity"]))
    except (OSError, ValueError, TypeError, KeyError):
        pass
    with contextlib.suppress(OSError):
        return time.time() - folder.stat().st_mtime > _YOUNG_SECONDS
    return False


def read(name: str) -> Record | None:
    """The record of a pool; None where there is none.

    One that another version of workbench wrote is read as far as it is known here.
    """
    try:
        found = json.loads((pools_folder() / name / _RECORD).read_bytes())
        known = {f.name: found[f.name] for f in dataclasses.fields(Record) if f.name in found}
        record = Record(**{**known, "name": name})
    except (OSError, ValueError, TypeError):
        return None
    return record if _is_sound(record) else None


def _is_sound(record: Record) -> bool:
    texts = (record.kind, record.address, record.identity, record.version, record.problem)
    return (
        all(isinstance(text, str) for text in texts)
        and type(record.pid) is int
        and isinstance(record.since, (int, float))
        and isinstance(record.keys, dict)
    )


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
