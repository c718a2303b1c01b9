"""A pool of processes with runs and, in this process, the boards of what they train together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pool.runs.workers import HostProcess
from workbench.pool.runs.carrying import from_here, send_offspring
from workbench.pool.runs.dispatch import runs_of, start_run
from workbench.pool.runs.place import Place
from workbench.pool.runs.replicas.boards import Boards


class Crew:
    """What `wb.run(..., pool=...)` needs of a pool, without a scheduler."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._boards = Boards()
        self.processes: list[HostProcess] = []

    def add(self) -> HostProcess:
        """One more process."""
        number = len(self.processes)
        made = HostProcess(self._folder / str(number) / "runs")
        self.processes.append(made)
        self._boards.joined(made.address, f"worker {number}")
        return made

    def again(self, number: int, address: str | None = None) -> HostProcess:
        """Another process in the place of one that was killed: it finds the runs of that one."""
        self.processes[number].close()
        folder = self._folder / str(number) / "runs"
        made = self.processes[number] = HostProcess(folder, address)
        self._boards.joined(made.address, f"worker {number}")
        return made

    def kill(self, number: int, told: bool = True) -> str:
        """Kills a process, and gives its address; as a scheduler does, the boards are told."""
        address = self.processes[number].address
        self.processes[number].kill()
        if told:
            self.tell_left(address)
        return address

    def tell_left(self, address: str) -> None:
        """Tells the boards that a process is gone."""
        self._boards.left(address)

    @property
    def alive(self) -> list[HostProcess]:
        """The processes that run."""
        return [p for p in self.processes if p.process.poll() is None]

    def start_run(self, spec: Any, **options: Any) -> Any:
        return start_run([p.place for p in self.alive], spec, pool=self, **options)

    def places(self) -> list[Place]:
        return [p.place for p in self.alive]

    def send_fork(self, run: Any, command: Any) -> Any:
        return send_offspring(run, command, from_here)

    def runs(self) -> list[Any]:
        return runs_of([p.place for p in self.alive], self)

    def boards(self) -> str:
        return self._boards.address

    def leader_of(self, run: str) -> str | None:
        return self._boards.leader(run)

    def place_at(self, address: str) -> Place | None:
        return next((p.place for p in self.alive if p.address == address), None)

    def leader(self, run: Any) -> int:
        """The number of the process that leads a run."""
        address = self.leader_of(run.id)
        return next(n for n, p in enumerate(self.processes) if p.address == address)

    def crash(self) -> None:
        """Ends the boards as the death of their process does: nobody is told."""
        self._boards._closed.set()
        self._boards._clock.join(10)
        self._boards._endpoint.close()
        for each in self._boards._open.values():
            each.meeting.close()
        self._boards._open.clear()

    def close(self) -> None:
        for process in self.processes:
            process.close()
        self._boards.close()


@contextmanager
def crew(folder: Path, size: int) -> Iterator[Crew]:
    made = Crew(folder)
    try:
        for _ in range(size):
            made.add()
        yield made
    finally:
        made.close()
