"""Where each value of a region lies: in the arena, in an argument, inside of another array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.codegen import array_layout
from workbench.core.codegen.array_layout import Layout
from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.codegen.translation.description import constant_input
from workbench.core.codegen.translation.part import PARTS
from workbench.core.codegen.translation.view import VIEWS, viewed_input
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.classify import Classification
from workbench.core.fusion.groups import Group, Grouping
from workbench.core.fusion.hazards import Hazards
from workbench.core.fusion.places import (
    Kind,
    Place,
    Storage,
    contiguous,
    dtype_of,
    shape_of,
)
from workbench.core.fusion.program import Argument
from workbench.core.fusion.roles import WITHOUT_KERNEL, Role
from workbench.core.plan.node import CONSTANT, READ, Node, Value
from workbench.core.plan.schedule import updated_handles

#: Roles whose kernels write their results with any strides.
_WRITES_ANYHOW = frozenset(
    {Role.ELEMENTWISE, Role.ROW, Role.PRODUCT, Role.CONVOLUTION, Role.POOLING}
)


class NeedsCopy(Exception):
    """A view whose elements must move: the node is planned again as a copy."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"{node.name} must be copied")
        self.node = node


class Placement:
    """The places of a region's values.

    Args:
      in_place: the updates that may overwrite the arrays of their variables.
      outside: values that are used outside the region.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        grouping: Grouping,
        classification: Classification,
        hazards: Hazards,
        in_place: frozenset[Node],
        outside: Sequence[Value],
    ) -> None:
        self._nodes = set(nodes)
        self._order = nodes
        self._grouping = grouping
        self._classification = classification
        self._hazards = hazards
        self._in_place = in_place
        self.arguments: list[Argument] = []
        self._argument_storages: dict[tuple[str, Value, Node | None], Storage] = {}
        self._constants: dict[Node, Storage] = {}
        self._places: dict[Value, Place] = {}
        self._new_values: dict[tuple[Node, Node], Place] = {}
        self._outside = dict.fromkeys(v for v in outside if self._computes(v.node))
        self._consumers: dict[Value, list[Node]] = {}
        for node in nodes:
            for value in node.inputs:
                self._consumers.setdefault(value, []).append(node)
        self._inside_of: dict[Value, tuple[Value, Layout]] = {}
        for node in nodes:
            if self._role(node) is Role.PARTS:
                self._settle_parts(node)
        self._place_updates()

    @property
    def places(self) -> dict[Value, Place]:
        """The places of the values that lie in memory, as far as they are known."""
        found = dict(self._places)
        for (node, handle), place in self._new_values.items():
            handles = updated_handles(node)
            if handles.index(handle) < len(node.dtypes):
                found.setdefault(node.output(handles.index(handle)), place)
        return found

    @property
    def updated(self) -> dict[tuple[Node, Node], Place]:
        """(node, variable) -> the place of the variable's new value."""
        return dict(self._new_values)

    # -- what is stored ----------------------------------------------------------------------

    def stored(self, group: Group) -> dict[Value, Place]:
        """The values of a group that have a place in memory."""
        found: dict[Value, Place] = {}
        for node in group.nodes:
            if self._role(node) is Role.UPDATE:
                continue
            for index in range(len(node.dtypes)):
                value = node.output(index)
                if self._is_stored(group, value):
                    found[value] = self.place(value)
        return found

    def updates(self, group: Group) -> list[tuple[Node, int, Node, Place]]:
        """(node, which new value, variable, place) for the variables that a group updates."""
        found = []
        for node in group.nodes:
            if self._role(node) is Role.UPDATE:
                for index, handle in enumerate(updated_handles(node)):
                    found.append((node, index, handle, self._new_values[node, handle]))
        return found

    def _is_stored(self, group: Group, value: Value) -> bool:
        if value in self._outside:
            return True
        for consumer in self._consumers.get(value, ()):
            if self._role(consumer) in WITHOUT_KERNEL:
                if any(self._is_stored(group, v) for v in _outputs(consumer)):
                    return True
            elif consumer in group.partials:
                # The group itself reduces it to parts.
                continue
            elif self._grouping.group_of.get(consumer) is not group:
                return True
        return False

    # -- places ------------------------------------------------------------------------------

    def place(self, value: Value) -> Place:
        """Where a value lies, as it is read."""
        found = self._places.get(value)
        if found is None:
            found = self._places[value] = self._find(value)
        return found

    def handle_place(self, node: Node, value: Value) -> Place:
        """Where an update finds the old value of a variable."""
        handle = value.node
        for update in self._hazards.update_before.get(node, ()):
            if update in self._nodes and handle in updated_handles(update):
                return self._new_values[update, handle]
        return self._argument("variable", value)

    def _find(self, value: Value) -> Place:
        node = value.node
        if node.type == CONSTANT:
            return self._constant(node)
        if node not in self._nodes:
            return self._argument("value", value)
        role = self._role(node)
        if node.type == READ:
            return self.handle_place(node, node.inputs[0])
        if role is Role.NAMING:
            return self._argument("value", value)
        if role is Role.VIEW:
            return self._view(value)
        if role is Role.UPDATE:
            return self._new_values[node, updated_handles(node)[value.index]]
        if value in self._outside:
            return self._argument("output", value)
        if value in self._inside_of:
            whole, layout = self._inside_of[value]
            place = self.place(whole)
            return place.seen(layout._replace(offset=place.offset + layout.offset))
        return self._fresh(value)

    def _fresh(self, value: Value) -> Place:
        """A place in the arena; transposed where a transposition is all that reads it."""
        shape, dtype = shape_of(value), dtype_of(value)
        place = contiguous(Storage(Kind.ARENA), shape, dtype)
        place.storage.size = place.element_bytes()
        consumers = self._consumers.get(value, ())
        if len(consumers) != 1 or consumers[0].type != "Transpose":
            return place
        writes_anyhow = self._role(value.node) in _WRITES_ANYHOW
        if self._role(consumers[0]) is not Role.VIEW or not shape or not writes_anyhow:
            return place
        order = [a % len(shape) for a in constant_input(consumers[0], 1, "axes").tolist()]
        if order[-1] != len(shape) - 1:
            return place
        packed = array_layout.contiguous(tuple(shape[a] for a in order))
        back = sorted(range(len(order)), key=order.__getitem__)
        return place.seen(packed.transposed(back))

    def _view(self, value: Value) -> Place:
        node = value.node
        source = self.place(node.inputs[viewed_input(node, value.index)])
        if node.type == "Bitcast":
            raise Unsupported("it is the same bits in another type")
        seen = VIEWS[node.type](node, value.index, source.layout)
        if seen is None:
            raise NeedsCopy(node)
        return source.seen(seen)

    def _argument(self, kind: str, value: Value, update: Node | None = None) -> Place:
        key = (kind, value, update)
        shape, dtype = shape_of(value), dtype_of(value)
        storage = self._argument_storages.get(key)
        if storage is None:
            if dtype not in ITEM_BYTES:
                raise Unsupported(f"{value.node.name} is of {dtype}")
            storage = Storage(Kind.ARGUMENT, argument=len(self.arguments))
            self.arguments.append(Argument(kind, value, shape, dtype, update))
            self._argument_storages[key] = storage
        return contiguous(storage, shape, dtype)

    def _constant(self, node: Node) -> Place:
        storage = self._constants.get(node)
        dtype = dtype_of(node.output())
        if storage is None:
            if dtype not in ITEM_BYTES:
                raise Unsupported(f"{node.name} is of {dtype}")
            array = np.ascontiguousarray(node.constant)
            storage = self._constants[node] = Storage(Kind.CONSTANT, array=array)
        return contiguous(storage, shape_of(node.output()), dtype)

    # -- what is known before ----------------------------------------------------------------

    def _place_updates(self) -> None:
        """The places of new values of variables: over the old ones, or in new arrays."""
        for node in self._order:
            if self._role(node) is not Role.UPDATE:
                continue
            for handle in updated_handles(node):
                value = handle.output()
                # Scalars of variables are NumPy's immutable ones.
                if node in self._in_place and shape_of(value):
                    place = self.handle_place(node, value)
                else:
                    place = self._argument("replacement", value, node)
                self._new_values[node, handle] = place

    def _settle_parts(self, node: Node) -> None:
        """Has the parts of an array written to their places at once, where nothing hinders it."""
        whole = node.output()
        parts, fill = PARTS[node.type](node)
        if fill is not None:
            # The rest is filled first, and that overwrites all.
            return
        for part in parts:
            value = node.inputs[part.input]
            producer = value.node
            free = self._computes(producer) and self._role(producer) not in (
                Role.UPDATE,
                Role.PARTS,
            )
            free = free and value not in self._outside and value not in self._inside_of
            same = dtype_of(value) == dtype_of(whole) and part.place.shape == shape_of(value)
            if free and same:
                self._inside_of[value] = (whole, part.place)

    def is_in_place(self, node: Node, value: Value, layout: Layout) -> bool:
        """True for a part of `node` that its own kernel writes there; a value may be many parts."""
        found = self._inside_of.get(value)
        return found is not None and found[0].node is node and found[1] == layout

    def _computes(self, node: Node) -> bool:
        return node in self._nodes and self._role(node) not in WITHOUT_KERNEL

    def _role(self, node: Node) -> Role | None:
        return self._classification.role(node)


def _outputs(node: Node) -> list[Value]:
    return [node.output(i) for i in range(len(node.dtypes))]
