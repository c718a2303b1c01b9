"""The connections that an endpoint has made to others over the network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import zmq

from workbench.cluster.wire import hello, host
from workbench.cluster.wire.channel import Channel, enter
from workbench.cluster.wire.frames import WireError, decode, refused
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.keys import Keys, keys_at
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.peers import IS_ANOTHER, NetworkPeer
from workbench.cluster.wire.receiving import Receiver
from workbench.cluster.wire.requests import Requests
from workbench.cluster.wire.sockets import check_reach, lock_client, make_socket
from workbench.cluster.wire.traffic import Traffic
from workbench.core.errors import FailedPreconditionError, OpError, UnavailableError

#: How often peers that owe an answer are asked whether they live, in seconds.
_PING_SECONDS = 1.0
#: Whoever refused to talk to this process is asked again after so many seconds.
_REFUSED_SECONDS = 5.0


class Connections:
    """Peers over the network by address. All but `connect` is for who receives.

    Args:
      keys: what is shown to all; None for what the process shows at each address.
      silence: the seconds after which a peer that owes something is taken for dead.
      lost: told of a peer that is gone, and why.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        receiver: Receiver,
        identity: Identity,
        keys: Keys | None,
        requests: Requests,
        traffic: Traffic,
        silence: Callable[[], float],
        lost: Callable[[NetworkPeer, OpError], None],
    ) -> None:
        self._context, self._receiver = context, receiver
        self._identity, self._keys = identity, keys
        self._requests, self._traffic = requests, traffic
        self._silence, self._lost = silence, lost
        self._lock = threading.Lock()
        self._peers: dict[NetworkPeer, None] = {}

    def check(self, address: str) -> None:
        """Refuses what cannot, or must not, be connected to: an error of `check_reach`."""
        if (self._keys or keys_at(address)) is None:
            check_reach(address)

    def connect(self, address: str, epoch: int) -> NetworkPeer:
        """A new connection; what is sent before the other side is there waits for it."""
        keys = self._keys or keys_at(address)
        socket = make_socket(self._context, zmq.DEALER, address, self._silence())
        if keys is not None:
            lock_client(socket, keys)
        peer = NetworkPeer(address, socket, self._traffic, self._wake)
        fields = hello.fields_of(self._identity, epoch, peer.offer.name)
        peer.send_plain(Message("hello", fields))
        # Who receives may find at once that it is gone: it is closed when both are known.
        with self._lock:
            self._peers[peer] = None
            self._receiver.add(peer.monitor_descriptor, lambda: self._watch(peer), True)
            self._receiver.add(peer.socket.descriptor, lambda: self._read(peer), True)
        return peer

    def _wake(self, peer: NetworkPeer) -> None:
        self._receiver.mark(lambda: self._read(peer))

    def _read(self, peer: NetworkPeer) -> bool:
        frames = peer.socket.receive()
        if frames is None:
            return False
        self._arrived(peer, [frame.buffer for frame in frames])
        return True

    def _read_channel(self, peer: NetworkPeer, channel: Channel) -> bool:
        try:
            frames = channel.receive()
        except (EOFError, WireError):
            self._lose(peer, "is gone: its connection was closed")
        else:
            if frames is not None:
                self._arrived(peer, frames)
        return False

    def _arrived(self, peer: NetworkPeer, frames: list[memoryview]) -> None:
        peer.heard = time.monotonic()
        reason = refused(frames)
        if reason is not None:
            self._refuse(peer, reason)
            return
        try:
            message = decode(frames, peer.borrower)
            if message.kind == "welcome":
                self._welcome(peer, message)
                return
        except (WireError, ValueError):
            # What is no message of ours answers nothing.
            return
        self._traffic.received(peer.address, sum([frame.nbytes for frame in frames]))
        self._requests.answered(peer, message)

    def _welcome(self, peer: NetworkPeer, message: Message) -> None:
        found = hello.read(message.fields)
        reason = hello.mismatch(self._identity, found)
        if reason is not None:
            self._refuse(peer, reason)
            return
        peer.welcomed(found)
        if peer.lender is not None and found.door and peer.channel is None:
            socket = enter(found.door)
            if socket is not None:
                channel = Channel(socket, self._receiver.await_room)
                channel.send([found.token.encode()])
                peer.move(channel)
                self._receiver.add(channel.descriptor, lambda: self._read_channel(peer, channel))

    def _refuse(self, peer: NetworkPeer, reason: str) -> None:
        if not reason:
            self._lose(peer, "was started again")
            return
        peer.refusal = (reason, time.monotonic())
        for request in self._requests.of(peer):
            request.fail(peer_refuses(peer.address, reason))

    def _watch(self, peer: NetworkPeer) -> bool:
        if peer in self._peers and (why := peer.loss()):
            self._lose(peer, why)
        return False

    def look_after(self) -> None:
        """Asks peers that owe an answer whether they live, and gives up on silent ones."""
        now = time.monotonic()
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            if peer.refusal is not None:
                if now - peer.refusal[1] > _REFUSED_SECONDS:
                    self._lose(peer, "refuses to answer")
                continue
            if peer.lender is not None and peer.borrower is not None:
                peer.lender.trim()
                peer.borrower.trim()
            # Who has not even said welcome owes that.
            owed = self._requests.owed_by(peer) if peer.welcome is not None else peer.made
            if owed is None:
                continue
            silence = now - max(peer.heard, owed)
            if silence > self._silence():
                self._lose(peer, f"says nothing for {silence:.1f} s{_hint(peer)}")
            elif silence > _PING_SECONDS and now - peer.pinged > _PING_SECONDS:
                peer.pinged = now
                peer.send_plain(Message("ping"))

    def _lose(self, peer: NetworkPeer, why: str) -> None:
        peer.ended = why
        if not self._forget(peer):
            return
        if peer.lender is not None:
            host.sweep()
        self._lost(peer, UnavailableError(None, None, f"{peer.address} {why}"))

    def _forget(self, peer: NetworkPeer) -> bool:
        with self._lock:
            if peer not in self._peers:
                return False
            del self._peers[peer]
        self._receiver.remove(peer.socket.descriptor)
        self._receiver.remove(peer.monitor_descriptor)
        if peer.channel is not None:
            self._receiver.remove(peer.channel.descriptor)
        peer.close(linger=0)
        return True

    def close(self) -> None:
        """Closes all, after the receiver has ended."""
        with self._lock:
            peers, self._peers = list(self._peers), {}
        for peer in peers:
            peer.close()


def _hint(peer: NetworkPeer) -> str:
    """What may be the matter with one that says nothing."""
    if peer.is_connected:
        return ""
    if peer.turned_away:
        return f" (it ends the connection before it begins: {IS_ANOTHER})"
    return " (there is no connection: does a server listen there?)"


def peer_refuses(address: str, reason: str) -> FailedPreconditionError:
    """The error of a peer that does not talk to this process."""
    return FailedPreconditionError(None, None, f"{address} refuses to answer: {reason}")
