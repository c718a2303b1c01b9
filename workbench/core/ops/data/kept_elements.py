"""Elements of a dataset in their order, of which the last ones may come once more."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from workbench.core.ops.data.pipeline import Element


class KeptElements:
    """The elements of a source, and which one comes next.

    Args:
      source: makes the elements; what it raises stands for one of them, but for StopIteration.

    >>> elements = KeptElements(iter([("a",), ("b",), ("c",)]))
    >>> elements.keeps = True
    >>> elements.next(), elements.next(), elements.go_to(1), elements.next()
    (('a',), ('b',), True, ('b',))
    >>> elements.forget(1), elements.go_to(0), elements.go_to(1)
    (None, False, True)
    """

    def __init__(self, source: Iterator[Element]) -> None:
        self._source = source
        self._kept: deque[Any] = deque()
        #: How many were made, those that are kept too.
        self._made = 0
        #: How many were asked for: which one comes next.
        self.position = 0
        #: Whether those that are made are kept.
        self.keeps = False

    def next(self) -> Element:
        """The next element; StopIteration at the end."""
        if self.position < self._made:
            found = self._kept[self.position - self._made]
            self.position += 1
            if isinstance(found, Exception):
                raise found
            return found  # type: ignore[no-any-return]
        self.position += 1
        try:
            made = next(self._source)
        except StopIteration:
            self.position -= 1
            raise
        except Exception as error:
            self._keep(error)
            raise
        self._keep(made)
        return made

    def _keep(self, made: Any) -> None:
        self._made += 1
        if self.keeps:
            self._kept.append(made)

    def go_to(self, position: int) -> bool:
        """Has another element come next; False where it would have to be made once more."""
        if position < self._made - len(self._kept):
            return False
        self.position = min(position, self._made)
        while self.position < position:
            try:
                self.next()
            except StopIteration:
                break
            except Exception:  # what stands for an element that is left out
                continue
        return True

    def forget(self, before: int) -> None:
        """The elements before this one need not come again."""
        while len(self._kept) > self._made - before:
            self._kept.popleft()
