"""Wrong numbers, names, addresses and keys of pools, and wrong runs: what is said, and how soon."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Scheduler

import workbench as wb
from tests.refusals import is_refused
from workbench.pool import link
from workbench.pool.clusters import configure
from workbench.pool.errors import PoolError
from workbench.pool.keys import Keys

DEADLINE = 30.0
KEYS = Keys.make()


def _keys_in(folder: Path, mode: int = 0o600, **other: str) -> str:
    """A folder of keys, with something else in some of its files."""
    KEYS.save(folder)
    for name, text in other.items():
        (folder / f"{name}.pem").write_text(text)
    (folder / "key.pem").chmod(mode)
    return str(folder)


POOLS: dict[str, tuple[Callable[[], Any], type[BaseException], str]] = {
    "workers by text": (lambda: wb.pool.local("2"), TypeError, "workers must be a whole .*'2'"),
    "half a worker": (lambda: wb.pool.local(1.5), TypeError, "workers must be a whole number.*1.5"),
    "fewer than none": (lambda: wb.pool.local(-1), ValueError, "workers must be 0 to 10000.*-1"),
    "no threads": (lambda: wb.pool.local(1, 0), ValueError, "threads must be 1 to 10000, .*0"),
    "no devices": (lambda: wb.pool.local(1, devices=0), ValueError, "devices must be 1 to 10000"),
    "no name": (lambda: wb.pool.local(1, name="a/b"), PoolError, "'a/b' is no name for a pool"),
    "nothing to attach": (wb.pool.attach, PoolError, "no pools: wb.pool.local\\(\\)"),
    "an unknown pool": (lambda: wb.pool.attach("x"), PoolError, "no pool 'x'; known: none"),
    "an unknown pool again": (lambda: wb.pool.restart("x"), PoolError, "no pool 'x'; known: none"),
    "one host": (lambda: wb.pool.ssh(["a"]), ValueError, "a machine for the scheduler and one"),
    "a host by text": (lambda: wb.pool.ssh("ab"), TypeError, "hosts must be a list .* got 'ab'"),
    "no scheme": (lambda: wb.pool.connect("a:1"), PoolError, "'a:1' is no address of a pool"),
    "no port": (lambda: wb.pool.connect("tls://a"), PoolError, "use tls://host:port"),
    "open to others": (lambda: wb.pool.connect("tcp://10.0.0.1:1"), PoolError, "must be tls://"),
    "open by a name": (lambda: wb.pool.connect("tcp://a.host:1"), PoolError, "must be tls://"),
    "open to all": (lambda: wb.pool.connect("tcp://[::]:1"), PoolError, "must be tls://"),
    "no keys": (lambda: wb.pool.connect("tls://a:1"), PoolError, "needs keys: .*keys=FOLDER"),
    "keys that are none": (
        lambda: wb.pool.connect("tls://a:1", keys=5), TypeError, "keys must be wb.pool.Keys.*got 5"
    ),
    "no such keys": (
        lambda: wb.pool.connect("tls://a:1", keys="/nowhere"), PoolError, "No keys in /nowhere: No"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "told"), POOLS.values(), ids=POOLS)
def test_wrong_pools(
    home: Path, call: Callable[[], Any], kind: type[BaseException], told: str
) -> None:
    is_refused(call, kind, told)
    # Nothing was begun.
    assert not list((home / "pools").glob("*"))


@pytest.mark.parametrize(
    ("other", "mode", "told"),
    [
        ({"certificate": "garbage"}, 0o600, "certificate.pem is no PEM text"),
        ({"key": "\xff"}, 0o600, "key.pem is no PEM text"),
        ({"authority": ""}, 0o600, "authority.pem is no PEM text"),
        ({}, 0o644, "key.pem can be read by everybody: use chmod 600"),
    ],
)
def test_wrong_files_of_keys(tmp_path: Path, other: dict[str, str], mode: int, told: str) -> None:
    folder = _keys_in(tmp_path / "keys", mode, **other)
    is_refused(lambda: wb.pool.connect("tls://127.0.0.1:1", folder), PoolError, told)


# -- schedulers that are not as they should be -----------------------------------------------------


@contextlib.contextmanager
def _scheduler(keys: Keys | None) -> Iterator[str]:
    """The host and port of a scheduler in a thread."""
    begun, box = threading.Event(), dict[str, Any]()

    async def serve() -> None:
        box["loop"], box["ended"] = asyncio.get_running_loop(), asyncio.Event()
        options: dict[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
        protocol, security = ("tls://", keys.security()) if keys else ("tcp://", None)
        async with Scheduler(
            host="127.0.0.1", port=0, protocol=protocol, security=security, **options
        ) as made:
            box["address"] = made.address.partition("://")[2]
            begun.set()
            await box["ended"].wait()

    configure()
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert begun.wait(DEADLINE)
        yield box["address"]
    finally:
        box["loop"].call_soon_threadsafe(box["ended"].set)
        thread.join(DEADLINE)


@pytest.mark.parametrize(
    ("theirs", "scheme", "ours", "told"),
    [
        (KEYS, "tls", Keys.make(), "its keys are not those that were given"),
        (KEYS, "tls", Keys.make(days=-0.5), "out of date"),
        (KEYS, "tcp", None, "does it need keys, at tls://?"),
    ],
)
def test_schedulers_with_other_keys(
    theirs: Keys | None, scheme: str, ours: Keys | None, told: str
) -> None:
    with _scheduler(theirs) as address:
        reached = f"{scheme}://{address}"
        told = f"The scheduler at {reached} cannot be reached: .*{re.escape(told)}"
        is_refused(lambda: wb.pool.connect(reached, ours, seconds=2), PoolError, told, DEADLINE)


@pytest.mark.parametrize(
    ("error", "has_keys", "told"),
    [
        (ValueError("IOStream is not idle; cannot convert to SSL"), True, "without keys, at tcp"),
        (OSError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), True, "without keys, at tcp"),
        (OSError("FatalCommClosedError"), True, "without keys, at tcp"),
        (OSError("TLS certificate does not match. Check"), True, "its keys are not those"),
        (OSError("in <TCP (closed)>: ConnectionResetError: [Errno 104]"), False, "does it need"),
        (TimeoutError(), True, "^TimeoutError$"),
        (OSError("Timed out trying to connect"), True, "^Timed out trying to connect$"),
    ],
)
def test_what_dask_says_is_said_in_other_words(error: Exception, has_keys: bool, told: str) -> None:
    assert re.search(told, link._reason(error, has_keys))


@pytest.mark.parametrize(("scheme", "keys"), [("tcp", None), ("tls", KEYS)])
def test_the_wire_of_a_pool_is_as_closed_as_its_scheduler(scheme: str, keys: Keys | None) -> None:
    with _scheduler(keys) as address:
        pool = wb.pool.connect(f"{scheme}://{address}", keys, seconds=DEADLINE)
        try:
            assert (pool.wire_keys is not None) is (keys is not None)
            is_refused(lambda: pool.scale(10**9), ValueError, "workers must be 0 to 10000")
            # Whoever speaks to the scheduler itself is told so too.
            told = "workers must be 0 to 10000, but got -1"
            is_refused(lambda: pool._linked().ask("scale", workers=-1), ValueError, told)
        finally:
            pool.close()


@pytest.mark.parametrize(("scheme", "keys"), [("tcp", None), ("tls", KEYS)])
@pytest.mark.parametrize("listens", [True, False])
def test_schedulers_that_say_nothing(scheme: str, keys: Keys | None, listens: bool) -> None:
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))
        if listens:
            plain.listen()
        address = f"{scheme}://127.0.0.1:{plain.getsockname()[1]}"
        told = f"The scheduler at {address} cannot be reached: .*(Timed out|has said nothing for)"
        is_refused(lambda: wb.pool.connect(address, keys, seconds=0.5), PoolError, told, DEADLINE)


# -- runs ------------------------------------------------------------------------------------------


class _Workers:
    """A pool that nothing comes to: what is wrong is told before."""

    def start_run(self, spec: Any, **options: Any) -> Any:
        raise AssertionError("it was sent")


RUNS: dict[str, tuple[dict[str, Any], type[BaseException], str]] = {
    "no replicas": ({"replicas": 0}, ValueError, "replicas must be a positive number, but got 0"),
    "replicas by text": ({"replicas": "2"}, ValueError, "replicas must be .* got '2'"),
    "half a replica": ({"replicas": 1.5}, ValueError, "replicas must be .* got 1.5"),
    "another strategy": ({"strategy": "x"}, ValueError, "one of 'sync', 'async', 'parameter s"),
    "replicas of nothing": (
        {"replicas": 2, "pool": None}, ValueError, "2 replicas need a pool: pool=wb.pool.local"
    ),
    "a pool by its name": ({"pool": "p"}, TypeError, "must be a pool of workers, .*not 'p'"),
    "a folder here": ({"folder": "here"}, ValueError, "folder='here' is for runs of this process"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "kind", "told"), RUNS.values(), ids=RUNS)
@pytest.mark.usefixtures("graph")
def test_wrong_runs(options: dict[str, Any], kind: type[BaseException], told: str) -> None:
    weight = wb.Variable(np.float32(1))
    train = wb.train.GradientDescentOptimizer(0.1).minimize(wb.square(weight))
    given = {"pool": _Workers(), "folder": None, "steps": 1, **options}
    is_refused(lambda: wb.run(train, **given), kind, told)
