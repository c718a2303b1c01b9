"""A compiled region as data: what is called with what, and where everything lies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from workbench.core.codegen.code import Code
from workbench.core.codegen.flag import Flag
from workbench.core.fusion.groups import Group
from workbench.core.fusion.places import Place, Storage
from workbench.core.plan.node import Node, Value


class Argument(NamedTuple):
    """What a region is called with: "value" (read), "variable" (read, and written in place),
    "output" (an array to fill), or "replacement" (a new array for a variable)."""

    kind: str
    #: The value; for a variable, and for its replacement, that of its handle.
    value: Value
    shape: tuple[int, ...]
    dtype: str
    #: The update that makes a replacement.
    update: Node | None = None


class Address(NamedTuple):
    """An argument of a record that is an address: bytes behind the start of a piece of memory."""

    storage: Storage
    offset: int


class FlagAddress(NamedTuple):
    """An argument of a record that is the address of a check's word."""

    check: int


class RecordPlan(NamedTuple):
    """A record of the driver's table before addresses are known."""

    code: Code
    arguments: tuple[Address | FlagAddress | int, ...]
    units: int
    chunk: int
    waits: int
    effect: bool


class KernelReport(NamedTuple):
    """What `explain` says of a kernel."""

    group: Group
    #: What kind of kernel it is.
    kind: str
    #: Its records: [first, last).
    first: int
    last: int
    flops: float
    bytes: float
    notes: dict[str, object]

    @property
    def nodes(self) -> list[Node]:
        """The nodes it computes, or computes the parts of."""
        return [*self.group.nodes, *self.group.partials]


class RegionProgram(NamedTuple):
    """A region ready to be bound to memory."""

    nodes: tuple[Node, ...]
    arguments: tuple[Argument, ...]
    records: tuple[RecordPlan, ...]
    kernels: tuple[KernelReport, ...]
    #: The offset of each piece of memory in the arena, and the arena's size in bytes.
    offsets: dict[Storage, int]
    arena_bytes: int
    flags: tuple[Flag, ...]
    #: The numbers of the arguments that kernels write.
    written: frozenset[int]
    #: Where values lie that are in memory, for those who look on, and where updates (node,
    #: variable) put the new values of variables.
    places: Mapping[Value, Place] = MappingProxyType({})
    updates: Mapping[tuple[Node, Node], Place] = MappingProxyType({})
