"""What a thread puts off while it holds locks, and does when it has let go of them."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Work = Callable[[], None]


class _Here(threading.local):
    queue: collections.deque[Work] | None = None


_here = _Here()


def put_off(work: Work, soon: Callable[[Work], None]) -> None:
    """Has this thread do something at the end of what it is at (`catching_up`); where that is
    nothing, `soon` has another thread do it."""
    if _here.queue is not None:
        _here.queue.append(work)
    else:
        soon(work)


@contextmanager
def catching_up() -> Iterator[None]:
    """A block at whose end this thread does what was put off in it, and by that."""
    if _here.queue is not None:
        yield
        return
    queue = _here.queue = collections.deque()
    try:
        yield
        # Where the block fails the work is done all the same: it is that of others.
    finally:
        try:
            while queue:
                queue.popleft()()
        finally:
            _here.queue = None
