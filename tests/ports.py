"""Ports for what listens in tests at an address that is known before."""

from __future__ import annotations

import random
import socket
from pathlib import Path

#: From here on, to where the system begins to give ports to whoever asks for any.
_FIRST, _LAST = 20_000, 32_767
_given: set[int] = set()
_random = random.SystemRandom()


def _last() -> int:
    """The last port that the system gives to nobody who asks for any."""
    try:
        low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _LAST
    return low - 1 if low > _FIRST + 1000 else _LAST


def free_port() -> int:
    """A port at which nobody listens.

    One that the system gives as free may be given to another process, or to a connection of one,
    before somebody listens there. These are given to nobody.
    """
    last = _last()
    while True:
        port = _random.randint(_FIRST, last)
        if port in _given:
            continue
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def free_address() -> str:
    """The same as an address of the wire."""
    return f"tcp://127.0.0.1:{free_port()}"
