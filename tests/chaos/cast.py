"""The processes of a training that is disturbed, and who starts them again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.chaos.disturbances import Disturbance
from tests.cluster.network import Network
from tests.cluster.processes import ROOT


@dataclass(frozen=True)
class Role:
    """A process of the training: what it runs, and on which host; "" for this one."""

    command: Sequence[str]
    host: str = ""


class Cast:
    """Keeps a process for each role: one that ends by itself with an error is started again.

    Args:
      roles: the roles by name.
      folder: where what they print goes.
      network: the network of their hosts, where they have any.
      environment: variables of their environment.
    """

    def __init__(
        self,
        roles: Mapping[str, Role],
        folder: Path,
        network: Network | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._roles, self._folder, self._network = dict(roles), folder, network
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        #: Who has ended with an error, and what it was.
        self.failures: list[tuple[str, int]] = []

    def start(self, role: str) -> None:
        """Starts the process of a role."""
        of = self._roles[role]
        command = list(of.command)
        if self._network is not None and of.host:
            command = self._network.command(of.host, command)
        with open(self.output(role), "ab") as output:
            self.processes[role] = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=ROOT, env=self._environment
            )

    def output(self, role: str) -> Path:
        """The file with what a role prints."""
        return self._folder / f"{role.replace(':', '_')}.txt"

    def tend(self) -> None:
        """Starts again who has failed."""
        for role, process in list(self.processes.items()):
            if process.poll() not in (None, 0):
                self.failures.append((role, process.returncode))
                self.start(role)

    def is_over(self, roles: Sequence[str]) -> bool:
        """Whether some roles have come to their end."""
        return all(self.processes[role].poll() == 0 for role in roles)

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float) -> float:
        """Waits for something and tends the roles meanwhile; for how long."""
        began = time.monotonic()
        while not is_so():
            self.tend()
            waited = time.monotonic() - began
            assert waited < seconds, f"{what} was not reached in {seconds} s\n{self.outputs()}"
            time.sleep(0.02)
        return time.monotonic() - began

    def outputs(self) -> str:
        """The end of what each has printed."""
        texts = [f"{p.name}:\n{p.read_text('utf-8')[-2500:]}" for p in self._folder.glob("*.txt")]
        return "\n".join(texts)

    # -- disturbances ------------------------------------------------------------------------

    def disturb(self, what: Disturbance) -> None:
        """Does one thing to a role or a host, and lets go of it."""
        time.sleep(what.pause)
        if "cut" in what.kind:
            assert self._network is not None
            with self._network.without(what.whom):
                time.sleep(what.seconds)
            return
        process = self.processes[what.whom]
        if what.kind == "kill":
            process.kill()
            process.wait(10)
            time.sleep(what.seconds)
            self.start(what.whom)
            return
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(what.seconds)
        finally:
            process.send_signal(signal.SIGCONT)

    # -- the end -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            for role in self._roles:
                self.start(role)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for process in self.processes.values():
            process.wait(10)
