"""Lines in the log about what strangers do: few of them, however often they do it."""

from __future__ import annotations

import logging
import time

#: After a line about something there is none about it for so many seconds.
QUIET_SECONDS = 10.0


class Notices:
    """Tells of one kind of thing.

    >>> import logging
    >>> from workbench.cluster.wire.notices import Notices
    >>> notices = Notices(logging.getLogger("workbench.nobody"))
    >>> [notices.tell("refused %s", name) for name in "abc"]
    [True, False, False]
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said = float("-inf")
        self._left_out = 0

    def tell(self, text: str, *values: object, has_trace: bool = False) -> bool:
        """Whether a line was written, which also says how many were left out before it."""
        now = time.monotonic()
        if now - self._said < QUIET_SECONDS:
            self._left_out += 1
            return False
        more = f" ({self._left_out} more like it before)" if self._left_out else ""
        self._said, self._left_out = now, 0
        self._log.warning(text + more, *values, exc_info=has_trace)
        return True
