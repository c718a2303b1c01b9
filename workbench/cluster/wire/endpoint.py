"""The end of the wire in a process: an address, the peers it talks to, requests and answers."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import zmq

from workbench.cluster.wire.frames import WireError, decode, encode
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.shared_socket import SharedSocket
from workbench.core.errors import CancelledError, UnavailableError

#: A message has at most so many bytes in one frame.
MOST_FRAME_BYTES = 1 << 32
#: How often peers that owe an answer are asked whether they live, in seconds.
_PING_SECONDS = 1.0
#: A peer that says nothing for so long, while it owes an answer, is taken for dead.
SILENCE_SECONDS = 10.0

#: What handles a message: from whom (a name to answer to), and the message.
Handler = Callable[[Any, Message], None]


class _Peer:
    """Another endpoint that this one connects to."""

    def __init__(self, address: str, socket: SharedSocket) -> None:
        self.address = address
        self.socket = socket
        self.heard = time.monotonic()
        self.pinged = 0.0
        #: Requests that it has not answered, by their numbers: the answer, and what it is about.
        self.open: dict[int, tuple[Future[Message], str, float]] = {}


class Endpoint:
    """Sends and receives messages over ZeroMQ.

    Args:
      address: where others connect to, as `tcp://host:port` (port 0: any that is free); None for
        an endpoint that only connects to others.
      handler: called in the receiving thread, with who sent a message and the message; it must not
        wait. Answers do not come here.
    """

    def __init__(self, address: str | None, handler: Handler) -> None:
        self._handler = handler
        self._context = zmq.Context()
        self._context.setsockopt(zmq.MAX_SOCKETS, 16384)
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self._numbers = itertools.count(1)
        self._peers: dict[str, _Peer] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._router: SharedSocket | None = None
        self.address = address
        if address is not None:
            try:
                self._router, self.address = self._bind(address)
            except BaseException:
                self._context.term()
                os.close(self._woken)
                os.close(self._waker)
                raise
        self._thread = threading.Thread(target=self._receive, name="workbench-wire", daemon=True)
        self._thread.start()

    def _bind(self, address: str) -> tuple[SharedSocket, str]:
        socket = self._socket(zmq.ROUTER)
        try:
            socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            socket.bind(address)
            bound = socket.getsockopt(zmq.LAST_ENDPOINT)
        except zmq.ZMQError as error:
            socket.close(linger=0)
            raise UnavailableError(
                None, None, f"Cannot listen at {address}: {error.strerror}"
            ) from None
        text = bound.decode().rstrip("\0") if isinstance(bound, bytes) else str(bound)
        host = address.rpartition(":")[0]
        return SharedSocket(socket, self._wake), f"{host}:{text.rpartition(':')[2]}"

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.MAXMSGSIZE, MOST_FRAME_BYTES)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.HEARTBEAT_IVL, 2000)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, int(SILENCE_SECONDS * 1000))
        socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        return socket

    # -- sending -----------------------------------------------------------------------------

    def send(self, address: str, message: Message) -> None:
        """Sends a message that nobody answers."""
        peer = self._peer(address)
        peer.socket.send(encode(message))

    def request(self, address: str, message: Message, about: str) -> Future[Message]:
        """Sends a message; the future has the answer, or UnavailableError of a peer that is silent.

        `about` says what is awaited, in words.
        """
        peer = self._peer(address)
        number = next(self._numbers)
        answer: Future[Message] = Future()
        now = time.monotonic()
        with self._lock:
            if not peer.open:
                peer.heard = now
            peer.open[number] = (answer, about, now)
        numbered = Message(message.kind, message.fields, message.arrays, number, message.blobs)
        if not peer.socket.send(encode(numbered)):
            with self._lock:
                peer.open.pop(number, None)
            answer.set_exception(CancelledError(None, None, "The endpoint is closed"))
        return answer

    def answer(self, sender: Any, request: Message, message: Message) -> None:
        """Answers a request. A sender that is gone gets nothing."""
        numbered = Message(
            message.kind, message.fields, message.arrays, request.number, message.blobs
        )
        assert self._router is not None
        try:
            self._router.send([sender, *encode(numbered)])
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise

    def _peer(self, address: str) -> _Peer:
        found = self._peers.get(address)
        if found is not None:
            return found
        with self._lock:
            found = self._peers.get(address)
            if found is None:
                if self._is_closed:
                    raise CancelledError(None, None, "The endpoint is closed")
                socket = self._socket(zmq.DEALER)
                socket.connect(address)
                found = self._peers[address] = _Peer(address, SharedSocket(socket, self._wake))
        self._wake()
        return found

    # -- receiving ---------------------------------------------------------------------------

    def _wake(self) -> None:
        # It may be awake already, or gone.
        with contextlib.suppress(OSError):
            os.write(self._waker, b"\0")

    def _receive(self) -> None:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        known: set[int] = set()
        while not self._is_closed:
            with self._lock:
                peers = list(self._peers.values())
            sockets = [p.socket for p in peers]
            if self._router is not None:
                sockets.append(self._router)
            for socket in sockets:
                if socket.descriptor not in known:
                    known.add(socket.descriptor)
                    poll.register(socket.descriptor, select.POLLIN)
            if self._take_all(peers):
                continue
            poll.poll(_PING_SECONDS * 1000)
            self._drain()
            self._look_after(peers)

    def _drain(self) -> None:
        try:
            while len(os.read(self._woken, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass

    def _take_all(self, peers: list[_Peer]) -> bool:
        """Handles what has come; False where nothing has."""
        found = False
        for peer in peers:
            while (frames := peer.socket.receive()) is not None:
                found = True
                peer.heard = time.monotonic()
                self._answered(peer, frames)
        if self._router is not None:
            while (frames := self._router.receive()) is not None:
                found = True
                self._asked(frames)
        return found

    def _answered(self, peer: _Peer, frames: list[zmq.Frame]) -> None:
        try:
            message = decode([frame.buffer for frame in frames])
        except WireError:
            return
        with self._lock:
            waiting = peer.open.pop(message.number, None)
        if waiting is not None and waiting[0].set_running_or_notify_cancel():
            waiting[0].set_result(message)

    def _asked(self, frames: list[zmq.Frame]) -> None:
        sender = frames[0].bytes
        try:
            message = decode([frame.buffer for frame in frames[1:]])
        except WireError:
            # Whoever sends garbage gets nothing, and costs nothing.
            return
        if message.kind == "ping":
            self.answer(sender, message, Message("pong"))
            return
        self._handler(sender, message)

    def _look_after(self, peers: list[_Peer]) -> None:
        """Asks peers that owe an answer whether they live, and gives up on silent ones."""
        now = time.monotonic()
        for peer in peers:
            if not peer.open:
                continue
            silence = now - peer.heard
            if silence > SILENCE_SECONDS:
                self._give_up(peer, silence)
            elif silence > _PING_SECONDS and now - peer.pinged > _PING_SECONDS:
                peer.pinged = now
                peer.socket.send(encode(Message("ping")))

    def _give_up(self, peer: _Peer, silence: float) -> None:
        with self._lock:
            waiting, peer.open = peer.open, {}
        now = time.monotonic()
        for answer, about, since in waiting.values():
            if answer.set_running_or_notify_cancel():
                answer.set_exception(
                    UnavailableError(
                        None,
                        None,
                        f"{peer.address} says nothing for {silence:.1f} s; awaited was {about}, "
                        f"since {now - since:.1f} s",
                    )
                )

    def close(self) -> None:
        """Closes all connections; requests that are open end with CancelledError."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            peers = list(self._peers.values())
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(10)
        for peer in peers:
            with self._lock:
                waiting, peer.open = peer.open, {}
            for answer, about, _ in waiting.values():
                if answer.set_running_or_notify_cancel():
                    error = CancelledError(None, None, f"The endpoint was closed before {about}")
                    answer.set_exception(error)
            peer.socket.close()
        if self._router is not None:
            self._router.close()
        self._context.term()
        os.close(self._woken)
        os.close(self._waker)
