"""Servers for tests: a cluster of tasks in this process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import workbench as tf
from tests.ports import free_port


def addresses(**jobs: int) -> dict[str, list[str]]:
    """A cluster of so many tasks for each job, at ports that are free."""
    return {
        job: [f"127.0.0.1:{free_port()}" for _ in range(count)]
        for job, count in jobs.items()
        if count
    }


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


def closed_while_it_waits(
    session: tf.Session, fetch: Any, waits: Callable[[], Any]
) -> type[Exception] | None:
    """What a run fails with whose session is closed when `waits` says that the run waits."""
    caught: list[type[Exception]] = []

    def run() -> None:
        try:
            session.run(fetch)
        except tf.errors.OpError as error:
            caught.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while not waits() and time.monotonic() < deadline:
        time.sleep(0.001)
    waited = waits()
    session.close()
    thread.join(20)
    assert waited and not thread.is_alive()
    return caught[0] if caught else None
