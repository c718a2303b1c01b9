"""Clusters of this process, for tests."""

from __future__ import annotations

import socket
from typing import Any

from workbench.cluster.server import Server


def create_local_cluster(
    num_workers: int,
    num_ps: int,
    protocol: str = "grpc",
    worker_config: Any = None,
    ps_config: Any = None,
) -> tuple[list[Server], list[Server]]:
    """Servers of this process, each at a port that is free: workers and parameter servers.

    `worker_config` and `ps_config` are the `ConfigProto`s that they are made with.

    >>> import workbench as tf
    >>> workers, servers = tf.test.create_local_cluster(num_workers=2, num_ps=1)
    >>> with tf.device("/job:ps/task:0"):
    ...     held = tf.Variable(3.0)
    >>> with tf.Session(workers[1].target) as session:
    ...     session.run(held.initializer)
    ...     session.run(held)
    np.float32(3.0)
    >>> for server in workers + servers:
    ...     server.stop()
    """
    addresses = _free_addresses(num_workers + num_ps)
    spec = {"worker": addresses[:num_workers], "ps": addresses[num_workers:]}
    spec = {job: tasks for job, tasks in spec.items() if tasks}
    configs = {"worker": worker_config, "ps": ps_config}
    made: list[Server] = []
    try:
        for job, tasks in spec.items():
            for index in range(len(tasks)):
                made.append(Server(spec, job, index, protocol=protocol, config=configs[job]))
    except BaseException:
        for server in made:
            server.stop()
        raise
    return made[:num_workers], made[num_workers:]


def _free_addresses(count: int) -> list[str]:
    """Addresses of this machine that nobody listens at now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    finally:
        for each in sockets:
            each.close()
