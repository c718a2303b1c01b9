"""What a run's observer gives to those who look at all operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.operation import Operation


class OverlayFrame(NamedTuple):
    """What is known of each operation, by its place in the graph, after a step.

    Each number is the newest there is; NaN where there is none. `inside` has the same for
    operations in bodies of conditionals and loops, by their places in `inside_operations`.
    """

    step: int
    channels: dict[str, np.ndarray[Any, np.dtype[np.float32]]]
    inside: dict[str, np.ndarray[Any, np.dtype[np.float32]]] = {}  # noqa: RUF012
    inside_operations: tuple[Operation, ...] = ()


class Observation:
    """A subscription to channels; `Observer.subscribe` makes it."""

    def __init__(
        self,
        channels: tuple[str, ...],
        rate: float,
        frame: Callable[[Observation], OverlayFrame | None],
        close: Callable[[Observation], None],
    ) -> None:
        self.channels = channels
        self.rate = rate
        self._frame = frame
        self._close = close
        self._made = -1
        self._latest: OverlayFrame | None = None

    def latest(self) -> OverlayFrame | None:
        """The newest frame, the same object until there is a newer one; None before the first."""
        return self._frame(self)

    def close(self) -> None:
        """End the subscription. Closing again does nothing."""
        self._close(self)
