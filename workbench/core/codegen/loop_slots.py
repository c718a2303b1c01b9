"""The accumulators of several reductions at once: vectors of slots, in registers."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.loop_reductions import Reduction, stripe_vectors

#: The vectors of one reduction; None where no element has come yet.
Slots = list[Register | None]


class SlotGroups:
    """The slots of some reductions, a group for each; loops carry them one after the other."""

    def __init__(self, emitter: Emitter, reductions: Sequence[Reduction], lanes: int) -> None:
        self._emitter = emitter
        self._reductions = reductions
        self._lanes = lanes
        self._vectors = stripe_vectors(lanes)

    def empty(self) -> list[Slots]:
        """No elements yet."""
        return [[None] * self._vectors for _ in self._reductions]

    def identities(self) -> list[Register]:
        """What all slots start with, one after the other."""
        return [
            reduction.start(self._emitter, self._lanes)
            for reduction in self._reductions
            for _ in range(self._vectors)
        ]

    def grouped(self, registers: Sequence[Register]) -> list[Slots]:
        """The groups of registers that follow each other."""
        width = self._vectors
        return [
            list(registers[place * width : (place + 1) * width])
            for place in range(len(self._reductions))
        ]

    def flat(self, groups: Sequence[Slots]) -> list[Register]:
        """All slots one after the other; those without an element are identities."""
        listed = [slot for group in groups for slot in group]
        return [a or b for a, b in zip(listed, self.identities(), strict=True)]

    def combined(self, a: Sequence[Slots], b: Sequence[Slots]) -> list[Slots]:
        """Each slot with its counterpart."""
        return [
            [
                reduction.combine(self._emitter, x, y, self._lanes)
                if x is not None and y is not None
                else x or y
                for x, y in zip(first, second, strict=True)
            ]
            for reduction, first, second in zip(self._reductions, a, b, strict=True)
        ]
