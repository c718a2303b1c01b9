"""The end of the wire in a process: an address, the peers it talks to, requests and answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

import zmq

from workbench.cluster.wire import direct, host
from workbench.cluster.wire.connections import Connections, peer_refuses
from workbench.cluster.wire.gate import Gate
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.keys import Keys, default_keys
from workbench.cluster.wire.listening import Listener, stale
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.peers import DirectCaller, DirectPeer, NetworkPeer, Sent
from workbench.cluster.wire.receiving import Receiver
from workbench.cluster.wire.requests import Requests
from workbench.cluster.wire.sockets import listen
from workbench.cluster.wire.traffic import Counts, Traffic
from workbench.core.errors import (
    CancelledError,
    FailedPreconditionError,
    OpError,
    UnavailableError,
)

#: A peer that says nothing for so long, while it owes an answer, is taken for dead.
SILENCE_SECONDS = 10.0
#: How often peers are looked after, in seconds.
_LOOK_SECONDS = 1.0

#: What handles a message: from whom (somebody to answer to), and the message.
Handler = Callable[[Any, Message], None]


class Endpoint:
    """Sends and receives messages: through ZeroMQ between processes, with shared memory for large
    arrays between those of one host, and directly within a process.

    Args:
      address: where others connect to, as `tcp://host:port` (port 0: any that is free); None for
        an endpoint that only connects to others.
      handler: called with who sent a message and the message, in a thread that receives or, for one
        of the same process, in the sender's; it must not wait. Answers do not come here.
      identity: what it says of itself to those it meets.
      keys: the keys of the wire; where left out, those that the process has (`keys.use_keys`) for
        the address that is connected to, or for all.
      lost: told of the address of a peer that is gone, and why; what was sent to it may be lost.
    """

    def __init__(
        self,
        address: str | None,
        handler: Handler,
        *,
        identity: Identity | None = None,
        keys: Keys | None = None,
        lost: Callable[[str, OpError], None] | None = None,
    ) -> None:
        self._handler = handler
        self.identity = identity or Identity()
        #: The epoch of this process's membership: messages of earlier ones are not handled.
        self.epoch = 0
        self._told = lost
        self._lock = threading.Lock()
        self._is_closed = False
        self._peers: dict[str, NetworkPeer | DirectPeer] = {}
        self._traffic = Traffic()
        self._receiver = Receiver(self._look_after, _LOOK_SECONDS)
        self._requests = Requests(self._receiver)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._context.setsockopt(zmq.MAX_SOCKETS, 16384)
        self._gate: Gate | None = None
        self._listener: Listener | None = None
        self.address = address
        try:
            if address is not None:
                self._listen(address, keys or default_keys())
        except BaseException:
            if self._gate is not None:
                self._gate.close()
            self._context.term()
            self._receiver.release()
            raise
        self._connections = Connections(
            self._context,
            self._receiver,
            self.identity,
            keys,
            self._requests,
            self._traffic,
            lambda: SILENCE_SECONDS,
            self._lost,
        )
        # What ended processes were lending when they ended has no other owner.
        host.sweep()
        direct.register(self)
        self._receiver.start()

    def _listen(self, address: str, keys: Keys | None) -> None:
        if keys is not None:
            self._gate = Gate(self._context, keys.admitted)
            self._receiver.add(self._gate.descriptor, self._gate.answer, True)
        socket, self.address = listen(self._context, address, keys, SILENCE_SECONDS)
        self._listener = Listener(
            socket,
            self._receiver,
            self.identity,
            lambda: self.epoch,
            self._handle,
            self._traffic,
        )

    # -- sending -----------------------------------------------------------------------------

    def send(self, address: str, message: Message) -> Sent | None:
        """Sends a message that nobody answers: what it took; None where the peer is gone."""
        try:
            peer = self._peer(address)
        except UnavailableError:
            return None
        return peer.send(message.numbered(0, self.epoch))

    def request(
        self, address: str, message: Message, about: str, seconds: float | None = None
    ) -> Future[Message]:
        """Sends a message; the future has the answer, or UnavailableError of a peer that is silent
        or gone, FailedPreconditionError of one that refuses to talk or must not be talked to, or
        DeadlineExceededError after `seconds`.

        `about` says what is awaited, in words.
        """
        try:
            peer = self._peer(address)
        except (FailedPreconditionError, UnavailableError) as error:
            return self._requests.failed(error)
        number, answer = self._requests.add(peer, about, seconds)
        refusal = peer.refusal if isinstance(peer, NetworkPeer) else None
        if refusal is not None:
            self._requests.end_of(peer, peer_refuses(address, refusal[0]))
        elif peer.send(message.numbered(number, self.epoch)) is None:
            why = isinstance(peer, NetworkPeer) and peer.ended
            gone = UnavailableError(None, None, f"{address} {why or 'is gone'}")
            self._requests.end_of(peer, gone)
        return answer

    def ask(
        self, address: str, message: Message, about: str, seconds: float | None = None
    ) -> Message:
        """Sends a message and waits for its answer, as `request` and `result` of that."""
        with self.held():
            return self.request(address, message, about).result(seconds)

    def held(self) -> AbstractContextManager[None]:
        """A short block in which this thread receives: what it asks for in there, and waits for,
        wakes no other thread."""
        return self._receiver.held()

    def answer(self, sender: Any, request: Message, message: Message) -> None:
        """Answers a request. A sender that is gone gets nothing."""
        numbered = message.numbered(request.number, self.epoch)
        if isinstance(sender, DirectCaller):
            handed = sender.answer(numbered)
            self._traffic.add(sender.name, messages_sent=1, bytes_handed=handed)
        else:
            assert self._listener is not None
            self._listener.answer(sender, numbered)

    def reaches(self, sender: Any) -> bool:
        """Whether answers reach who sent a message: False where it, or the way to it, is gone."""
        if isinstance(sender, DirectCaller):
            return True
        assert self._listener is not None
        return self._listener.reaches(sender)

    def count_saved(self, address: str, count: int) -> None:
        """Counts bytes to a peer that need not be sent, because what is sent is shorter already."""
        self._traffic.add(address, bytes_saved=count)

    def forget_feedback(self, prefix: str) -> None:
        """Forgets what encodings have rounded away, for keys that begin with `prefix`."""
        for peer in list(self._peers.values()):
            if isinstance(peer, NetworkPeer):
                peer.forget_feedback(prefix)

    def statistics(self) -> dict[str, Counts]:
        """What was sent to each peer and came from it."""
        return self._traffic.counts()

    def _peer(self, address: str) -> NetworkPeer | DirectPeer:
        found = self._peers.get(address)
        if found is not None:
            return found
        if direct.neighbour_at(address) is None:
            # Names are looked up: not while others wait.
            self._connections.check(address)
        with self._lock:
            found = self._peers.get(address)
            if found is None:
                if self._is_closed:
                    raise CancelledError(None, None, "The endpoint is closed")
                near = direct.neighbour_at(address)
                if near is not None:
                    name = self.identity.name or f"client {self.identity.incarnation:x}"
                    found = DirectPeer(address, name, self, near, self._traffic)
                else:
                    found = self._connections.connect(address, self.epoch)
                self._peers[address] = found
        return found

    # -- receiving ---------------------------------------------------------------------------

    def help(self, is_done: Callable[[], bool], seconds: float | None = None) -> float | None:
        """Receives in this thread until something is done, unless another one does already.

        Returns after `seconds` at the latest: how many of them are left. Whoever does it calls
        `nudge` then. Answers (`request`) are waited for like that.
        """
        return self._receiver.help(is_done, seconds)

    def nudge(self) -> None:
        """What a thread that helps waits for may be done."""
        self._receiver.nudge()

    def step_back(self, seconds: float) -> bool:
        """Called by a handler: may it do now what takes so long, while another thread receives?"""
        return self._receiver.step_back(seconds)

    def soon(self, work: Callable[[], None]) -> None:
        """Has who receives do something that takes little time. The caller may hold locks."""

        def once() -> bool:
            work()
            return False

        self._receiver.mark(once)

    def _handle(self, sender: Any, message: Message) -> None:
        if self._is_closed:
            return
        if message.epoch < self.epoch:
            if message.number:
                self.answer(sender, message, stale(message, self.epoch))
            return
        self._handler(sender, message)

    def receive_from(self, sender: Any, message: Message) -> None:
        """Handles a message of another endpoint of this process."""
        self._traffic.add(sender.name, messages_received=1)
        self._handle(sender, message)

    def answered_by(self, peer: Any, message: Message) -> None:
        """Handles an answer of another endpoint of this process."""
        self._traffic.add(peer.address, messages_received=1)
        self._requests.answered(peer, message)

    def neighbour_closed(self, neighbour: direct.Neighbour) -> None:
        """Another endpoint of this process is closed."""
        for peer in list(self._peers.values()):
            if isinstance(peer, DirectPeer) and peer.other is neighbour:
                self._lost(peer, UnavailableError(None, None, f"{peer.address} was closed"))

    def _look_after(self) -> None:
        self._connections.look_after()
        if self._listener is not None:
            self._listener.look_after()
        self._requests.end_overdue()

    def _lost(self, peer: NetworkPeer | DirectPeer, error: OpError) -> None:
        with self._lock:
            if self._peers.get(peer.address) is peer:
                del self._peers[peer.address]
        self._requests.end_of(peer, error)
        if self._told is not None and not self._is_closed:
            self._told(peer.address, error)

    def close(self) -> None:
        """Closes all connections; requests that are open end with CancelledError."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        direct.unregister(self)
        self._receiver.close()
        self._connections.close()
        self._requests.close()
        if self._listener is not None:
            self._listener.close()
        if self._gate is not None:
            self._gate.close()
        self._context.term()
        self._receiver.release()
