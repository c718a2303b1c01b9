"""All pools of this user and their workers, looked at for as long as somebody wants to see them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from workbench.pool.errors import PoolError
from workbench.pool.listing import known_pools
from workbench.pool.pool import Pool
from workbench.pool.statistics.log_tail import LogTail
from workbench.pool.statistics.pool_look import OF_POOL, PoolLook

#: Seconds between two looks for pools that have come or gone.
_LISTING_INTERVAL = 0.5


class Overview:
    """Looks at pools from the first `look` on, until the last is closed.

    Every pool has a thread of its own, so that one that does not answer holds up no other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looking = 0
        self._ended = threading.Event()
        self._looks: dict[tuple[str, int], PoolLook] = {}
        self._revision = 0

    @property
    def revision(self) -> int:
        """Grows whenever there is something new to be seen."""
        with self._lock:
            return self._revision

    def look(self) -> Callable[[], None]:
        """Somebody looks from now on; the function returned ends that, and may be called again."""
        with self._lock:
            self._looking += 1
            if self._looking == 1:
                self._ended = ended = threading.Event()
                threading.Thread(
                    target=self._work, args=(ended,), name="workbench-pools", daemon=True
                ).start()
        has_ended = threading.Event()

        def leave() -> None:
            if has_ended.is_set():
                return
            has_ended.set()
            with self._lock:
                self._looking -= 1
                if self._looking == 0:
                    self._end()

        return leave

    def close(self) -> None:
        """Ends all looking."""
        with self._lock:
            self._looking = 0
            self._end()

    def _end(self) -> None:
        self._ended.set()
        for each in self._looks.values():
            each.stop()
        self._looks.clear()

    def descriptions(self) -> tuple[list[dict[str, Any]], list[list[Any]]]:
        """The pools by name as plain data, and for each pool the spans of its workers."""
        with self._lock:
            looks = list(self._looks.values())
        found = sorted((each.description() for each in looks), key=lambda one: one[0]["name"])
        return [told for told, _ in found], [spans for _, spans in found]

    def log(self, pool: str, worker: int | None) -> LogTail:
        """The log of a worker, or that of the pool. PoolError for a pool that is not known."""
        with self._lock:
            for each in self._looks.values():
                if each.pool.name == pool:
                    return each.log(OF_POOL if worker is None else worker)
        raise PoolError(f"There is no pool {pool!r}")

    # -- its thread --------------------------------------------------------------------------

    def _work(self, ended: threading.Event) -> None:
        while not ended.is_set():
            self._list(ended)
            ended.wait(_LISTING_INTERVAL)

    def _list(self, ended: threading.Event) -> None:
        pools = {_key(pool): pool for pool in known_pools()}
        with self._lock:
            if ended.is_set():
                return
            gone = [key for key, look in self._looks.items() if not _shows(look, pools.get(key))]
            new = [key for key in pools if key not in self._looks or key in gone]
            for key in gone:
                self._looks.pop(key).stop()
            for key in new:
                self._looks[key] = PoolLook(pools[key], self._has_changed)
                self._looks[key].start()
            if gone or new or self._revision == 0:
                self._revision += 1

    def _has_changed(self) -> None:
        with self._lock:
            self._revision += 1


def _key(pool: Pool) -> tuple[str, int]:
    return pool.name, pool.pid


def _shows(look: PoolLook, pool: Pool | None) -> bool:
    """Whether what it looks at is this pool: one that was left must be looked at anew."""
    return pool is not None and (look.pool is pool or not pool.is_alive)
