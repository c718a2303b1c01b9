"""The process that keeps a pool: it outlives whoever started it, and ends with the pool.

`python -m workbench.pool.keeper FOLDER` reads what is wanted from the folder's request, starts it,
writes the record, and then does what it is told until it is ended by a signal. Where the scheduler
ends it starts all over, with the workers' folders and so with their runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from workbench.pool import nursery, records
from workbench.pool.pace import CALM_SECONDS, Pace

if TYPE_CHECKING:
    from workbench.pool.clusters import Request

REQUEST = "request.json"

_log = logging.getLogger("workbench.pool.keeper")
_Value = TypeVar("_Value")


async def keep(request: Request, folder: Path) -> None:
    """Keeps a pool until SIGTERM or SIGINT."""
    from workbench.pool.keeping import Keeper, SchedulerGone

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    pace = Pace()
    last: records.Record | None = None
    while not ended.is_set():
        keeper, begun = Keeper(request), time.monotonic()
        try:
            async with contextlib.AsyncExitStack() as stack:
                started = await _unless(ended, keeper.start(stack))
                if started is None:
                    return
                _write(started, must=last is None)
                last, begun = started, time.monotonic()
                await keeper.keep(ended)
        except Exception as error:
            if last is None:
                raise
            reason = str(error) or type(error).__name__
            if not isinstance(error, SchedulerGone):
                reason = f"The pool cannot be started again: {reason}"
            _log.warning("%s", reason, exc_info=True)
            _write(dataclasses.replace(last, address="", problem=reason))
            if time.monotonic() - begun >= CALM_SECONDS:
                pace.went_well()
            pace.failed(time.monotonic())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), pace.seconds(time.monotonic()))
        if keeper.wanted != request.workers:
            request = dataclasses.replace(request, workers=keeper.wanted)
            with contextlib.suppress(OSError):
                records.write_private(folder / REQUEST, request.description())


def _write(record: records.Record, must: bool = False) -> None:
    try:
        record.write()
    except OSError:
        # Of a pool that serves already: it goes on, whatever the disk does.
        if must:
            raise
        _log.warning("The record of the pool cannot be written", exc_info=True)


async def _unless(ended: asyncio.Event, coroutine: Coroutine[None, None, _Value]) -> _Value | None:
    """What a coroutine returns; None, and the coroutine cancelled, where `ended` comes first."""
    task, stop = asyncio.create_task(coroutine), asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return await task
        return None
    finally:
        task.cancel()
        stop.cancel()
        await asyncio.gather(task, stop, return_exceptions=True)


def main(folder: Path) -> int:
    """Keeps the pool of a folder; the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    records.hand_over(folder.name, os.getpid())
    asked = json.loads((folder / REQUEST).read_bytes())
    nursery.open_for(asked["kind"])
    from workbench.pool.clusters import Request

    try:
        asyncio.run(keep(Request(**asked), folder))
    except Exception as error:
        traceback.print_exc()
        with contextlib.suppress(OSError):
            (folder / records.FAILURE).write_text(f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
