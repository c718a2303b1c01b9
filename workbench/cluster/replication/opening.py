"""Opens replicas, and the places where they meet, by the names of strategies."""

from __future__ import annotations

from typing import Any

from workbench.cluster.replication.replica import Replica
from workbench.cluster.replication.roster import Roster
from workbench.cluster.replication.served_replica import ServedReplica
from workbench.cluster.replication.strategy import STRATEGIES, Meeting, Replication
from workbench.cluster.replication.wandering_replica import WanderingReplica
from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation

_REPLICAS: dict[str, type[Replica] | type[ServedReplica] | type[WanderingReplica]] = {
    "sync": Replica,
    "parameter server": ServedReplica,
    "async": WanderingReplica,
}


def open_meeting(
    strategy: str, replicas: int, address: str = "tcp://127.0.0.1:0", **options: Any
) -> Meeting:
    """Where `replicas` replicas meet that begin a training; `options` are those of `Roster`.

    InvalidArgumentError for a strategy that does not exist.
    """
    _check(strategy)
    return Roster(replicas, address, **options)


def open_replica(
    strategy: str,
    session: Any,
    train_op: Operation,
    meeting: str,
    address: str = "tcp://127.0.0.1:0",
    **options: Any,
) -> Replication:
    """One replica of a training; it joins with its first step, or with `join`.

    `options` are those of `Replica`, `ServedReplica` or `WanderingReplica`. InvalidArgumentError
    for a strategy that does not exist, or a train operation that replicas cannot take.

    >>> import workbench as tf
    >>> from workbench.cluster.replication.opening import open_meeting, open_replica
    >>> w = tf.Variable(4.0)
    >>> train = tf.train.GradientDescentOptimizer(0.25).minimize(tf.square(w))
    >>> meeting = open_meeting("async", replicas=1)
    >>> with tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     replica = open_replica("async", session, train, meeting.address, period=4)
    ...     loss = [replica.step(w) for _ in range(3)]
    ...     replica.leave()
    >>> meeting.close()
    """
    _check(strategy)
    return _REPLICAS[strategy](session, train_op, meeting, address, **options)


def _check(strategy: str) -> None:
    if strategy not in STRATEGIES:
        listed = ", ".join(map(repr, STRATEGIES))
        raise InvalidArgumentError(
            None, None, f"There is no strategy {strategy!r}: it is one of {listed}"
        )
