"""Elements that are computed side by side and given in order: what is to do, under way and done.

Pure bookkeeping, without threads: whoever shares it between some holds a lock.
"""

from __future__ import annotations

from collections import deque

from workbench.core.ops.data.pipeline import Element


class Task:
    """An element, and what became of it."""

    __slots__ = ("element", "error", "is_done", "number", "result")

    def __init__(self, number: int, element: Element) -> None:
        self.number = number
        self.element = element
        self.result: Element = ()
        self.error: BaseException | None = None
        self.is_done = False


class Tasks:
    """Tasks in the order of their elements."""

    def __init__(self) -> None:
        #: Those that were not given yet, and those among them that nobody began.
        self._held: deque[Task] = deque()
        self._waiting: deque[Task] = deque()
        self._count = 0
        #: The reader waits for tasks of lower numbers than this; so many of them are not done.
        self._wanted = 0
        self._missing = 0

    def __len__(self) -> int:
        """How many were not given yet."""
        return len(self._held)

    def add(self, element: Element) -> None:
        """A further element to compute."""
        task = self._hold(element)
        self._waiting.append(task)

    def add_error(self, error: BaseException) -> None:
        """An error in the place of an element that could not be had."""
        task = self._hold(())
        task.error = error
        task.is_done = True

    def _hold(self, element: Element) -> Task:
        task = Task(self._count, element)
        self._count += 1
        self._held.append(task)
        return task

    def begin(self) -> Task | None:
        """The next one to compute, if there is one."""
        return self._waiting.popleft() if self._waiting else None

    def finish(self, task: Task) -> bool:
        """Notes that a task is done; True where the reader has all now that it waits for."""
        task.is_done = True
        if task.number >= self._wanted:
            return False
        self._missing -= 1
        return not self._missing

    def want(self, count: int) -> bool:
        """Notes that the reader waits for the first `count`; True where they are done."""
        wanted = [task for task, _ in zip(self._held, range(count), strict=False)]
        self._missing = sum(not task.is_done for task in wanted)
        self._wanted = wanted[-1].number + 1 if wanted else 0
        return not self._missing

    @property
    def has_wanted(self) -> bool:
        """True where all that the reader waits for is done."""
        return not self._missing

    def take(self, count: int) -> list[Element]:
        """The results of the first `count`, which are done, or of as many as there are.

        Raises the error of the first one that has one; those after it are kept.
        """
        results = []
        for _ in range(min(count, len(self._held))):
            task = self._held.popleft()
            if task.error is not None:
                raise task.error
            results.append(task.result)
        return results

    def drop(self) -> None:
        """Forgets those that nobody began."""
        self._waiting.clear()
