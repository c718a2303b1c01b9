"""A planned program as plain data: regions, records and memory, with numbers for nodes.

The nodes of the plan itself are not written down, since whoever reads the data has a plan that is
the same; those that planning put in the place of others are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.compiled_plan import CompiledPlan, RegionPlan
from workbench.core.fusion.places import Kind, Place, Storage
from workbench.core.fusion.plain import to_plain
from workbench.core.fusion.program import (
    Address,
    Argument,
    FlagAddress,
    KernelReport,
    RecordPlan,
    RegionProgram,
)
from workbench.core.plan.memory import Step
from workbench.core.plan.node import CONSTANT, Node, Value
from workbench.core.plan.plan import Plan


def save_plan(plan: Plan, compiled: CompiledPlan) -> dict[str, Any]:
    """The data from which `restoring.restore_plan` makes the regions of a plan again.

    Raises:
      Unsupported: there is something in it that cannot be written down.
    """
    saver = _Saver(plan)
    data = {
        "regions": [saver.region(r) for r in compiled.regions],
        "reasons": [[saver.node(n), reason] for n, reason in compiled.reasons.items()],
        "copied": saver.values(compiled.copied),
        "fetches": saver.values(compiled.plan.fetches),
        "moved": saver.moved(compiled.plan),
    }
    return {"nodes": saver.made, **data}


class _Saver:
    """Numbers the nodes of a plan, those that were made for it behind its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._numbers = {step.node: i for i, step in enumerate(plan.memory.steps)}
        self._attributes_of = {id(node.attrs): i for node, i in self._numbers.items()}
        self._node_of = {node.origin: i for node, i in self._numbers.items()}
        #: The nodes behind the plan's own.
        self.made: list[Any] = []

    # -- nodes and values --------------------------------------------------------------------

    def node(self, node: Node) -> int:
        """The number of a node; what it needs has lower ones."""
        found = self._numbers.get(node)
        if found is None:
            described = {
                "type": node.type,
                "inputs": self.values(node.inputs),
                "after": self.nodes(node.after),
                "attrs": self._attributes(node),
                "dtypes": [dtype.name for dtype in node.dtypes],
                "shapes": [None if s is None else list(s) for s in node.shapes],
                "origin": self._origin(node),
            }
            found = self._numbers[node] = len(self._numbers)
            self.made.append(described)
        return found

    def nodes(self, nodes: Iterable[Node]) -> list[int]:
        return [self.node(n) for n in nodes]

    def value(self, value: Value) -> list[int]:
        return [self.node(value.node), value.index]

    def values(self, values: Iterable[Value]) -> list[list[int]]:
        return [self.value(v) for v in values]

    def moved(self, plan: Plan) -> list[Any] | None:
        """Which values stand for those of the plan; None where all do themselves."""
        if plan.values is self._plan.values:
            return None
        found = {}
        for tensor, value in self._plan.values.items():
            new = plan.values.get(tensor)
            if new != value:
                found[value] = new
        return [[self.value(v), None if n is None else self.value(n)] for v, n in found.items()]

    def _attributes(self, node: Node) -> Any:
        """Those of one of the plan's own nodes where they are the same, or as plain data."""
        number = self._attributes_of.get(id(node.attrs))
        if number is not None:
            return number
        return [[name, to_plain(value)] for name, value in node.attrs.items()]

    def _origin(self, node: Node) -> int | None:
        if node.origin is None:
            return None
        number = self._node_of.get(node.origin)
        if number is None:
            raise Unsupported(f"{node.name} is no operation of the plan")
        return number

    # -- regions -----------------------------------------------------------------------------

    def region(self, region: RegionPlan) -> dict[str, Any]:
        return {
            "steps": [self._step(s) for s in region.steps],
            "before": [self._step(s) for s in region.before],
            "after": [self._step(s) for s in region.after],
            "updated": self.values(region.updated),
            "program": None if region.program is None else _ProgramSaver(self, region.program).data,
        }

    def _step(self, step: Step) -> list[Any]:
        return [
            self.node(step.node),
            step.overwrites,
            step.buffer,
            step.updates_in_place,
            self.values(step.ends),
        ]


class _ProgramSaver:
    """One region's program; pieces of memory and functions have numbers in it."""

    def __init__(self, saver: _Saver, program: RegionProgram) -> None:
        self._saver = saver
        self._constants = {
            place.storage: value.node
            for value, place in program.places.items()
            if value.node.type == CONSTANT and place.storage.kind is Kind.CONSTANT
        }
        self._storages: dict[Storage, int] = {}
        self._codes: dict[tuple[str, int], int] = {}
        described: list[Any] = []
        codes: list[Any] = []
        self._described, self._code_list = described, codes
        self.data = {
            "nodes": saver.nodes(program.nodes),
            "arguments": [self._argument(a) for a in program.arguments],
            "records": [self._record(r) for r in program.records],
            "kernels": [self._kernel(k) for k in program.kernels],
            "offsets": [[self._storage(s), offset] for s, offset in program.offsets.items()],
            "arena": program.arena_bytes,
            "flags": [[saver.node(f.node), f.message] for f in program.flags],
            "written": sorted(program.written),
            "places": [[saver.value(v), self._place(p)] for v, p in program.places.items()],
            "updates": [
                [saver.node(n), saver.node(h), self._place(p)]
                for (n, h), p in program.updates.items()
            ],
            "storages": described,
            "codes": codes,
        }

    def _argument(self, argument: Argument) -> list[Any]:
        update = None if argument.update is None else self._saver.node(argument.update)
        value = self._saver.value(argument.value)
        return [argument.kind, value, list(argument.shape), argument.dtype, update]

    def _record(self, record: RecordPlan) -> list[Any]:
        code = record.code.name, record.code.scratch
        number = self._codes.setdefault(code, len(self._codes))
        if number == len(self._code_list):
            self._code_list.append(list(code))
        arguments = [self._word(a) for a in record.arguments]
        return [number, record.units, record.chunk, record.waits, record.effect, arguments]

    def _word(self, argument: Address | FlagAddress | int) -> Any:
        if isinstance(argument, Address):
            return [self._storage(argument.storage), argument.offset]
        if isinstance(argument, FlagAddress):
            return [argument.check]
        return argument

    def _kernel(self, report: KernelReport) -> dict[str, Any]:
        group = report.group
        anchor = None if group.anchor is None else self._saver.node(group.anchor)
        return {
            "group": [group.number, group.role.name, list(group.space)],
            "nodes": self._saver.nodes(group.nodes),
            "anchor": anchor,
            "partials": self._saver.nodes(group.partials),
            "kind": report.kind,
            "records": [report.first, report.last],
            "work": [report.flops, report.bytes],
            "notes": to_plain(report.notes),
        }

    def _place(self, place: Place) -> list[Any]:
        where = self._storage(place.storage)
        return [where, list(place.shape), list(place.strides), place.offset, place.dtype]

    def _storage(self, storage: Storage) -> int:
        number = self._storages.setdefault(storage, len(self._storages))
        if number == len(self._described):
            node = self._constants.get(storage)
            if storage.kind is not Kind.CONSTANT:
                content: Any = None
            elif node is not None:
                content = self._saver.node(node)
            else:
                content = to_plain(storage.array)
            self._described.append([storage.kind.name, storage.size, storage.argument, content])
        return number
