"""Which values of a compiled region can be seen while it runs, when and how.

Some lie in memory from the end of their kernel until something else takes their place. Others never
leave the registers: they are computed again, by the interpreter's kernels, from what lies in memory
at some moment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from workbench.core.fusion.places import Kind, Place, Storage
from workbench.core.fusion.program import RegionProgram
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.plan.memory import static_bytes
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, READ, Node, Value
from workbench.core.plan.schedule import updated_handles
from workbench.core.runtime.probe import work_clock

#: What computing a value again takes: seconds for a byte that is read or written, for an operation
#: of a product or convolution, and for calling a kernel.
_SECONDS_OF_BYTE = 1 / 3e9
_SECONDS_OF_OPERATION = 1 / 30e9
_SECONDS_OF_CALL = 5e-6
#: In a kernel of several nodes, a byte that one of them would move alone counts as so many
#: operations.
_OPERATIONS_OF_BYTE = 2.0

#: Gives the array at a place.
View = Callable[[Place], np.ndarray[Any, Any]]


class Sight(NamedTuple):
    """A node whose results can be seen when so many records of the region are done."""

    stop: int
    #: Which of its results.
    outputs: frozenset[int]
    #: What has to be computed again for them.
    computed: frozenset[Node]


class _Span(NamedTuple):
    """The numbers of records done at which something can be had."""

    first: int
    last: int

    def meet(self, other: _Span) -> _Span | None:
        both = _Span(max(self.first, other.first), min(self.last, other.last))
        return both if both.first <= both.last else None


class RegionValues:
    """The values of one region."""

    def __init__(self, program: RegionProgram) -> None:
        self._program = program
        self._inside = frozenset(program.nodes)
        self._total = len(program.records)
        self._spans: dict[Value, _Span | None] = {}
        #: How long computing a node again took, in seconds.
        self._costs: dict[Node, float] = {}
        #: The records that compute a node, [first, last), and the operations of its kernels.
        self._records: dict[Node, tuple[int, int]] = {}
        self._operations: dict[Node, float] = {}
        #: How many records are done when a piece of the arena is used no more.
        self._ends: dict[Storage, int] = {}
        for report in program.kernels:
            for node in report.group.nodes:
                first, last = self._records.get(node, (report.first, report.last))
                self._records[node] = min(first, report.first), max(last, report.last)
            if report.group.anchor is not None:
                self._operations[report.group.anchor] = report.flops
            for record in program.records[report.first : report.last]:
                for argument in record.arguments:
                    storage = getattr(argument, "storage", None)
                    if storage is not None:
                        self._ends[storage] = report.last
        #: For arrays of variables that are overwritten: which nodes do so, in order.
        self._writers: dict[Storage, list[Node]] = {}
        self._position = {node: i for i, node in enumerate(program.nodes)}
        for node in program.nodes:
            for handle in updated_handles(node):
                place = program.updates.get((node, handle))
                if place is not None and self._is_variable(place):
                    self._writers.setdefault(place.storage, []).append(node)

    # -- what took how long ------------------------------------------------------------------

    def shares(self) -> tuple[list[Node], np.ndarray[Any, Any]]:
        """The nodes that kernels compute, and the share of each kernel's time that each takes.

        The shares are float64 [nodes, kernels]; those of a kernel add up to 1.
        """
        kernels = self._program.kernels
        nodes = list(dict.fromkeys(node for report in kernels for node in report.nodes))
        position = {node: i for i, node in enumerate(nodes)}
        shares = np.zeros((len(nodes), len(kernels)))
        for k, report in enumerate(kernels):
            for node in report.nodes:
                weight = _OPERATIONS_OF_BYTE * _moved(node) + 1.0
                if node is report.group.anchor:
                    weight += report.flops
                shares[position[node], k] = weight
            shares[:, k] /= shares[:, k].sum()
        return nodes, shares

    # -- when something can be seen ----------------------------------------------------------

    def sight(self, node: Node) -> Sight | None:
        """How the results of a node can be seen; None where none of them can."""
        span: _Span | None = None
        outputs = set()
        for index in range(len(node.dtypes)):
            found = self._span(node.output(index))
            if found is not None:
                both = found if span is None else span.meet(found)
                if both is not None:
                    span = both
                    outputs.add(index)
        if span is None:
            return None
        computed: dict[Node, None] = {}
        for index in outputs:
            self._collect(node.output(index), computed)
        return Sight(span.first, frozenset(outputs), frozenset(computed))

    def cost(self, nodes: Iterable[Node]) -> float:
        """How long it takes to compute nodes again, in seconds: a guess, or as the last times."""
        return sum(self._costs.get(n) or self._guess(n) for n in nodes)

    def _span(self, value: Value) -> _Span | None:
        if value not in self._spans:
            self._spans[value] = None
            self._spans[value] = self._found_span(value)
        return self._spans[value]

    def _found_span(self, value: Value) -> _Span | None:
        node = value.node
        if node.type == CONSTANT:
            return _Span(0, self._total)
        place = self._program.places.get(value)
        if place is not None:
            return self._stored_span(value, place)
        if node not in self._inside or node.type in (FEED, HANDLE, READ):
            return None
        declaration = node.declaration
        if declaration is None or declaration.stateful or declaration.takes_context:
            return None
        span: _Span | None = _Span(0, self._total)
        for each in node.inputs:
            found = self._span(each)
            span = None if found is None or span is None else span.meet(found)
        return span

    def _stored_span(self, value: Value, place: Place) -> _Span | None:
        ready = self._ready(value.node)
        if self._is_variable(place):
            return self._version_span(value.node, place.storage, ready)
        if place.storage.kind is Kind.ARENA:
            return _Span(ready, max(ready, self._ends.get(place.storage, self._total)))
        return _Span(ready, self._total)

    def _ready(self, node: Node) -> int:
        """How many records are done when a node is."""
        if node not in self._inside or node.type in (CONSTANT, HANDLE, FEED):
            return 0
        if node in self._records:
            return self._records[node][1]
        # It sees the memory of its inputs.
        return max((self._ready(v.node) for v in node.inputs), default=0)

    def _version_span(self, node: Node, storage: Storage, ready: int) -> _Span | None:
        """When the array of a variable holds what a node sees in it."""
        writers = self._writers.get(storage, [])
        at = self._position.get(node, -1)
        before = [w for w in writers if self._position[w] <= at]
        after = [w for w in writers if self._position[w] > at]
        first = max([ready, *(self._records[w][1] for w in before)])
        last = min((self._records[w][0] for w in after), default=self._total)
        return _Span(first, last) if first <= last else None

    def _is_variable(self, place: Place) -> bool:
        storage = place.storage
        if storage.kind is not Kind.ARGUMENT:
            return False
        return self._program.arguments[storage.argument].kind == "variable"

    # -- how it is seen ----------------------------------------------------------------------

    def read(self, value: Value, view: View, known: dict[Value, Any]) -> Any:
        """A value, at a moment when it can be seen; what is computed on the way joins `known`."""
        if value in known:
            return known[value]
        node = value.node
        place = self._program.places.get(value)
        if node.type == CONSTANT:
            found: Any = node.constant
        elif place is not None:
            found = view(place)
        else:
            kernel = bind_kernel(node.type, node.attrs, len(node.inputs))
            assert kernel is not None
            inputs = [self.read(v, view, known) for v in node.inputs]
            began = work_clock()
            found = kernel(*inputs)
            self._note_cost(node, work_clock() - began)
            if len(node.dtypes) > 1:
                known.update((node.output(i), each) for i, each in enumerate(found))
                return known[value]
        known[value] = found[()] if isinstance(found, np.ndarray) and not found.ndim else found
        return known[value]

    def _collect(self, value: Value, computed: dict[Node, None]) -> None:
        """Gathers the nodes that are to be computed again for a value."""
        node = value.node
        if node.type == CONSTANT or value in self._program.places or node in computed:
            return
        computed[node] = None
        for each in node.inputs:
            self._collect(each, computed)

    def _guess(self, node: Node) -> float:
        operations = self._operations.get(node, 0.0)
        return (
            _SECONDS_OF_CALL + _SECONDS_OF_BYTE * _moved(node) + _SECONDS_OF_OPERATION * operations
        )

    def _note_cost(self, node: Node, seconds: float) -> None:
        before = self._costs.get(node, seconds)
        self._costs[node] = before + 0.3 * (seconds - before)


def _moved(node: Node) -> float:
    """The bytes that a node alone reads and writes."""
    values = [*node.inputs, *(node.output(i) for i in range(len(node.dtypes)))]
    found = [static_bytes(v) for v in values if v.node.type != HANDLE]
    if not node.dtypes:
        # An update without a result writes what it reads of its variable.
        found += [static_bytes(v) for v in node.inputs if v.node.type == HANDLE]
    return float(math.fsum(size or 0 for size in found))
