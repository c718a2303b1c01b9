"""The pools of this user."""

from __future__ import annotations

from workbench.pool.pool import Pool
from workbench.pool.records import find, records


def pools() -> list[Pool]:
    """The pools of this user, also those that other processes started, and those that died.

    >>> import workbench as wb
    >>> [pool.name for pool in wb.pools() if pool.is_alive]
    []
    """
    return [Pool(record) for record in records()]


def attach(name: str | None = None) -> Pool:
    """The pool of a name, or the only one. PoolError for one that is unknown or dead."""
    from workbench.pool.errors import PoolError

    record = find(name)
    if not record.is_alive:
        raise PoolError(
            f"The pool {record.name!r} is dead: its process {record.pid} is gone; "
            f"`workbench pool stop {record.name}` removes what is left of it"
        )
    return Pool(record)
