"""Conditional accumulators as state machines: gradients add up until there are enough of them.

What a gradient is, how two add up and what their mean is, is the business of a `Sum`.
"""

from __future__ import annotations

from typing import Any, Protocol

from workbench.core.sync.attempts import Attempt, Done, Lane, Machine, Outcome


class Sum(Protocol):
    """How gradients add up. Nothing that it was given, or gave, is ever changed."""

    def first(self, gradient: Any) -> Any:
        """The sum of one gradient."""

    def add(self, total: Any, gradient: Any) -> Any:
        """The sum with one more gradient."""

    def mean(self, total: Any, count: int) -> Any:
        """What is given for a sum of so many gradients."""


class TakeMean:
    """Take the mean of the gradients when there are `count` of them or more."""

    def __init__(self, count: int) -> None:
        self.count = count
        #: What was there when it was taken: the sum, of how many, and whose.
        self.taken: tuple[Any, int, dict[str, int]] | None = None

    def __str__(self) -> str:
        return f"{self.count} gradient{'s' if self.count != 1 else ''}"


class AccumulatorMachine(Machine):
    """An accumulator. `title` is what reports call it."""

    def __init__(self, kind: Sum, title: str) -> None:
        super().__init__((Lane(),))
        self._kind = kind
        self.title = title
        self.step = 0
        self.count = 0
        self.total: Any = None
        #: Who gave what is in the sum, as far as it is known, and for which step.
        self._givers: dict[str, int] = {}
        #: Whether it was told which step it is.
        self._has_begun = False

    def describe(self) -> str:
        """What state it is in, in words."""
        return f"{self.title} has {self.count} gradients for step {self.step}"

    def apply(self, gradient: Any, step: int, giver: str = "") -> list[Attempt]:
        """Adds a gradient, unless it is stale: of an earlier step. Gives the attempts over.

        Of a giver that is named there is one in a sum: who was started again gives it once more.
        """
        if step < self.step or giver in self._givers:
            return []
        if giver and self._has_begun and step != self.step:
            # Of a training that was given up: it has gone back since.
            return []
        if giver:
            self._givers[giver] = step
        add = self._kind.add
        self.total = add(self.total, gradient) if self.count else self._kind.first(gradient)
        self.count += 1
        return self.settle()

    def begin(self, step: int) -> list[Attempt]:
        """From now on gradients of earlier steps are stale. Gives the attempts over.

        What named givers have given for another step is of a training that was given up.
        """
        if any(given != step for given in self._givers.values()):
            self._empty()
        self.step, self._has_begun = step, True
        return self.settle()

    def _empty(self) -> None:
        self.total, self.count, self._givers = None, 0, {}

    def serve(self, request: Any) -> Outcome | bool:
        if self.count < request.count:
            return False
        mean = self._kind.mean(self.total, self.count)
        request.taken = (self.total, self.count, self._givers)
        self._empty()
        self.step += 1
        return Done(mean)

    def take_back(self, request: Any) -> None:
        # Gradients of the next step may be there by now: only an untouched sum comes back.
        if request.taken is not None and not self.count:
            self.total, self.count, self._givers = request.taken
            self.step -= 1
        request.taken = None

    def given_up(self, request: Any) -> str:
        return "TakeGrad operation was cancelled"

    def saved(self) -> dict[str, Any]:
        """All that it holds."""
        givers = dict(self._givers)
        return {"step": self.step, "count": self.count, "total": self.total, "givers": givers}

    def restore(self, saved: dict[str, Any]) -> list[Attempt]:
        """Holds what was saved. Gives the attempts that are over by that."""
        self.step, self.count, self.total = saved["step"], saved["count"], saved["total"]
        self._givers = dict(saved.get("givers", {}))
        return self.settle()
