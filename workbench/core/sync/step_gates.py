"""Gates between the steps of a training, as state machines: replicas wait there for the next one.

Nothing is taken from a gate. So nobody misses what another one took who was started again, or who
is not there any more.
"""

from __future__ import annotations

from typing import Any

from workbench.core.sync.attempts import Attempt, Done, Lane, Machine, Outcome


class Pass:
    """Wait until the step is another one than `after`."""

    def __init__(self, after: int) -> None:
        self.after = after
        #: Set when the gate has opened for all who were there.
        self.is_let_in = False

    def __str__(self) -> str:
        return f"a step other than {self.after}"


class StepGateMachine(Machine):
    """A gate. `title` is what reports call it."""

    def __init__(self, title: str) -> None:
        super().__init__((Lane(in_turn=False),))
        self.title = title
        #: The step that the training is at; None before anybody has said so.
        self.step: int | None = None
        #: How many more are let in at once, and with which step.
        self._free: tuple[int, int] = (0, 0)

    def describe(self) -> str:
        """What state it is in, in words."""
        return f"{self.title} is at step {self.step}"

    def open(self, step: int, free: int) -> list[Attempt]:
        """A training begins, or goes on at a step. Gives the attempts over.

        All that wait are let in, for what they have done may be lost; and the next `free` too.
        """
        self.step, self._free = step, (free, step)
        for attempt in self.waiting:
            attempt.request.is_let_in = True
        return self.settle()

    def advance(self, step: int) -> list[Attempt]:
        """A step was taken: the next one begins. Gives the attempts over."""
        self.step = step
        return self.settle()

    def serve(self, request: Any) -> Outcome | bool:
        if self.step is None:
            return False
        free, at = self._free
        if free and not request.is_let_in:
            self._free = (free - 1, at)
            return Done(at)
        if request.is_let_in or self.step != request.after:
            return Done(self.step)
        return False

    def given_up(self, request: Any) -> str:
        return "Waiting for the next step was cancelled"

    def saved(self) -> dict[str, Any]:
        """All that it holds."""
        return {"step": self.step, "free": self._free}

    def restore(self, saved: dict[str, Any]) -> list[Attempt]:
        """Holds what was saved. Gives the attempts that are over by that."""
        self.step, self._free = saved["step"], saved["free"]
        return self.settle()
