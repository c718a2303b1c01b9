"""Lists whose elements are known one by one: what goes through them needs no list.

Where the places that are written and read are known, as in a loop that was unrolled, reading an
element gives the value that was written, and stacking a list is packing its elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import Entries
from workbench.core.plan.node import Node, NodeTable, Value

#: Longer lists are left as they are.
_MOST_ELEMENTS = 4096


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


class ListValues:
    """Follows lists through a plan while it is rewritten.

    `counts` says how many operations on lists were replaced.
    """

    def __init__(self, table: NodeTable) -> None:
        self._table = table
        self._known: dict[Value, ListState] = {}
        self.replaced = 0

    def outputs(self, node: Node) -> list[Value] | None:
        """What the outputs of a node are instead; None where they stay what they are."""
        rule = _RULES.get(node.type)
        if rule is None or node.after:
            return None
        if node.type in _OF_ANYTHING and node.dtypes[0].name != "variant":
            return None
        found = rule(self, node)
        if found is None:
            return None
        outputs = []
        for index, result in enumerate(found):
            value = node.output(index)
            if isinstance(result, ListState):
                if len(result.items) <= _MOST_ELEMENTS:
                    self._known[value] = result
                outputs.append(value)
            else:
                outputs.append(result)
        if any(o != node.output(i) for i, o in enumerate(outputs)):
            self.replaced += 1
        return outputs

    # -- making nodes ------------------------------------------------------------------------

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

    def _constant(self, array: Any, dtype: DType, node: Node) -> Value:
        return self._table.constant(np.asarray(array), dtype, node.origin).output()

    def _sum(self, terms: Sequence[Value | None], node: Node) -> Value | None:
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
        if not entries or not isinstance(entries[0], int) or not 0 < entries[0] <= _MOST_ELEMENTS:
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
        entries = state.entries if _is_full(state.entries) else asked
        if not _is_full(entries) or state.dtype.as_numpy_dtype is object:
            return None
        zero = np.zeros((), state.dtype.as_numpy_dtype)
        shape: Any = entries
        return self._constant(np.broadcast_to(zero, shape), state.dtype, node)

    def packed(self, items: Sequence[Value], dtype: DType, node: Node) -> Value | None:
        """Elements along a new first axis."""
        shapes = {v.entries for v in items}
        if len(shapes) != 1 or not _is_full(items[0].entries):
            return None
        attrs = {"N": len(items), "T": dtype, "axis": 0}
        entries = (len(items), *(items[0].entries or ()))
        return self._make("Pack", items, attrs, entries, node)

    # -- what the operations do --------------------------------------------------------------

    def state(self, value: Value) -> ListState | None:
        """What is known of a list."""
        return self._known.get(value)

    def reserve(self, node: Node) -> list[Any] | None:
        shape, count = (_known(v) for v in node.inputs)
        if shape is None or count is None or not 0 <= int(count) <= _MOST_ELEMENTS:
            return None
        rules = tuple(node.attrs.get("_array_rules") or ())
        if node.attrs.get("_array_name"):
            rules += ("is_array",)
        state = ListState((None,) * int(count), node.attrs["element_dtype"], _entries(shape), rules)
        return [state]

    def empty(self, node: Node) -> list[Any] | None:
        shape, most = (_known(v) for v in node.inputs)
        if shape is None or most is None or int(most) >= 0:
            return None
        return [ListState((), node.attrs["element_dtype"], _entries(shape))]

    def from_tensor(self, node: Node) -> list[Any] | None:
        tensor = node.inputs[0]
        rows = self.rows(tensor, node)
        if rows is None:
            return None
        return [ListState(rows, tensor.dtype, (tensor.entries or ())[1:])]

    def set_item(self, node: Node) -> list[Any] | None:
        handle, index, item = node.inputs
        state, place = self.state(handle), _known(index)
        if state is None or place is None or node.attrs.get("resize_if_index_out_of_bounds"):
            return None
        number = int(place)
        if not 0 <= number < len(state.items) or not _fits(state, item):
            return None
        if state.rules and state.items[number] is not None:
            # The run tells that it was written already.
            return None
        state = state.replaced(number, item)
        if "keeps_shape" in state.rules:
            if not _is_full(item.entries):
                return None
            state = state._replace(entries=item.entries)
        return [state]

    def get_item(self, node: Node) -> list[Any] | None:
        handle, index, shape = node.inputs
        state, place, asked = self.state(handle), _known(index), _known(shape)
        if state is None or place is None or asked is None:
            return None
        if not 0 <= int(place) < len(state.items):
            return None
        return _one(self.item(state, int(place), _entries(asked), node))

    def add_item(self, node: Node) -> list[Any] | None:
        handle, index, item = node.inputs
        state, place = self.state(handle), _known(index)
        if state is None or place is None or item.dtype.name == "variant":
            return None
        number = int(place)
        if not 0 <= number < len(state.items) or not _is_full(item.entries):
            return None
        before = state.items[number]
        if before is not None and before.entries != item.entries:
            return None
        return [state.replaced(number, self._sum([before, item], node))]

    def clear_item(self, node: Node) -> list[Any] | None:
        state, place = self.state(node.inputs[0]), _known(node.inputs[1])
        if state is None or place is None or not 0 <= int(place) < len(state.items):
            return None
        return [state.replaced(int(place), None)]

    def push(self, node: Node) -> list[Any] | None:
        state = self.state(node.inputs[0])
        if state is None or not _fits(state, node.inputs[1]):
            return None
        return [state._replace(items=(*state.items, node.inputs[1]))]

    def pop(self, node: Node) -> list[Any] | None:
        state, asked = self.state(node.inputs[0]), _known(node.inputs[1])
        if state is None or asked is None or not state.items:
            return None
        item = self.item(state, len(state.items) - 1, _entries(asked), node)
        return None if item is None else [state._replace(items=state.items[:-1]), item]

    def stack(self, node: Node) -> list[Any] | None:
        state, asked = self.state(node.inputs[0]), _known(node.inputs[1])
        if state is None or asked is None or not state.items:
            return None
        if node.attrs.get("num_elements", -1) not in (-1, len(state.items)):
            return None
        return self._picked(state, range(len(state.items)), _entries(asked), node)

    def gather(self, node: Node) -> list[Any] | None:
        state, indices, asked = self.state(node.inputs[0]), *map(_known, node.inputs[1:])
        if state is None or indices is None or asked is None or not indices.size:
            return None
        numbers = indices.tolist()
        if not all(0 <= n < len(state.items) for n in numbers):
            return None
        return self._picked(state, numbers, _entries(asked), node)

    def _picked(
        self, state: ListState, numbers: Sequence[int], asked: Entries, node: Node
    ) -> list[Any] | None:
        shapes = [v.entries for v in state.items if v is not None and _is_full(v.entries)]
        like = asked if _is_full(asked) or not shapes else shapes[0]
        items = [self.item(state, n, like, node) for n in numbers]
        if any(i is None for i in items):
            return None
        return _one(self.packed([i for i in items if i is not None], state.dtype, node))

    def scatter(self, node: Node) -> list[Any] | None:
        tensor = node.inputs[0]
        indices, shape, count = map(_known, node.inputs[1:])
        rows = self.rows(tensor, node)
        if rows is None or indices is None or shape is None or count is None:
            return None
        numbers = indices.tolist()
        size = max(int(count), max(numbers, default=-1) + 1)
        if any(n < 0 for n in numbers) or len(set(numbers)) != len(numbers):
            return None
        if size > _MOST_ELEMENTS or (int(count) >= 0 and size != int(count)):
            return None
        items: list[Value | None] = [None] * size
        for number, row in zip(numbers, rows, strict=True):
            items[number] = row
        return [ListState(tuple(items), tensor.dtype, (tensor.entries or ())[1:])]

    def scatter_into(self, node: Node) -> list[Any] | None:
        """Rows in the place of elements."""
        handle, tensor, indices = node.inputs
        state, rows, numbers = self.state(handle), self.rows(tensor, node), _known(indices)
        if state is None or rows is None or numbers is None:
            return None
        for number, row in zip(numbers.tolist(), rows, strict=True):
            if not 0 <= number < len(state.items) or not _fits(state, row):
                return None
            if state.rules and state.items[number] is not None:
                return None
            state = state.replaced(number, row)
            if "keeps_shape" in state.rules:
                state = state._replace(entries=row.entries)
        return [state]

    def add_rows(self, node: Node) -> list[Any] | None:
        """Rows added to elements."""
        handle, tensor, indices = node.inputs
        state, rows, numbers = self.state(handle), self.rows(tensor, node), _known(indices)
        if state is None or rows is None or numbers is None or tensor.dtype.name == "variant":
            return None
        for number, row in zip(numbers.tolist(), rows, strict=True):
            if not 0 <= number < len(state.items) or not _is_full(row.entries):
                return None
            before = state.items[number]
            if before is not None and before.entries != row.entries:
                return None
            state = state.replaced(number, self._sum([before, row], node))
        return [state]

    def clear_rows(self, node: Node) -> list[Any] | None:
        """Elements as if they were never written."""
        state, numbers = self.state(node.inputs[0]), _known(node.inputs[1])
        if state is None or numbers is None:
            return None
        for number in numbers.tolist():
            if not 0 <= number < len(state.items):
                return None
            state = state.replaced(number, None)
        return [state]

    def resize(self, node: Node) -> list[Any] | None:
        """More elements, not written yet, or fewer."""
        state, size = self.state(node.inputs[0]), _known(node.inputs[1])
        if state is None or size is None or not 0 <= int(size) <= _MOST_ELEMENTS:
            return None
        missing = (None,) * max(0, int(size) - len(state.items))
        return [state._replace(items=(*state.items[: int(size)], *missing))]

    def length(self, node: Node) -> list[Any] | None:
        state = self.state(node.inputs[0])
        if state is None:
            return None
        return [self._constant(np.int32(len(state.items)), node.dtypes[0], node)]

    def zeros_like(self, node: Node) -> list[Any] | None:
        state = self.state(node.inputs[0])
        if state is None:
            return None
        return [state._replace(items=(None,) * len(state.items), rules=())]

    def add_lists(self, node: Node) -> list[Any] | None:
        states = [self.state(v) for v in node.inputs]
        known = [s for s in states if s is not None]
        if not known or len(known) != len(states) or known[0].dtype.name == "variant":
            return None
        if len({len(s.items) for s in known}) != 1 or len({s.dtype for s in known}) != 1:
            return None
        items = []
        for terms in zip(*(s.items for s in known), strict=True):
            shapes = {t.entries for t in terms if t is not None}
            if len(shapes) > 1 or not all(_is_full(s) for s in shapes):
                return None
            items.append(self._sum(terms, node))
        return [known[0]._replace(items=tuple(items), rules=())]


_Rule = Callable[[ListValues, Node], "list[Any] | None"]

_RULES: dict[str, _Rule] = {
    "TensorListReserve": ListValues.reserve,
    "EmptyTensorList": ListValues.empty,
    "TensorListFromTensor": ListValues.from_tensor,
    "TensorListSetItem": ListValues.set_item,
    "TensorListGetItem": ListValues.get_item,
    "TensorListAddItem": ListValues.add_item,
    "TensorListClearItem": ListValues.clear_item,
    "TensorListPushBack": ListValues.push,
    "TensorListPopBack": ListValues.pop,
    "TensorListStack": ListValues.stack,
    "TensorListGather": ListValues.gather,
    "TensorListScatterV2": ListValues.scatter,
    "TensorListScatterIntoExistingList": ListValues.scatter_into,
    "TensorListAddRows": ListValues.add_rows,
    "TensorListClearRows": ListValues.clear_rows,
    "TensorListResize": ListValues.resize,
    "TensorListLength": ListValues.length,
    "ZerosLike": ListValues.zeros_like,
    "AddN": ListValues.add_lists,
    "Add": ListValues.add_lists,
    "AddV2": ListValues.add_lists,
}

#: Operations that are no operations of lists, but take lists as well.
_OF_ANYTHING = frozenset({"ZerosLike", "AddN", "Add", "AddV2"})


def _known(value: Value) -> np.ndarray[Any, Any] | None:
    return value.node.constant if value.node.is_constant else None


def _entries(shape: np.ndarray[Any, Any]) -> Entries:
    """A shape as list operations take it: -1 for what is unknown."""
    if shape.ndim == 0:
        return None
    return tuple(int(s) if s >= 0 else None for s in shape.tolist())


def _is_full(entries: Entries) -> bool:
    return entries is not None and all(isinstance(e, int) for e in entries)


def _fits(state: ListState, item: Value) -> bool:
    """True where an element is what the list wants, for sure."""
    if item.dtype is not state.dtype or not _is_full(item.entries):
        return False
    if state.entries is None:
        return True
    assert item.entries is not None
    return len(state.entries) == len(item.entries) and all(
        wanted is None or wanted == got
        for wanted, got in zip(state.entries, item.entries, strict=True)
    )


def _one(value: Value | None) -> list[Any] | None:
    return None if value is None else [value]
