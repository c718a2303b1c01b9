"""A planned program from plain data, for a plan that is the same as the one that was planned.

Nothing here knows how regions are planned or kernels written, so it is there at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from workbench.core.codegen.code import Code
from workbench.core.codegen.flag import Flag
from workbench.core.fusion.compiled_plan import CompiledPlan, RegionPlan
from workbench.core.fusion.groups import Group
from workbench.core.fusion.places import Kind, Place, Storage
from workbench.core.fusion.plain import from_plain
from workbench.core.fusion.program import (
    Address,
    Argument,
    FlagAddress,
    KernelReport,
    RecordPlan,
    RegionProgram,
)
from workbench.core.fusion.roles import Role
from workbench.core.graph.dtypes import as_dtype
from workbench.core.plan.memory import Step
from workbench.core.plan.node import Node, NodeTable, Value
from workbench.core.plan.plan import Plan


def restore_plan(plan: Plan, data: Any) -> CompiledPlan:
    """What `saving.save_plan` wrote down; the functions in it have names, but no texts.

    Raises:
      ValueError, TypeError, KeyError, IndexError: it is something else.
    """
    restorer = _Restorer(plan, data["nodes"])
    regions = tuple(restorer.region(r) for r in data["regions"])
    fetches = tuple(restorer.values(data["fetches"]))
    if data["moved"] is not None:
        moved = [
            (restorer.value(v), None if n is None else restorer.value(n)) for v, n in data["moved"]
        ]
        plan = plan._replace(fetches=fetches, values=_moved(plan, regions, dict(moved)))
    reasons = {restorer.nodes[n]: reason for n, reason in data["reasons"]}
    return CompiledPlan(plan, regions, reasons, frozenset(restorer.values(data["copied"])))


def _moved(plan: Plan, regions: Iterable[RegionPlan], moved: dict[Value, Value | None]) -> Any:
    """The values of tensors, where others stand for some of them."""
    run = {step.node for region in regions for step in region.steps}
    found = {tensor: moved.get(value, value) for tensor, value in plan.values.items()}
    return {tensor: v for tensor, v in found.items() if v is not None and v.node in run}


class _Restorer:
    """The nodes by their numbers."""

    def __init__(self, plan: Plan, made: list[Any]) -> None:
        self.nodes: list[Node] = [step.node for step in plan.memory.steps]
        table = NodeTable(first=max((n.number for n in self.nodes), default=0) + 1)
        for described in made:
            attributes = described["attrs"]
            origin = described["origin"]
            self.nodes.append(
                table.make(
                    described["type"],
                    tuple(self.values(described["inputs"])),
                    self.nodes[attributes].attrs
                    if isinstance(attributes, int)
                    else {name: from_plain(value) for name, value in attributes},
                    tuple([as_dtype(name) for name in described["dtypes"]]),
                    tuple([None if s is None else tuple(s) for s in described["shapes"]]),
                    None if origin is None else self.nodes[origin].origin,
                    [self.nodes[n] for n in described["after"]],
                    unique=len(self.nodes),
                )
            )

    def value(self, data: list[int]) -> Value:
        number, index = data
        return Value(self.nodes[number], index)

    def values(self, data: Iterable[list[int]]) -> list[Value]:
        nodes = self.nodes
        return [Value(nodes[number], index) for number, index in data]

    def region(self, data: dict[str, Any]) -> RegionPlan:
        program = data["program"]
        return RegionPlan(
            self._steps(data["steps"]),
            None if program is None else _program(self, program),
            self._steps(data["before"]),
            self._steps(data["after"]),
            tuple(self.values(data["updated"])),
        )

    def _steps(self, data: list[Any]) -> tuple[Step, ...]:
        return tuple(
            [
                Step(self.nodes[node], overwrites, buffer, in_place, tuple(self.values(ends)))
                for node, overwrites, buffer, in_place, ends in data
            ]
        )


def _program(restorer: _Restorer, data: dict[str, Any]) -> RegionProgram:
    nodes = restorer.nodes
    storages = [_storage(nodes, *described) for described in data["storages"]]
    codes = [Code(name, "", frozenset(), scratch) for name, scratch in data["codes"]]

    def word(argument: Any) -> Address | FlagAddress | int:
        if isinstance(argument, int):
            return argument
        if len(argument) == 1:
            return FlagAddress(argument[0])
        number, offset = argument
        return Address(storages[number], offset)

    def place(number: int, shape: Any, strides: Any, offset: int, dtype: str) -> Place:
        return Place(storages[number], tuple(shape), tuple(strides), offset, dtype)

    return RegionProgram(
        tuple([nodes[n] for n in data["nodes"]]),
        tuple(
            [
                Argument(
                    kind,
                    restorer.value(value),
                    tuple(shape),
                    dtype,
                    None if update is None else nodes[update],
                )
                for kind, value, shape, dtype, update in data["arguments"]
            ]
        ),
        tuple(
            [
                RecordPlan(codes[c], tuple([word(a) for a in words]), units, chunk, waits, effect)
                for c, units, chunk, waits, effect, words in data["records"]
            ]
        ),
        tuple([_kernel(nodes, k) for k in data["kernels"]]),
        {storages[number]: offset for number, offset in data["offsets"]},
        data["arena"],
        tuple([Flag(nodes[n], message) for n, message in data["flags"]]),
        frozenset(data["written"]),
        {restorer.value(v): place(*p) for v, p in data["places"]},
        {(nodes[n], nodes[h]): place(*p) for n, h, p in data["updates"]},
    )


def _storage(nodes: list[Node], kind: str, size: int, argument: int, content: Any) -> Storage:
    if kind != Kind.CONSTANT.name:
        return Storage(Kind[kind], size, argument)
    array = nodes[content].constant if isinstance(content, int) else from_plain(content)
    return Storage(Kind.CONSTANT, size, argument, np.ascontiguousarray(array))


def _kernel(nodes: list[Node], data: dict[str, Any]) -> KernelReport:
    number, role, space = data["group"]
    group = Group(number, Role[role], tuple(space))
    group.nodes = [nodes[n] for n in data["nodes"]]
    group.partials = [nodes[n] for n in data["partials"]]
    group.anchor = None if data["anchor"] is None else nodes[data["anchor"]]
    (first, last), (flops, moved) = data["records"], data["work"]
    return KernelReport(group, data["kind"], first, last, flops, moved, from_plain(data["notes"]))
