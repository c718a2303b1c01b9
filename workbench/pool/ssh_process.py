"""A scheduler or a worker on a machine that is reached by SSH, as Dask's clusters hold it.

Its keys go through the connection to its input: they are in no file and on no command line there.
It ends with the connection, however that ends: nothing is left of a start that failed, or of a pool
whose keeper was killed.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import logging
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from workbench.pool.errors import PoolError
from workbench.pool.keys import Keys
from workbench.pool.remote import ANSWER, REMOVE

#: How often the line is shown to be held, and after which silence the other end lets go.
_BEAT_SECONDS = 10.0
_PATIENCE_SECONDS = 120.0
#: How long a machine may take to start a process, and one to end.
_START_SECONDS = 120.0
_END_SECONDS = 15.0
_LAST_LINES = 15

_log = logging.getLogger("workbench.pool.ssh")


class RemoteProcess(ProcessInterface):
    """A process on another machine.

    Args:
      scheduler: the address of the scheduler, for a worker; None for the scheduler itself.
      name: the name of a worker.
      host: the machine.
      connect: for `asyncssh.connect`: `port`, `username`, `client_keys`, `known_hosts`, ...
      python: the Python there.
      keys: the pool's.
      pool: the pool's name, which its files there are below.
      options: for Dask's `Scheduler` or `Nanny` there.
      machine: the number of the machine among those of the pool.
    """

    def __init__(
        self,
        scheduler: str | None = None,
        name: Any = None,
        *,
        host: str,
        connect: Mapping[str, Any],
        python: str | None,
        keys: Keys,
        pool: str,
        options: Mapping[str, Any],
        machine: int = 0,
    ) -> None:
        super().__init__(scheduler, name)
        self.host = host
        self.machine = machine
        self.role = "scheduler" if scheduler is None else "worker"
        self.name = name
        self._asked = {
            "role": self.role,
            "name": name,
            "pool": pool,
            "scheduler": scheduler,
            "keys": asdict(keys),
            "options": dict(options),
            "patience": _PATIENCE_SECONDS,
        }
        self._connect = dict(connect)
        self._python = python or sys.executable
        self._connection: Any = None
        self._process: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        #: Whether the files of the pool are to be removed there at its end.
        self.is_last = False
        self._heard: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)

    async def start(self) -> None:
        """Connects, starts the process and waits for its address. PoolError where there is none."""
        try:
            await asyncio.wait_for(self._start(), _START_SECONDS)
        except BaseException as error:
            await self._let_go()
            self.status = Status.failed
            if isinstance(error, PoolError) or not isinstance(error, Exception):
                raise
            reason = str(error) or type(error).__name__
            raise PoolError(f"{self.host} does not start a {self.role}: {reason}") from error
        await super().start()

    async def _start(self) -> None:
        import asyncssh

        from workbench import __version__

        self._connection = await asyncssh.connect(
            self.host, **{"keepalive_interval": _BEAT_SECONDS, **self._connect}
        )
        command = f"exec {shlex.quote(self._python)} -m workbench.pool.remote"
        self._process = process = await self._connection.create_process(command)
        self._tasks.append(asyncio.create_task(self._hear()))
        process.stdin.write(json.dumps({**self._asked, "version": __version__}) + "\n")
        told = await self._answer()
        if "address" not in told:
            # What it says about itself follows what it answers.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait_closed(), 2.0)
            reason = [told["error"]] if "error" in told else []
            reason += ["it said:", *self._heard] if self._heard else []
            text = "\n".join(reason) or "it says nothing"
            raise PoolError(f"{self.host} does not start a {self.role}: {text}")
        self.address = told["address"]
        self._tasks += [asyncio.create_task(self._beat()), asyncio.create_task(self._watch())]

    async def _answer(self) -> dict[str, Any]:
        while line := await self._process.stdout.readline():
            if line.startswith(ANSWER):
                found: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
                return found
            self._heard.append(line.rstrip())
        return {}

    async def _hear(self) -> None:
        """Keeps the end of what it logs, and has all of it in the pool's log."""
        async for line in self._process.stderr:
            self._heard.append(line.rstrip())
            _log.info("%s: %s", self.host, line.rstrip())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            with contextlib.suppress(OSError):
                self._process.stdin.write("\n")

    async def _watch(self) -> None:
        """Ends when the process does; what nobody reads must not fill the connection."""
        async for line in self._process.stdout:
            self._heard.append(line.rstrip())
        await self._process.wait_closed()
        if self.status == Status.running:
            _log.warning("The %s on %s has ended", self.role, self.host)
            self.status = Status.failed
            self._event_finished.set()

    async def close(self) -> None:
        """Lets the process end by itself, then closes the connection, which ends it anyway."""
        if self.status in (Status.closing, Status.closed):
            return
        self.status = Status.closing
        if self._process is not None:
            with contextlib.suppress(Exception):
                if self.is_last:
                    self._process.stdin.write(REMOVE)
                self._process.stdin.write_eof()
                await asyncio.wait_for(self._process.wait_closed(), _END_SECONDS)
        await self._let_go()
        await super().close()
        self._event_finished.set()

    async def _let_go(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.wait_closed(), _END_SECONDS)
