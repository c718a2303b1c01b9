"""A cluster on machines that are reached by SSH, with its keys in files of their user there.

Dask gives the machines its configuration on command lines, which others may read; so the keys go
into files first, and the configuration has their names.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import AsyncIterator, Mapping
from typing import Any

from workbench.pool.keys import FILES, Keys

_LOOPBACK = "127.0.0.1:0"


@contextlib.asynccontextmanager
async def ssh_cluster(
    name: str, keys: Keys, threads: int, options: Mapping[str, Any]
) -> AsyncIterator[Any]:
    """A cluster of Dask's `SSHCluster`; its end takes the files away again."""
    import dask
    from distributed import SSHCluster

    given = dict(options)
    hosts = list(given["hosts"])
    connect = given.get("connect_options", {})
    each = connect if isinstance(connect, list) else [connect] * len(hosts)
    places = dict(zip(hosts, each, strict=True))
    folder = f".workbench-keys/{name}"
    quiet = {"dashboard": False, "dashboard_address": _LOOPBACK}
    given["scheduler_options"] = {"protocol": "tls", **quiet, **given.get("scheduler_options", {})}
    given["worker_options"] = {"nthreads": threads, **quiet, **given.get("worker_options", {})}
    try:
        for host, how in places.items():
            await _save(host, how, folder, keys)
        with dask.config.set(_configuration(folder)):
            async with SSHCluster(**given, security=keys.security(), asynchronous=True) as cluster:
                yield cluster
    finally:
        for host, how in places.items():
            # A machine that is gone has taken them along.
            with contextlib.suppress(Exception):
                await _run(host, how, f"rm -rf {shlex.quote(folder)}")


def _configuration(folder: str) -> dict[str, Any]:
    """Mutual TLS with the keys in a folder, below where the processes start."""
    tls = "distributed.comm.tls"
    roles = {
        f"{tls}.{role}.{part}": f"{folder}/{FILES[file]}"
        for role in ("scheduler", "worker", "client")
        for part, file in (("cert", "certificate"), ("key", "key"))
    }
    return {
        "distributed.comm.default-scheme": "tls",
        "distributed.comm.require-encryption": True,
        f"{tls}.ca-file": f"{folder}/{FILES['authority']}",
        **roles,
    }


async def _save(host: str, how: Mapping[str, Any], folder: str, keys: Keys) -> None:
    place = shlex.quote(folder)
    await _run(host, how, f"umask 077 && mkdir -p {place} && chmod 700 .workbench-keys {place}")
    for part, file in FILES.items():
        command = f"umask 077 && cat > {shlex.quote(f'{folder}/{file}')}"
        await _run(host, how, command, getattr(keys, part))


async def _run(host: str, how: Mapping[str, Any], command: str, given: str = "") -> None:
    import asyncssh

    async with asyncssh.connect(host, **how) as connection:
        await connection.run(command, input=given, check=True, timeout=30)
