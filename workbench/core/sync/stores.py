"""In which order a queue gives out what it holds."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

_MASK = (1 << 64) - 1


class FifoStore:
    """First in, first out."""

    #: Whether elements for one request may be taken now and then, until there are enough.
    in_parts = True

    def __init__(self) -> None:
        self._elements: deque[Any] = deque()

    def __len__(self) -> int:
        return len(self._elements)

    def available(self, closed: bool) -> int:
        """How many elements may be taken."""
        return len(self._elements)

    def put(self, element: Any) -> None:
        """Adds an element."""
        self._elements.append(element)

    def take(self) -> Any:
        """Removes the next element."""
        return self._elements.popleft()

    def put_back(self, elements: Sequence[Any]) -> None:
        """Adds elements that were taken in this order: they are the next ones again."""
        self._elements.extendleft(reversed(elements))

    def contents(self) -> list[Any]:
        """The elements, the next one first."""
        return list(self._elements)

    def fill(self, elements: Iterable[Any]) -> None:
        """Holds these elements, as `contents` gave them, and no others."""
        self._elements = deque(elements)


class ShuffleStore:
    """Gives out any of its elements, each with the same chance, and keeps some to choose from.

    The choices depend on the seed, and on how many were made; on nothing else.
    """

    in_parts = True

    def __init__(self, minimum: int, seed: int) -> None:
        self._elements: list[Any] = []
        self._minimum = minimum
        #: What the choices depend on, and how many were made.
        self.seed = seed
        self.choices = 0

    def __len__(self) -> int:
        return len(self._elements)

    def available(self, closed: bool) -> int:
        """How many elements may be taken: what is to stay is left out, unless it is closed."""
        return max(0, len(self._elements) - (0 if closed else self._minimum))

    def put(self, element: Any) -> None:
        """Adds an element."""
        self._elements.append(element)

    def take(self) -> Any:
        """Removes an element by chance."""
        place = _scramble(self.seed, self.choices) * len(self._elements) >> 64
        self.choices += 1
        elements = self._elements
        elements[place], elements[-1] = elements[-1], elements[place]
        return elements.pop()

    def put_back(self, elements: Sequence[Any]) -> None:
        """Adds elements that were taken."""
        self._elements.extend(elements)

    def contents(self) -> list[Any]:
        """The elements, in the order they are chosen from."""
        return list(self._elements)

    def fill(self, elements: Iterable[Any]) -> None:
        """Holds these elements, as `contents` gave them, and no others."""
        self._elements = list(elements)


class PriorityStore:
    """The smallest first, by what comes first in an element; of equal ones the first that came.

    Several are taken at once only, so that they are in order.
    """

    in_parts = False

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Any]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def available(self, closed: bool) -> int:
        """How many elements may be taken."""
        return len(self._heap)

    def put(self, element: Any) -> None:
        """Adds an element."""
        heapq.heappush(self._heap, (int(element[0]), self._count, element))
        self._count += 1

    def take(self) -> Any:
        """Removes the element of the smallest priority."""
        return heapq.heappop(self._heap)[2]

    def put_back(self, elements: Sequence[Any]) -> None:
        """Adds elements that were taken in this order: they come before their equals again."""
        first = min((count for _, count, _ in self._heap), default=self._count)
        for offset, element in enumerate(reversed(elements), start=1):
            heapq.heappush(self._heap, (int(element[0]), first - offset, element))

    def contents(self) -> list[Any]:
        """The elements, the next one first."""
        return [element for _, _, element in sorted(self._heap, key=lambda entry: entry[:2])]

    def fill(self, elements: Iterable[Any]) -> None:
        """Holds these elements, as `contents` gave them, and no others."""
        self._heap, self._count = [], 0
        for element in elements:
            self.put(element)


Store = FifoStore | ShuffleStore | PriorityStore


def _scramble(seed: int, index: int) -> int:
    """64 bits by chance for one place of a sequence: the SplitMix64 generator."""
    bits = (seed + (index + 1) * 0x9E3779B97F4A7C15) & _MASK
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & _MASK
    return bits ^ (bits >> 31)
