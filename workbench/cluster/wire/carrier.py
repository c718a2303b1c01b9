"""What carries the large frames of messages beside the connection that carries the messages.

Shared memory is one carrier. A fabric with remote direct memory access is another: it lends a
registered region, the reference says where that is, and the borrower reads it. A carrier is
offered and accepted when two endpoints meet (`workbench.cluster.wire.hello`); what it cannot carry
goes with the message.
"""

from __future__ import annotations

from typing import Any, Protocol


class Lender(Protocol):
    """The sender's side of a carrier, for one peer."""

    #: Frames with fewer bytes go with their message.
    least_bytes: int

    def lend(self, frame: Any) -> tuple[str, int] | None:
        """Has the peer see the bytes of a frame: what to tell it; None where that cannot be."""

    def close(self) -> None:
        """The peer is gone."""


class Borrower(Protocol):
    """The receiver's side, for one peer."""

    def borrow(self, name: Any, size: Any) -> Any:
        """The bytes that were lent, read-only; they are given back when nobody has them any more.

        OSError, ValueError or TypeError where there are none: what a peer says is not trusted.
        """

    def close(self) -> None:
        """The peer is gone; what was borrowed and is still in use stays."""
