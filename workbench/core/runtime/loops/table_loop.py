"""A loop whose passes are tables of kernels: machine code goes from pass to pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.list_loops import ListBody, has_lists, without_lists
from workbench.core.plan.memory import static_shape
from workbench.core.plan.plan import Plan
from workbench.core.runtime.loops.array_pool import ArrayPool
from workbench.core.runtime.loops.frame import CheckFailed, Frame, FrameLayout
from workbench.core.runtime.loops.native import LoopResult, in_calls
from workbench.core.runtime.loops.parts import compiled_part
from workbench.core.runtime.loops.row_array import Misfit


class TableLoop:
    """Runs a loop whose condition and body are compiled as a whole; lists are arrays meanwhile.

    Raises:
      Unsupported: they are not, with the reason.
    """

    def __init__(
        self, condition: Plan, body: Plan, states: int, session: Any, threads: int = 1
    ) -> None:
        for feed, result in zip(body.feeds, body.fetches, strict=False):
            shape = static_shape(feed.output())
            if shape is None or shape != static_shape(result):
                raise Unsupported("its states change their shapes")
        self._body = body
        self._states = states
        self._session = session
        self._threads = threads
        self._condition = compiled_part(condition, session, threads)
        listed = has_lists(body)
        self.kind = "from one pass's kernels to the next" + (
            ", its lists as arrays" if listed else ""
        )
        added = _added_lists(without_lists(body, states))
        #: Lists of which no element is added to twice, as far as is known.
        self._fresh = frozenset(added)
        self._layout = self._made(self._fresh)
        self._pool = ArrayPool(len(self._layout.lists) + 2)
        self._frames: list[Frame] = []
        #: How many passes the last run took.
        self._passes = 0

    def _made(self, fresh: frozenset[int]) -> FrameLayout:
        found = without_lists(self._body, self._states, fresh)
        body = compiled_part(found.plan, self._session, self._threads)
        indices = None
        if found.indices is not None:
            indices = compiled_part(found.indices, self._session, self._threads)
        return FrameLayout(self._condition, body, indices, found, self._states, fresh)

    def run(
        self,
        states: Sequence[Any],
        captured: Sequence[Any],
        look: Callable[[], None] | None = None,
        limit: int | None = None,
        wanted: Collection[int] | None = None,
    ) -> LoopResult | None:
        """See `NativeLoop.run`."""
        try:
            return self._run([*states, *captured], look, limit, wanted)
        except (CheckFailed, Misfit):
            if not self._fresh:
                return None
        # Perhaps elements are added to more than once: then they are added up.
        self._layout = self._made(frozenset())
        self._fresh, self._frames = frozenset(), []
        try:
            return self._run([*states, *captured], look, limit, wanted)
        except (CheckFailed, Misfit):
            return None

    def _run(
        self,
        values: Sequence[Any],
        look: Callable[[], None] | None,
        limit: int | None,
        wanted: Collection[int] | None,
    ) -> LoopResult:
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = Frame(self._layout)
        try:
            frame.enter(values, self._passes, self._pool)
            done, is_over = in_calls(frame.call, look, limit)
            self._passes = max(done, 1)
            count = self._states
            results = frame.states(range(count) if wanted is None else wanted)
            return LoopResult([results.get(n) for n in range(count)], done, is_over)
        finally:
            frame.leave()
            if frame.layout is self._layout:
                self._frames.append(frame)


def _added_lists(body: ListBody) -> list[int]:
    return [n for n, found in body.lists.items() if any(a.adds for a in found.accesses)]
