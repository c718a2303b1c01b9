"""Memory that all ranks of a group have, made by the first of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.cluster.collectives import segments
from workbench.cluster.collectives.wire_group import WireGroup


def share_segment(wire: WireGroup, size: int, timeout: float) -> segments.Segment | None:
    """A segment of at least `size` bytes of zeros; None, on all ranks, where not all can have it.

    All ranks ask for it, for as many bytes; the segment is the caller's to close. The errors are
    those of `WireGroup`.
    """
    segment = None
    try:
        if wire.rank == 0:
            segment = _created(size)
        own = [_bytes(str(segment.path) if segment is not None else "")]
        (path,) = wire.broadcast(own if wire.rank == 0 else None, 0, timeout)
        if wire.rank != 0 and path.size:
            segment = _opened(Path(_text(path)), wire.rank, size)
        has_it = np.array([segment is not None])
        all_have = wire.all_reduce(has_it.astype(np.uint8), "min", timeout=timeout)[0]
        if segment is not None and wire.rank == 0:
            segment.forget_name()
        if segment is None or not all_have:
            if segment is not None:
                segment.close([])
            return None
        return segment
    except BaseException:
        if segment is not None:
            if wire.rank == 0:
                segment.forget_name()
            segment.close([])
        raise


def is_one_host(wire: WireGroup, timeout: float) -> bool:
    """Whether all ranks are processes that may share memory."""
    hosts = wire.all_gather([_bytes(segments.host())], timeout)
    first = _text(hosts[0][0])
    return bool(segments.IS_SUPPORTED and first and all(_text(h[0]) == first for h in hosts))


def _created(size: int) -> segments.Segment | None:
    try:
        return segments.Segment.create(size)
    except OSError:
        # No room: the wire needs none.
        return None


def _opened(path: Path, rank: int, size: int) -> segments.Segment | None:
    if path.parent != segments.folder() or not path.name.startswith(segments.prefix()):
        return None
    try:
        segment = segments.Segment(path, rank)
    except (OSError, ValueError):
        return None
    if len(segment.buffer) < size:
        segment.close([])
        return None
    return segment


def _bytes(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(text.encode(), np.uint8)


def _text(array: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> str:
    return array.tobytes().decode()
