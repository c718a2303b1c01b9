"""The names and first records of event files, which TensorBoard reads."""

from __future__ import annotations

import itertools
import os
import socket
import time
from io import FileIO

FILE_VERSION = "brain.Event:2"


def new_event_file(directory: str, suffix: str = "") -> tuple[str, FileIO]:
    """Make and open an empty event file; its name has the time: readers take several in order.

    Raises:
      OSError: as the operating system's error demands.
    """
    name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"
    for number in itertools.count():
        # Two writers may start within one second.
        path = os.path.join(directory, name + (f".{number}" if number else "") + suffix)
        try:
            # Without a buffer: what was written is there, also after a kill or in a fork.
            return path, open(path, "xb", buffering=0)
        except FileExistsError:
            continue
    raise AssertionError("unreachable")


def event(step: int | None = None, **content: object) -> bytes:
    """An `Event` of now as bytes, with a summary, a graph or whatever it is to hold."""
    from workbench.core.protos import Event

    made = Event(wall_time=time.time(), **content)
    if step is not None:
        made.step = step
    encoded: bytes = made.SerializeToString()
    return encoded
