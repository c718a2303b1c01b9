"""Between endpoints of one process: messages are handed over as they are, arrays by reference.

The receiver's handler is called in the thread that sends. What it sends itself meanwhile waits
until it has returned, so that messages of a thread arrive in order and never inside one another.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from workbench.cluster.wire.message import Message

_pending = threading.local()


class Neighbour(Protocol):
    """An endpoint of this process, as others of it see it."""

    address: str | None

    def receive_from(self, sender: Any, message: Message) -> None:
        """Handles a message of another endpoint of this process."""

    def answered_by(self, peer: Any, message: Message) -> None:
        """Handles an answer of another endpoint of this process."""

    def neighbour_closed(self, neighbour: Neighbour) -> None:
        """Another endpoint of this process is closed."""


_neighbours: dict[str, Neighbour] = {}
_listeners: dict[int, Neighbour] = {}
_lock = threading.Lock()


def register(endpoint: Neighbour) -> None:
    """From now on others of this process find an endpoint at its address."""
    with _lock:
        _listeners[id(endpoint)] = endpoint
        if endpoint.address is not None:
            _neighbours[endpoint.address] = endpoint


def unregister(endpoint: Neighbour) -> None:
    """An endpoint is closed: it is found no more, and those that use it are told."""
    with _lock:
        _listeners.pop(id(endpoint), None)
        if endpoint.address is not None and _neighbours.get(endpoint.address) is endpoint:
            del _neighbours[endpoint.address]
        others = list(_listeners.values())
    for other in others:
        other.neighbour_closed(endpoint)


def neighbour_at(address: str) -> Neighbour | None:
    """The endpoint of this process at an address."""
    return _neighbours.get(address)


def deliver(call: Callable[[], None]) -> None:
    """Calls now, or after what this thread is delivering already."""
    queue: collections.deque[Callable[[], None]] | None = getattr(_pending, "queue", None)
    if queue is not None:
        queue.append(call)
        return
    queue = _pending.queue = collections.deque([call])
    try:
        while queue:
            queue.popleft()()
    finally:
        _pending.queue = None


def handed(message: Message) -> tuple[Message, int]:
    """A message as another endpoint of this process gets it, and the bytes that were not moved."""
    arrays = [(name, _read_only(array)) for name, array in message.arrays]
    total = sum(array.nbytes for _, array in arrays)
    return (
        Message(
            message.kind,
            message.fields,
            arrays,
            message.number,
            message.blobs,
            epoch=message.epoch,
        ),
        total,
    )


def _read_only(value: Any) -> Any:
    if isinstance(value, np.generic) and value.dtype.kind not in "OSU":
        return value
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        found = np.empty(array.shape, object)
        found.reshape(-1)[:] = [_bytes(v) for v in array.reshape(-1).tolist()]
        return found
    view = array.view()
    view.flags.writeable = False
    return view if view.shape else view[()]


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError(f"A value of type {type(value).__name__} cannot be sent to a task")
