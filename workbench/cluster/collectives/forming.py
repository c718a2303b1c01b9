"""Forms groups: over shared memory where all members are processes of one host."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.collectives.shared_group import SharedGroup, segment_bytes
from workbench.cluster.collectives.sharing import is_one_host, share_segment
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
        segment = None
        if is_one_host(wire, timeout):
            segment = share_segment(wire, segment_bytes(wire.size), timeout)
        return SharedGroup(wire, segment) if segment is not None else wire
    except BaseException:
        wire.close()
        raise
