"""Machine code for a loop that is going round already: made while the interpreter goes on."""

from __future__ import annotations

from typing import Any

from workbench.core.codegen.unsupported import CompileError, Unsupported
from workbench.core.plan.plan import Plan
from workbench.core.runtime.compiling import compiler


class LoopInTheMaking:
    """A loop that the compiling thread is asked for when it is created."""

    def __init__(
        self, condition: Plan, body: Plan, states: int, session: Any, threads: int
    ) -> None:
        #: The loop, once there is one.
        self.made: Any = None
        arguments = (condition, body, states, session, threads)
        compiler().submit(lambda: self._make(*arguments))

    def _make(self, condition: Plan, body: Plan, states: int, session: Any, threads: int) -> None:
        from workbench.core.runtime.loops.native import native_loop

        if session._closed:
            return
        try:
            self.made = native_loop(condition, body, states, session, threads)
        except (Unsupported, CompileError):
            # The interpreter goes on to the end.
            return
