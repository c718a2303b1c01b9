"""A while loop as machine code: what it takes and gives, and which kind of it there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, Protocol

from workbench.core.codegen.unsupported import CompileError, Unsupported
from workbench.core.plan.plan import Plan

#: About how long machine code runs before Python may look at signals, in seconds.
_LONGEST_CALL = 0.05
_FIRST_LIMIT = 1024
_MOST_PASSES = 1 << 40


class LoopResult(NamedTuple):
    """The states after the last pass, how many passes there were, and whether it was the last."""

    states: list[Any]
    passes: int
    is_over: bool


class NativeLoop(Protocol):
    """A loop that is compiled."""

    #: How it goes round, in words.
    kind: str

    def run(
        self,
        states: Sequence[Any],
        captured: Sequence[Any],
        look: Callable[[], None] | None = None,
        limit: int | None = None,
        wanted: Collection[int] | None = None,
    ) -> LoopResult | None:
        """Makes passes until the condition does not hold, or `limit` were made.

        The states that are not `wanted` may be None in the end; without it all are wanted.

        The arrays have exactly the dtypes and shapes that the loop was planned for. Nothing that
        is given is changed. `look` is called now and then: what it raises ends the loop. None where
        a check failed in a pass: the interpreter tells what is wrong.
        """


def native_loop(
    condition: Plan, body: Plan, states: int, session: Any, threads: int = 1
) -> NativeLoop:
    """A loop over the first `states` values that both plans are fed, as machine code.

    `body` gives the next states, `condition` whether there is another pass; the other values never
    change.

    Raises:
      Unsupported, CompileError: there is none, with the reason.
    """
    from workbench.core.codegen import host

    obstacle = host.obstacle()
    if obstacle is not None:
        raise Unsupported(obstacle)
    from workbench.core.runtime.loops.register_loop import RegisterLoop
    from workbench.core.runtime.loops.table_loop import TableLoop

    try:
        return RegisterLoop(condition, body, states, threads)
    except (Unsupported, CompileError):
        return TableLoop(condition, body, states, session, threads)


def in_calls(
    call: Callable[[int], tuple[int, bool]], look: Callable[[], None] | None, limit: int | None
) -> tuple[int, bool]:
    """Makes passes in calls of a bounded length, between which Python handles signals.

    `call(most)` makes up to `most` passes and says how many, and whether the loop is over.
    """
    done, most = 0, _FIRST_LIMIT
    whole = _MOST_PASSES if limit is None else limit
    while True:
        began = time.perf_counter()
        passes, is_over = call(min(most, whole - done))
        done += passes
        if is_over or done >= whole:
            return done, is_over
        if look is not None:
            look()
        seconds = time.perf_counter() - began
        if seconds < _LONGEST_CALL / 2:
            most *= 2
        elif seconds > 2 * _LONGEST_CALL:
            most = max(1, most // 2)
