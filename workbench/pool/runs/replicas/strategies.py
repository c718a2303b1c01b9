"""The ways to train replicas together, by their names."""

from __future__ import annotations

from typing import Any

from workbench.cluster.replication.strategy import Meeting, Replication
from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation


def is_in_step(strategy: str) -> bool:
    """Whether replicas wait for each other in every step."""
    return strategy == "sync"


def computed_apart(train_op: Operation, strategy: str) -> list[Any]:
    """What each replica computes by itself in a step of `train_op`.

    InvalidArgumentError where replicas cannot train with it together.
    """
    from workbench.cluster.replication.cut import cut

    found = cut(train_op).tensors
    return [train_op] if strategy == "async" else list(found)


def make_meeting(strategy: str, replicas: int, address: str) -> Meeting:
    """Where `replicas` replicas meet that begin a training."""
    from workbench.cluster.replication.roster import Roster

    return Roster(replicas, address)


def make_replica(
    strategy: str, session: Any, train_op: Any, meeting: str, address: str
) -> Replication:
    """One replica of a training. InvalidArgumentError where there is no such strategy."""
    kind: Any
    match strategy:
        case "sync":
            from workbench.cluster.replication.replica import Replica as kind
        case "async":
            from workbench.cluster.replication.wandering_replica import WanderingReplica as kind
        case "parameter server":
            from workbench.cluster.replication.served_replica import ServedReplica as kind
        case _:
            raise InvalidArgumentError(None, None, f"There is no strategy {strategy!r:.80}")
    made: Replication = kind(session, train_op, meeting, address=address)
    return made
