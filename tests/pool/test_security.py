"""Pools that are open to others are refused, and keys are made and kept."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.pool.addresses import checked
from workbench.pool.errors import PoolError


@pytest.mark.parametrize(
    "address, has_keys, message",
    [
        ("tcp://10.0.0.1:8786", False, "open to whoever reaches it"),
        ("tcp://10.0.0.1:8786", True, "open to whoever reaches it"),
        ("tcp://0.0.0.0:8786", False, "open to whoever reaches it"),
        ("tcp://some.host:8786", False, "open to whoever reaches it"),
        ("tls://10.0.0.1:8786", False, "needs keys"),
        ("tls://127.0.0.1:8786", False, "needs keys"),
        ("10.0.0.1:8786", True, "no address of a pool"),
        ("ws://127.0.0.1:8786", True, "no address of a pool"),
        ("tls://host", True, "no address of a pool"),
    ],
)
def test_open_addresses_are_refused(address: str, has_keys: bool, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        checked(address, has_keys)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost"])
def test_this_machine_alone_may_do_without_keys(host: str) -> None:
    assert checked(f"tcp://{host}:8786", False) == f"tcp://{host}:8786"


def test_keys_are_kept_for_their_user(tmp_path: Path) -> None:
    keys = wb.pool.Keys.make()
    keys.save(tmp_path / "keys")
    assert wb.pool.Keys.load(tmp_path / "keys") == keys
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.key.strip() not in repr(keys)
    # What was open to others, or belongs to keys of before, is replaced as a whole.
    (tmp_path / "keys" / "key.pem").chmod(0o644)
    other = wb.pool.Keys.make()
    other.save(tmp_path / "keys")
    assert wb.pool.Keys.load(tmp_path / "keys") == other
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "keys").iterdir()} == {0o600}
    assert len(list((tmp_path / "keys").iterdir())) == 3
    (tmp_path / "keys" / "key.pem").unlink()
    with pytest.raises(PoolError, match="key.pem"):
        wb.pool.Keys.load(tmp_path / "keys")


def test_certificates_hold_for_their_own_authority_alone() -> None:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    mine, other = wb.pool.Keys.make(), wb.pool.Keys.make()
    certificate = x509.load_pem_x509_certificate(mine.certificate.encode())
    authority = x509.load_pem_x509_certificate(mine.authority.encode())
    certificate.verify_directly_issued_by(authority)
    with pytest.raises(InvalidSignature):
        certificate.verify_directly_issued_by(
            x509.load_pem_x509_certificate(other.authority.encode())
        )


@pytest.mark.parametrize("kind", ["local", "ssh", "kubernetes", "jobqueue"])
@pytest.mark.parametrize(
    "address, keys, message",
    [
        ("tcp://192.0.2.1:8786", True, "open to whoever reaches it"),
        ("tcp://192.0.2.1:8786", False, "open to whoever reaches it"),
        ("tls://192.0.2.1:8786", False, "needs keys"),
    ],
)
def test_no_kind_of_pool_is_kept_at_an_open_address(
    kind: str, address: str, keys: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.pool import keeping
    from workbench.pool.clusters import Request

    closed = []

    class Open:
        """A cluster whose scheduler listens where it should not."""

        scheduler_address = address

        def __await__(self) -> Any:
            return iter(())

        async def close(self) -> None:
            closed.append(self)

    async def start() -> None:
        request = Request("p", kind, 1, keys=asdict(wb.pool.Keys.make()) if keys else {})
        async with contextlib.AsyncExitStack() as stack:
            await keeping.Keeper(request).start(stack)

    monkeypatch.setattr(keeping, "make_cluster", lambda request: Open())
    with pytest.raises(PoolError, match=message):
        asyncio.run(start())
    assert len(closed) == 1


@pytest.mark.parametrize(
    "make, package",
    [
        (lambda: wb.pool.ssh(["a", "b"]), "asyncssh"),
        (lambda: wb.pool.kubernetes(image="i"), "dask-kubernetes"),
        (lambda: wb.pool.jobqueue("SLURM"), "dask-jobqueue"),
    ],
)
def test_a_missing_package_is_named(
    make: object, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert callable(make)
    with pytest.raises(PoolError, match=f"pip install {package}"):
        make()
