"""The operations of mutexes: who has the lock goes on, until it is consumed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.queues.held import Held, handle_of, held_resource
from workbench.core.sync.attempts import Attempt
from workbench.core.sync.mutexes import Acquire, MutexMachine


class MutexResource(Held):
    """A mutex of a session."""

    machine: MutexMachine

    def __init__(self, name: str) -> None:
        super().__init__(MutexMachine(f"Mutex '{name}'"))
        #: Locks that were given back while this thread was busy with the mutex.
        self._given_back: deque[Acquire] = deque()

    def acquire(self, context: Any) -> MutexLock:
        """The lock, when nobody else has it."""
        return MutexLock(self, self.perform(Acquire(context.name), context))

    def give_back(self, request: Acquire) -> None:
        """Gives the mutex to the next one; at any moment, as Python throws things away at any."""
        if self._is_busy_here():
            self._given_back.append(request)
        else:
            self.change(lambda: self.machine.release(request))

    def _tell(self, over: Iterable[Attempt]) -> None:
        super()._tell(over)
        while self._given_back:
            super()._tell(self.machine.release(self._given_back.popleft()))

    def saved(self) -> dict[str, Any]:
        """Nothing: between two steps nobody has a mutex."""
        return {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Nothing is kept: who waits goes on waiting."""


class MutexLock:
    """A lock that somebody has: it is given back by `release`, or when nobody has it any more.

    The latter is how a step that fails gives its locks back.
    """

    def __init__(self, mutex: MutexResource, request: Acquire) -> None:
        self._mutex = mutex
        self._request = request

    def release(self) -> None:
        """Gives the mutex to the next one."""
        self._mutex.give_back(self._request)

    def __del__(self) -> None:
        if self._request.holds:
            self.release()


def _mutex(*, container: str, shared_name: str, context: Any) -> MutexResource:
    name = shared_name or context.name
    return held_resource(
        context, MutexResource, lambda: MutexResource(name), container, shared_name
    )


def _lock(mutex: Any, *, context: Any) -> MutexLock:
    return handle_of(mutex, MutexResource).acquire(context)


def _consume(mutex_lock: MutexLock) -> None:
    mutex_lock.release()


declare(
    "MutexV2",
    outputs="resource: resource",
    attrs="container: string = '', shared_name: string = ''",
    shape=shape_rules.scalar,
    kernel=_mutex,
    stateful=True,
)
declare(
    "MutexLock",
    inputs="mutex: resource",
    outputs="mutex_lock: variant",
    shape=shape_rules.scalar,
    kernel=_lock,
    stateful=True,
    blocking=True,
)
declare(
    "ConsumeMutexLock",
    inputs="mutex_lock: variant",
    shape=shape_rules.no_outputs,
    kernel=_consume,
    stateful=True,
)
