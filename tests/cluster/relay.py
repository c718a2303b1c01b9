"""A lossy or slow link between two network devices, for kernels whose `tc` has no netem.

    python -m tests.cluster.relay DEVICE NAMESPACE LOSS SECONDS BYTES_PER_SECOND SEED

Makes two TAP devices, DEVICE here and `eth0` in the name space with that path, and carries frames
between them: each is lost with the probability LOSS, takes SECONDS, and waits until those before
it have gone at the rate (0 for any). Prints "up"; ends, and its devices with it, when its input is
closed.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_HEADER = 0x0002 | 0x1000
_CLONE_NEWNET = 0x40000000
#: What waits in a link is no more than this; what comes then is lost, as in a router.
_MOST_WAITING = 1000


class Direction:
    """Frames on their way to one end.

    >>> slow = Direction(loss=0.0, seconds=0.5, rate=100.0, seed=0)
    >>> slow.take(b"0" * 50, now=0.0), slow.take(b"1" * 50, now=0.0)
    (True, True)
    >>> slow.due(0.9), len(slow.due(1.0)), slow.next, len(slow.due(1.5))
    ([], 1, 1.5, 1)
    """

    def __init__(self, loss: float, seconds: float, rate: float, seed: int) -> None:
        self._loss, self._seconds, self._rate = loss, seconds, rate
        self._random = random.Random(seed)
        self._free = 0.0
        self._waiting: list[tuple[float, int, bytes]] = []
        self._count = 0

    def take(self, frame: bytes, now: float) -> bool:
        """A frame sets out; False where it is lost."""
        if self._random.random() < self._loss or len(self._waiting) >= _MOST_WAITING:
            return False
        self._free = max(self._free, now) + (len(frame) / self._rate if self._rate else 0.0)
        self._count += 1
        heapq.heappush(self._waiting, (self._free + self._seconds, self._count, frame))
        return True

    @property
    def next(self) -> float | None:
        """When the next frame arrives; None where there is none."""
        return self._waiting[0][0] if self._waiting else None

    def due(self, now: float) -> list[bytes]:
        """The frames that have arrived."""
        found = []
        while self._waiting and self._waiting[0][0] <= now:
            found.append(heapq.heappop(self._waiting)[2])
        return found


def tap(name: str) -> int:
    """A TAP device in this name space, as the descriptor of its frames."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22s", name.encode(), _TAP_WITHOUT_HEADER, b"")
    fcntl.ioctl(descriptor, _TUNSETIFF, request)
    return descriptor


def enter(path: str) -> None:
    """Moves this process into a network name space."""
    with open(path, "rb") as space:
        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns", path)


def main(device: str, namespace: str, loss: str, seconds: str, rate: str, seed: str) -> None:
    """Carries frames until the input is closed."""
    here = tap(device)
    enter(namespace)
    there = tap("eth0")
    options = float(loss), float(seconds), float(rate)
    ways = {
        here: (there, Direction(*options, int(seed))),
        there: (here, Direction(*options, int(seed) + 1)),
    }
    end = sys.stdin.fileno()
    print("up", flush=True)
    while True:
        moments = [way.next for _, way in ways.values() if way.next is not None]
        patience = max(min(moments) - time.monotonic(), 0.0) if moments else None
        ready, _, _ = select.select([*ways, end], [], [], patience)
        if end in ready:
            return
        for source in ready:
            _carry(source, ways[source][1])
        for target, way in ways.values():
            for frame in way.due(time.monotonic()):
                _write(target, frame)


def _carry(source: int, way: Direction) -> None:
    while True:
        try:
            frame = os.read(source, 65536)
        except (BlockingIOError, OSError):
            # Nothing more, or the device is down.
            return
        way.take(frame, time.monotonic())


def _write(target: int, frame: bytes) -> None:
    try:
        os.write(target, frame)
    except OSError:
        # The device is down: the frame is lost.
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
