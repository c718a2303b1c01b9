"""Running a group of element-wise steps block by block, on several threads."""

from __future__ import annotations

import atexit
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.platform.processors import processors

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

#: Elements of a block: small enough to share out evenly, large enough that calls cost little.
_BLOCK = 1 << 16
#: From this many elements on, blocks go to several threads.
_SHARED = 1 << 18

_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()


def _threads() -> ThreadPoolExecutor:
    """The threads that help the running one; they end with the process."""
    from concurrent.futures import ThreadPoolExecutor

    global _pool
    if _pool is None:
        with _pool_lock:
            if _pool is None:
                _pool = ThreadPoolExecutor(max(1, processors() - 1), "workbench-blocks")
                atexit.register(_pool.shutdown)
    return _pool


def _after_fork() -> None:
    """A forked process has none of the threads: it makes its own."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def run_blocks(
    function: Callable[..., None],
    arrays: Sequence[np.ndarray[Any, Any]],
    scalars: Sequence[Any],
) -> None:
    """Calls `function(*blocks, *scalars)` for corresponding blocks of arrays of one shape.

    `function` writes its results into some of the blocks. Arrays that are not contiguous go through
    in one piece.
    """
    if not all(a.flags.c_contiguous for a in arrays):
        function(*arrays, *scalars)
        return
    flat = [a.reshape(-1) for a in arrays]
    size = flat[0].size
    # Whoever is ready takes the next block: a thread that is held up slows nobody else.
    counter = itertools.count()

    def work() -> None:
        with np.errstate(all="ignore"):
            while True:
                start = next(counter) * _BLOCK
                if start >= size:
                    return
                stop = start + _BLOCK
                function(*[a[start:stop] for a in flat], *scalars)

    helpers = processors() - 1
    if size < _SHARED or helpers < 1:
        work()
        return
    pool = _threads()
    futures = [pool.submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        for future in futures:
            future.result()
