"""The plan's one node type: immutable and hash-consed.

Identical pure nodes are one object, so common subexpressions vanish while a plan is built. A node
is made only by a `NodeTable`; rewriting makes new nodes and leaves old ones alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.dtypes import DType
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries
from workbench.core.ops import registry
from workbench.core.ops.declaration import Declaration
from workbench.core.ops.made_here import MADE

#: Constants up to this many bytes are merged by content, larger ones by identity.
_MERGED_BYTES = 4096

#: Node types of the plan itself, beside the declared operations.
FEED = "Feed"
CONSTANT = "Const"
HANDLE = "Handle"
READ = "Read"


#: Numbers of passes and the loops they are of, the innermost first.
Passes = tuple[tuple[int, Operation], ...]


class Value(NamedTuple):
    """One output of a node."""

    node: Node
    # It hides tuple.index, which values do not need.
    index: int  # type: ignore[assignment]

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.node.dtypes[self.index]

    @property
    def entries(self) -> Entries:
        """What is known of the shape."""
        return self.node.shapes[self.index]


class Node:
    """One step of a plan: an operation with its inputs, or a feed, constant, variable or read."""

    __slots__ = (
        "after",
        "attrs",
        "declaration",
        "dtypes",
        "inputs",
        "number",
        "origin",
        "passes",
        "shapes",
        "type",
    )

    def __init__(
        self,
        number: int,
        type_name: str,
        inputs: tuple[Value, ...],
        after: tuple[Node, ...],
        attrs: dict[str, Any],
        dtypes: tuple[DType, ...],
        shapes: tuple[Entries, ...],
        origin: Operation | None,
    ) -> None:
        self.number = number
        self.type = type_name
        self.inputs = inputs
        #: Nodes with effects that must have run before.
        self.after = after
        self.attrs = attrs
        self.dtypes = dtypes
        self.shapes = shapes
        #: The user's operation it stands for: errors and timings are told in its terms.
        self.origin = origin
        #: Where it stands for an operation in passes of loops: which ones, of which loops.
        self.passes: Passes = ()
        self.declaration: Declaration | None = (
            None if type_name in (FEED, HANDLE, READ) else registry.lookup(type_name)
        )

    @property
    def is_constant(self) -> bool:
        """True for constants; one that waits for something is more than its value."""
        return self.type == CONSTANT and not self.after

    @property
    def has_effect(self) -> bool:
        """True for what may be neither merged, folded nor reordered."""
        return self.type == READ or (self.declaration is not None and self.declaration.stateful)

    @property
    def is_pure(self) -> bool:
        """True when the inputs alone determine the outputs."""
        return self.declaration is not None and not self.declaration.stateful

    @property
    def name(self) -> str:
        """The name of the operation it stands for."""
        return self.origin.name if self.origin is not None else f"{self.type.lower()}_{self.number}"

    @property
    def constant(self) -> np.ndarray[Any, Any]:
        """The array of a constant."""
        array: np.ndarray[Any, Any] = self.attrs["value"]
        return array

    def output(self, index: int = 0) -> Value:
        """One output as a value."""
        return Value(self, index)

    def __repr__(self) -> str:
        inputs = ", ".join(f"%{v.node.number}.{v.index}" for v in self.inputs)
        return f"%{self.number} = {self.type}({inputs})"


class NodeTable:
    """Makes nodes, one for each distinct computation; they are numbered from `first` on."""

    def __init__(self, first: int = 1) -> None:
        self._nodes: dict[Any, Node] = {}
        self._count = first - 1
        #: How many nodes were asked for that existed already.
        self.merged = 0
        #: The passes of loops that new nodes are of.
        self.passes: Passes = ()

    def make(
        self,
        type_name: str,
        inputs: tuple[Value, ...],
        attrs: dict[str, Any],
        dtypes: tuple[DType, ...],
        shapes: tuple[Entries, ...],
        origin: Operation | None,
        after: Iterable[Node] = (),
        unique: Any = None,
    ) -> Node:
        """The node of that computation; `unique` keeps stateful ones apart."""
        waits = tuple(dict.fromkeys(after))
        key = (
            type_name,
            unique,
            tuple((v.node.number, v.index) for v in inputs),
            tuple(n.number for n in waits),
            _frozen(attrs),
        )
        found = self._nodes.get(key)
        if found is not None:
            self.merged += 1
            return found
        self._count += 1
        node = Node(self._count, type_name, inputs, waits, attrs, dtypes, shapes, origin)
        node.passes = self.passes
        self._nodes[key] = node
        return node

    def constant(self, array: np.ndarray[Any, Any], dtype: DType, origin: Operation | None) -> Node:
        """A constant node."""
        attrs = {"value": array, "dtype": dtype}
        return self.make(CONSTANT, (), attrs, (dtype,), (array.shape,), origin)

    def like(self, node: Node, inputs: tuple[Value, ...], after: tuple[Node, ...]) -> Node:
        """The same operation on other inputs."""
        if inputs == node.inputs and after == node.after:
            return node
        unique = None if node.is_pure else node.number
        made = self.make(
            node.type, inputs, node.attrs, node.dtypes, node.shapes, node.origin, after, unique
        )
        made.passes = made.passes or node.passes
        return made


#: Attributes that make a difference though they begin with "_": two arrays are two, and so are two
#: processes' functions.
_TELLING = frozenset({"_array_name", "_array_rules", MADE})


def _frozen(attrs: dict[str, Any]) -> Any:
    return tuple(
        (key, _frozen_value(value))
        for key, value in sorted(attrs.items())
        if key[0] != "_" or key in _TELLING
    )


def _frozen_value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.nbytes <= _MERGED_BYTES and value.dtype != object:
            return (value.dtype.str, value.shape, value.tobytes())
        return ("array", id(value))
    if isinstance(value, (list, tuple)):
        return tuple(_frozen_value(v) for v in value)
    if isinstance(value, float):
        # 0.0 and -0.0 are equal but not the same attribute; NaN is the same as itself.
        return ("float", repr(value))
    return (type(value).__name__, value)
