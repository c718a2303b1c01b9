"""Servers for tests: a cluster of tasks in this process, or in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import workbench as tf

PROGRAM = """
import json, sys
import workbench as tf
server = tf.train.Server(json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
print("up", flush=True)
server.join()
"""
ROOT = Path(__file__).resolve().parents[2]


def addresses(**jobs: int) -> dict[str, list[str]]:
    """A cluster of so many tasks for each job, at ports that are free."""
    sockets = []
    spec: dict[str, list[str]] = {}
    for job, count in jobs.items():
        for _ in range(count):
            taken = socket.socket()
            taken.bind(("127.0.0.1", 0))
            sockets.append(taken)
            spec.setdefault(job, []).append(f"127.0.0.1:{taken.getsockname()[1]}")
    for taken in sockets:
        taken.close()
    return spec


@contextlib.contextmanager
def near(**jobs: int) -> Iterator[dict[str, tf.train.Server]]:
    """Servers of this process by "job:number"."""
    spec = addresses(**jobs)
    with contextlib.ExitStack() as stack:
        servers = {}
        for job, tasks in spec.items():
            for index in range(len(tasks)):
                server = tf.train.Server(spec, job, index)
                stack.callback(server.stop)
                servers[f"{job}:{index}"] = server
        yield servers


class Processes:
    """Servers in processes of their own, which can be killed and started again."""

    def __init__(self, **jobs: int) -> None:
        self.spec = addresses(**jobs)
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, job: str, index: int) -> subprocess.Popen[str]:
        """Starts the server of a task and waits until it serves."""
        command = [sys.executable, "-c", PROGRAM, json.dumps(self.spec), job, str(index)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.processes[f"{job}:{index}"] = process
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    def target(self, job: str, index: int) -> str:
        """The target of a task's server."""
        return f"tcp://{self.spec[job][index]}"

    def __enter__(self) -> Processes:
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
            assert process.stdout is not None
            process.stdout.close()
