"""Servers for tests: a cluster of tasks in this process."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import workbench as tf


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
