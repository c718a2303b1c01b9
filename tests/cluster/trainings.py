"""Trainings in processes of their own, whose processes can be killed, stopped and started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.cluster.servers import ROOT, addresses


class Training:
    """The processes of `tests.cluster.replica`.

    Args:
      folder: where checkpoints, and what the processes print, go.
      steps, mode: what the program is told.
      jobs: how many tasks each job has.
    """

    def __init__(self, folder: Path, steps: int, mode: str, **jobs: int) -> None:
        self.spec = addresses(**jobs)
        self._folder, self._steps, self._mode = folder, steps, mode
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._starts = 0

    def start(self, job: str, index: int) -> None:
        """Starts a task."""
        self._starts += 1
        arguments = [json.dumps(self.spec), job, str(index), str(self._folder / "checkpoints")]
        command = [sys.executable, "-W", "ignore", "-m", "tests.cluster.replica", *arguments]
        with open(self.output(job, index), "ab") as output:
            self.processes[f"{job}:{index}"] = subprocess.Popen(
                [*command, str(self._steps), self._mode],
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def output(self, job: str, index: int) -> Path:
        """The file with what a task prints."""
        return self._folder / f"{job}_{index}.txt"

    def kill(self, job: str, index: int) -> None:
        """Kills a task, as a failing machine would."""
        process = self.processes[f"{job}:{index}"]
        process.kill()
        process.wait(10)

    def found(self, job: str, index: int) -> dict[str, Any]:
        """What a worker printed last; {} where that is nothing yet."""
        path = self.output(job, index)
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        for line in reversed(lines):
            if line.startswith("{") and line.endswith("}"):
                return dict(json.loads(line))
        return {}

    def await_steps(self, steps: int, seconds: float = 60.0) -> None:
        """Waits until the first worker has seen so many global steps."""
        deadline = time.monotonic() + seconds
        while self.found("worker", 0).get("steps", 0) < steps:
            self._check(deadline, f"step {steps}")
            time.sleep(0.02)

    def await_end(self, seconds: float = 90.0) -> list[dict[str, Any]]:
        """Waits until all workers have ended well; what they found."""
        deadline = time.monotonic() + seconds
        workers = [f"worker:{i}" for i in range(len(self.spec["worker"]))]
        while any(self.processes[w].poll() is None for w in workers):
            self._check(deadline, "the end")
            time.sleep(0.05)
        codes = {w: self.processes[w].returncode for w in workers}
        assert not any(codes.values()), f"{codes}\n{self._outputs()}"
        return [self.found("worker", i) for i in range(len(workers))]

    def _check(self, deadline: float, what: str) -> None:
        assert time.monotonic() < deadline, f"{what} was not reached\n{self._outputs()}"

    def _outputs(self) -> str:
        texts = [f"{p.name}:\n{p.read_text('utf-8')[-1500:]}" for p in self._folder.glob("*.txt")]
        return "\n".join(texts)

    def __enter__(self) -> Training:
        try:
            for job, tasks in self.spec.items():
                for index in range(len(tasks)):
                    self.start(job, index)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait(10)
