"""The door of a listener: who has come in, and has not yet said who it is."""

from __future__ import annotations

import collections
from collections.abc import Callable

from workbench.cluster.wire.channel import Channel, open_door
from workbench.cluster.wire.frames import MOST_MESSAGE_BYTES, WireError
from workbench.cluster.wire.receiving import Receiver

#: No more than so many are in the hall; who came first goes.
_MOST_UNKNOWN = 64
#: Who has not said who it is may say no more than so many bytes.
_MOST_SAID_BYTES = 4096


class Entrance:
    """Lets processes of this host in.

    `came_in` is called with what somebody said, and its channel: whether it may stay. The channel
    is not read then, until it is added to the receiver again.
    """

    def __init__(self, receiver: Receiver, came_in: Callable[[str, Channel], bool]) -> None:
        self._receiver, self._came_in = receiver, came_in
        self._unknown: collections.OrderedDict[int, Channel] = collections.OrderedDict()
        self._door = open_door()
        if self._door is not None:
            receiver.add(self._door.descriptor, self._accept)

    @property
    def name(self) -> str:
        """The door's name; "" where there is none."""
        return self._door.name if self._door is not None else ""

    def _accept(self) -> bool:
        assert self._door is not None
        socket = self._door.accept()
        if socket is None:
            return False
        channel = Channel(socket, self._receiver.await_room, _MOST_SAID_BYTES)
        self._unknown[channel.descriptor] = channel
        self._receiver.add(channel.descriptor, lambda: self._introduce(channel))
        if len(self._unknown) > _MOST_UNKNOWN:
            self._send_away(next(iter(self._unknown.values())))
        return True

    def _introduce(self, channel: Channel) -> bool:
        if self._unknown.get(channel.descriptor) is not channel:
            return False
        try:
            frames = channel.receive()
            if frames is None:
                return False
            token = bytes(frames[0][:64]).decode()
        except (EOFError, WireError, UnicodeDecodeError):
            self._send_away(channel)
            return False
        del self._unknown[channel.descriptor]
        self._receiver.remove(channel.descriptor)
        channel.most_bytes = MOST_MESSAGE_BYTES
        if not self._came_in(token, channel):
            channel.close()
        return False

    def _send_away(self, channel: Channel) -> None:
        del self._unknown[channel.descriptor]
        self._receiver.remove(channel.descriptor)
        channel.close()

    def close(self) -> None:
        """Closes the door, after the receiver has ended."""
        for channel in self._unknown.values():
            channel.close()
        if self._door is not None:
            self._door.close()
