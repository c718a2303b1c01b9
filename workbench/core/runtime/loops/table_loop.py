"""A loop whose passes are tables of kernels: machine code goes from pass to pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.codegen import host
from workbench.core.codegen.driver import DONE, FAILED, Driver
from workbench.core.codegen.repeat_text import LOOP, LOOP_WORDS, SIDE, SIDE_WORDS
from workbench.core.codegen.table import aligned_bytes
from workbench.core.codegen.thread_pool import ThreadPool
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.planning import plan_regions
from workbench.core.fusion.regions import NAMING
from workbench.core.fusion.repeating import RESHAPES
from workbench.core.plan.memory import Step, static_shape
from workbench.core.plan.node import CONSTANT, FEED, Value
from workbench.core.plan.plan import Plan
from workbench.core.runtime.loops.native import LoopResult, in_calls
from workbench.core.runtime.region import CompiledRegion, Instance
from workbench.core.runtime.tiered import TieredWriter


class _Part(NamedTuple):
    """The condition or the body: its region, and the number of the output for each result."""

    region: CompiledRegion | None
    fetches: tuple[Value, ...]


class _Failed(Exception):
    """A check failed in a pass."""


class TableLoop:
    """Runs a loop whose condition and body are compiled as a whole.

    Raises:
      Unsupported: they are not, with the reason.
    """

    kind = "from one pass's kernels to the next"

    def __init__(
        self, condition: Plan, body: Plan, states: int, session: Any, threads: int = 1
    ) -> None:
        self._states = states
        self._condition = _part(condition, session, threads)
        self._body = _part(body, session, threads)
        self._feeds = [feed.output() for feed in body.feeds]
        for feed, result in zip(self._feeds, body.fetches, strict=False):
            if static_shape(feed) is None or static_shape(feed) != static_shape(result):
                raise Unsupported("its states change their shapes")

    def run(
        self,
        states: Sequence[Any],
        captured: Sequence[Any],
        look: Callable[[], None] | None = None,
        limit: int | None = None,
    ) -> LoopResult | None:
        """See `NativeLoop.run`."""
        bound = _Bound(self, [*states, *captured])
        try:
            done, is_over = in_calls(bound.call, look, limit)
        except _Failed:
            return None
        return LoopResult(bound.states(), done, is_over)


class _Bound:
    """A loop with memory for one run."""

    def __init__(self, loop: TableLoop, values: Sequence[Any]) -> None:
        self._loop = loop
        self._kept: list[Any] = []
        self._here = [
            _home(np.asarray(value, feed.dtype.base_dtype.numpy_dtype))
            for value, feed in zip(values, loop._feeds, strict=True)
        ]
        count = loop._states
        #: States that a pass hands on as they are have one place, the others one for each side.
        results = loop._body.fetches
        same = [results[n] == loop._feeds[n] for n in range(count)]
        self._there = [
            self._here[n] if same[n] else _home(np.zeros_like(self._here[n])) for n in range(count)
        ]
        self._there += self._here[count:]
        self._words = np.zeros(LOOP_WORDS, np.int64)
        self._threads = 1
        for side, (mine, other) in enumerate(
            ((self._here, self._there), (self._there, self._here))
        ):
            self._bind(side, mine, other)
        if self._threads > 1:
            self._words[LOOP["LOOP_POOL"]] = ThreadPool.shared().address
            self._threads = min(self._threads, ThreadPool.shared().threads)
        self._words[LOOP["LOOP_THREADS"]] = self._threads
        self._side = 0

    def call(self, most: int) -> tuple[int, bool]:
        """Makes up to so many passes; how many there were, and whether the loop is over."""
        status = Driver.shared().repeat(self._words.ctypes.data, self._side, most)
        if status == FAILED:
            raise _Failed
        passes = int(self._words[LOOP["PASSES"]])
        self._side ^= passes & 1
        return passes, status == DONE

    def states(self) -> list[Any]:
        """The states as they are now."""
        arrays = self._there if self._side else self._here
        return [array.copy()[()] for array in arrays[: self._loop._states]]

    def _bind(self, side: int, mine: Sequence[np.ndarray[Any, Any]], other: Sequence[Any]) -> None:
        loop = self._loop
        words = self._words[side * SIDE_WORDS :]
        goes_on = _home(np.zeros((), np.bool_))
        self._kept.append(goes_on)
        instance, copies = self._instance(loop._condition, mine, [goes_on])
        words[SIDE["CONDITION"]] = instance.table.address if instance else 0
        if copies or instance is None:
            raise Unsupported("its condition computes nothing")
        words[SIDE["GOES_ON"]] = goes_on.ctypes.data
        instance, copies = self._instance(loop._body, mine, other[: loop._states])
        if instance is None:
            raise Unsupported("its body computes nothing")
        words[SIDE["PASS"]] = instance.table.address
        if copies:
            listed = np.array(copies, np.int64)
            self._kept.append(listed)
            words[SIDE["COPIES"]] = listed.ctypes.data
            words[SIDE["COPY_COUNT"]] = len(copies)

    def _instance(
        self, part: _Part, values: Sequence[np.ndarray[Any, Any]], results: Sequence[Any]
    ) -> tuple[Instance | None, list[tuple[int, int, int]]]:
        """The kernels of a part from these values to these places, and what is copied beside."""
        region = part.region
        if region is None:
            return None, []
        instance = region.take()
        self._kept.append(instance)
        self._threads = max(self._threads, instance.threads)
        places: dict[Value, np.ndarray[Any, Any]] = {}
        copies: list[tuple[int, int, int]] = []
        for value, place in zip(part.fetches, results, strict=True):
            source: np.ndarray[Any, Any] | None = None
            if value.node.type == FEED:
                source = values[int(value.node.attrs["index"])]
            elif value.node.type == CONSTANT:
                source = _home(np.asarray(value.node.constant))
                self._kept.append(source)
            elif value in places:
                source = places[value]
            else:
                places[value] = place
            if source is not None and source is not place:
                copies.append((place.ctypes.data, source.ctypes.data, place.nbytes))
        for number, argument in enumerate(region.program.arguments):
            if argument.kind == "value":
                array = values[int(argument.value.node.attrs["index"])]
            else:
                array = places[argument.value]
            for patch in instance.patches[number]:
                instance.table.arguments[patch.position] = array.ctypes.data + patch.offset
        return instance, copies


def _home(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A copy of an array on cache lines of its own."""
    line = aligned_bytes(max(1, array.nbytes))
    place: np.ndarray[Any, Any] = line[: array.nbytes].view(array.dtype).reshape(array.shape)
    place[...] = array
    return place


def _part(plan: Plan, session: Any, threads: int) -> _Part:
    target = host.target()
    assert target is not None
    planned = plan_regions(plan, target)
    fetches = tuple(_origin(value) for value in planned.plan.fetches)
    computing = [
        r for r in planned.regions if r.program is not None or any(_computes(s) for s in r.steps)
    ]
    if any(r.program is None for r in computing) or len(computing) > 1:
        reasons = "; ".join(sorted(set(planned.reasons.values()))[:3])
        raise Unsupported(f"it is not compiled as a whole ({reasons})")
    for region in computing:
        assert region.program is not None
        kinds = {a.kind for a in region.program.arguments}
        if not kinds <= {"value", "output"} or region.updated:
            raise Unsupported("it uses variables")
        feeds = all(
            a.value.node.type == FEED for a in region.program.arguments if a.kind == "value"
        )
        if not feeds or any(_computes(s) for s in (*region.before, *region.after)):
            raise Unsupported("it sees values in ways that are not compiled")
        outputs = {a.value for a in region.program.arguments if a.kind == "output"}
        computed = [v for v in fetches if v.node.type not in (FEED, CONSTANT)]
        if not set(computed) <= outputs:
            raise Unsupported("it sees values in ways that are not compiled")
    writer = TieredWriter(planned, session, threads)
    writer.write()
    return _Part(writer.regions[0] if writer.regions else None, fetches)


def _computes(step: Step) -> bool:
    return step.node.type not in NAMING and step.node.type not in RESHAPES


def _origin(value: Value) -> Value:
    """The value that has the elements of another one, in the same order."""
    while value.node.type in RESHAPES:
        value = value.node.inputs[0]
    return value
