"""Builds the program of a region: groups, places, kernels, memory, records."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from workbench.core.codegen.loop_cost import partial_count
from workbench.core.codegen.specs import LoopSpec
from workbench.core.codegen.target import ITEM_BYTES, Target
from workbench.core.codegen.translation.builder import Flag, Parameter
from workbench.core.codegen.translation.description import Expression, Reduction
from workbench.core.codegen.translation.part import PARTS
from workbench.core.codegen.translation.view import VIEWS, viewed_input
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.classify import Classification
from workbench.core.fusion.collapsing import collapse
from workbench.core.fusion.groups import Group, Grouping, Shape
from workbench.core.fusion.hazards import Hazards
from workbench.core.fusion.kernels import GroupWriter, Kernel, Source, scalar_constant
from workbench.core.fusion.lowering import lower
from workbench.core.fusion.moving import copying, moving
from workbench.core.fusion.placement import Placement
from workbench.core.fusion.places import Kind, Place, Storage, Use, contiguous, dtype_of, shape_of
from workbench.core.fusion.program import (
    FlagAddress,
    RegionProgram,
)
from workbench.core.fusion.recording import Recorder, Recording
from workbench.core.fusion.roles import Role
from workbench.core.fusion.rows import row_kernel
from workbench.core.fusion.windows import window_kernel
from workbench.core.plan.node import CONSTANT, Node, Value

#: So many products that take a matrix transposed are worth a copy of it.
_WORTH_TURNING = 4


class LeftToInterpreter(Exception):
    """A node has no kernel after all: the plan is made again without it."""

    def __init__(self, nodes: Sequence[Node], reason: str) -> None:
        super().__init__(reason)
        self.nodes = tuple(nodes)
        self.reason = reason


class RegionBuilder:
    """Builds the program of one region.

    Args:
      nodes: the region's nodes in order.
      in_place: the updates that may overwrite their variables' arrays.
      outside: values that are used outside.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        classification: Classification,
        hazards: Hazards,
        in_place: frozenset[Node],
        outside: Sequence[Value],
        target: Target,
    ) -> None:
        self._nodes = tuple(nodes)
        self._classification = classification
        self._target = target
        roles: dict[Node, Role] = {}
        for node in nodes:
            role = classification.role(node)
            assert role is not None
            roles[node] = role
        self._roles = roles
        orders = classification.orders
        self._grouping = Grouping(nodes, roles, hazards, self._space, orders, outside)
        self._placement = Placement(
            nodes, self._grouping, classification, hazards, in_place, outside
        )
        self._parts: dict[Node, Place] = {}
        #: How many products take a matrix transposed, and where it lies so.
        self._transposed_uses = Counter(n.inputs[1] for n in nodes if self._takes_transposed(n))
        self._turned: dict[Value, Place] = {}
        self._recorder = Recorder()

    def build(self) -> RegionProgram:
        """The program.

        Raises:
          LeftToInterpreter: a group has no kernel.
          NeedsCopy: a view has to be a copy.
        """
        for group in self._grouping.groups:
            try:
                for kernel in self._kernels(group):
                    self._recorder.add(kernel, lower(kernel.spec, self._target))
            except Unsupported as error:
                nodes = [*group.nodes, *group.partials]
                raise LeftToInterpreter(nodes, str(error)) from error
        recording = self._recorder.record(self._placement.arguments)
        self._check_effects(recording)
        return RegionProgram(
            self._nodes,
            tuple(self._placement.arguments),
            recording.records,
            recording.kernels,
            recording.offsets,
            recording.arena_bytes,
            recording.flags,
            recording.written,
            self._placement.places,
            self._placement.updated,
        )

    def _check_effects(self, recording: Recording) -> None:
        """After a change of what outlives the step, no check may fail."""
        changed: list[Node] = []
        for report in recording.kernels:
            records = recording.records[report.first : report.last]
            checks = any(isinstance(a, FlagAddress) for r in records for a in r.arguments)
            effects = any(r.effect for r in records)
            if checks and changed:
                raise LeftToInterpreter(report.nodes, "it is checked after a variable has changed")
            if checks and effects:
                updates = [n for n in report.nodes if self._roles[n] is Role.UPDATE]
                raise LeftToInterpreter(updates, "a check of the same kernel may fail after it")
            if effects:
                changed = report.nodes

    # -- kernels -----------------------------------------------------------------------------

    def _space(self, node: Node) -> Shape:
        role = self._roles[node]
        if role in (Role.ELEMENTWISE, Role.ROW, Role.UPDATE):
            description = self._classification.descriptions[node]
            assert not isinstance(description, Reduction)
            return description.space
        if role is Role.REDUCTION:
            description = self._classification.descriptions[node]
            assert isinstance(description, Reduction)
            return description.shape
        return shape_of(node.output())

    def _kernels(self, group: Group) -> list[Kernel]:
        if group.role is Role.PARTS:
            return self._put_together(group)
        if group.role is Role.COPY:
            return self._copy(group)
        if group.role is Role.GATHER:
            return [self._gather(group)]
        writer = GroupWriter(
            group,
            self._classification.descriptions,
            self._place,
            self._splat,
            self._placement.stored(group),
            self._placement.updates(group),
        )
        if group.role is Role.ELEMENTWISE:
            for node in group.partials:
                self._parts[node] = self._part_place(node)
            kernel = writer.loop(self._parts)
            for node in group.partials:
                self._settle_part(node, kernel)
            return [kernel]
        if group.role is Role.REDUCTION:
            assert group.anchor is not None
            return [writer.columns(self._parts.get(group.anchor))]
        if group.role is Role.PRODUCT:
            return self._product(group, writer)
        if group.role in (Role.CONVOLUTION, Role.POOLING):
            anchor = group.anchor
            assert anchor is not None
            return [writer.ending(*window_kernel(anchor, lambda value: self._place(anchor, value)))]
        raise Unsupported(f"there is no kernel for {group.role.name.lower()}")

    def _product(self, group: Group, writer: GroupWriter) -> list[Kernel]:
        """A product; the first of many that take a matrix transposed turns it once for all."""
        node = group.anchor
        assert node is not None
        value = node.inputs[1]
        copies = []
        is_often_used = self._transposed_uses[value] >= _WORTH_TURNING
        if self._takes_transposed(node) and is_often_used and value not in self._turned:
            place = self._placement.place(value)
            turned = place._replace(
                shape=(place.shape[1], place.shape[0]),
                strides=(place.strides[1], place.strides[0]),
            )
            storage = Storage(Kind.ARENA, turned.element_bytes())
            at = self._turned[value] = contiguous(storage, turned.shape, turned.dtype)
            copies = [copying(group, turned, at)]
        return [*copies, writer.product(self._turned.get(value))]

    @staticmethod
    def _takes_transposed(node: Node) -> bool:
        return node.type == "MatMul" and bool(node.attrs.get("transpose_b"))

    def _place(self, node: Node, value: Value) -> Place:
        """Where a node finds an input, as it sees it."""
        place = self._place_of(node, value)
        order = self._classification.orders.get(node)
        if order is None or value != node.inputs[0]:
            return place
        description = self._classification.descriptions[node]
        assert isinstance(description, Expression)
        seen = place.layout.transposed(order).reshaped(description.space)
        if seen is None:
            raise Unsupported("the axes it reduces lie in pieces")
        return place.seen(seen)

    def _place_of(self, node: Node, value: Value) -> Place:
        if value.node.type == "Handle":
            return self._placement.handle_place(node, value)
        splat = self._splat(value)
        if splat is None:
            return self._placement.place(value)
        if isinstance(splat, Place):
            scalar = splat
        else:
            dtype = dtype_of(value)
            scalar = contiguous(self._recorder.parameter(Parameter(splat, dtype)), (), dtype)
        shape = shape_of(value)
        return scalar._replace(shape=shape, strides=(0,) * len(shape))

    def _splat(self, value: Value) -> Any:
        """The number that all elements of a value are: itself, or the place it is at; else None."""
        node = value.node
        if node.type == CONSTANT:
            number = scalar_constant(value)
            return None if number is None else number.item()
        if self._roles.get(node) is Role.VIEW and node.type != "Bitcast":
            # Another look at a splat, which has no memory to be looked at.
            return self._splat(node.inputs[viewed_input(node, value.index)])
        if self._roles.get(node) is not Role.SPLAT:
            return None
        if node.type == "Fill":
            number = scalar_constant(node.inputs[1])
            return self._placement.place(node.inputs[1]) if number is None else number.item()
        number = {"ZerosLike": 0, "OnesLike": 1}[node.type]
        return bool(number) if dtype_of(value) == "bool" else number

    def _part_place(self, node: Node) -> Place:
        """Where the parts of a large reduction go; how many there are is known later."""
        description = self._classification.descriptions[node]
        assert isinstance(description, Reduction)
        inner = (
            ()
            if len(description.axes) == len(description.shape)
            else (math.prod(description.shape[description.axes[-1] + 1 :]),)
        )
        dtype = dtype_of(node.inputs[description.input])
        dtype = "float32" if dtype in ("float16", "bfloat16") else dtype
        return contiguous(Storage(Kind.ARENA), (0, *inner), dtype)

    def _settle_part(self, node: Node, kernel: Kernel) -> None:
        assert isinstance(kernel.spec, LoopSpec)
        place = self._parts[node]
        count = partial_count(kernel.spec.shape)
        place.storage.size = count * math.prod(place.shape[1:]) * ITEM_BYTES[place.dtype]
        self._parts[node] = contiguous(place.storage, (count, *place.shape[1:]), place.dtype)

    def _put_together(self, group: Group) -> list[Kernel]:
        """Copies of the parts of an array that are not written to their places at once."""
        node = group.anchor
        assert node is not None
        whole = self._placement.place(node.output())
        parts, fill = PARTS[node.type](node)
        kernels = []
        if fill is not None:
            kernels.append(self._filling(group, whole, fill))
        for part in parts:
            value = node.inputs[part.input]
            if self._placement.is_in_place(node, value, part.place):
                continue
            at = whole._replace(
                shape=part.place.shape,
                strides=part.place.strides,
                offset=whole.offset + part.place.offset,
            )
            if not whole.is_contiguous:
                raise Unsupported("the whole lies in pieces itself")
            kernels.append(copying(group, self._place(node, value), at))
        return kernels

    def _copy(self, group: Group) -> list[Kernel]:
        """The input of a view, in one piece."""
        node = group.anchor
        assert node is not None
        source = self._place(node, node.inputs[0])
        place = self._placement.place(node.output())
        if node.type == "Transpose":
            seen = VIEWS[node.type](node, 0, source.layout)
            assert seen is not None
            source = source.seen(seen)
        elif not place.is_contiguous:
            raise Unsupported("the copy lies in pieces itself")
        else:
            place = contiguous(place.storage, source.shape, place.dtype)._replace(
                offset=place.offset
            )
        return [copying(group, source, place)]

    def _gather(self, group: Group) -> Kernel:
        """Rows by their numbers."""
        node = group.anchor
        assert node is not None
        spec, message = row_kernel(node)
        places = [self._place(node, v) for v in node.inputs[:2]]
        places.append(self._placement.place(node.output()))
        if not all(p.is_contiguous for p in places):
            raise Unsupported("its arrays lie in pieces")
        sources: list[Source] = [Use(p.storage, p.offset, p.strides, p.dtype) for p in places]
        sources.append(Flag(node, message))
        return Kernel(spec, tuple(sources), frozenset({2}), group)

    def _filling(self, group: Group, place: Place, number: Any) -> Kernel:
        shape, (strides,) = collapse(place.shape, [place.strides])
        use = Use(place.storage, place.offset, strides, place.dtype)
        parameter = Parameter(number, place.dtype)
        return moving(group, shape, [parameter, use], place.dtype)
