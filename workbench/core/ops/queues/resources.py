"""Queues as the resources of a session."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.support import invalid
from workbench.core.ops.queues.components import Components, Element, shown
from workbench.core.ops.queues.held import Held
from workbench.core.sync.queues import Close, Dequeue, Enqueue, QueueMachine
from workbench.core.sync.scope import deadline
from workbench.core.sync.stores import Store


class QueueResource(Held):
    """A queue of tuples of arrays.

    Args:
      kind: "FIFOQueue" and so on: the operation type of its first version.
      name: what errors call it.
      store: holds the elements.
      components: the types and shapes of an element.
      capacity: the most elements it holds, negative for any number.
      settings: what else two operations must agree on to share it, by what errors call it; None
        agrees with anything.
    """

    machine: QueueMachine
    is_own = True

    def __init__(
        self,
        kind: str,
        name: str,
        store: Store,
        components: Components,
        capacity: int,
        settings: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(QueueMachine(store, capacity, f"{kind} '{name}'"))
        self.kind = kind
        self.name = name
        self.components = components
        self.settings = settings or {}

    def check_shared(self, other: QueueResource) -> None:
        """Raises InvalidArgumentError where an operation wants another queue under this name."""
        self._check("type", f"'{self.kind}'", f"'{other.kind}'")
        self._check("capacity", self.machine.capacity, other.machine.capacity)
        self._check("component types", _types(self), _types(other))
        self._check("component shapes", _shapes(self), _shapes(other))
        for what, value in self.settings.items():
            if other.settings[what] is not None:
                self._check(what, value, other.settings[what])

    def _check(self, what: str, has: Any, wanted: Any) -> None:
        if has != wanted:
            raise invalid(
                f"Shared queue '{self.name}' has {what} {has} that does not match requested {what} "
                f"{wanted}"
            )

    # -- operations --------------------------------------------------------------------------

    def enqueue(self, arrays: Sequence[Any], context: Any) -> None:
        """Puts one element in."""
        self.perform(Enqueue([self.components.element(arrays)]), context)

    def enqueue_many(self, arrays: Sequence[Any], context: Any) -> None:
        """Puts the elements of a batch in."""
        elements = self.components.elements(arrays)
        if elements:
            self.perform(Enqueue(elements), context)

    def dequeue(self, context: Any) -> Element:
        """Takes one element out."""
        (element,) = self.perform(Dequeue(1), context)
        return element  # type: ignore[no-any-return]

    def dequeue_many(self, count: int, up_to: bool, context: Any) -> Element:
        """Takes elements out, as a batch."""
        pads = self.kind == "PaddingFIFOQueue"
        if not pads and not self.components.are_known:
            raise invalid(
                f"{self.kind}'s DequeueMany and DequeueUpTo require the components to have "
                "specified shapes."
            )
        if count < 0:
            raise invalid(f"A queue gives out 0 or more elements, but {count} were requested")
        if count == 0:
            return self.components.empty_batch()
        capacity = self.machine.capacity
        if not (self.machine.store.in_parts or up_to) and 0 <= capacity < count:
            raise invalid(
                f"{self.machine.title} gives out its elements in order, and never holds more than "
                f"{capacity}, but {count} were requested at once"
            )
        return self.components.batch(self.perform(Dequeue(count, up_to), context), pads)

    def finish(self, cancel_pending_enqueues: bool, context: Any) -> None:
        """Closes the queue: after what waits to enqueue, or at once in its stead."""
        if cancel_pending_enqueues:
            self.change(self.machine.close_now)
        else:
            self.perform(Close(), context)

    @property
    def size(self) -> int:
        """How many elements it holds."""
        return int(self.ask(lambda: self.machine.size))

    @property
    def is_closed(self) -> bool:
        """True once it was closed."""
        return bool(self.ask(lambda: self.machine.closed))


def within(timeout_ms: int, action: Any) -> Any:
    """Does something that may wait, for so many milliseconds at most; -1 for any time."""
    if timeout_ms < 0:
        return action()
    with deadline(timeout_ms / 1000):
        return action()


def random_seed(seed: int, seed2: int) -> int:
    """One number for the two seeds of a queue: another one each time where both are 0."""
    if seed == 0 and seed2 == 0:
        return int.from_bytes(os.urandom(8), "little")
    return int(np.random.SeedSequence([seed, seed2]).generate_state(1, np.uint64)[0])


def _types(queue: QueueResource) -> list[str]:
    return ["string" if t.hasobject else t.name for t in queue.components.types]


def _shapes(queue: QueueResource) -> str:
    return ", ".join(map(shown, queue.components.shapes)) or "of any kind"
