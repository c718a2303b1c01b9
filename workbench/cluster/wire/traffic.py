"""What went over the wire, counted for each peer."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Counts:
    """What was sent to a peer and came from it.

    `bytes_sent` and `bytes_received` went through the network or its loopback, `bytes_shared` by
    shared memory, `bytes_handed` by reference within the process; `bytes_saved` are those that
    shorter encodings made unnecessary.
    """

    messages_sent: int = 0
    messages_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    bytes_shared: int = 0
    bytes_handed: int = 0
    bytes_saved: int = 0


class Traffic:
    """Counters by the peers' names, for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = {}
        with _known_lock:
            _known.add(self)
        weakref.finalize(self, _retire, self._counts).atexit = False

    def add(
        self,
        peer: str,
        messages_sent: int = 0,
        messages_received: int = 0,
        bytes_sent: int = 0,
        bytes_received: int = 0,
        bytes_shared: int = 0,
        bytes_handed: int = 0,
        bytes_saved: int = 0,
    ) -> None:
        """Counts something."""
        more = (
            messages_sent,
            messages_received,
            bytes_sent,
            bytes_received,
            bytes_shared,
            bytes_handed,
            bytes_saved,
        )
        with self._lock:
            counts = self._of(peer)
            for index, count in enumerate(more):
                if count:
                    counts[index] += count

    def sent(self, peer: str, size: int, shared: int, saved: int) -> None:
        """Counts a message to a peer."""
        with self._lock:
            counts = self._of(peer)
            counts[0] += 1
            counts[2] += size
            counts[4] += shared
            counts[6] += saved

    def received(self, peer: str, size: int) -> None:
        """Counts a message of a peer."""
        with self._lock:
            counts = self._of(peer)
            counts[1] += 1
            counts[3] += size

    def _of(self, peer: str) -> list[int]:
        counts = self._counts.get(peer)
        if counts is None:
            counts = self._counts[peer] = [0] * len(fields(Counts))
        return counts

    def counts(self) -> dict[str, Counts]:
        """The counts by peer."""
        with self._lock:
            return {peer: Counts(*counts) for peer, counts in self._counts.items()}


#: The counters of this process, and the sum of those that are gone.
_known: weakref.WeakSet[Traffic] = weakref.WeakSet()
_gone = [0] * len(fields(Counts))
# An object may be collected, and counted as gone, while the lock is held.
_known_lock = threading.RLock()


def _retire(counts: dict[str, list[int]]) -> None:
    with _known_lock:
        for found in counts.values():
            for index, count in enumerate(found):
                _gone[index] += count


def process_counts() -> Counts:
    """All that this process has sent and received, by whichever end of the wire."""
    with _known_lock:
        total = list(_gone)
        for traffic in list(_known):
            for counts in traffic.counts().values():
                for index, name in enumerate(Counts.__dataclass_fields__):
                    total[index] += getattr(counts, name)
    return Counts(*total)


#: What processes of one host put into memory that all of them have, which no end of a wire sees.
through_memory = Traffic()
