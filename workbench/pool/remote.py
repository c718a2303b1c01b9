"""A scheduler or a worker on another machine, for as long as somebody holds its line.

`python -m workbench.pool.remote` reads what is wanted, with the keys, as a line of JSON from its
input, and answers with a line that has its address. Then it serves until its input ends, or nothing
comes over it for too long: with the one who started it gone, nobody would ever end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.pool.records import pools_folder

#: What the lines begin with that answer; a shell may say something before.
ANSWER = "workbench: "
#: The line that has the files of the pool removed on this machine at its end.
REMOVE = "remove\n"
#: A line has no more bytes.
_MOST_BYTES = 1 << 20
_END_SECONDS = 10.0


def main() -> int:
    """Serves what is asked for; the exit status."""
    try:
        asked = json.loads(sys.stdin.buffer.readline(_MOST_BYTES))
        _check_version(asked["version"])
        asyncio.run(_serve(asked))
    except Exception as error:
        _answer({"error": f"{type(error).__name__}: {error}"})
        return 1
    # Threads of what could not be ended in time do not keep the process.
    sys.stdout.flush()
    os._exit(0)


def _check_version(theirs: str) -> None:
    from workbench import __version__

    if theirs != __version__:
        raise RuntimeError(
            f"This machine has workbench {__version__}, the pool was started by {theirs}: all "
            "machines of a pool must have the same version"
        )


def _answer(told: Mapping[str, Any]) -> None:
    print(ANSWER + json.dumps(told), flush=True)


async def _serve(asked: Mapping[str, Any]) -> None:
    line = await _line()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    folder = pools_folder() / asked["pool"]
    server = _made(asked, folder)
    held = asyncio.create_task(_until_let_go(line, asked["patience"]))
    ends: list[asyncio.Task[Any]] = [
        held,
        asyncio.create_task(ended.wait()),
    ]
    started = asyncio.ensure_future(_started(server))
    try:
        await asyncio.wait([started, *ends], return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            _answer({"address": (await started).address})
            ends.append(asyncio.create_task(server.finished()))
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_last = held.done() and held.result()
        for task in [started, *ends]:
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(server.close(), _END_SECONDS)
        if is_last:
            shutil.rmtree(folder, ignore_errors=True)


async def _started(server: Any) -> Any:
    return await server


def _made(asked: Mapping[str, Any], folder: Path) -> Any:
    """The server of Dask that is asked for, not started."""
    from distributed import Nanny, Scheduler

    from workbench.pool.clusters import configure
    from workbench.pool.keys import Keys

    configure(folder / "scratch")
    security = Keys(**asked["keys"]).security()
    options = {"dashboard": False, "dashboard_address": "127.0.0.1:0", **asked["options"]}
    if asked["role"] == "scheduler":
        return Scheduler(protocol="tls://", security=security, **options)
    # What is computed there has memory and threads of its own.
    kept = {"memory_limit": 0, "local_directory": str(folder / "scratch")}
    options = {"name": asked["name"], **kept, **options}
    return Nanny(asked["scheduler"], protocol="tls://", security=security, **options)


async def _line() -> asyncio.StreamReader:
    """The input of this process, to be waited for."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MOST_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    return reader


async def _until_let_go(line: asyncio.StreamReader, patience: float) -> bool:
    """Waits until the line ends, or is silent for `patience` seconds; whether files are to go."""
    is_last = False
    with contextlib.suppress(TimeoutError, OSError, ValueError):
        while said := await asyncio.wait_for(line.readline(), patience):
            is_last = is_last or said == REMOVE.encode()
    return is_last


if __name__ == "__main__":
    sys.exit(main())
