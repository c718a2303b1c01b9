"""What a replica and its parameter server write to each other, as messages of the wire."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np

from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.collectives.forming import Group
from workbench.cluster.remote_errors import from_fields
from workbench.cluster.replication.cut import Cut
from workbench.cluster.replication.membership import Mark
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.message import Message
from workbench.core.errors import UnavailableError
from workbench.core.runtime.activity import EXCHANGE, span

#: How often who waits looks whether the parameter server is there still, in seconds.
_LOOK_SECONDS = 0.1
PUSH, HAND_OVER = "push gradients", "hand parameters over"
_ANSWER = "parameters"


class Push(NamedTuple):
    """Gradients of one replica, to be applied.

    Reading one is for errors of who wrote it: KeyError, TypeError and ValueError.
    """

    epoch: int
    member: str
    #: The first, second, ... that the replica sends in this epoch.
    number: int
    #: How many steps are in the variables that they were computed with.
    seen: int
    values: Sequence[Any]

    def message(self, cut: Cut, encoding: str | None) -> Message:
        """What is sent; gradients of float32 go in an encoding."""
        fields = {
            "epoch": self.epoch,
            "member": self.member,
            "number": self.number,
            "seen": self.seen,
        }
        arrays = [(str(n), value) for n, value in enumerate(self.values)]
        encodings = {}
        if encoding is not None:
            encodings = {str(n): Encoding(encoding, f"gradient {n}") for n in range(len(cut.dense))}
        return Message(PUSH, fields, arrays, encodings=encodings)

    @staticmethod
    def read(message: Message, cut: Cut) -> Push:
        """What came. ValueError where its values are not those at the cut."""
        fields = message.fields
        values = [array for _, array in message.arrays]
        tensors = cut.tensors
        if len(values) != len(tensors):
            raise ValueError(f"{len(values)} values are not those of {len(tensors)} tensors")
        for value, tensor in zip(values, tensors, strict=True):
            kind = tensor.dtype.base_dtype.as_numpy_dtype
            if value.dtype != kind or not tensor.shape.is_compatible_with(value.shape):
                raise ValueError(f"{tensor.name} is no {value.dtype} of shape {value.shape}")
        return Push(
            int(fields["epoch"]),
            str(fields["member"]),
            int(fields["number"]),
            int(fields["seen"]),
            values,
        )


class Parameters(NamedTuple):
    """What is answered to gradients: the variables as they are now."""

    #: How many steps are in them.
    step: int
    #: The first batch that nobody was given, and the one that the replica is given.
    batch: int
    following: int
    #: Whether the gradients were too old; whether the training is where it is to end, or to pause.
    was_dropped: bool
    is_over: bool
    values: Sequence[Any]

    def message(self) -> Message:
        """What is sent."""
        fields = {
            "step": self.step,
            "batch": self.batch,
            "next": self.following,
            "dropped": self.was_dropped,
            "over": self.is_over,
        }
        return Message(_ANSWER, fields, [("", value) for value in self.values])

    @staticmethod
    def read(message: Message) -> Parameters | None:
        """What came; None where the gradients were refused."""
        fields = message.fields
        if fields.get("refused"):
            return None
        return Parameters(
            int(fields["step"]),
            int(fields["batch"]),
            int(fields["next"]),
            bool(fields["dropped"]),
            bool(fields["over"]),
            [array for _, array in message.arrays],
        )


def heard(asked: Future[Message], group: Group) -> Parameters | None:
    """What the first of a group answers to gradients; None where it refuses them.

    LostMembersError where it is gone; what it says that failed there.
    """
    with span(EXCHANGE):
        answer = _awaited(asked, group)
    if answer.kind == "error":
        raise from_fields(answer.fields, group.members[0])
    return Parameters.read(answer)


def _awaited(asked: Future[Message], group: Group) -> Message:
    while True:
        try:
            return asked.result(_LOOK_SECONDS)
        except UnavailableError as error:
            raise LostMembersError(error.message, [0]) from None
        except TimeoutError:
            if not group.is_there(0) and not asked.done():
                text = f"The parameter server, {group.members[0]}, is gone"
                raise LostMembersError(text, [0]) from None


def refusal() -> Message:
    """What is answered to gradients of another epoch."""
    return Message(_ANSWER, {"refused": True})


class Legacy(NamedTuple):
    """What a parameter server that leaves gives to the others."""

    mark: Mark
    batch: int
    values: Sequence[Any]

    def message(self) -> Message:
        """What is sent."""
        fields = {"mark": list(self.mark), "batch": self.batch}
        return Message(HAND_OVER, fields, [("", value) for value in self.values])

    @staticmethod
    def read(message: Message) -> Legacy:
        """What came."""
        mark = Mark(*(int(n) for n in message.fields["mark"]))
        values = [np.array(array) for _, array in message.arrays]
        return Legacy(mark, int(message.fields["batch"]), values)


def taken() -> Message:
    """What is answered to a legacy."""
    return Message(_ANSWER, {})
