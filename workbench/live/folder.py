"""The folder of a run.

```
runs/NAME/run.json                     what the run is, where it stands, and what happened to it
runs/NAME/graph.pb                     its graph
runs/NAME/history                      the tracked values of every step
runs/NAME/events.out.tfevents.*        the same for TensorBoard
runs/NAME/checkpoints/step-N.safetensors
runs/NAME/.lock                        held by the process whose loop runs
runs/.data/HASH.safetensors            the arrays behind wb.batches, each set once for all runs
```

Every file is written whole or not at all, or only grows; a process killed at any moment leaves a
folder that lists, opens and resumes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from typing import Any

from workbench.core.errors import DataLossError, NotFoundError, OpError
from workbench.core.files import atomic_write, local_path, read_bytes, translated_errors
from workbench.live.frame_files import Place, read_document, read_place
from workbench.live.lock import FileLock

VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}")
_CHECKPOINT = re.compile(r"step-(\d+)\.safetensors")


def check_run_name(name: Any) -> str:
    """`name`, where it can be the name of a folder; ValueError otherwise."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ValueError(
            "A run's name is made of letters, digits, spaces and any of . _ -, begins with a "
            f"letter or digit and has at most 100 characters, but got {name!r}"
        )
    return name


class RunFolder:
    """The files of one run. Reading never changes anything."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = local_path(path)
        self.name = os.path.basename(os.path.abspath(self.path))
        self._lock: FileLock | None = None

    @staticmethod
    def create(project: str | os.PathLike[str], name: str) -> RunFolder:
        """A new folder in a project folder, called `name` or with a number behind it; locked."""
        parent = local_path(project)
        with translated_errors(parent):
            os.makedirs(parent, exist_ok=True)
        number = 1
        while True:
            path = os.path.join(parent, name if number == 1 else f"{name}-{number}")
            try:
                with translated_errors(path):
                    os.mkdir(path)
            except OpError:
                if not os.path.isdir(path):
                    raise
                number += 1
                continue
            folder = RunFolder(path)
            folder.lock()
            return folder

    @property
    def project(self) -> str:
        """The folder that holds the runs of a project."""
        return os.path.dirname(os.path.abspath(self.path))

    def file(self, name: str) -> str:
        """The path of one of its files."""
        return os.path.join(self.path, name)

    @property
    def checkpoints(self) -> str:
        """The folder of its checkpoints."""
        return self.file("checkpoints")

    # -- who runs it -------------------------------------------------------------------------

    def lock(self) -> None:
        """Makes this process the one that runs it; RuntimeError where another one does."""
        if self._lock is None:
            self._lock = FileLock(self.file(".lock"))

    def unlock(self) -> None:
        """Lets others run it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    @property
    def is_running(self) -> bool:
        """True while a process, this one or another, runs it."""
        return self._lock is not None or FileLock.is_held(self.file(".lock"))

    # -- run.json ----------------------------------------------------------------------------

    def write(self, document: dict[str, Any]) -> None:
        """Replaces run.json."""
        content = json.dumps({"version": VERSION, **document}, indent=1, ensure_ascii=False)
        atomic_write(self.file("run.json"), content.encode())

    def read(self) -> dict[str, Any]:
        """What run.json says; where it is damaged, what it said at the last checkpoint.

        Raises:
          NotFoundError: there is none.
          DataLossError: all of it is damaged, or of a newer version.
        """
        try:
            return self._read()
        except DataLossError:
            older = [p for p in map(_sound_place, self.checkpoint_paths()) if p is not None]
            for place in sorted(older, key=lambda p: (p.epoch, p.step), reverse=True):
                with suppress(OpError, KeyError, ValueError):
                    return read_document(place.path)
            raise

    def _read(self) -> dict[str, Any]:
        path = self.file("run.json")
        try:
            document = json.loads(read_bytes(path))
            version = int(document["version"])
        except (ValueError, KeyError, TypeError, UnicodeDecodeError):
            raise DataLossError(
                None, None, f"{path}: the record of the run is truncated or damaged"
            ) from None
        if version > VERSION:
            raise DataLossError(
                None, None, f"{path}: a run of version {version}; this reads {VERSION}"
            )
        found: dict[str, Any] = document
        return found

    # -- checkpoints -------------------------------------------------------------------------

    def places(self, cuts: list[list[int]]) -> list[Place]:
        """Its sound checkpoints by step, without those that a rewind made void.

        `cuts` are the rewinds: the epoch that each began, and the step it went back to.
        """
        found = [p for p in map(_sound_place, self.checkpoint_paths()) if p is not None]
        return sorted(p for p in found if not any(e > p.epoch and p.step > s for e, s in cuts))

    def checkpoint_paths(self) -> list[str]:
        """The files of its checkpoints, in no order."""
        try:
            names = os.listdir(self.checkpoints)
        except OSError:
            return []
        return [os.path.join(self.checkpoints, n) for n in names if _CHECKPOINT.fullmatch(n)]

    def delete(self) -> None:
        """Removes the folder with all that is in it.

        Raises:
          OpError: as the operating system's error demands.
        """
        # run.json goes first, so that what is left of a torn removal is no run.
        with translated_errors(self.path):
            with suppress(FileNotFoundError):
                os.unlink(self.file("run.json"))
            shutil.rmtree(self.path)


def _sound_place(path: str) -> Place | None:
    try:
        return read_place(path)
    except OpError:
        return None


def project_runs(project: str | os.PathLike[str]) -> list[RunFolder]:
    """The folders of a project that hold runs, by name."""
    parent = local_path(project)
    try:
        names = sorted(os.listdir(parent))
    except OSError:
        return []
    folders = [RunFolder(os.path.join(parent, n)) for n in names if not n.startswith(".")]
    return [f for f in folders if os.path.exists(f.file("run.json"))]


def existing_folder(path: str | os.PathLike[str]) -> RunFolder:
    """The folder of a run that exists; NotFoundError otherwise."""
    folder = RunFolder(path)
    if not os.path.exists(folder.file("run.json")):
        near = [f.name for f in project_runs(folder.project)]
        listed = f"; the folder beside it holds {', '.join(near)}" if near else ""
        raise NotFoundError(
            None, None, f"There is no run in {folder.path!r}: run.json is missing{listed}"
        )
    return folder
