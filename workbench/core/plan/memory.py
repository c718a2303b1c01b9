"""The memory plan: which step overwrites an input, which writes into a buffer kept for it, and
which values end where."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, READ, Node, Value
from workbench.core.plan.schedule import Aliases, updated_handles

#: Smaller results are allocated anew: NumPy's allocator is fast for them.
_BUFFERED_BYTES = 1024


class Step(NamedTuple):
    """One node of a schedule with its memory decisions."""

    node: Node
    #: The input whose array takes the result, or None.
    overwrites: int | None
    #: The buffer that takes the result, or None for a fresh array.
    buffer: int | None
    #: True when the variables that the node updates may be overwritten.
    updates_in_place: bool
    #: Values that are not used any more after this step.
    ends: tuple[Value, ...]


class Buffer(NamedTuple):
    """A result's place in the arena."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    slot: int


class MemoryPlan(NamedTuple):
    """The steps of a plan with their memory."""

    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]
    #: The size of each slot in bytes; buffers of one slot follow each other in time.
    slots: tuple[int, ...]
    #: Fetched values that share storage with something that lives on: fetching copies them.
    copied: frozenset[Value]

    @property
    def arena_bytes(self) -> int:
        """The bytes of all slots."""
        return sum(self.slots)


def static_shape(value: Value) -> tuple[int, ...] | None:
    """The shape where every size is known, or None."""
    entries = value.entries
    if entries is None or not all(isinstance(e, int) for e in entries):
        return None
    return entries  # type: ignore[return-value]


def static_bytes(value: Value) -> int | None:
    """The size in bytes where the shape is known and the elements are numbers."""
    shape = static_shape(value)
    if shape is None or value.dtype.as_numpy_dtype is object:
        return None
    return math.prod(shape) * value.dtype.size


def plan_memory(order: Sequence[Node], fetches: Sequence[Value]) -> MemoryPlan:
    """The memory plan of a schedule."""
    aliases = Aliases(order)
    last_use = _last_uses(order, fetches, aliases)
    kept = _kept(order, fetches, aliases)
    ends = _ends(order, fetches)
    slots = _Slots()
    steps: list[Step] = []
    buffers: list[Buffer] = []
    free_at: dict[int, list[int]] = defaultdict(list)
    slot_of: dict[Value, int] = {}
    for i, node in enumerate(order):
        # What ended before this step is free now; what ends with it is still read.
        slots.release(free_at.pop(i, ()))
        overwritten = buffer = None
        value = node.output() if node.dtypes else None
        if value is not None and _writes_into(node):
            overwritten = _overwritable(node, i, aliases, last_use)
            if overwritten is not None and value in kept and node.inputs[overwritten] in slot_of:
                # The arena is used again by the next run; what is kept needs an array of its own.
                overwritten = None
            if overwritten is not None:
                taken = node.inputs[overwritten]
                if taken in slot_of:
                    slot_of[value] = slot_of.pop(taken)
                    free_at[_end(last_use, value, len(order)) + 1].append(slot_of[value])
                    _forget(free_at, i + 1, slot_of[value])
            elif value not in kept:
                size = static_bytes(value)
                if size is not None and size >= _BUFFERED_BYTES:
                    slot_of[value] = slots.take(size)
                    shape = static_shape(value)
                    assert shape is not None
                    buffer = len(buffers)
                    buffers.append(Buffer(shape, value.dtype.numpy_dtype, slot_of[value]))
                    free_at[_end(last_use, value, len(order)) + 1].append(slot_of[value])
        steps.append(
            Step(node, overwritten, buffer, _updates_in_place(node, i, aliases, last_use), ends[i])
        )
    copied = frozenset(
        v for v in fetches if any(not isinstance(r, Value) or _shared(r) for r in aliases.of(v))
    )
    return MemoryPlan(tuple(steps), tuple(buffers), tuple(slots.sizes), copied)


def _shared(root: Value) -> bool:
    return root.node.type in (FEED, CONSTANT, READ, HANDLE)


def _writes_into(node: Node) -> bool:
    declaration = node.declaration
    if declaration is None or declaration.stateful or len(node.dtypes) != 1:
        return False
    return declaration.takes_out and not declaration.aliases_input and bool(node.shapes[0])


class _Slots:
    """Slots of the arena; a freed one serves the next result of about its size."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._free: list[int] = []

    def take(self, size: int) -> int:
        best = None
        for slot in reversed(self._free):
            have = self.sizes[slot]
            fits = size <= have <= 2 * size
            if fits and (best is None or have < self.sizes[best]):
                best = slot
        if best is None:
            self.sizes.append(size)
            return len(self.sizes) - 1
        self._free.remove(best)
        return best

    def release(self, slots: Sequence[int]) -> None:
        self._free.extend(slots)


def _forget(free_at: dict[int, list[int]], at: int, slot: int) -> None:
    """The slot lives on in the result that overwrites it."""
    waiting = free_at.get(at)
    if waiting is not None and slot in waiting:
        waiting.remove(slot)


def _last_uses(
    order: Sequence[Node], fetches: Sequence[Value], aliases: Aliases
) -> dict[object, int]:
    """For each storage the last step that reads it; fetched ones are read after the end."""
    last: dict[object, int] = {}
    for i, node in enumerate(order):
        for value in node.inputs:
            if value.node.type == HANDLE:
                continue
            for root in aliases.of(value):
                last[root] = i
    for value in fetches:
        for root in aliases.of(value):
            last[root] = len(order)
    return last


def _end(last_use: dict[object, int], value: Value, length: int) -> int:
    return min(last_use.get(value, 0), length)


def _kept(order: Sequence[Node], fetches: Sequence[Value], aliases: Aliases) -> set[object]:
    """Storages that someone may hold after the step: fetched, or given to a stateful kernel."""
    kept: set[object] = set()
    for value in fetches:
        kept.update(aliases.of(value))
    for node in order:
        declaration = node.declaration
        if declaration is None or not declaration.stateful:
            continue
        if declaration.schema.has_references:
            continue
        for value in node.inputs:
            kept.update(aliases.of(value))
    return kept


def _ends(order: Sequence[Node], fetches: Sequence[Value]) -> list[tuple[Value, ...]]:
    """For each step the values that no later step takes."""
    last: dict[Value, int] = {}
    for i, node in enumerate(order):
        for index in range(len(node.dtypes)):
            last[node.output(index)] = i
        for value in node.inputs:
            last[value] = i
    fetched = set(fetches)
    ends: list[list[Value]] = [[] for _ in order]
    for value, i in last.items():
        if value in fetched or value.node.type in (CONSTANT, HANDLE):
            continue
        # A scalar may stay; a list has no axes either, and may hold a lot.
        if value.entries != () or value.dtype.name == "variant":
            ends[i].append(value)
    return [tuple(e) for e in ends]


def _overwritable(node: Node, i: int, aliases: Aliases, last_use: dict[object, int]) -> int | None:
    """An input of an element-wise operation that nobody needs afterwards."""
    declaration = node.declaration
    if declaration is None or not declaration.elementwise:
        return None
    shape = static_shape(node.output())
    if not shape:
        return None
    for index, value in enumerate(node.inputs):
        if value.dtype is not node.dtypes[0] or static_shape(value) != shape:
            continue
        if aliases.of(value) != {value} or last_use.get(value) != i:
            continue
        if value.node.type in (FEED, CONSTANT) or not _is_fresh(value.node):
            continue
        return index
    return None


def _is_fresh(node: Node) -> bool:
    """True when the node's result is an array of its own that nobody else holds."""
    # A list may go on with the array that all its elements are in.
    return node.is_pure and node.type != "TensorListStack"


def _updates_in_place(node: Node, i: int, aliases: Aliases, last_use: dict[object, int]) -> bool:
    """True when no value that shares the updated variables' storage is needed at or after i."""
    updated = updated_handles(node)
    if not updated:
        return False
    if node.type in CONTROL_FLOW and any(d.name == "variant" for d in node.dtypes):
        # A list may keep what a variable was in an earlier pass.
        return False
    inputs = [v for v in node.inputs if v.node.type != HANDLE]
    shared = set().union(*(aliases.of(v) for v in inputs)) if inputs else set()
    return all(h not in shared and _unused_after(h, i, last_use) for h in updated)


def _unused_after(handle: Node, i: int, last_use: dict[object, int]) -> bool:
    return last_use.get(handle, -1) <= i
