"""What a collective operation has its rank do, and what it is told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Send:
    """Send arrays to another rank; the tag says what they are in the operation."""

    to: int
    tag: tuple[int, ...]
    arrays: tuple[Any, ...]


@dataclass(frozen=True)
class Done:
    """The rank's part is over, and this is what it has."""

    value: Any


Instruction = Send | Done


class Collective(Protocol):
    """One rank's part of an operation. What comes twice counts once."""

    def begin(self) -> list[Instruction]:
        """The operation begins."""

    def arrived(
        self, sender: int, tag: tuple[int, ...], arrays: Sequence[Any]
    ) -> list[Instruction]:
        """Another rank sent something; it may be early."""

    def awaited(self) -> list[int]:
        """The ranks that must send something next."""
