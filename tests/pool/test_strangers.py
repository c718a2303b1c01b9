"""A scheduler whom strangers ask: those without its keys get nothing, and cost next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Scheduler
from distributed.core import rpc

from workbench.pool import guard as guarding
from workbench.pool.clusters import configure
from workbench.pool.keys import Keys

DEADLINE = 30.0


@contextlib.asynccontextmanager
async def scheduler(keys: Keys) -> AsyncIterator[Scheduler]:
    """A scheduler of a pool, in this process."""
    configure()
    options: dict[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    async with Scheduler(
        host="127.0.0.1", port=0, protocol="tls://", security=keys.security(), **options
    ) as made:
        yield made


async def is_served(made: Scheduler, keys: Keys) -> bool:
    """Whether one with keys is answered."""
    arguments = keys.security().get_connection_args("client")
    async with rpc(made.address, connection_args=arguments) as friend:
        return bool((await asyncio.wait_for(friend.identity(), DEADLINE))["type"] == "Scheduler")


def context(keys: Keys | None, folder: Path) -> ssl.SSLContext:
    """What a stranger shows; it trusts anybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if keys is not None:
        keys.save(folder)
        made.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return made


def _nothing() -> Keys | None:
    return None


def _another() -> Keys | None:
    return Keys.make()


@pytest.mark.parametrize("shown", [_nothing, _another])
def test_without_the_keys_nothing_is_answered(
    shown: Callable[[], Keys | None], tmp_path: Path
) -> None:
    keys = Keys.make()
    assert asyncio.run(_answer(keys, shown(), tmp_path)) == b""


def test_expired_keys_are_refused(tmp_path: Path) -> None:
    # By an authority that is trusted, so that nothing but the time is wrong.
    keys, late = Keys.make(), Keys.make(days=-0.5)
    both = dataclasses.replace(keys, authority=keys.authority + late.authority)
    assert asyncio.run(_answer(both, late, tmp_path)) == b""


async def _answer(keys: Keys, shown: Keys | None, folder: Path) -> bytes:
    """What a scheduler answers a stranger; those with its keys it answers before and after."""
    async with scheduler(keys) as made:
        assert await is_served(made, keys)
        host, port = made.address.removeprefix("tls://").split(":")
        answer = await asyncio.to_thread(_ask, host, int(port), context(shown, folder / "shown"))
        assert await is_served(made, keys)
        return answer


def _ask(host: str, port: int, shown: ssl.SSLContext) -> bytes:
    """What a scheduler says to one that shakes hands, as far as it can, and asks."""
    with socket.create_connection((host, port), DEADLINE) as plain:
        plain.settimeout(DEADLINE)
        try:
            with shown.wrap_socket(plain) as locked:
                locked.sendall(bytes(64))
                return locked.recv(1024)
        except (ssl.SSLError, ConnectionError):
            return b""


def test_a_plain_connection_and_garbage_get_nothing() -> None:
    async def main() -> None:
        keys = Keys.make()
        async with scheduler(keys) as made:
            host, port = made.address.removeprefix("tls://").split(":")
            for said in (
                b"GET / HTTP/1.1\r\n\r\n",
                bytes(range(256)) * 64,
                b"\x16\x03\x01\xff\xff",
            ):
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(said)
                if said.startswith(b"\x16"):
                    # The beginning of a greeting, of which no more comes.
                    writer.write_eof()
                got = b""
                with contextlib.suppress(ConnectionError):
                    got = await asyncio.wait_for(reader.read(4096), DEADLINE)
                # An alert of TLS at most.
                assert len(got) <= 7
                writer.close()
            with pytest.raises((OSError, TimeoutError)):
                async with rpc(made.address.replace("tls", "tcp"), timeout=2) as stranger:
                    await asyncio.wait_for(stranger.identity(), 2)
            assert await is_served(made, keys)

    asyncio.run(main())


def test_those_that_say_nothing_are_cut_off_and_others_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guarding, "HANDSHAKE_SECONDS", 0.7)
    monkeypatch.setattr(guarding, "_guard", guarding.Guard(most=20))

    async def main() -> None:
        keys = Keys.make()
        async with scheduler(keys) as made:
            host, port = made.address.removeprefix("tls://").split(":")
            process = psutil.Process()
            before = process.memory_info().rss
            silent = [await asyncio.open_connection(host, int(port)) for _ in range(100)]
            for _, writer in silent[::2]:
                writer.write(b"\x16\x03\x01")
            assert await is_served(made, keys)
            for reader, writer in silent:
                with contextlib.suppress(ConnectionError):
                    assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
                writer.close()
            assert not guarding._guard.pending
            assert process.memory_info().rss - before < 50 << 20
            assert await is_served(made, keys)

    asyncio.run(main())


def test_a_long_line_of_strangers_is_told_of_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    guard = guarding.Guard(most=1)

    class Stream:
        def close(self) -> None:
            pass

    for _ in range(1000):
        guard.enter(Stream())
    assert len(caplog.records) == 1 and len(guard.pending) == 1
