"""Messages between tasks: a kind, plain fields, and arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """One message.

    `fields` are what JSON can hold. `arrays` are NumPy arrays (of objects: strings) by name; they
    are not to be written to by whoever has the message.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Sequence[tuple[str, Any]] = ()
    #: Answers carry the number of the request, and requests one of their own.
    number: int = 0
    #: Bytes that are handed on as they are: graphs.
    blobs: Sequence[bytes] = ()
