"""What those without keys may cost the control plane: a few sockets for a few seconds.

Dask waits for ever for who connects and says nothing, and logs a line for each who says nonsense.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from distributed.comm.tcp import TLSListener

from workbench.cluster.wire.notices import Notices

#: Who has not shown a key after so many seconds is cut off; of more than so many that are about to,
#: the first ones are.
HANDSHAKE_SECONDS = 10.0
MOST_PENDING = 128

_log = logging.getLogger("workbench.pool.guard")


class Guard:
    """Those that have connected and not shown a key yet.

    >>> from workbench.pool.guard import Guard
    >>> guard, closed = Guard(most=2), []
    >>> class Stream:
    ...     def close(self):
    ...         closed.append(self)
    >>> first, second, third = Stream(), Stream(), Stream()
    >>> for stream in (first, second, third):
    ...     guard.enter(stream)
    >>> closed == [first], len(guard.pending)
    (True, 2)
    """

    def __init__(self, most: int = MOST_PENDING) -> None:
        self._most = most
        #: In the order in which they came.
        self.pending: dict[Any, None] = {}
        self._refusals = Notices(_log)

    def enter(self, stream: Any) -> None:
        """One has connected. Those with keys are through in no time: the first ones have none."""
        self.pending[stream] = None
        while len(self.pending) > self._most:
            self.refuse(next(iter(self.pending)), "others came")

    def leave(self, stream: Any) -> None:
        """One has shown its key, or is gone."""
        self.pending.pop(stream, None)

    def refuse(self, stream: Any, reason: str) -> None:
        """Cuts one off."""
        self.leave(stream)
        stream.close()
        self._refusals.tell("Refused a connection: %.300s", reason)


_guard = Guard()


def guard() -> None:
    """Guards all listeners of this process, now and later."""
    TLSListener._prepare_stream = _prepare_stream  # type: ignore[method-assign]


async def _prepare_stream(self: Any, stream: Any, address: str) -> Any:
    """What a listener does first with a connection: the stream, or None for one that is refused."""
    _guard.enter(stream)
    try:
        await asyncio.wait_for(stream.wait_for_handshake(), HANDSHAKE_SECONDS)
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "real_error", None) or str(error) or "it said nothing"
        _guard.refuse(stream, f"{address}, {reason}")
        return None
    finally:
        _guard.leave(stream)
    return stream
