"""What a worker does before it is asked for a run, so that the first one begins at once."""

from __future__ import annotations

import importlib
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.pool.runtime import Runtime

#: What a run of a worker needs to its first step, beside the operations.
_MODULES = (
    "workbench.pool.runs.service",
    "workbench.core.protos",
    "workbench.train.meta_graph_import",
    "workbench.cluster.replication.replica",
    "workbench.core.runtime.tiered",
)
#: Importing takes some tenths of a second; who waits for it waits so long at most.
_MOST_SECONDS = 60.0
#: Who ends the worker waits no longer for runs that are just taken up, in seconds.
_CLOSE_SECONDS = 10.0


class Preparation:
    """Imports what runs need, and goes on with those that an earlier process of the worker had.

    It is done in one thread, once. `close` waits for the thread.

    Args:
      runtime: the worker's.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._imported = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begins, where it has not."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._main, name="workbench-prepare", daemon=True
                )
                self._thread.start()

    def wait(self) -> None:
        """Waits until all is imported: two threads that import the same are in each other's way."""
        self.begin()
        self._imported.wait(_MOST_SECONDS)

    def _main(self) -> None:
        # Who imports it next meets the same error, and says so.
        with suppress(Exception):
            import_parts()
        self._imported.set()
        if (self._runtime.folder / "runs").is_dir():
            # An earlier process of this number may have left runs: they go on, whoever asks or not.
            from workbench.pool.runs.service import host_of

            host_of(self._runtime)

    def close(self) -> None:
        """Waits for the thread to end."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(_CLOSE_SECONDS)


def import_parts() -> None:
    """Imports what a run of this process needs to its first step."""
    from workbench.core.ops.registry import load_all

    for name in _MODULES:
        importlib.import_module(name)
    load_all()
