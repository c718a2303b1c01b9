"""LLVM, which one thread at a time uses, and none when the process is torn down.

When a process ends, the C++ library takes LLVM's tables down. Machine code that a thread is still
making at that moment is made of what is no longer there, and the process aborts. So all use of
LLVM is a block of `use`, and the end of the process waits for the block that is going on and lets
no other one begin. A block is at most what one function takes; `fusion.lengths` sees to that.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Held by whoever uses LLVM, which llvmlite lets do one thing at a time, or makes what the process
#: has one of. A fork waits for it: the child could not free a lock that a thread it does not have
#: is holding.
exclusive = threading.RLock()
#: The thread that ends the process; the only one that LLVM still serves then.
_ending: int | None = None


@contextmanager
def use() -> Iterator[Any]:
    """LLVM for a block; what is made there is to be closed there, or kept for good.

    Raises:
      SystemExit: the process ends, and so does this thread.

    >>> with use() as llvm:
    ...     machine = llvm.get_process_triple().split("-")[0]
    """
    with exclusive:
        if _ending not in (None, threading.get_ident()):
            raise SystemExit
        # Bringing LLVM into the process is a use, too.
        import llvmlite.binding

        yield llvmlite.binding


def leave() -> None:
    """Waits until no thread uses LLVM; from then on, none but the caller's does.

    It is for the end of the process. Whatever a signal's handler raises meanwhile is raised when
    the wait is over.
    """
    global _ending
    _ending = threading.get_ident()
    raised: BaseException | None = None
    while True:
        try:
            with exclusive:
                break
        except BaseException as error:
            raised = error
    if raised is not None:
        raise raised


atexit.register(leave)


def _after_fork() -> None:
    """A process that was forked at the end of another one has an end of its own."""
    global _ending
    _ending = None
    exclusive.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=exclusive.acquire,
        after_in_parent=exclusive.release,
        after_in_child=_after_fork,
    )
