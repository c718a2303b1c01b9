"""The ways to train replicas together, by their names."""

from __future__ import annotations

from typing import Any

from workbench.cluster.replication.strategy import Meeting, Replication
from workbench.cluster.wire.keys import Keys
from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.live.effects import changing_operations
from workbench.live.spec import RunSpec


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


def check_cut(spec: RunSpec, strategy: str) -> None:
    """InvalidArgumentError, ValueError where several cannot train together what `spec` says."""
    if len(spec.targets) > 1:
        raise ValueError(
            "Replicas take the steps of one operation: put those of the list together with "
            "tf.group(...)"
        )
    apart = computed_apart(spec.targets[0], strategy)
    _check_sources(spec)
    tensors = [each for each in apart if isinstance(each, Tensor)]
    operations = [each for each in apart if isinstance(each, Operation)]
    own = set(needed_operations(tensors, operations, ()))
    for name, tensor in spec.tracked.items():
        needed = needed_operations([tensor], [], ())
        changing = changing_operations(op for op in needed if op not in own)
        if changing:
            raise ValueError(
                f"{name} cannot be tracked: {tensor.name!r} needs {changing[0].name!r} of type "
                f"{changing[0].type}, which replicas do together, after what each computes"
            )


def _check_sources(spec: RunSpec) -> None:
    """ValueError where the data of a step cannot be shared out among replicas."""
    for op in needed_operations(list(spec.tracked.values()), spec.targets, ()):
        if op.type.startswith("QueueDequeue"):
            raise ValueError(
                f"Replicas cannot share the elements that {op.name!r} takes of a queue: each has "
                "a queue of its own. Take them of a tf.data.Dataset, or feed wb.batches(...)"
            )


def check_encoding(encoding: str | None) -> None:
    """ValueError for an encoding that does not exist."""
    from workbench.cluster.replication.encoding import check_kind

    try:
        check_kind(encoding)
    except InvalidArgumentError as error:
        raise ValueError(error.message) from None


def make_meeting(
    strategy: str, replicas: int, address: str, keys: Keys | None, training: str
) -> Meeting:
    """Where `replicas` replicas meet that begin a training; `keys` are those of its wire, and
    `training` tells it from all others."""
    from workbench.cluster.replication.roster import Roster

    return Roster(replicas, address, keys=keys, training=training)


def make_replica(
    strategy: str,
    session: Any,
    train_op: Any,
    meeting: str,
    address: str,
    training: str,
    encoding: str | None = None,
) -> Replication:
    """One replica of a training, which has the name `training` where it meets.

    InvalidArgumentError where there is no such strategy or encoding.
    """
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
    made: Replication = kind(
        session, train_op, meeting, address=address, training=training, encoding=encoding
    )
    return made
