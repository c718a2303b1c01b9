"""Where the worker processes of a local pool come from: all are copies of one that is ready.

What a worker needs takes a second to load. It is loaded once, in a process that does nothing else
and has no threads, while the keeper loads what it needs itself; each worker is a fork of that one.
"""

from __future__ import annotations

import multiprocessing
import sys

#: What a copy has loaded: this module loads what workers use.
_READY = "workbench.pool.ready"


def is_used(kind: str) -> bool:
    """Whether workers of pools of a kind are copies: where forks are safe, on this machine."""
    return kind == "local" and sys.platform == "linux"


def open_for(kind: str) -> None:
    """Starts the process that is copied, where one is used; it ends with this process."""
    if is_used(kind):
        from multiprocessing import forkserver

        multiprocessing.set_forkserver_preload([_READY])
        forkserver.ensure_running()
