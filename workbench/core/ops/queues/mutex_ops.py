"""The operations of mutexes: who has the lock goes on, until it is consumed."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.queues.held import Held, handle_of, held_resource
from workbench.core.sync.mutexes import Acquire, MutexMachine
from workbench.core.sync.scope import current


class MutexResource(Held):
    """A mutex of a session."""

    machine: MutexMachine

    def __init__(self, name: str) -> None:
        super().__init__(MutexMachine(f"Mutex '{name}'"))

    def acquire(self, context: Any) -> MutexLock:
        """The lock, when nobody else has it; the end of the run gives it back at the latest."""
        lock = MutexLock(self, self.perform(Acquire(context.name), context))
        scope = current()
        if scope is not None:
            scope.at_end(lock.release)
        return lock

    def saved(self) -> dict[str, Any]:
        """Nothing: between two steps nobody has a mutex."""
        return {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Nothing is kept: who waits goes on waiting."""


class MutexLock:
    """A lock that somebody has."""

    def __init__(self, mutex: MutexResource, request: Acquire) -> None:
        self._mutex = mutex
        self._request = request

    def release(self) -> None:
        """Gives the mutex to the next one; once is enough."""
        self._mutex.change(lambda: self._mutex.machine.release(self._request))


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
