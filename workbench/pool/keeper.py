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
from pathlib import Path
from typing import Any

from workbench.core.files import atomic_write
from workbench.pool.addresses import checked
from workbench.pool.clusters import Request, make_cluster
from workbench.pool.errors import PoolError
from workbench.pool.keys import wire_keys
from workbench.pool.processes import identity
from workbench.pool.records import FAILURE, Record

REQUEST = "request.json"


#: How often it is looked whether all workers are there, in seconds.
_LOOK_SECONDS = 2.0
_ANSWER_SECONDS = 10.0


class Keeper:
    """Keeps the workers of a pool: as many as were last wished for.

    Nannies start workers again that end. One that ends while it starts takes its nanny along; so
    the keeper looks too.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._wanted = request.workers
        self._cluster: Any = None
        self._client: Any = None

    async def start(self, stack: contextlib.AsyncExitStack) -> Record:
        """Starts all that is wanted; what is on the stack ends it. The record of the pool."""
        from distributed import Client

        from workbench.pool.scheduler_plugin import WISHES, MembershipPlugin
        from workbench.pool.worker_plugin import RuntimePlugin

        request = self._request
        self._cluster = await stack.enter_async_context(make_cluster(request))
        address = checked(self._cluster.scheduler_address, bool(request.keys))
        client = Client(address, security=request.security(), asynchronous=True)
        self._client = await stack.enter_async_context(client)
        # Before the first worker comes, so that it is numbered and has its runtime.
        wire = wire_keys() if request.locked else None
        await client.register_plugin(MembershipPlugin(request.name, request.devices, True, wire))
        await client.register_plugin(RuntimePlugin())
        client.subscribe_topic(WISHES, self._wished)
        await self._scale()
        pid, now = os.getpid(), time.time()
        return Record(request.name, request.kind, address, pid, identity(pid), now, request.keys)

    async def _wished(self, event: tuple[float, Any]) -> None:
        self._wanted = event[1]["workers"]
        await self._scale()

    async def _scale(self) -> None:
        pending = self._cluster.scale(self._wanted)
        if hasattr(pending, "__await__"):
            await pending

    async def look(self) -> None:
        """Has workers started that are missing. PoolError where the scheduler is gone for good."""
        if self._client.status == "closed":
            raise PoolError(f"The scheduler at {self._cluster.scheduler_address} is gone")
        try:
            asked = self._client.scheduler.workbench_status()
            status = await asyncio.wait_for(asked, _ANSWER_SECONDS)
        except (OSError, TimeoutError):
            # Cut off, or slow; the client tries to connect again for a while.
            return
        if len(status["workers"]) != self._wanted:
            await self._scale()


async def keep(request: Request) -> None:
    """Keeps a pool until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        keeper = Keeper(request)
        (await keeper.start(stack)).write()
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _LOOK_SECONDS)
                return
            await keeper.look()


def main(folder: Path) -> int:
    """Keeps the pool of a folder; the exit status."""
    request = Request(**json.loads((folder / REQUEST).read_bytes()))
    (folder / REQUEST).unlink()
    try:
        asyncio.run(keep(request))
    except Exception as error:
        traceback.print_exc()
        atomic_write(folder / FAILURE, f"{type(error).__name__}: {error}".encode())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
