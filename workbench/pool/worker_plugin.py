"""Starts the runtime of a worker on the control plane's workers."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin
from distributed.utils import get_ip

from workbench.cluster.wire.keys import Keys, use_keys
from workbench.pool import runtime
from workbench.pool.addresses import host_of
from workbench.pool.guard import guard
from workbench.pool.statistics.worker_log import Recording, WorkerLog


class RuntimePlugin(WorkerPlugin):
    """One runtime for as long as the worker's process lives."""

    name = "workbench-runtime"
    idempotent = True

    async def setup(self, worker: Any) -> None:
        """Enters the pool, starts to serve, and says so."""
        guard()
        place = await worker.scheduler.workbench_enter(worker=worker.address, name=str(worker.name))
        # One that dies as soon as it serves is not to do so in a loop.
        await asyncio.sleep(place["wait"])
        if place["directory"] is not None:
            # It may be gone since, as for a pool that is started again.
            with suppress(OSError):
                os.chdir(place["directory"])
        if place["wire"] is not None:
            use_keys(Keys(**place["wire"]))
        host = host_of(worker.address) or get_ip()
        log = Recording(WorkerLog(runtime.worker_folder(place["pool"], place["index"])))
        started = runtime.start(
            place["pool"], place["index"], host, place["devices"], kept={"log": log}
        )
        log.log.write(
            f"worker {started.index} serves at {started.address}, process {os.getpid()}\n"
        )
        await worker.scheduler.workbench_serve(
            worker=worker.address,
            address=started.address,
            incarnation=started.incarnation,
            facts=started.facts(),
        )
        started.preparation.begin()

    async def teardown(self, worker: Any) -> None:
        """Ends the runtime."""
        runtime.stop()
