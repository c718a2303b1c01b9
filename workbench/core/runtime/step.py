"""What a stateful kernel may ask of the session it runs in."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.core.kernels.random import brief_generator, generator

if TYPE_CHECKING:
    import numpy as np

    from workbench.core.graph.operation import Operation
    from workbench.core.runtime.state import SessionState


class KernelContext:
    """Handed as keyword `context` to kernels that ask for it: one for each operation and session.

    It gives an operation its random stream and its resources, and nothing of other operations.
    """

    __slots__ = ("_stream", "operation", "session", "state")

    def __init__(self, operation: Operation, session: Any) -> None:
        self.operation = operation
        self.session = session
        self.state: SessionState = session.state
        #: Tells the operation's random numbers from those of others without seeds.
        self._stream = zlib.crc32(operation.name.encode())

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    def generator(self, seed: int = 0, seed2: int = 0) -> np.random.Generator:
        """A generator for this step of this operation.

        The stream depends on the seeds and on how often the operation ran, and on nothing else;
        without seeds (both 0) on the session's own entropy and the operation's name.
        """
        return generator(*self._next_stream(seed, seed2))

    def brief_generator(self, seed: int = 0, seed2: int = 0) -> np.random.Generator:
        """The same for a kernel that draws all its numbers before it does anything else."""
        return brief_generator(*self._next_stream(seed, seed2))

    def _next_stream(self, seed: int, seed2: int) -> tuple[tuple[int, int], int]:
        """The key and the step of the next numbers."""
        step = self.state.next_random_step(self.name)
        if seed == 0 and seed2 == 0:
            return (self.state.entropy, self._stream), step
        return (seed, seed2), step

    def resource(
        self,
        make: Callable[[], Any],
        container: str = "",
        shared_name: str = "",
        is_own: bool = False,
    ) -> Any:
        """The operation's resource, or the one of that shared name, made on first use.

        With `is_own` it is the session's own, unless it has a shared name.
        """
        return self.state.resource(self.state.key(container, shared_name, self.name, is_own), make)
