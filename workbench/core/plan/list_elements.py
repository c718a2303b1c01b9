"""The elements of lists that are known one by one, and the nodes that stand for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import Entries
from workbench.core.plan.node import Node, NodeTable, Value

#: Longer lists are left as they are.
MOST_ELEMENTS = 4096


class ListState(NamedTuple):
    """The elements of a list, None for those never written, and what they must be like."""

    items: tuple[Value | None, ...]
    dtype: DType
    #: The shape of the elements, as far as the list says.
    entries: Entries
    #: Rules of a TensorArray, see `workbench.core.kernels.array_rules`.
    rules: tuple[str, ...] = ()

    def replaced(self, index: int, item: Value | None) -> ListState:
        """With another element."""
        return self._replace(items=(*self.items[:index], item, *self.items[index + 1 :]))


class ListElements:
    """What is known of the lists of a plan."""

    def __init__(self, table: NodeTable) -> None:
        self._table = table
        self._known: dict[Value, ListState] = {}

    def state(self, value: Value) -> ListState | None:
        """What is known of a list."""
        return self._known.get(value)

    def know(self, value: Value, state: ListState) -> None:
        """Remembers what a list is, unless that is too much."""
        if len(state.items) <= MOST_ELEMENTS:
            self._known[value] = state

    def _make(
        self,
        kind: str,
        inputs: Sequence[Value],
        attrs: dict[str, Any],
        entries: Entries,
        node: Node,
    ) -> Value:
        dtype = attrs["T"]
        made = self._table.make(kind, tuple(inputs), attrs, (dtype,), (entries,), node.origin)
        return made.output()

    def constant(self, array: Any, dtype: DType, node: Node) -> Value:
        """A constant."""
        return self._table.constant(np.asarray(array), dtype, node.origin).output()

    def total(self, terms: Sequence[Value | None], node: Node) -> Value | None:
        """The sum of those elements that were written; None where none was."""
        total: Value | None = None
        for term in terms:
            if term is None or total is None:
                total = total if term is None else term
                continue
            total = self._make("Add", (total, term), {"T": term.dtype}, term.entries, node)
        return total

    def rows(self, value: Value, node: Node) -> tuple[Value, ...] | None:
        """The rows of a value, where it is known how many there are."""
        entries = value.entries
        if not entries or not isinstance(entries[0], int) or not 0 < entries[0] <= MOST_ELEMENTS:
            return None
        count = entries[0]
        attrs = {"num": count, "axis": 0, "T": value.dtype}
        dtypes, shapes = (value.dtype,) * count, (entries[1:],) * count
        made = self._table.make("Unpack", (value,), attrs, dtypes, shapes, node.origin)
        return tuple(made.output(i) for i in range(count))

    def item(self, state: ListState, index: int, asked: Entries, node: Node) -> Value | None:
        """An element; zeros where none was written. None where it is not known."""
        found = state.items[index]
        if found is not None:
            return found if found.dtype is state.dtype else None
        entries = state.entries if is_full(state.entries) else asked
        if not is_full(entries) or state.dtype.as_numpy_dtype is object:
            return None
        zero = np.zeros((), state.dtype.as_numpy_dtype)
        shape: Any = entries
        return self.constant(np.broadcast_to(zero, shape), state.dtype, node)

    def packed(self, items: Sequence[Value], dtype: DType, node: Node) -> Value | None:
        """Elements along a new first axis."""
        shapes = {v.entries for v in items}
        if len(shapes) != 1 or not is_full(items[0].entries):
            return None
        attrs = {"N": len(items), "T": dtype, "axis": 0}
        entries = (len(items), *(items[0].entries or ()))
        return self._make("Pack", items, attrs, entries, node)


def is_full(entries: Entries) -> bool:
    """True for a shape all of whose sizes are known."""
    return entries is not None and all(isinstance(e, int) for e in entries)
