"""Mutexes as state machines: one holds it, the others wait in turn."""

from __future__ import annotations

from typing import Any

from workbench.core.sync.attempts import Attempt, Done, Lane, Machine, Outcome


class Acquire:
    """Hold the mutex."""

    def __init__(self, who: str = "") -> None:
        self.who = who
        #: True from when it holds the mutex until it gives it back.
        self.holds = False

    def __str__(self) -> str:
        return "the mutex"


class MutexMachine(Machine):
    """A mutex. `title` is what reports call it."""

    def __init__(self, title: str) -> None:
        super().__init__((Lane(),))
        self.title = title
        self.holder: Acquire | None = None

    def describe(self) -> str:
        """What state it is in, in words."""
        if self.holder is None:
            return f"{self.title} is free"
        return f"{self.title} is held by {self.holder.who!r}"

    def serve(self, request: Any) -> Outcome | bool:
        if self.holder is not None:
            return False
        self.holder = request
        request.holds = True
        return Done(request)

    def take_back(self, request: Any) -> None:
        if request.holds:
            request.holds = False
            self.holder = None

    def given_up(self, request: Any) -> str:
        return "Lock acquisition was cancelled"

    def release(self, request: Acquire) -> list[Attempt]:
        """Who holds the mutex gives it back; once is enough. Gives the attempts that are over."""
        self.take_back(request)
        return self.settle()
