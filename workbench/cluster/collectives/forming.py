"""Forms groups: over shared memory where all members are processes of one host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workbench.cluster.collectives import segments
from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.collectives.shared_group import SharedGroup, segment_bytes
from workbench.cluster.collectives.wire_group import TIMEOUT, WireGroup

Group = WireGroup | SharedGroup


def form(
    exchange: Exchange,
    name: str,
    epoch: int,
    members: Sequence[str],
    rank: int,
    timeout: float = TIMEOUT,
    shared: bool = True,
) -> Group:
    """The group of `members` as its member `rank` has it; all of them must form it.

    `members` are the addresses of their exchanges. Returns when all have the group. The errors are
    those of `WireGroup`. `shared=False` keeps to the wire, on all members.
    """
    wire = exchange.open(name, epoch, members, rank)
    try:
        if not shared or wire.size == 1:
            wire.barrier(timeout)
            return wire
        return _shared(wire, timeout) or wire
    except BaseException:
        wire.close()
        raise


def _shared(wire: WireGroup, timeout: float) -> SharedGroup | None:
    """The group over shared memory; None where not all members can have it."""
    hosts = wire.all_gather([_bytes(segments.host())], timeout)
    first = _text(hosts[0][0])
    if not segments.IS_SUPPORTED or not first or any(_text(h[0]) != first for h in hosts):
        return None
    segment = None
    try:
        if wire.rank == 0:
            segment = _created(wire.size)
        own = [_bytes(str(segment.path) if segment is not None else "")]
        (path,) = wire.broadcast(own if wire.rank == 0 else None, 0, timeout)
        if wire.rank != 0 and path.size:
            segment = _opened(Path(_text(path)), wire.rank)
        has_it = np.array([segment is not None])
        all_have = wire.all_reduce(has_it.astype(np.uint8), "min", timeout=timeout)[0]
        if segment is not None and wire.rank == 0:
            segment.forget_name()
        if segment is None or not all_have:
            if segment is not None:
                segment.close([])
            return None
        return SharedGroup(wire, segment)
    except BaseException:
        if segment is not None:
            if wire.rank == 0:
                segment.forget_name()
            segment.close([])
        raise


def _created(ranks: int) -> segments.Segment | None:
    try:
        return segments.Segment.create(segment_bytes(ranks))
    except OSError:
        # No room: the wire needs none.
        return None


def _opened(path: Path, rank: int) -> segments.Segment | None:
    if path.parent != segments.folder() or not path.name.startswith(segments.prefix()):
        return None
    try:
        return segments.Segment(path, rank)
    except OSError:
        return None


def _bytes(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(text.encode(), np.uint8)


def _text(array: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> str:
    return array.tobytes().decode()
