"""Those that an endpoint sends to: over the network, or in the same process."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import zmq

from workbench.cluster.wire.channel import Channel
from workbench.cluster.wire.direct import Neighbour, deliver, handed
from workbench.cluster.wire.feedback import Feedback
from workbench.cluster.wire.frames import encode, pack
from workbench.cluster.wire.hello import Hello, Offer
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.segments import SegmentBorrower, SegmentLender
from workbench.cluster.wire.shared_socket import SharedSocket
from workbench.cluster.wire.traffic import Traffic

_EVENTS = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
)
#: Of one who does not even shake hands.
IS_ANOTHER = "is it a server of workbench, and do the keys fit?"
_ACCEPTED = zmq.EVENT_HANDSHAKE_SUCCEEDED


class Sent(NamedTuple):
    """What a message took: bytes through the network and by shared memory, and bytes saved."""

    through: int
    shared: int
    saved: int


class NetworkPeer:
    """Another endpoint, through ZeroMQ or, on the same host, a channel and shared memory.

    All but `send` is for who receives.
    """

    def __init__(
        self,
        address: str,
        socket: zmq.Socket[bytes],
        traffic: Traffic,
        wake: Callable[[NetworkPeer], None],
    ) -> None:
        self.address = address
        self._traffic = traffic
        self.monitor = socket.get_monitor_socket(_EVENTS)
        self.monitor_descriptor: int = self.monitor.getsockopt(zmq.FD)  # type: ignore[assignment]
        socket.connect(address)
        self.socket = SharedSocket(socket, lambda: wake(self))
        self.made = self.heard = time.monotonic()
        self.pinged = 0.0
        self.offer = Offer()
        self.welcome: Hello | None = None
        #: Why it refuses to talk to this process, and since when.
        self.refusal: tuple[str, float] | None = None
        #: Why it was given up.
        self.ended = ""
        #: Whether a connection was made, and how many were ended before.
        self.is_connected = False
        self.turned_away = 0
        self.lender: SegmentLender | None = None
        self.borrower: SegmentBorrower | None = None
        self._feedback = Feedback()
        #: What was sent before the channel was there goes by the connection, in this order.
        self._order = threading.Lock()
        self.channel: Channel | None = None

    def send(self, message: Message) -> Sent | None:
        """Sends a message: what it took; None where the connection is closed."""
        packed = pack(message, self.lender, self._feedback)
        with self._order:
            way = self.channel or self.socket
            sent = way.send(packed.frames)
        if sent is None:
            return None
        self._traffic.sent(self.address, sent, packed.lent, packed.saved)
        return Sent(sent, packed.lent, packed.saved)

    def forget_feedback(self, prefix: str) -> None:
        """Forgets what encodings have rounded away, for keys that begin with `prefix`."""
        self._feedback.forget(prefix)

    def move(self, channel: Channel) -> None:
        """From now on messages go by a channel; the other side is told that none come before."""
        with self._order:
            self.send_plain(Message("moved"))
            self.channel = channel

    def send_plain(self, message: Message) -> None:
        """Sends what belongs to the connection itself."""
        self.socket.send(encode(message))

    def welcomed(self, hello: Hello) -> None:
        """The other side has welcomed this one."""
        if self.offer.is_proven(hello):
            self.borrower = SegmentBorrower()
            self.lender = SegmentLender()
        self.offer.close()
        self.welcome = hello

    def loss(self) -> str:
        """What the monitor tells: why the connection is gone for good; "" where it is not."""
        why = ""
        while True:
            try:
                frames = self.monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return why
            (event,) = struct.unpack("=H", frames[0][:2])
            if event == _ACCEPTED:
                self.is_connected = True
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                why = "does not know the keys that this process shows"
            elif self.is_connected and self.welcome is not None:
                why = why or "is gone: its connection was closed"
            elif self.is_connected:
                why = why or f"ends the connection before it says who it is: {IS_ANOTHER}"
            else:
                self.turned_away += 1

    def close(self, linger: int = 500) -> None:
        """Closes the connection and frees what was shared."""
        self.offer.close()
        if self.channel is not None:
            self.channel.close()
        self.socket.close(linger)
        self.monitor.close(linger=0)
        if self.lender is not None:
            self.lender.close()
        if self.borrower is not None:
            self.borrower.close()


class DirectCaller:
    """Who sent a message, in the same process."""

    def __init__(self, name: str, endpoint: Neighbour, peer: DirectPeer) -> None:
        self.name = name
        self._endpoint, self._peer = endpoint, peer

    def answer(self, message: Message) -> int:
        """Hands an answer over; how many bytes did not move."""
        given, size = handed(message)
        deliver(lambda: self._endpoint.answered_by(self._peer, given))
        return size


class DirectPeer:
    """Another endpoint of this process."""

    def __init__(
        self, address: str, name: str, own: Neighbour, other: Neighbour, traffic: Traffic
    ) -> None:
        self.address = address
        self.other = other
        self._caller = DirectCaller(name, own, self)
        self._traffic = traffic

    def send(self, message: Message) -> Sent:
        """Hands a message over."""
        given, size = handed(message)
        self._traffic.add(self.address, messages_sent=1, bytes_handed=size)
        deliver(lambda: self.other.receive_from(self._caller, given))
        return Sent(0, 0, 0)
