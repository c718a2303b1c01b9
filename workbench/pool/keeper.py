"""The process that keeps a pool: it outlives whoever started it, and ends with the pool.

`python -m workbench.pool.keeper FOLDER` reads what is wanted from the folder's request, starts it,
writes the record, and then scales as it is told until it is ended by a signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from workbench.core.files import atomic_write
from workbench.pool.clusters import Request, make_cluster
from workbench.pool.processes import identity
from workbench.pool.records import FAILURE, Record

REQUEST = "request.json"


@contextlib.asynccontextmanager
async def _kept(request: Request) -> AsyncIterator[Any]:
    """The cluster with our plugins, without workers as yet."""
    from distributed import Client

    from workbench.pool.scheduler_plugin import WISHES, MembershipPlugin
    from workbench.pool.worker_plugin import RuntimePlugin

    security = request.security()
    async with (
        make_cluster(request) as cluster,
        Client(cluster.scheduler_address, security=security, asynchronous=True) as client,
    ):
        membership = MembershipPlugin(request.name, request.devices, can_scale=True)
        await client.register_plugin(membership)
        await client.register_plugin(RuntimePlugin())

        async def wished(event: tuple[float, Any]) -> None:
            await _scaled(cluster, event[1]["workers"])

        client.subscribe_topic(WISHES, wished)
        yield cluster


async def _scaled(cluster: Any, workers: int) -> None:
    pending = cluster.scale(workers)
    if hasattr(pending, "__await__"):
        await pending


async def keep(folder: Path, request: Request) -> None:
    """Keeps a pool until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with _kept(request) as cluster:
        await _scaled(cluster, request.workers)
        Record(
            name=request.name,
            kind=request.kind,
            address=cluster.scheduler_address,
            pid=os.getpid(),
            identity=identity(os.getpid()),
            since=time.time(),
            keys=request.keys,
        ).write()
        await ended.wait()


def main(folder: Path) -> int:
    """Keeps the pool of a folder; the exit status."""
    request = Request(**json.loads((folder / REQUEST).read_bytes()))
    (folder / REQUEST).unlink()
    try:
        asyncio.run(keep(folder, request))
    except Exception as error:
        traceback.print_exc()
        atomic_write(folder / FAILURE, f"{type(error).__name__}: {error}".encode())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
