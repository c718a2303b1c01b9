"""Machine code on disk: what is stored comes back, or nothing does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from workbench.core.codegen import code_cache
from workbench.core.codegen.code_cache import CodeCache, default_folder

KEY = "5eed" * 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a" / "code"


def test_what_is_stored_comes_back(folder: Path) -> None:
    cache = CodeCache(folder)
    assert cache.load(KEY) is None
    for payload in (b"", b"x", os.urandom(100_000)):
        cache.store(KEY, payload)
        assert cache.load(KEY) == payload
        assert CodeCache(folder).load(KEY) == payload
    assert len(os.listdir(folder)) == 1
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("cut", [0, 10, 50, 100, -1])
def test_a_truncated_file_is_ignored(folder: Path, cut: int) -> None:
    cache = CodeCache(folder)
    cache.store(KEY, b"machine code")
    [path] = folder.iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    assert cache.load(KEY) is None
    cache.store(KEY, b"machine code")
    assert cache.load(KEY) == b"machine code"


def test_any_changed_byte_is_noticed(folder: Path) -> None:
    cache = CodeCache(folder)
    cache.store(KEY, b"machine code")
    [path] = folder.iterdir()
    content = path.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x10
        path.write_bytes(changed)
        assert cache.load(KEY) is None, place
    path.write_bytes(content)
    assert cache.load(KEY) == b"machine code"


def test_a_file_under_another_name_is_ignored(folder: Path) -> None:
    cache = CodeCache(folder)
    cache.store(KEY, b"machine code")
    [path] = folder.iterdir()
    other = KEY.replace("5", "6")
    path.rename(path.with_name(path.name.replace(KEY, other)))
    assert cache.load(other) is None


def test_without_a_folder_nothing_is_kept() -> None:
    cache = CodeCache(None)
    cache.store(KEY, b"machine code")
    cache.tidy()
    assert cache.load(KEY) is None


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = CodeCache(tmp_path / "file" / "code")
    cache.store(KEY, b"machine code")
    assert cache.load(KEY) is None


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_folder_that_others_can_write_is_not_used(folder: Path) -> None:
    CodeCache(folder).store(KEY, b"machine code")
    folder.chmod(0o770)
    cache = CodeCache(folder)
    assert cache.load(KEY) is None
    cache.store(KEY, b"other code")
    folder.chmod(0o700)
    assert CodeCache(folder).load(KEY) == b"machine code"


def test_the_oldest_files_go_first(folder: Path) -> None:
    cache = CodeCache(folder, limit=3500)
    keys = [f"{number:064x}" for number in range(5)]
    now = time.time()
    for age, key in enumerate(keys):
        cache.store(key, bytes(1000))
        for path in folder.glob(f"{key}*"):
            os.utime(path, (now - 10000 * (age + 1),) * 2)
    # Using the oldest makes it the newest.
    assert cache.load(keys[4]) is not None
    cache.tidy()
    assert [cache.load(key) is not None for key in keys] == [True, True, False, False, True]


def test_it_keeps_to_the_limit_by_itself(folder: Path) -> None:
    for number in range(20):
        cache = CodeCache(folder, limit=5000)
        cache.store(f"{number:064x}", bytes(1000))
        cache.tidy_if_due()
    assert 0 < sum(path.stat().st_size for path in folder.iterdir()) <= 5000


def test_what_a_killed_process_left_is_removed(folder: Path) -> None:
    cache = CodeCache(folder)
    cache.store(KEY, b"machine code")
    old, new = folder / ".a.0.partial", folder / ".b.0.partial"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 1000,) * 2)
    cache.tidy()
    assert not old.exists() and new.exists()
    assert cache.load(KEY) == b"machine code"


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(code_cache.CACHE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == str(tmp_path / "workbench" / "code")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_folder() == str(tmp_path / "home" / ".cache" / "workbench" / "code")
    monkeypatch.setenv(code_cache.CACHE, str(tmp_path / "mine"))
    assert default_folder() == str(tmp_path / "mine" / "code")
    monkeypatch.setenv(code_cache.CACHE, "")
    assert default_folder() is None
