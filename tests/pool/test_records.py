"""What is written down about pools, and who may read it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import workbench as wb
from workbench.pool import records
from workbench.pool.errors import PoolError
from workbench.pool.processes import alive, end_group, group_members, identity, wait_for
from workbench.pool.records import Record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _record(name: str, since: float = 1.0) -> Record:
    pid = os.getpid()
    return Record(name, "local", "tls://127.0.0.1:1", pid, identity(pid), since, {"key": "K" * 500})


def test_only_their_user_reads_them(folder: Path) -> None:
    record = _record(records.claim("mine", "local"))
    record.write()
    for path, mode in [(folder, 0o700), (folder / "pools", 0o700), (record.folder, 0o700)]:
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE((record.folder / "record.json").stat().st_mode) == 0o600
    assert records.find(None) == records.find("mine") == record
    assert record.is_alive
    record.remove()
    assert list(records.records()) == []


def test_names_are_free_or_refused(folder: Path) -> None:
    assert [records.claim(None, "local") for _ in range(3)] == ["local", "local-2", "local-3"]
    with pytest.raises(PoolError, match="is a pool 'local' already"):
        records.claim("local", "local")
    for name in ("", "../up", "a/b", ".hidden", "a b", "x" * 65):
        if name:
            with pytest.raises(PoolError, match="no name for a pool"):
                records.claim(name, "local")


def test_a_pool_is_named_where_it_is_not_clear(folder: Path) -> None:
    with pytest.raises(PoolError, match="There are no pools"):
        records.find(None)
    for name in ("one", "two"):
        _record(records.claim(name, "local")).write()
    with pytest.raises(PoolError, match=r"Which pool\? one, two"):
        records.find(None)
    with pytest.raises(PoolError, match="no pool 'three'; known: one, two"):
        records.find("three")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "x"}', b"\xff\xfe", b"null"])
def test_a_damaged_record_is_none(folder: Path, content: bytes) -> None:
    records.claim("broken", "local")
    (folder / "pools" / "broken" / "record.json").write_bytes(content)
    assert list(records.records()) == []


def test_a_record_of_another_version_is_read_as_far_as_it_is_known(folder: Path) -> None:
    record = _record(records.claim("other", "local"))
    record.write()
    file = folder / "pools" / "other" / "record.json"
    newer = {**json.loads(file.read_text()), "version": "99.0", "colour": "red"}
    file.write_text(json.dumps(newer))
    assert records.find("other") == dataclasses.replace(record, version="99.0")
    older = {key: newer[key] for key in ("name", "kind", "address", "pid", "identity", "since")}
    file.write_text(json.dumps(older))
    assert records.find("other") == dataclasses.replace(record, keys={}, version="")


def test_a_pool_of_another_version_is_listed_and_not_talked_to(folder: Path) -> None:
    record = dataclasses.replace(_record(records.claim("other", "local")), version="99.0")
    record.write()
    [pool] = wb.pools()
    with pytest.raises(PoolError, match="is kept by workbench 99.0, this is"):
        pool.scale(1)
    assert "kept by workbench 99.0" in repr(pool)


def test_what_is_left_of_starts_that_were_broken_off_is_swept(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as starter:
        records.claim("left", "local")
        records.hand_over("left", starter.pid)
        with pytest.raises(PoolError, match="is a pool 'left' already"):
            records.claim("left", "local")
        starter.kill()
        starter.wait(10)
    assert records.claim("left", "local") == "left"
    # One that is being started, and one whose maker has had no time to say so, are not.
    (folder / "pools" / "young").mkdir()
    assert records.sweep() == []
    os.utime(folder / "pools" / "young", (0, 0))
    assert records.sweep() == ["young"]


def test_a_dead_pool_keeps_its_name_for_its_runs(folder: Path) -> None:
    name = records.claim("dead", "local")
    dataclasses.replace(_record(name), identity="of an earlier process").write()
    with pytest.raises(PoolError, match=r"wb.pool.restart\('dead'\) goes on with its runs"):
        records.claim("dead", "local")
    assert records.sweep() == [] and [r.name for r in records.records()] == ["dead"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system that is full")
def test_a_full_disk_is_told_and_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "full"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True, timeout=10).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        monkeypatch.setenv("WORKBENCH_HOME", str(home))
        written = _record(records.claim("first", "local"))
        written.write()
        with open(home / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(bytes(4096)):
                pass
        with pytest.raises(OSError, match="No space left"):
            _record("first", since=2.0).write()
        # The old one is there, whole, and nothing beside it.
        assert records.find("first") == written
        assert sorted(p.name for p in written.folder.iterdir()) == ["claim.json", "record.json"]
        with pytest.raises(PoolError, match="No pool can be kept in .*: No space left"):
            records.claim("second", "local")
        assert [folder.name for folder in (home / "pools").iterdir()] == ["first"]
    finally:
        subprocess.run(["umount", str(home)], check=True, timeout=10)


def test_a_record_is_read_whole_while_it_is_written(folder: Path) -> None:
    name = records.claim("busy", "local")
    _record(name, 0.0).write()
    ended = threading.Event()

    def write() -> None:
        for number in range(40):
            _record(name, float(number)).write()
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not ended.is_set():
            found = records.read(name)
            assert found is not None and found.keys == {"key": "K" * 500}
    finally:
        writer.join(30)


def test_another_process_of_the_same_number_is_not_ended(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            known = identity(process.pid)
            assert alive(process.pid, known) and not alive(process.pid, "an earlier one")
            end_group(process.pid, "an earlier one")
            assert process.poll() is None
        finally:
            process.kill()


# Ignores what asks it to end, and has a child.
_STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("up", flush=True)
time.sleep(600)
"""


def test_a_group_ends_though_it_does_not_want_to() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"up\n"
            assert len(group_members(process.pid)) == 2
            end_group(process.pid, identity(process.pid), seconds=0.2)
            assert wait_for(lambda: process.poll() is not None, 10)
            assert group_members(process.pid) == []
        finally:
            process.kill()
