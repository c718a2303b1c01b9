"""Processes that have runs, for the tests to steer and to kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.support import PATIENCE
from tests.ports import free_address
from workbench.pool.runs.dispatch import runs_of, start_run
from workbench.pool.runs.place import AddressPlace


class HostProcess:
    """A process with a `RunHost`; a pool of one worker.

    Another one may have its address after it: nobody else is given that meanwhile.
    """

    def __init__(self, folder: Path, address: str | None = None) -> None:
        self.folder = folder
        command = [sys.executable, "-W", "error", "-m", "workbench.pool.runs.standalone"]
        # One tier: which step it is that the compiled program takes over at is a matter of time.
        self.process = subprocess.Popen(
            [*command, address or free_address(), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "WORKBENCH_TIER": "interpreted"},
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address, "the process did not begin to listen"
        self.place = AddressPlace(self.address)

    def start_run(self, spec: Any, **options: Any) -> Any:
        return start_run([self.place], spec, **options)

    def runs(self) -> list[Any]:
        return runs_of([self.place])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """Ends it, whatever it is doing."""
        if self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@contextmanager
def host(folder: Path, address: str | None = None) -> Iterator[HostProcess]:
    made = HostProcess(folder, address)
    try:
        yield made
    finally:
        made.close()
