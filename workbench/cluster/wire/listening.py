"""The side of an endpoint that others connect to."""

from __future__ import annotations

import logging
from collections.abc import Callable

import zmq

from workbench.cluster.remote_errors import to_fields
from workbench.cluster.wire import hello
from workbench.cluster.wire.callers import Caller, Callers
from workbench.cluster.wire.channel import Channel
from workbench.cluster.wire.entrance import Entrance
from workbench.cluster.wire.frames import (
    VERSION,
    WireError,
    decode,
    encode,
    pack,
    refusal,
    version_of,
)
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.message import Message
from workbench.cluster.wire.notices import Notices
from workbench.cluster.wire.receiving import Receiver
from workbench.cluster.wire.shared_socket import SharedSocket
from workbench.cluster.wire.traffic import Traffic
from workbench.core.errors import AbortedError, OpError

_log = logging.getLogger("workbench.cluster")
#: Who has not said hello says no more than that: bytes in so many frames.
_MOST_HELLO_BYTES = 1 << 16
_MOST_HELLO_FRAMES = 4
#: What is refused to one who takes this process for the one that was here before.
_BEGIN_ANEW = ""


class Listener:
    """Reads what comes from callers, and sends answers to them.

    Args:
      receiver: who has read what comes.
      handle: called with who sent a message, and the message.
      epoch: what the epoch is now.
    """

    def __init__(
        self,
        socket: zmq.Socket[bytes],
        receiver: Receiver,
        identity: Identity,
        epoch: Callable[[], int],
        handle: Callable[[Caller, Message], None],
        traffic: Traffic,
    ) -> None:
        self._receiver = receiver
        self._socket = SharedSocket(socket, lambda: receiver.mark(self._read))
        self._identity, self._epoch, self._handle = identity, epoch, handle
        self._traffic = traffic
        self._callers = Callers(lambda channel: receiver.remove(channel.descriptor))
        self._entrance = Entrance(receiver, self._came_in)
        self._refusals, self._garbage = Notices(_log), Notices(_log)
        receiver.add(self._socket.descriptor, self._read, True)

    def _read(self) -> bool:
        frames = self._socket.receive()
        if frames is None:
            return False
        if len(frames) > 1:
            route = frames[0].bytes
            caller = self._callers.find(route)
            self._received(route, caller, [frame.buffer for frame in frames[1:]])
        return True

    def _came_in(self, token: str, channel: Channel) -> bool:
        """Somebody said at the door who it is; whether it may stay."""
        caller = self._callers.with_token(token)
        if caller is None:
            return False
        caller.channel = channel
        self._settle(caller)
        return True

    def _settle(self, caller: Caller) -> None:
        """Reads from a channel, once there is nothing before that."""
        channel = caller.channel
        if channel is not None and caller.has_moved:
            self._receiver.add(channel.descriptor, lambda: self._read_channel(caller, channel))

    def _read_channel(self, caller: Caller, channel: Channel) -> bool:
        try:
            frames = channel.receive()
        except (EOFError, WireError):
            self._callers.forget(caller)
        else:
            if frames is not None:
                self._received(caller.route, caller, frames)
        return False

    def _received(self, route: bytes, caller: Caller | None, frames: list[memoryview]) -> None:
        if caller is None and not _may_be_hello(frames):
            # Not looked into. One that has the right form is by somebody who may be told, who asks
            # again otherwise.
            if frames[0].nbytes <= _MOST_HELLO_BYTES and version_of(frames) == VERSION:
                self._send(route, refusal(_BEGIN_ANEW))
            return
        try:
            message = decode(frames, caller.borrower if caller is not None else None)
        except WireError as error:
            version = version_of(frames)
            if caller is None and version not in (None, VERSION):
                text = f"it speaks version {VERSION} of the wire, not {version}"
                self._refuse(route, f"{text}: run the same version of workbench everywhere")
            elif caller is not None:
                self._garbage.tell("What %r sent cannot be read: %.300s", caller.name, error)
            # Whoever sends garbage gets nothing, and costs nothing.
            return
        if message.kind == "hello":
            self._greet(route, message)
        elif caller is None:
            self._send(route, refusal(_BEGIN_ANEW))
        elif message.kind == "ping":
            self._send(route, encode(Message("pong", number=message.number)))
        elif message.kind == "moved":
            caller.has_moved = True
            self._settle(caller)
        else:
            self._traffic.received(caller.name, sum([frame.nbytes for frame in frames]))
            self._handle(caller, message)

    def _greet(self, route: bytes, message: Message) -> None:
        try:
            found = hello.read(message.fields)
        except ValueError as error:
            self._refuse(route, str(error))
            return
        reason = hello.mismatch(self._identity, found)
        if reason is None and self._callers.is_fenced(found):
            reason = f"another process has taken the place of {found.name} since"
        if reason is not None:
            self._refuse(route, reason)
            return
        proof = hello.prove(found)
        caller = self._callers.add(route, found, bool(proof))
        door = self._entrance.name if proof else ""
        fields = hello.fields_of(self._identity, self._epoch(), proof, door, caller.token)
        self._send(route, encode(Message("welcome", fields)))

    def _refuse(self, route: bytes, reason: str) -> None:
        self._refusals.tell("Somebody who connected is refused: %.500r", reason)
        self._send(route, refusal(reason))

    def answer(self, caller: Caller, message: Message) -> None:
        """Sends an answer. A caller that is gone gets nothing."""
        packed = pack(message, caller.lender)
        channel = caller.channel if caller.has_moved else None
        if channel is not None:
            sent = channel.send(packed.frames) or 0
        else:
            sent = self._send(caller.route, packed.frames)
        self._traffic.sent(caller.name, sent, packed.lent, 0)

    def reaches(self, caller: Caller) -> bool:
        """Whether the way back to a caller is there."""
        return not caller.is_gone and self._send(caller.route, encode(Message("pong"))) > 0

    def _send(self, route: bytes, frames: list[object]) -> int:
        try:
            return self._socket.send([route, *frames]) or 0
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return 0

    def look_after(self) -> None:
        """Forgets those who are gone."""
        self._callers.tend()

    def close(self) -> None:
        """Closes it, after the receiver has ended."""
        self._entrance.close()
        self._socket.close()
        self._callers.close()


def _may_be_hello(frames: list[memoryview]) -> bool:
    size = sum([frame.nbytes for frame in frames])
    return len(frames) <= _MOST_HELLO_FRAMES and size <= _MOST_HELLO_BYTES


def stale(message: Message, epoch: int) -> Message:
    """The answer to a message of an epoch that is over."""
    error: OpError = AbortedError(
        None, None, f"This is of epoch {message.epoch}, and it is {epoch} now"
    )
    return Message("error", to_fields(error))
