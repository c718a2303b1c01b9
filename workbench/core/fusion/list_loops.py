"""The body of a loop without its lists: the elements that it reads are fed to it, those that it
writes are results.

Lists are values that nobody changes, so what a pass does to one can be followed by its elements: an
element that was written in this pass is what was written, any other is what the list had before the
pass. Where two places are the same is known only in the pass: whoever runs it must see that places
with different indices differ, if there are others than reads among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.row_accesses import Access, Place, RowList
from workbench.core.plan.memory import plan_memory
from workbench.core.plan.node import FEED, Node, NodeTable, Value
from workbench.core.plan.plan import Plan
from workbench.core.plan.schedule import schedule


class ListBody(NamedTuple):
    """A body without lists."""

    #: Its results are those of the body but lists, in order, and the elements that are written.
    plan: Plan
    #: For each of the body's results its number among those of the plan; None for a list.
    results: tuple[int | None, ...]
    #: By the number of the fed value.
    lists: dict[int, RowList]
    #: Computes the indices that are no fed values: its results, in order. None where there are
    #: none.
    indices: Plan | None


def without_lists(body: Plan, states: int, fresh: frozenset[int] = frozenset()) -> ListBody:
    """The body of a loop over the first `states` fed values, without its lists.

    No element of the lists of numbers `fresh` has a value that is added to.

    Raises:
      Unsupported: something is done to a list that is not about single elements.
    """
    return _Writer(body, states, fresh).written()


def has_lists(plan: Plan) -> bool:
    """True where a list is fed."""
    return any(feed.dtypes[0].name == "variant" for feed in plan.feeds)


class _Version(NamedTuple):
    """A list as it is at some moment in a pass."""

    feed: int
    #: The elements that differ from what they were before the pass; None where one was cleared.
    changed: dict[Place, Value | None]
    #: How many were pushed and are there, and how many popped of those before the pass.
    pushed: int = 0
    popped: int = 0

    def having(self, place: Place, item: Value | None, **more: int) -> _Version:
        return self._replace(changed={**self.changed, place: item}, **more)


class _Elements:
    """What is known of the elements of one list, and how they are accessed."""

    def __init__(self) -> None:
        self.dtype: Any = None
        self.shape: tuple[int, ...] | None = None
        self.reads: dict[Place, Value] = {}
        self.added: set[Place] = set()
        self.resizes = False

    def learn(self, dtype: Any, entries: Any) -> None:
        """Takes in what one element is like."""
        if dtype.name in ("variant", "resource", "string"):
            raise Unsupported(f"it has lists of {dtype.name} elements")
        if entries is None or not all(isinstance(e, int) for e in entries):
            raise Unsupported("the shapes of a list's elements are not known before it runs")
        if self.shape is None:
            self.dtype, self.shape = dtype.base_dtype, tuple(entries)
        elif (self.dtype, self.shape) != (dtype.base_dtype, tuple(entries)):
            raise Unsupported("the elements of a list differ in their shapes")


class _Writer:
    def __init__(self, body: Plan, states: int, fresh: frozenset[int]) -> None:
        self._body = body
        self._states = states
        self._fresh = fresh
        order = [step.node for step in body.memory.steps]
        highest = max((n.number for n in (*order, *body.feeds)), default=0)
        self._table = NodeTable(highest + 1)
        self._values: dict[Value, Value] = {}
        self._versions: dict[Value, _Version] = {}
        self._elements: dict[int, _Elements] = {}
        self._feeds = list(body.feeds)
        for number, feed in enumerate(body.feeds):
            if feed.dtypes[0].name == "variant":
                self._versions[feed.output()] = _Version(number, {})
                self._elements[number] = _Elements()
            else:
                self._values[feed.output()] = feed.output()
        for node in order:
            if node.type != FEED:
                self._visit(node)

    # -- step by step ------------------------------------------------------------------------

    def _visit(self, node: Node) -> None:
        if not _is_of_lists(node):
            if any(w.type in _RULES for w in node.after):
                raise Unsupported(f"{node.type} waits for a list")
            inputs = tuple([self._values[v] for v in node.inputs])
            made = self._table.like(node, inputs, node.after)
            for index in range(len(node.dtypes)):
                self._values[node.output(index)] = made.output(index)
            return
        rule = _RULES.get(node.type)
        if rule is None or node.after:
            raise Unsupported(f"{node.type} is not about single elements of a list")
        rule(self, node)

    def _version(self, value: Value) -> _Version:
        found = self._versions.get(value)
        if found is None:
            raise Unsupported("it has lists of lists")
        return found

    def _indexed(self, node: Node) -> tuple[_Version, _Elements, Place]:
        version = self._version(node.inputs[0])
        return version, self._elements[version.feed], Place(self._values[node.inputs[1]])

    def _before(self, version: _Version, place: Place, node: Node, entries: Any) -> Value:
        """An element as it was before the pass, which is fed."""
        elements = self._elements[version.feed]
        found = elements.reads.get(place)
        if found is None:
            assert elements.dtype is not None
            number = len(self._feeds)
            made = self._table.make(
                FEED,
                (),
                {"index": number},
                (elements.dtype,),
                (entries,),
                node.origin,
                unique=("element", number),
            )
            self._feeds.append(made)
            found = elements.reads[place] = made.output()
        return found

    def _now(self, version: _Version, place: Place, node: Node, dtype: Any, entries: Any) -> Value:
        """An element as it is in a version of the list."""
        elements = self._elements[version.feed]
        if place not in version.changed:
            elements.learn(dtype, entries)
            return self._before(version, place, node, elements.shape)
        item = version.changed[place]
        if item is None:
            raise Unsupported("an element is read that was cleared")
        return item

    def get(self, node: Node) -> None:
        version, _, place = self._indexed(node)
        value = node.output()
        found = self._now(version, place, node, value.dtype, value.entries)
        self._values[value] = found

    def set(self, node: Node) -> None:
        version, elements, place = self._indexed(node)
        item = self._values[node.inputs[2]]
        elements.learn(item.dtype, item.entries)
        if place in version.changed and version.changed[place] is not None:
            raise Unsupported("an element is written twice in a pass")
        elements.resizes = elements.resizes or bool(node.attrs.get("resize_if_index_out_of_bounds"))
        self._versions[node.output()] = version.having(place, item)

    def add(self, node: Node) -> None:
        version, elements, place = self._indexed(node)
        item = self._values[node.inputs[2]]
        elements.learn(item.dtype, item.entries)
        if place not in version.changed:
            if version.feed not in self._fresh:
                elements.added.add(place)
                before = self._before(version, place, node, elements.shape)
                item = self._sum(before, item, node)
        else:
            already = version.changed[place]
            if already is not None:
                item = self._sum(already, item, node)
        self._versions[node.output()] = version.having(place, item)

    def _sum(self, a: Value, b: Value, node: Node) -> Value:
        attrs = {"T": a.dtype}
        made = self._table.make("Add", (a, b), attrs, (a.dtype,), (a.entries,), node.origin)
        return made.output()

    def clear(self, node: Node) -> None:
        version, _, place = self._indexed(node)
        self._versions[node.output()] = version.having(place, None)

    def push(self, node: Node) -> None:
        version = self._version(node.inputs[0])
        item = self._values[node.inputs[1]]
        self._elements[version.feed].learn(item.dtype, item.entries)
        if version.popped:
            raise Unsupported("it pushes to a list where it pops")
        place = Place(None, version.pushed)
        pushed = version.having(place, item, pushed=version.pushed + 1)
        self._versions[node.output()] = pushed

    def pop(self, node: Node) -> None:
        version = self._version(node.inputs[0])
        item = node.output(1)
        if version.pushed:
            # What was pushed in this pass.
            place = Place(None, version.pushed - 1)
            self._values[item] = self._now(version, place, node, item.dtype, item.entries)
            changed = {p: v for p, v in version.changed.items() if p != place}
            shorter = version._replace(changed=changed, pushed=version.pushed - 1)
        else:
            place = Place(None, -1 - version.popped)
            self._values[item] = self._now(version, place, node, item.dtype, item.entries)
            shorter = version._replace(popped=version.popped + 1)
        self._versions[node.output()] = shorter

    # -- the whole ---------------------------------------------------------------------------

    def written(self) -> ListBody:
        """The body without lists."""
        fetches: list[Value] = []
        results: list[int | None] = []
        lasting: dict[int, _Version] = {}
        for number, value in enumerate(self._body.fetches):
            if value.dtype.name != "variant":
                results.append(len(fetches))
                fetches.append(self._values[value])
                continue
            version = self._version(value)
            if version.feed != number:
                raise Unsupported("its lists change places")
            lasting[number] = version
            results.append(None)
        lists: dict[int, RowList] = {}
        for number, elements in self._elements.items():
            version = lasting.get(number, _Version(number, {}))
            accesses = self._accesses(elements, version, fetches)
            if elements.shape is None and (accesses or version.popped):
                raise Unsupported("the shapes of a list's elements are not known before it runs")
            lists[number] = RowList(
                elements.dtype,
                elements.shape or (),
                version.pushed - version.popped,
                elements.resizes,
                tuple(accesses),
            )
        indices = self._indices(lists)
        return ListBody(self._plan(fetches, self._feeds), tuple(results), lists, indices)

    def _accesses(
        self, elements: _Elements, version: _Version, fetches: list[Value]
    ) -> list[Access]:
        shift = version.pushed - version.popped
        found = []
        for place in dict.fromkeys([*elements.reads, *version.changed]):
            read = elements.reads.get(place)
            item = version.changed.get(place)
            written = None
            if item is not None:
                written = len(fetches)
                fetches.append(item)
            found.append(
                Access(
                    version.feed,
                    place if place.number is not None else place._replace(step=shift),
                    None if read is None else int(read.node.attrs["index"]),
                    written,
                    place in version.changed and item is None,
                    place in elements.added,
                )
            )
        return found

    def _indices(self, lists: dict[int, RowList]) -> Plan | None:
        places = [a.place.number for found in lists.values() for a in found.accesses]
        numbers = list(dict.fromkeys(v for v in places if v is not None))
        computed = [v for v in numbers if v.node.type != FEED and not v.node.is_constant]
        fed = [v.node for v in numbers if v.node.type == FEED]
        plan = self._plan(computed, self._feeds) if computed else None
        if plan is not None:
            fed += [s.node for s in plan.memory.steps if s.node.type == FEED]
        if any(int(n.attrs["index"]) >= len(self._body.feeds) for n in fed):
            raise Unsupported("where an element is follows from another element")
        return plan

    def _plan(self, fetches: list[Value], feeds: list[Node]) -> Plan:
        memory = plan_memory(schedule([v.node for v in fetches]), fetches)
        body = self._body
        return Plan(tuple(feeds), tuple(fetches), memory, Counter(), body.needed, body.total)


def _is_of_lists(node: Node) -> bool:
    values = [*node.inputs, *(node.output(i) for i in range(len(node.dtypes)))]
    return any(v.dtype.name == "variant" for v in values)


_RULES: dict[str, Callable[[_Writer, Node], None]] = {
    "TensorListGetItem": _Writer.get,
    "TensorListSetItem": _Writer.set,
    "TensorListAddItem": _Writer.add,
    "TensorListClearItem": _Writer.clear,
    "TensorListPushBack": _Writer.push,
    "TensorListPopBack": _Writer.pop,
}
