"""What users are told of a pool that is gone: since when, and what brings it back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.pool.records import Record


def moment(since: float | None) -> str:
    """A moment of the clock that never jumps, as a time of day for users; "" where it is unknown.

    >>> from workbench.pool.losses import moment
    >>> moment(None)
    ''
    """
    if since is None:
        return ""
    elapsed = time.monotonic() - since
    return time.strftime(" since %H:%M:%S", time.localtime(time.time() - elapsed))


def of_keeper(record: Record, since: float | None) -> str:
    """The process that kept a pool is gone, and its scheduler with it."""
    return (
        f"its process {record.pid}, with its scheduler, is gone{moment(since)}; "
        f"wb.pool.restart({record.name!r}) starts it again, with its runs"
    )


def of_scheduler(record: Record, since: float | None) -> str:
    """The scheduler of a pool that others started is gone."""
    return (
        f"its scheduler at {record.address} is gone{moment(since)}; when it was started again, "
        f"wb.pool.connect({record.address!r}, ...) comes back to it"
    )
