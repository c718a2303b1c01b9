"""The place that has the variables of a training with a parameter server, as a state machine.

It decides which gradients are applied; a thin shell applies them. Nothing is applied twice: a
replica numbers what it sends, and who sends something again, because it did not hear the answer, is
answered again. What was computed with variables that are too old is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Apply:
    """Apply what came, and answer with the variables after it."""


@dataclass(frozen=True)
class Answer:
    """Answer with the variables as they are: what came was applied before, or is too old."""

    was_dropped: bool


@dataclass(frozen=True)
class Refuse:
    """The sender is of another epoch: it must form a group with the others first."""


@dataclass(frozen=True)
class End:
    """The training is where it is to end, or to pause: what came is not applied now."""


Decision = Apply | Answer | Refuse | End


class ParameterServer:
    """Counts the steps and batches of an epoch.

    Args:
      epoch: what comes from another one is refused.
      step: how many steps were applied before.
      batch: the first batch that nobody was given.
      staleness: how many steps may be applied between the one whose variables gradients are
        computed with and theirs; None for any number.
    """

    def __init__(self, epoch: int, step: int, batch: int, staleness: int | None = None) -> None:
        self.epoch, self.step, self.batch = epoch, step, batch
        self._staleness = staleness
        #: The last number that each replica sent.
        self._last: dict[str, int] = {}
        self.dropped = 0

    def came(
        self, epoch: int, member: str, number: int, seen: int, until: int | None = None
    ) -> Decision:
        """A replica sent gradients that it computed after step `seen`; none are applied beyond the
        step `until`.

        >>> server = ParameterServer(epoch=1, step=9, batch=9)
        >>> server.came(1, "a", 1, 9, until=10), server.came(1, "b", 1, 9, until=10), server.step
        (Apply(), End(), 10)
        """
        if epoch != self.epoch:
            return Refuse()
        if number <= self._last.get(member, -1):
            return Answer(was_dropped=False)
        if until is not None and self.step >= until:
            return End()
        self._last[member] = number
        if self._staleness is not None and self.step - seen > self._staleness:
            self.dropped += 1
            return Answer(was_dropped=True)
        self.step += 1
        return Apply()

    def take_batch(self) -> int:
        """The number of a batch that nobody else is given."""
        self.batch += 1
        return self.batch - 1
