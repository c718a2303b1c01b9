"""A ZeroMQ socket that several threads send on, and one receives from.

A socket is not safe for threads, but may be used by one after the other. Sending from the thread
that has something to say saves waking another one, which costs more than sending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import zmq

from workbench.cluster.wire.frames import MOST_FRAMES, MOST_MESSAGE_BYTES

#: Buffers below this size are copied by ZeroMQ, which costs less than handing them over.
_COPIED = 16384
# As numbers: those of the library are slow to combine.
_NOBLOCK, _MORE, _INPUT = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE), int(zmq.POLLIN)


class SharedSocket:
    """Sends and receives whole messages.

    ZeroMQ tells of new messages by an edge on a file descriptor, which sending may use up: who
    sends looks whether something came, and calls `wake` then.
    """

    def __init__(self, socket: zmq.Socket[bytes], wake: Callable[[], None]) -> None:
        self._socket = socket
        self._wake = wake
        self._lock = threading.Lock()
        self.descriptor: int = socket.getsockopt(zmq.FD)  # type: ignore[assignment]
        self._is_closed = False

    def send(self, frames: Sequence[Any]) -> int | None:
        """Sends a message: how many bytes; None where the socket is closed or its queue full."""
        total = 0
        with self._lock:
            if self._is_closed:
                return None
            last = len(frames) - 1
            try:
                for index, frame in enumerate(frames):
                    size = frame.nbytes if isinstance(frame, memoryview) else len(frame)
                    more = _MORE if index < last else _NOBLOCK
                    self._socket.send(frame, more, copy=size < _COPIED)
                    total += size
            except zmq.Again:
                return None
            came: int = self._socket.getsockopt(zmq.EVENTS)  # type: ignore[assignment]
        if int(came) & _INPUT:
            self._wake()
        return total

    def receive(self) -> list[zmq.Frame] | None:
        """The next message; None where there is none.

        Of one that is too long there is only its first frame; the others are given back at once.
        """
        with self._lock:
            if self._is_closed:
                return None
            try:
                frame = self._socket.recv(_NOBLOCK, copy=False)
                frames, count, size = [frame], 0, 0
                while frame.more:
                    frame = self._socket.recv(_NOBLOCK, copy=False)
                    count += 1
                    size += len(frame)
                    if size <= MOST_MESSAGE_BYTES and count <= MOST_FRAMES:
                        frames.append(frame)
                    else:
                        del frames[1:]
            except zmq.Again:
                return None
        return frames

    def close(self, linger: int = 500) -> None:
        """Closes the socket; what was sent last still goes out for `linger` milliseconds."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._socket.disable_monitor()
                self._socket.close(linger=linger)
