"""Messages between tasks: a kind, plain fields, and arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.cluster.wire.encodings import Encoding

#: What reading a message's fields raises where they are not what they should be.
MISREAD = (KeyError, TypeError, ValueError, OverflowError)


@dataclass(slots=True)
class Message:
    """One message.

    `fields` are what JSON can hold. `arrays` are NumPy arrays (of objects: strings) by name. Who
    has a message changes nothing in it: within a process it is the sender's own.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Sequence[tuple[str, Any]] = ()
    #: Answers carry the number of the request, and requests one of their own.
    number: int = 0
    #: Bytes that are handed on as they are: graphs.
    blobs: Sequence[bytes] = ()
    #: How arrays of float32 go over the wire, by their names; those not named go as they are.
    encodings: Mapping[str, Encoding] = field(default_factory=dict)
    #: The epoch of the sender's membership. What is of an earlier one is not handled.
    epoch: int = 0

    def numbered(self, number: int, epoch: int) -> Message:
        """The same message with a number and an epoch."""
        return Message(
            self.kind, self.fields, self.arrays, number, self.blobs, self.encodings, epoch
        )
