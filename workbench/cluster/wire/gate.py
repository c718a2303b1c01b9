"""Who may connect: ZeroMQ asks here for each connection that shows a key (ZAP, RFC 27)."""

from __future__ import annotations

import zmq
from zmq.utils import z85

_ADDRESS = "inproc://zeromq.zap.01"


class Gate:
    """Admits those whose public keys are known. Used by who receives only."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], admitted: frozenset[bytes]) -> None:
        self._admitted = admitted
        self.socket = context.socket(zmq.REP)
        self.socket.bind(_ADDRESS)
        self.descriptor: int = self.socket.getsockopt(zmq.FD)  # type: ignore[assignment]
        #: How many were sent away.
        self.rejected = 0

    def answer(self) -> bool:
        """Answers one thing that ZeroMQ has asked; whether there was one."""
        try:
            frames = self.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return False
        self.socket.send_multipart(self._answer(frames))
        return True

    def _answer(self, frames: list[bytes]) -> list[bytes]:
        # Version, number, domain, address, identity, mechanism, and the key as 32 bytes.
        number = frames[1] if len(frames) > 1 else b""
        is_known = (
            len(frames) == 7
            and frames[5] == b"CURVE"
            and len(frames[6]) == 32
            and z85.encode(frames[6]) in self._admitted
        )
        if is_known:
            return [b"1.0", number, b"200", b"OK", b"", b""]
        self.rejected += 1
        return [b"1.0", number, b"400", b"No known key", b"", b""]

    def close(self) -> None:
        """Closes it."""
        self.socket.close(linger=0)
