"""The ways to train replicas together, by their names."""

from __future__ import annotations

from typing import Any

from workbench.cluster.replication.strategy import Meeting, Replication


def make_meeting(strategy: str, replicas: int, address: str) -> Meeting:
    """Where `replicas` replicas meet that begin a training."""
    from workbench.cluster.replication.roster import Roster

    return Roster(replicas, address)


def make_replica(
    strategy: str, session: Any, train_op: Any, meeting: str, address: str
) -> Replication:
    """One replica of a training."""
    from workbench.cluster.replication.replica import Replica

    return Replica(session, train_op, meeting, address)
