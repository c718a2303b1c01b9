"""Staging areas with keys as state machines: the components of an element may come, and go, apart.

An element counts as one of the area's, and can be taken, when all its components are there; what
it holds before counts as memory only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.sync.attempts import Attempt, Done, Failed, Lane, Machine, Outcome
from workbench.core.sync.stages import Room

#: The components of an element that are there: value and bytes by their number.
Parts = dict[int, tuple[Any, int]]


class PutParts:
    """Give a key, of an element of `components`, some of them: each a value and its bytes."""

    def __init__(self, key: int, parts: Parts, components: int) -> None:
        self.key = key
        self.parts = parts
        self.components = components

    @property
    def size(self) -> int:
        """The bytes of the components."""
        return sum(size for _, size in self.parts.values())

    def __str__(self) -> str:
        return f"room for {self.size} more bytes for key {self.key}"


class GetParts:
    """Take components of a key's element out, or look at them; without a key, of any element."""

    def __init__(self, key: int | None, indices: Sequence[int], removes: bool = True) -> None:
        self.key = key
        self.indices = indices
        self.removes = removes
        #: The key, and what was taken of its element.
        self.taken: tuple[int, Parts] | None = None

    def __str__(self) -> str:
        return "an element" if self.key is None else f"the element of key {self.key}"


class MapStageMachine(Machine):
    """A staging area with keys.

    Args:
      ordered: whether elements without a key asked for come in the order of their keys; else in
        the order they were completed in.
      room: how much it may hold.
      title: what reports call it.
    """

    def __init__(self, ordered: bool, room: Room, title: str) -> None:
        self._putting = Lane(in_turn=False)
        self._getting = Lane(in_turn=False)
        super().__init__((self._putting, self._getting))
        self.room = room
        self.title = title
        #: How many components an element has: what was last put in says it.
        self._components = 0
        self._ordered = ordered
        self._complete: dict[int, Parts] = {}
        self._incomplete: dict[int, Parts] = {}
        self._bytes = 0

    @property
    def size(self) -> int:
        """How many elements are complete."""
        return len(self._complete)

    @property
    def incomplete_size(self) -> int:
        """How many elements lack a component."""
        return len(self._incomplete)

    def describe(self) -> str:
        """What state it is in, in words."""
        return (
            f"{self.title} holds {self.size} complete and {self.incomplete_size} incomplete "
            f"elements of {self._bytes} bytes"
        )

    def clear(self) -> list[Attempt]:
        """Holds nothing. Gives the attempts that are over by that."""
        self._complete.clear()
        self._incomplete.clear()
        self._bytes = 0
        return self.settle()

    # -- serving -----------------------------------------------------------------------------

    def lane(self, request: Any) -> Lane:
        return self._putting if isinstance(request, PutParts) else self._getting

    def serve(self, request: Any) -> Outcome | bool:
        return self._put(request) if isinstance(request, PutParts) else self._get(request)

    def take_back(self, request: Any) -> None:
        if isinstance(request, GetParts) and request.taken is not None and request.removes:
            key, parts = request.taken
            # It is complete with what is left of it, or all of it that there is.
            self._complete[key] = {**self._complete.get(key, {}), **parts}
            self._bytes += sum(size for _, size in parts.values())
            request.taken = None

    def _put(self, request: PutParts) -> Outcome | bool:
        self._components = request.components
        held = self._incomplete.get(request.key, {})
        for index in request.parts:
            if not 0 <= index < self._components:
                return _wrong(
                    f"Index '{index}' for key '{request.key}' was out of bounds "
                    f"'{self._components}'."
                )
            if index in held or request.key in self._complete:
                return _wrong(
                    f"The tensor for index '{index}' for key '{request.key}' was already "
                    f"initialized '{self._components}'."
                )
        refusal = self.room.refuses(request.size)
        if refusal is not None:
            return refusal
        completes = len(held) + len(request.parts) == self._components
        has_place = not completes or self.room.has_place(self.size)
        if not (has_place and self.room.has_bytes(self._bytes, request.size)):
            return False
        self._bytes += request.size
        parts = {**held, **request.parts}
        if completes:
            self._incomplete.pop(request.key, None)
            self._complete[request.key] = parts
        else:
            self._incomplete[request.key] = parts
        return Done()

    def _get(self, request: GetParts) -> Outcome | bool:
        key = request.key
        if key is None:
            if not self._complete:
                return False
            key = min(self._complete) if self._ordered else next(iter(self._complete))
        if key not in self._complete:
            return False
        parts = self._complete[key]
        for index in request.indices:
            if not 0 <= index < self._components:
                return _wrong(
                    f"Index '{index}' for key '{key}' was out of bounds '{self._components}'."
                )
            if index not in parts:
                return _wrong(
                    f"Tensor at index '{index}' for key '{key}' has already been removed."
                )
        found = {index: parts[index] for index in request.indices}
        if request.removes:
            self._remove(key, found)
        request.taken = (key, found)
        return Done((key, [value for value, _ in found.values()]))

    def _remove(self, key: int, found: Parts) -> None:
        self._bytes -= sum(size for _, size in found.values())
        left = {i: part for i, part in self._complete[key].items() if i not in found}
        if left:
            self._complete[key] = left
        else:
            del self._complete[key]

    # -- keeping -----------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """All that it holds."""
        return {
            "components": self._components,
            "complete": [(k, list(parts.items())) for k, parts in self._complete.items()],
            "incomplete": [(k, list(parts.items())) for k, parts in self._incomplete.items()],
        }

    def restore(self, saved: dict[str, Any]) -> list[Attempt]:
        """Holds what was saved. Gives the attempts that are over by that."""
        self._components = saved["components"]
        self._complete = {key: dict(parts) for key, parts in saved["complete"]}
        self._incomplete = {key: dict(parts) for key, parts in saved["incomplete"]}
        everything = (*self._complete.values(), *self._incomplete.values())
        self._bytes = sum(size for parts in everything for _, size in parts.values())
        return self.settle()


def _wrong(message: str) -> Failed:
    return Failed(InvalidArgumentError, message)
