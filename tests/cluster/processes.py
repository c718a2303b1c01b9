"""Tasks of a cluster in processes of their own, which can be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from tests.cluster.servers import addresses

ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """The processes of a cluster, each with the module `program` and its task.

    Args:
      program: the module; its arguments are the task (see `task_arguments`), then `arguments`. It
        prints "up" when it serves.
      arguments: what else it is told.
      folder: where what they print goes; None for a folder that goes with them.
      beside: processes that serve the tasks already: these here are their clients.
      jobs: how many tasks each job has.
    """

    def __init__(
        self,
        program: str = "tests.cluster.serve",
        arguments: Sequence[object] = (),
        folder: Path | None = None,
        beside: Processes | None = None,
        **jobs: int,
    ) -> None:
        self.spec = addresses(**jobs) if beside is None else beside.spec
        self._tasks = [(job, index) for job, count in jobs.items() for index in range(count)]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._command = [sys.executable, "-m", program]
        self._arguments = [str(argument) for argument in arguments]
        self._own_folder = None if folder else tempfile.TemporaryDirectory(prefix="processes_")
        self.folder = folder or Path(self._own_folder.name)  # type: ignore[union-attr]

    def target(self, job: str, index: int) -> str:
        """The target of a task's server."""
        return f"tcp://{self.spec[job][index]}"

    def output(self, job: str, index: int) -> Path:
        """The file with what a task prints."""
        return self.folder / f"{job}_{index}.txt"

    def task_arguments(self, job: str, index: int) -> list[str]:
        """How a process is told of its task: the cluster as JSON, the job, and the number in it."""
        return [json.dumps(self.spec), job, str(index)]

    def last_line(self, job: str, index: int) -> dict[str, Any]:
        """What a task printed last as JSON; {} where that is nothing yet."""
        for line in reversed(self.output(job, index).read_text("utf-8").splitlines()):
            if line.startswith("{") and line.endswith("}"):
                return dict(json.loads(line))
        return {}

    # -- life --------------------------------------------------------------------------------

    def start(self, job: str, index: int) -> None:
        """Starts a task, and waits until it serves."""
        self._await_service(job, index, self._launch(job, index))

    def kill(self, job: str, index: int) -> None:
        """Kills a task, as a failing machine would."""
        process = self.processes[f"{job}:{index}"]
        process.kill()
        process.wait(10)

    def pause(self, job: str, index: int, seconds: float) -> None:
        """Has a task do nothing for a while, as a machine that is busy would."""
        process = self.processes[f"{job}:{index}"]
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            process.send_signal(signal.SIGCONT)

    def _launch(self, job: str, index: int) -> int:
        """Starts a task; how much it had printed in earlier lives."""
        path = self.output(job, index)
        printed = path.stat().st_size if path.exists() else 0
        task = self.task_arguments(job, index)
        with open(path, "ab") as output:
            self.processes[f"{job}:{index}"] = subprocess.Popen(
                [*self._command, *task, *self._arguments],
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        return printed

    def _await_service(self, job: str, index: int, printed: int) -> None:
        process, path = self.processes[f"{job}:{index}"], self.output(job, index)

        def is_up() -> bool:
            found = path.read_bytes()[printed:]
            assert process.poll() is None or b"up\n" in found, self.outputs()
            return b"up\n" in found

        self.wait_until(is_up, f"the service of {job}:{index}")

    def await_exit(self, job: str, seconds: float = 90.0) -> None:
        """Waits until all tasks of a job have ended well."""
        tasks = [f"{job}:{i}" for i in range(len(self.spec[job]))]
        self.wait_until(
            lambda: all(self.processes[t].poll() is not None for t in tasks),
            f"the end of all {job} tasks",
            seconds,
        )
        codes = {t: self.processes[t].returncode for t in tasks}
        assert not any(codes.values()), f"{codes}\n{self.outputs()}"

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Waits for something that the processes do. AssertionError with what they printed."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"{what} was not reached\n{self.outputs()}"
            time.sleep(0.01)

    def outputs(self) -> str:
        """The end of what each has printed."""
        texts = [f"{p.name}:\n{p.read_text('utf-8')[-1500:]}" for p in self.folder.glob("*.txt")]
        return "\n".join(texts)

    def __enter__(self) -> Self:
        try:
            launched = [(job, index, self._launch(job, index)) for job, index in self._tasks]
            for job, index, printed in launched:
                self._await_service(job, index, printed)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait(10)
        if self._own_folder is not None:
            self._own_folder.cleanup()


class Replicas(Processes):
    """The processes of a program that is told of its task by flags, as users' programs are."""

    def task_arguments(self, job: str, index: int) -> list[str]:
        """The flags --ps_hosts, --worker_hosts, --job_name and --task_index."""
        hosts = [f"--{name}_hosts={','.join(tasks)}" for name, tasks in self.spec.items()]
        return [*hosts, f"--job_name={job}", f"--task_index={index}"]

    def results(self, seconds: float = 90.0) -> list[dict[str, Any]]:
        """What the workers found, when all have ended well."""
        self.await_exit("worker", seconds)
        return [self.last_line("worker", i) for i in range(len(self.spec["worker"]))]
