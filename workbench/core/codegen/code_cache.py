"""Machine code on disk, so that a second process need not compile it again.

A file holds one object, with the key it was stored under and a checksum: what does not match is
ignored. Files come whole, by renaming, and every process may store, read and remove at any time.
Nobody else can write into the folder, or it is not used: its content is executed.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress

#: A folder to use instead of the user's; empty for none.
CACHE = "WORKBENCH_CACHE"

#: Bytes that all files together may have.
LIMIT = 256 << 20

_MAGIC = b"workbench object 1\n"
_DIGEST = hashlib.sha256().digest_size
_SUFFIX = ".object"
_PARTIAL = ".partial"
#: A file that was used is marked so at most this often, in seconds.
_TOUCH = 3600.0
#: How many files are stored before the folder is looked through again.
_TIDY = 512


def default_folder() -> str | None:
    """Where machine code is kept, by the environment; None when it is not."""
    chosen = os.environ.get(CACHE)
    if chosen is not None:
        return os.path.join(chosen, "code") if chosen else None
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = base if os.path.isabs(base) else os.path.expanduser(os.path.join("~", ".cache"))
    # Where nobody's home is known there is none.
    return os.path.join(root, "workbench", "code") if os.path.isabs(root) else None


def is_kept(key: str) -> bool:
    """Whether the user's folder has something under a key, good or bad."""
    folder = default_folder()
    return folder is not None and os.path.exists(os.path.join(folder, key + _SUFFIX))


class CodeCache:
    """Objects by key, in a folder; without a folder, or when it cannot be written, nothing is kept.

    Keys are hexadecimal digests of everything an object depends on.

    >>> import tempfile
    >>> cache = CodeCache(os.path.join(tempfile.mkdtemp(), "code"))
    >>> cache.store("5eed", b"machine code")
    >>> cache.load("5eed"), cache.load("beef")
    (b'machine code', None)
    """

    def __init__(self, folder: str | os.PathLike[str] | None, limit: int = LIMIT) -> None:
        self._folder = None if folder is None else os.fspath(folder)
        self._limit = limit
        self._stored = 0
        self._next_tidy = 1
        self._checked = False

    @property
    def keeps(self) -> bool:
        """Whether there is a folder to keep anything in."""
        return self._usable(create=True) is not None

    def load(self, key: str) -> bytes | None:
        """What was stored under a key, if it is there and undamaged."""
        folder = self._usable(create=False)
        if folder is None:
            return None
        path = os.path.join(folder, key + _SUFFIX)
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            return None
        head = _head(key)
        start = len(head) + _DIGEST
        payload = content[start:]
        if content[: len(head)] != head or content[len(head) : start] != _digest(payload):
            with suppress(OSError):
                os.unlink(path)
            return None
        self._touch(path)
        return payload

    def store(self, key: str, payload: bytes) -> None:
        """Keeps an object; where that fails, it is compiled again another time."""
        folder = self._usable(create=True)
        if folder is None:
            return
        import secrets

        partial = os.path.join(folder, f".{key}.{secrets.token_hex(8)}{_PARTIAL}")
        try:
            with open(partial, "wb") as file:
                file.write(_head(key) + _digest(payload) + payload)
            os.replace(partial, os.path.join(folder, key + _SUFFIX))
        except OSError:
            with suppress(OSError):
                os.unlink(partial)
            return
        self._stored += 1

    def tidy_if_due(self) -> None:
        """Keeps to the limit, after the first file and then now and again."""
        if self._stored >= self._next_tidy:
            self._next_tidy = self._stored + _TIDY
            self.tidy()

    def tidy(self) -> None:
        """Removes the files that were used longest ago until the rest is within the limit."""
        if self._folder is None:
            return
        files: list[tuple[float, int, str]] = []
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    with suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        if entry.name.endswith(_SUFFIX):
                            files.append((status.st_mtime, status.st_size, entry.path))
                        elif entry.name.endswith(_PARTIAL) and status.st_mtime < time.time() - 60:
                            os.unlink(entry.path)
        except OSError:
            return
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._limit:
                return
            with suppress(OSError):
                os.unlink(path)
            total -= size

    def _usable(self, create: bool) -> str | None:
        """The folder if it is there and nobody but this user can write into it."""
        if self._folder is None or self._checked:
            return self._folder
        try:
            if create:
                os.makedirs(self._folder, mode=0o700, exist_ok=True)
            status = os.stat(self._folder)
        except OSError:
            if create:
                self._folder = None
            return None
        if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
            self._folder = None
        self._checked = True
        return self._folder

    @staticmethod
    def _touch(path: str) -> None:
        with suppress(OSError):
            if os.stat(path).st_mtime < time.time() - _TOUCH:
                os.utime(path)


def _head(key: str) -> bytes:
    return _MAGIC + key.encode() + b"\n"


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()
