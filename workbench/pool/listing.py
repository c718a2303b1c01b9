"""The pools of this user."""

from __future__ import annotations

import threading
import weakref

from workbench.pool.errors import PoolError
from workbench.pool.pool import Pool
from workbench.pool.records import Record, find, records

#: The pools that this process has asked for, so that each is connected to once.
_opened: dict[tuple[str, str], Pool] = {}
#: The pools of others that this process is connected to.
_connected: weakref.WeakSet[Pool] = weakref.WeakSet()
_lock = threading.Lock()


def open_pool(record: Record) -> Pool:
    """The pool of a record: the same one again, until it is left."""
    with _lock:
        for key in [key for key, pool in _opened.items() if not pool.is_alive]:
            del _opened[key]
        key = (str(record.folder), record.identity)
        found = _opened.get(key)
        if found is None:
            found = Pool(record)
            if found.is_alive:
                _opened[key] = found
        return found


def pools() -> list[Pool]:
    """The pools of this user, also those that other processes started, and those that died.

    >>> import workbench as wb
    >>> all(pool.name for pool in wb.pools())
    True
    """
    return [open_pool(record) for record in records()]


def note_connected(pool: Pool) -> None:
    """A pool of others, which has no record, is listed here too while we are connected."""
    with _lock:
        _connected.add(pool)


def known_pools() -> list[Pool]:
    """The pools of this user, and those of others that this process is connected to."""
    with _lock:
        connected = [pool for pool in _connected if pool.is_alive]
    return [*pools(), *connected]


def attach(name: str | None = None) -> Pool:
    """The pool of a name, or the only one. PoolError for one that is unknown or dead."""
    record = find(name)
    if not record.is_alive:
        raise PoolError(
            f"The pool {record.name!r} is dead: its process {record.pid} is gone; "
            f"wb.pool.restart({record.name!r}) goes on with its runs, "
            f"`workbench pool stop {record.name}` removes what is left of it"
        )
    return open_pool(record)
