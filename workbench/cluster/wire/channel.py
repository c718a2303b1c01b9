"""Messages between two processes of a host and a user, through a socket of their own.

It costs half of what the loopback costs, and no other thread has to run for it. Two endpoints that
have met over ZeroMQ, and share memory, go on here (`hello`); what was sent there before is handled
before what comes here.

A message is one packet: how many frames, how long each is, and the frames; or a piece of that.
"""

from __future__ import annotations

import collections
import contextlib
import os
import socket as sockets
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from workbench.cluster.wire import host
from workbench.cluster.wire.frames import MOST_FRAMES, MOST_MESSAGE_BYTES, WireError

#: Whether this system has such sockets, with names that are no files and end with their owner.
EXISTS = sys.platform == "linux"
#: What a packet is: a message, a piece of one, or its last piece; then the number of frames.
_WHOLE, _PIECE, _LAST = 0, 1, 2
_HEAD = struct.Struct("<BxxxI")
#: Frames begin at multiples of so many bytes, so that what is computed with them is aligned.
_ALIGNED = 16
_PADDING = bytes(_ALIGNED)
#: Longer messages go in pieces: a socket takes no packet that is longer than its buffer.
_MOST_PACKET_BYTES = 1 << 16
# As a number: those of the library are slow to combine.
_FLAGS = int(getattr(sockets, "MSG_DONTWAIT", 0)) | int(getattr(sockets, "MSG_NOSIGNAL", 0))
#: Of other users, at most so many are turned away at a time.
_MOST_TURNED_AWAY = 16
_CREDENTIALS = struct.Struct("=iii")


class Channel:
    """One end. Any thread sends; who has the role of the receiver receives.

    `await_room` is called with a function while more waits to be sent than the socket takes; a
    message that comes may have `most_bytes`.
    """

    def __init__(
        self,
        socket: sockets.socket,
        await_room: Callable[[int, Callable[[], None] | None], None],
        most_bytes: int = MOST_MESSAGE_BYTES,
    ) -> None:
        self._socket = socket
        self.most_bytes = most_bytes
        self._await_room = await_room
        self.descriptor = socket.fileno()
        self._lock = threading.Lock()
        self._waiting: collections.deque[bytes] = collections.deque()
        self._pieces: list[bytes] = []
        self._pieces_bytes = 0
        self._buffer = bytearray(_MOST_PACKET_BYTES + 1)
        self._view = memoryview(self._buffer)
        self._is_closed = False

    def send(self, frames: Sequence[Any]) -> int | None:
        """Sends a message: how many bytes; None where the channel is closed."""
        data = _packed(frames)
        with self._lock:
            if self._is_closed:
                return None
            if len(data) <= _MOST_PACKET_BYTES:
                self._send(data)
            else:
                self._send_pieces(data)
        return len(data)

    def _send_pieces(self, data: bytes) -> None:
        step = _MOST_PACKET_BYTES - 1
        for start in range(0, len(data), step):
            kind = _PIECE if start + step < len(data) else _LAST
            self._send(bytes([kind]) + data[start : start + step])

    def _send(self, packet: bytes) -> None:
        if not self._waiting:
            try:
                self._socket.send(packet, _FLAGS)
                return
            except BlockingIOError:
                self._await_room(self.descriptor, self._flush)
            except OSError:
                # The other side is gone: who receives here is told.
                return
        self._waiting.append(packet)

    def _flush(self) -> None:
        """Sends what waits, as far as there is room."""
        with self._lock, contextlib.suppress(BlockingIOError):
            while self._waiting and not self._is_closed:
                try:
                    self._socket.send(self._waiting[0], _FLAGS)
                except BlockingIOError:
                    raise
                except OSError:
                    self._waiting.clear()
                    break
                self._waiting.popleft()
            self._await_room(self.descriptor, None)

    def receive(self) -> list[memoryview] | None:
        """The frames of the next message; None where none is complete.

        EOFError where the other side is gone, WireError for what is no message.
        """
        try:
            size = self._socket.recv_into(self._buffer, 0, _FLAGS)
        except BlockingIOError:
            return None
        except OSError as error:
            raise EOFError(str(error)) from None
        if not size:
            raise EOFError("closed")
        if size > _MOST_PACKET_BYTES:
            raise WireError("A packet is too long")
        kind = self._buffer[0]
        if kind == _WHOLE:
            return _unpacked(bytes(self._view[:size]))
        if kind not in (_PIECE, _LAST):
            raise WireError(f"There are no packets of kind {kind}")
        self._pieces.append(bytes(self._view[1:size]))
        self._pieces_bytes += size
        if self._pieces_bytes > self.most_bytes:
            raise WireError("A message is too long")
        if kind == _PIECE:
            return None
        data = b"".join(self._pieces)
        self._pieces, self._pieces_bytes = [], 0
        return _unpacked(data)

    def close(self) -> None:
        """Closes it. What waits to be sent is lost."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._waiting.clear()
                self._socket.close()


def _packed(frames: Sequence[Any]) -> bytes:
    sizes = [f.nbytes if isinstance(f, memoryview) else len(f) for f in frames]
    count = len(sizes)
    parts: list[Any] = [_HEAD.pack(_WHOLE, count), struct.pack(f"<{count}Q", *sizes)]
    at = _HEAD.size + 8 * count
    for frame, size in zip(frames, sizes, strict=True):
        if size:
            if at % _ALIGNED:
                parts.append(_PADDING[: -at % _ALIGNED])
                at += -at % _ALIGNED
            parts.append(frame)
            at += size
    return b"".join(parts)


def _unpacked(data: bytes) -> list[memoryview]:
    if len(data) < _HEAD.size:
        raise WireError("A packet is too short")
    _, count = _HEAD.unpack_from(data)
    at = _HEAD.size + 8 * count
    if not 0 < count <= MOST_FRAMES or at > len(data):
        raise WireError(f"A packet of {len(data)} bytes has no {count} frames")
    frames = []
    view = memoryview(data)
    for size in struct.unpack_from(f"<{count}Q", data, _HEAD.size):
        if size:
            at += -at % _ALIGNED
            if size > len(data) - at:
                raise WireError("A frame is longer than its packet")
        frames.append(view[at : at + size])
        at += size
    return frames


class Door:
    """Where other processes of the host and the user come in."""

    def __init__(self) -> None:
        self.name = host.new_name()
        self._socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_SEQPACKET)
        try:
            self._socket.bind(_address(self.name))
            self._socket.listen(128)
            self._socket.setblocking(False)
        except OSError:
            self.close()
            raise
        self.descriptor = self._socket.fileno()

    def accept(self) -> sockets.socket | None:
        """The next one of this user who has come in; None where there is nobody."""
        # Who sends a crowd of others here is not to keep this thread: there are turns.
        for _ in range(_MOST_TURNED_AWAY):
            try:
                found = self._socket.accept()[0]
            except OSError:
                return None
            if _is_own(found):
                return found
            found.close()
        return None

    def close(self) -> None:
        """Closes it."""
        self._socket.close()


def open_door() -> Door | None:
    """A door; None where this system has none."""
    if not EXISTS or not host.host_id():
        return None
    try:
        return Door()
    except OSError:
        return None


def enter(name: str) -> sockets.socket | None:
    """Goes through a door of another process; None where that cannot be."""
    if not EXISTS or not name.startswith(host.PREFIX):
        return None
    socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_SEQPACKET)
    socket.setblocking(False)
    with contextlib.suppress(OSError, ValueError):
        socket.connect(_address(name))
        if _is_own(socket):
            return socket
    socket.close()
    return None


def _address(name: str) -> bytes:
    return b"\0" + name.encode()


def _is_own(socket: sockets.socket) -> bool:
    """Whether a process of this user is at the other end."""
    data = socket.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(data)
    return bool(user == os.getuid())
