"""What operations on lists come to where the lists' elements are known one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries
from workbench.core.plan.list_elements import MOST_ELEMENTS, ListElements, ListState, is_full
from workbench.core.plan.node import Node, Value


def _reserve(lists: ListElements, node: Node) -> list[Any] | None:
    shape, count = (_known(v) for v in node.inputs)
    if shape is None or count is None or not 0 <= int(count) <= MOST_ELEMENTS:
        return None
    rules = tuple(node.attrs.get("_array_rules") or ())
    if node.attrs.get("_array_name"):
        rules += ("is_array",)
    state = ListState((None,) * int(count), node.attrs["element_dtype"], _entries(shape), rules)
    return [state]


def _empty(lists: ListElements, node: Node) -> list[Any] | None:
    shape, most = (_known(v) for v in node.inputs)
    if shape is None or most is None or int(most) >= 0:
        return None
    return [ListState((), node.attrs["element_dtype"], _entries(shape))]


def _from_tensor(lists: ListElements, node: Node) -> list[Any] | None:
    tensor = node.inputs[0]
    rows = lists.rows(tensor, node)
    if rows is None:
        return None
    return [ListState(rows, tensor.dtype, (tensor.entries or ())[1:])]


def _set_item(lists: ListElements, node: Node) -> list[Any] | None:
    handle, index, item = node.inputs
    state, place = lists.state(handle), _known(index)
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
        if not is_full(item.entries):
            return None
        state = state._replace(entries=item.entries)
    return [state]


def _get_item(lists: ListElements, node: Node) -> list[Any] | None:
    handle, index, shape = node.inputs
    state, place, asked = lists.state(handle), _known(index), _known(shape)
    if state is None or place is None or asked is None:
        return None
    if not 0 <= int(place) < len(state.items):
        return None
    return _one(lists.item(state, int(place), _entries(asked), node))


def _add_item(lists: ListElements, node: Node) -> list[Any] | None:
    handle, index, item = node.inputs
    state, place = lists.state(handle), _known(index)
    if state is None or place is None or item.dtype.name == "variant":
        return None
    number = int(place)
    if not 0 <= number < len(state.items) or not is_full(item.entries):
        return None
    before = state.items[number]
    if before is not None and before.entries != item.entries:
        return None
    return [state.replaced(number, lists.total([before, item], node))]


def _clear_item(lists: ListElements, node: Node) -> list[Any] | None:
    state, place = lists.state(node.inputs[0]), _known(node.inputs[1])
    if state is None or place is None or not 0 <= int(place) < len(state.items):
        return None
    return [state.replaced(int(place), None)]


def _push(lists: ListElements, node: Node) -> list[Any] | None:
    state = lists.state(node.inputs[0])
    if state is None or not _fits(state, node.inputs[1]):
        return None
    return [state._replace(items=(*state.items, node.inputs[1]))]


def _pop(lists: ListElements, node: Node) -> list[Any] | None:
    state, asked = lists.state(node.inputs[0]), _known(node.inputs[1])
    if state is None or asked is None or not state.items:
        return None
    item = lists.item(state, len(state.items) - 1, _entries(asked), node)
    return None if item is None else [state._replace(items=state.items[:-1]), item]


def _stack(lists: ListElements, node: Node) -> list[Any] | None:
    state, asked = lists.state(node.inputs[0]), _known(node.inputs[1])
    if state is None or asked is None or not state.items:
        return None
    if node.attrs.get("num_elements", -1) not in (-1, len(state.items)):
        return None
    return _picked(lists, state, range(len(state.items)), _entries(asked), node)


def _gather(lists: ListElements, node: Node) -> list[Any] | None:
    state, indices, asked = lists.state(node.inputs[0]), *map(_known, node.inputs[1:])
    if state is None or indices is None or asked is None or not indices.size:
        return None
    numbers = indices.tolist()
    if not all(0 <= n < len(state.items) for n in numbers):
        return None
    return _picked(lists, state, numbers, _entries(asked), node)


def _picked(
    lists: ListElements, state: ListState, numbers: Sequence[int], asked: Entries, node: Node
) -> list[Any] | None:
    shapes = [v.entries for v in state.items if v is not None and is_full(v.entries)]
    like = asked if is_full(asked) or not shapes else shapes[0]
    items = [lists.item(state, n, like, node) for n in numbers]
    if any(i is None for i in items):
        return None
    return _one(lists.packed([i for i in items if i is not None], state.dtype, node))


def _scatter(lists: ListElements, node: Node) -> list[Any] | None:
    tensor = node.inputs[0]
    indices, shape, count = map(_known, node.inputs[1:])
    rows = lists.rows(tensor, node)
    if rows is None or indices is None or shape is None or count is None:
        return None
    numbers = indices.tolist()
    size = max(int(count), max(numbers, default=-1) + 1)
    if any(n < 0 for n in numbers) or len(set(numbers)) != len(numbers):
        return None
    if size > MOST_ELEMENTS or (int(count) >= 0 and size != int(count)):
        return None
    items: list[Value | None] = [None] * size
    for number, row in zip(numbers, rows, strict=True):
        items[number] = row
    return [ListState(tuple(items), tensor.dtype, (tensor.entries or ())[1:])]


def _scatter_into(lists: ListElements, node: Node) -> list[Any] | None:
    """Rows in the place of elements."""
    handle, tensor, indices = node.inputs
    state, rows, numbers = lists.state(handle), lists.rows(tensor, node), _known(indices)
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


def _add_rows(lists: ListElements, node: Node) -> list[Any] | None:
    """Rows added to elements."""
    handle, tensor, indices = node.inputs
    state, rows, numbers = lists.state(handle), lists.rows(tensor, node), _known(indices)
    if state is None or rows is None or numbers is None or tensor.dtype.name == "variant":
        return None
    for number, row in zip(numbers.tolist(), rows, strict=True):
        if not 0 <= number < len(state.items) or not is_full(row.entries):
            return None
        before = state.items[number]
        if before is not None and before.entries != row.entries:
            return None
        state = state.replaced(number, lists.total([before, row], node))
    return [state]


def _clear_rows(lists: ListElements, node: Node) -> list[Any] | None:
    """Elements as if they were never written."""
    state, numbers = lists.state(node.inputs[0]), _known(node.inputs[1])
    if state is None or numbers is None:
        return None
    for number in numbers.tolist():
        if not 0 <= number < len(state.items):
            return None
        state = state.replaced(number, None)
    return [state]


def _resize(lists: ListElements, node: Node) -> list[Any] | None:
    """More elements, not written yet, or fewer."""
    state, size = lists.state(node.inputs[0]), _known(node.inputs[1])
    if state is None or size is None or not 0 <= int(size) <= MOST_ELEMENTS:
        return None
    missing = (None,) * max(0, int(size) - len(state.items))
    return [state._replace(items=(*state.items[: int(size)], *missing))]


def _length(lists: ListElements, node: Node) -> list[Any] | None:
    state = lists.state(node.inputs[0])
    if state is None:
        return None
    return [lists.constant(np.int32(len(state.items)), node.dtypes[0], node)]


def _zeros_like(lists: ListElements, node: Node) -> list[Any] | None:
    state = lists.state(node.inputs[0])
    if state is None:
        return None
    return [state._replace(items=(None,) * len(state.items), rules=())]


def _add_lists(lists: ListElements, node: Node) -> list[Any] | None:
    states = [lists.state(v) for v in node.inputs]
    known = [s for s in states if s is not None]
    if not known or len(known) != len(states) or known[0].dtype.name == "variant":
        return None
    if len({len(s.items) for s in known}) != 1 or len({s.dtype for s in known}) != 1:
        return None
    items = []
    for terms in zip(*(s.items for s in known), strict=True):
        shapes = {t.entries for t in terms if t is not None}
        if len(shapes) > 1 or not all(is_full(s) for s in shapes):
            return None
        items.append(lists.total(terms, node))
    return [known[0]._replace(items=tuple(items), rules=())]


def _known(value: Value) -> np.ndarray[Any, Any] | None:
    return value.node.constant if value.node.is_constant else None


def _entries(shape: np.ndarray[Any, Any]) -> Entries:
    """A shape as list operations take it: -1 for what is unknown."""
    if shape.ndim == 0:
        return None
    return tuple(int(s) if s >= 0 else None for s in shape.tolist())


def _fits(state: ListState, item: Value) -> bool:
    """True where an element is what the list wants, for sure."""
    if item.dtype is not state.dtype or not is_full(item.entries):
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


#: Gives, for each output of a node, the value that it is, or the state of the list that it is;
#: None where the node stays what it is.
Rule = Callable[[ListElements, Node], "list[Any] | None"]

RULES: dict[str, Rule] = {
    "TensorListReserve": _reserve,
    "EmptyTensorList": _empty,
    "TensorListFromTensor": _from_tensor,
    "TensorListSetItem": _set_item,
    "TensorListGetItem": _get_item,
    "TensorListAddItem": _add_item,
    "TensorListClearItem": _clear_item,
    "TensorListPushBack": _push,
    "TensorListPopBack": _pop,
    "TensorListStack": _stack,
    "TensorListGather": _gather,
    "TensorListScatterV2": _scatter,
    "TensorListScatterIntoExistingList": _scatter_into,
    "TensorListAddRows": _add_rows,
    "TensorListClearRows": _clear_rows,
    "TensorListResize": _resize,
    "TensorListLength": _length,
    "ZerosLike": _zeros_like,
    "AddN": _add_lists,
    "Add": _add_lists,
    "AddV2": _add_lists,
}
