"""Keeps one cluster of Dask's: as many workers as were last wished for, as long as it can be."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
import time
from typing import Any

from distributed import Client
from distributed.core import Status

from workbench import __version__
from workbench.pool.addresses import checked
from workbench.pool.clusters import Request, make_cluster
from workbench.pool.errors import PoolError
from workbench.pool.keys import wire_keys
from workbench.pool.pace import Pace
from workbench.pool.processes import identity
from workbench.pool.records import Record, is_last
from workbench.pool.scheduler_plugin import WISHES, MembershipPlugin
from workbench.pool.worker_plugin import RuntimePlugin

#: How often it is looked whether all workers are there, in seconds.
_LOOK_SECONDS = 2.0
_ANSWER_SECONDS = 10.0
_END_SECONDS = 30.0
_OVER = (Status.closed, Status.failed)
#: A worker that is not being started now and was not, has failed to.
_NOT_THERE = (*_OVER, Status.created)

_log = logging.getLogger("workbench.pool.keeper")


class SchedulerGone(PoolError):
    """The scheduler has ended, or has not been reached for long."""


class Keeper:
    """Keeps the workers of a pool.

    Whatever watches over a worker on its machine starts it again when it ends. Where that has ended
    too, or never began, the keeper starts both.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        #: How many workers were last wished for.
        self.wanted = request.workers
        self._cluster: Any = None
        self._client: Any = None
        self._pace = Pace()
        self._correcting: asyncio.Task[None] | None = None
        self._is_wished = False
        self._wish = 0

    async def start(self, stack: contextlib.AsyncExitStack) -> Record:
        """Starts all that is wanted; what is on the stack ends it. The record of the pool."""
        request = self._request
        self._cluster = make_cluster(request)
        stack.push_async_callback(self._end)
        await self._cluster
        address = checked(self._cluster.scheduler_address, bool(request.keys))
        client = Client(
            address, security=request.security(), asynchronous=True, set_as_default=False
        )
        self._client = await stack.enter_async_context(client)
        # Before the first worker comes, so that it is numbered and has its runtime.
        wire = wire_keys() if request.locked else None
        members = MembershipPlugin(
            request.name, request.devices, True, wire, request.directory or None
        )
        await client.register_plugin(members)
        await client.register_plugin(RuntimePlugin())
        client.subscribe_topic(WISHES, self._wished)
        self._correct()
        pid = os.getpid()
        return Record(
            request.name,
            request.kind,
            address,
            pid,
            identity(pid),
            time.time(),
            request.keys,
            __version__,
        )

    async def keep(self, ended: asyncio.Event) -> None:
        """Looks after the workers until `ended`. SchedulerGone where that cannot go on."""
        while not ended.is_set():
            await self._look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _LOOK_SECONDS)

    async def _wished(self, event: tuple[float, Any]) -> None:
        self.wanted, self._wish = event[1]["workers"], event[1]["wish"]
        self._pace.went_well()
        self._correct()

    async def _look(self) -> None:
        scheduler = getattr(self._cluster, "scheduler", None)
        if self._client.status == "closed" or getattr(scheduler, "status", None) in _OVER:
            raise SchedulerGone(f"The scheduler at {self._cluster.scheduler_address} is gone")
        try:
            asked = self._client.scheduler.workbench_status()
            status = await asyncio.wait_for(asked, _ANSWER_SECONDS)
        except (OSError, TimeoutError):
            # Cut off, or slow; the client tries to connect again for a while.
            return
        due = self._pace.seconds(time.monotonic()) == 0
        if len(status["workers"]) != self.wanted and due:
            self._correct()

    # -- change ------------------------------------------------------------------------------

    def _correct(self) -> None:
        """Has the cluster start or end what is missing or too much, after what it does now."""
        self._is_wished = True
        if self._correcting is None or self._correcting.done():
            self._correcting = asyncio.create_task(self._corrected())

    async def _corrected(self) -> None:
        while self._is_wished:
            self._is_wished = False
            problem = ""
            try:
                await self._scaled()
                self._pace.went_well()
            except Exception as error:
                _log.warning("Workers cannot be started", exc_info=True)
                self._pace.failed(time.monotonic())
                problem = str(error) or type(error).__name__
            if not self._is_wished:
                await self._tell(problem)

    async def _scaled(self) -> None:
        workers = getattr(self._cluster, "workers", {})
        for name, worker in list(workers.items()):
            # What failed to start, or has ended, counts as there until it is taken away.
            if getattr(worker, "status", None) in _NOT_THERE:
                del workers[name]
                with contextlib.suppress(Exception):
                    await worker.close()
        pending = self._cluster.scale(self.wanted)
        if inspect.isawaitable(pending):
            await pending
        await self._cluster

    async def _tell(self, problem: str) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            told = self._client.scheduler.workbench_told(
                wish=self._wish, wanted=self.wanted, problem=problem
            )
            await asyncio.wait_for(told, _ANSWER_SECONDS)

    async def _end(self) -> None:
        """Ends the cluster, in time."""
        if self._correcting is not None:
            self._correcting.cancel()
            await asyncio.gather(self._correcting, return_exceptions=True)
        scheduler = getattr(self._cluster, "scheduler", None)
        if getattr(scheduler, "status", None) in _OVER:
            # Nobody answers there.
            self._cluster.shutdown_scheduler = False
        if is_last(self._request.name) and hasattr(self._cluster, "remove_files"):
            self._cluster.remove_files()
        try:
            await asyncio.wait_for(self._cluster.close(), _END_SECONDS)
        except Exception:
            _log.warning("The cluster could not be ended in order", exc_info=True)
