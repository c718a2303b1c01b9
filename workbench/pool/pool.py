"""A pool of workers, as those see it who use it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from workbench import __version__
from workbench.cluster.wire.keys import Keys as WireKeys
from workbench.pool import losses
from workbench.pool.counts import check_counts
from workbench.pool.errors import PoolError
from workbench.pool.keys import Keys
from workbench.pool.link import Link
from workbench.pool.processes import end_group
from workbench.pool.records import Record, end_for_good, read
from workbench.pool.run_places import RunPlaces
from workbench.pool.table import html_table, text_table
from workbench.pool.watching import Watch, Watches
from workbench.pool.worker import Worker

_SCALE_SECONDS = 60.0
#: How long a pool may take to end in order: machines far away need it.
_END_SECONDS = 30.0


class Pool(RunPlaces):
    """Workers, on this machine or on others, that trainings may use.

    A pool stays when the process that started it ends; `wb.pools()` lists those of this user, and
    `close` ends one with all of its processes. `wb.pool.local` and its like make pools.
    """

    def __init__(self, record: Record, link: Link | None = None) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._watches = Watches()
        self._closed = False
        #: What is said of one that is closed.
        self._end = f"The pool {self.name!r} was left: wb.pool.attach({self.name!r})"
        if link is not None:
            self._use(link)

    @property
    def name(self) -> str:
        """The pool's name."""
        return self._record.name

    @property
    def kind(self) -> str:
        """How it was made: "local", "ssh", "kubernetes", "jobqueue" or "connected"."""
        return self._record.kind

    @property
    def address(self) -> str:
        """Where its scheduler listens."""
        return self._record.address

    @property
    def record(self) -> Record:
        """What is written down about it."""
        return self._record

    @property
    def pid(self) -> int:
        """The process that keeps it; 0 for a pool of others."""
        return self._record.pid

    @property
    def folder(self) -> Path | None:
        """Where its log is; None for a pool of others."""
        return self._record.folder if self._record.pid else None

    @property
    def is_alive(self) -> bool:
        """Whether the process that keeps it runs; of a pool of others: whether we are connected."""
        if self._closed:
            return False
        if not self._record.pid:
            return self._link is not None and not self._link.is_over
        if not self._record.is_alive:
            # It may have been started again.
            found = read(self.name)
            if found is not None and found.is_alive:
                self._record = found
        return self._record.is_alive

    @property
    def loss(self) -> str:
        """Where its scheduler is gone for good: since when, as far as that is known here, and what
        to do; "" where it is there, or is being started again."""
        link = self._link
        since = None if link is None else link.lost_since
        if self._record.pid:
            return "" if self._closed or self.is_alive else losses.of_keeper(self._record, since)
        is_lost = link is not None and (since is not None or link.is_over)
        return losses.of_scheduler(self._record, since) if is_lost else ""

    @property
    def workers(self) -> list[Worker]:
        """The workers that serve now, by their numbers."""
        return self.look()[1]

    @property
    def wire_keys(self) -> WireKeys | None:
        """The keys of the wire to its workers, for an `Endpoint` or for `use_keys`; None where
        the wire does not leave this machine and was not locked."""
        return self._linked().wire_keys()

    def status(self) -> dict[str, Any]:
        """What the pool is now, as plain data.

        "state" is "alive", "dead" (the process that keeps it is gone), "restarting" (its scheduler
        is gone, and another is being started) or "silent" (its scheduler cannot be reached, or not
        from this version of workbench); "problem" has why, and what to do. A pool that lives has
        its "epoch", which grows whenever a worker joins or leaves; "workers", each with what
        `Worker` has; "wanted", how many it is to have; "waiting", those that start, with how many
        of their like died as soon as they served ("deaths"); "problem", what it fails at, "" for
        nothing.
        """
        asked: dict[str, Any] = {}
        state, problem = "dead", ""
        if self.is_alive:
            try:
                asked = dict(self._linked().ask("status"))
                state, problem = "alive", asked["problem"]
            except PoolError as error:
                if self._has_no_scheduler():
                    state, problem = "restarting", self._record.problem
                elif self.is_alive:
                    state, problem = "silent", self.loss or str(error)
        if state == "dead":
            problem = self.loss
        return {
            **self.described(),
            "state": state,
            "epoch": asked.get("epoch", 0),
            "wanted": asked.get("wanted"),
            "waiting": list(asked.get("waiting", ())),
            "problem": problem,
            "workers": list(asked.get("workers", ())),
        }

    def described(self) -> dict[str, Any]:
        """What is known of it without asking."""
        return {
            "name": self.name,
            "kind": self.kind,
            "address": self.address,
            "pid": self.pid,
            "since": self._record.since,
        }

    def look(self) -> tuple[dict[str, Any], list[Worker]]:
        """What the scheduler tells, and the workers by their numbers, of one answer."""
        link = self._linked()
        told = link.ask("status")
        link.show_keys(described["address"] for described in told["workers"])
        return told, [Worker(link, described) for described in told["workers"]]

    # -- change ------------------------------------------------------------------------------

    def scale(self, workers: int, seconds: float = _SCALE_SECONDS) -> None:
        """Has so many workers, and waits until they serve, or those that are too many left.

        Raises:
          PoolError: the pool is scaled elsewhere, cannot do it, or did not in time.
        """
        check_counts(workers)
        wish = self._linked().ask("scale", workers=workers)
        if not wish:
            raise PoolError(
                f"The pool {self.name!r} was not started here: add or remove workers where it was"
            )
        self._wait(workers, seconds, wish, is_patient=False)

    def wait_for_workers(self, workers: int, seconds: float, is_patient: bool = True) -> None:
        """Waits until at least so many workers serve.

        Raises:
          PoolError: they do not in time; or at once, where a worker cannot be started and it is not
            to be waited for another attempt.
        """
        self._wait(workers, seconds, 0, is_patient)

    def _wait(self, workers: int, seconds: float, wish: int, is_patient: bool) -> None:
        """Waits for at least so many; for so many where there was a wish."""
        deadline = time.monotonic() + seconds
        with self.watch() as watch:
            while True:
                told = self._linked().ask("status")
                count = len(told["workers"])
                if count == workers or (count > workers and not wish):
                    return
                if wish and told["wish"] != wish and told["wanted"] != workers:
                    raise PoolError(
                        f"The pool {self.name!r} was scaled to {told['wanted']} workers by "
                        f"somebody else before it had {workers}"
                    )
                left = deadline - time.monotonic()
                if (told["problem"] and not is_patient) or left <= 0 or not self.is_alive:
                    raise PoolError(
                        f"The pool {self.name!r} has {count} of {workers} workers: "
                        + (told["problem"] or f"no more came within {seconds:.0f} s")
                        + f"; its log is {self._record.folder}/log.txt"
                    )
                watch.next(min(left, 1.0))

    def watch(self, callback: Any = None) -> Watch:
        """Tells of workers that join and leave.

        Args:
          callback: called with each `Change`, in a thread of the pool; where there is none, the
            watch is asked: `watch.next(seconds)`, or `for change in watch.until(seconds)`.

        Returns:
          The watch, which ends with `close`, or as a context.
        """
        self._linked()
        return self._watches.add(callback)

    # -- end ---------------------------------------------------------------------------------

    def detach(self) -> None:
        """Leaves the pool as it is; `wb.pool.attach(name)` comes back to it."""
        with self._lock:
            link, self._link = self._link, None
            self._closed = True
        self._watches.close()
        if link is not None:
            link.close()

    def close(self) -> None:
        """Ends the pool, with all of its processes and files; a pool of others is left alone."""
        self.detach()
        if self._record.pid:
            self._end = f"The pool {self.name!r} was closed"
            stop(self._record)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # -- looks -------------------------------------------------------------------------------

    def __repr__(self) -> str:
        if self._closed:
            return f"<Pool {self.name!r}, detached>"
        return text_table(self.status())

    def _repr_html_(self) -> str:
        if self._closed:
            return f"<p>Pool {self.name}, detached</p>"
        return html_table(self.status())

    def _linked(self) -> Link:
        with self._lock:
            if self._closed:
                raise PoolError(self._end)
            if not self.is_alive:
                raise PoolError(f"The pool {self.name!r} is dead: {self.loss}")
            if self._link is not None and not self._link.is_open and self._record.pid:
                # Its scheduler may have been started again, elsewhere.
                left, self._link = self._link, None
                left.close()
            if self._link is None:
                self._record = read(self.name) or self._record
                if self._has_no_scheduler():
                    raise PoolError(
                        f"The pool {self.name!r} is being restarted: {self._record.problem}"
                    )
                if self._record.version != __version__ and self._record.pid:
                    raise PoolError(
                        f"The pool {self.name!r} is kept by workbench "
                        f"{self._record.version or 'of an earlier version'}, this is "
                        f"{__version__}: use that, or `workbench pool stop {self.name}`"
                    )
                keys = Keys(**self._record.keys) if self._record.keys else None
                self._use(Link(self.address, keys))
            assert self._link is not None
            return self._link

    def _has_no_scheduler(self) -> bool:
        return bool(self._record.pid) and not self._record.address

    def _use(self, link: Link) -> None:
        from workbench.pool.scheduler_plugin import CHANGES

        self._link = link
        link.subscribe(CHANGES, self._watches.told)


def stop(record: Record) -> None:
    """Ends what a record tells of, and removes the record."""
    end_for_good(record.name)
    end_group(record.pid, record.identity, _END_SECONDS)
    record.remove()
