"""Dask's client as pools use it: it knows since when its scheduler is gone, and logs nothing.

What happens to a pool is told by the pool, in its user's terms. Dask's other clients in this
process log what they always do.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import time
from collections.abc import Iterator
from typing import Any

from distributed import Client

#: Whether what runs here is for a client of ours; inherited by all that it starts.
_is_ours: contextvars.ContextVar[bool] = contextvars.ContextVar("workbench-client", default=False)
#: Where Dask and what is below it log errors of connections.
_LOGGERS = (
    "distributed.batched",
    "distributed.client",
    "distributed.comm.core",
    "distributed.comm.tcp",
    "distributed.core",
    "distributed.utils",
    "tornado.application",
)

_log = logging.getLogger("workbench.pool.client")


class _OursToTell(logging.Filter):
    """Keeps what concerns our clients for those who debug them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the logger goes on with a record."""
        if not _is_ours.get() or record.levelno > logging.ERROR:
            return True
        _log.debug("%s: %s", record.name, record.getMessage(), exc_info=record.exc_info)
        return False


_filter = _OursToTell()


class PoolClient(Client):
    """A client of a pool's scheduler.

    Args: as for Dask's `Client`.
    """

    #: Since when there is no connection, by the clock that never jumps; None while there is one.
    lost_since: float | None = None

    async def _reconnect(self) -> None:
        """Dask calls this when the connection is gone; it tries for a while, and gives up then."""
        self.lost_since = time.monotonic()
        await super()._reconnect()
        if self.status == "running":
            self.lost_since = None


def make_client(address: str, security: Any, seconds: float) -> PoolClient:
    """A client that is connected. OSError, TimeoutError where nobody answers in time."""
    for name in _LOGGERS:
        # Nothing where it is there already.
        logging.getLogger(name).addFilter(_filter)
    with ours():
        return PoolClient(address, security=security, timeout=seconds, set_as_default=False)


@contextlib.contextmanager
def ours() -> Iterator[None]:
    """A block in which what a client of ours is asked to do is ours to tell of."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)
