"""Gathers the nodes of a region to groups, each of which becomes one kernel.

A group is convex: no path leaves it and comes back. Element-wise steps join the product,
convolution or pooling whose result they alone use; else a loop over the same space, of their inputs
or beside them; loops that meet in a node are merged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from workbench.core.fusion.hazards import Hazards
from workbench.core.fusion.lengths import MOST, length_of
from workbench.core.fusion.roles import ANCHORS, WITHOUT_KERNEL, Role
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import HANDLE, Node, Value

Shape = tuple[int, ...]
#: The order in which a node sees its input's axes; None where it is their own.
Order = tuple[int, ...] | None

#: Reductions over more elements go through parts that many threads compute.
_DIRECT_REDUCTION = 1 << 17


class Group:
    """Nodes that one kernel computes."""

    def __init__(self, number: int, role: Role, space: Shape, order: Order = None) -> None:
        self.number = number
        #: That of the anchor; ELEMENTWISE for loops, REDUCTION for what combines parts.
        self.role = role
        #: The shape that the loop goes over; of the result, where an anchor has one.
        self.space = space
        #: How the loop sees the axes of what has that space. Those of one shape but of two orders
        #: have nothing in common: elements of the one are not where the other's are.
        self.order = order
        self.nodes: list[Node] = []
        #: How long their machine code is, see `lengths`.
        self.length = 0
        self.anchor: Node | None = None
        #: Reductions of which this group computes the parts.
        self.partials: list[Node] = []
        #: Groups that run before, as far as they are known at once; see `Grouping.follows`.
        self.before: set[Group] = set()

    @property
    def is_loop(self) -> bool:
        """True for loops over a space that others of the same space may join."""
        return self.role is Role.ELEMENTWISE

    def __repr__(self) -> str:
        names = ", ".join(f"%{n.number} {n.type}" for n in self.nodes)
        return f"group {self.number} {self.role.name.lower()} {self.space}: {names}"


class Grouping:
    """The groups of a region.

    Args:
      nodes: the region's nodes in order.
      roles: what part each plays.
      hazards: orders besides those of data.
      space_of: the shape a node's loop goes over.
      orders: for nodes that see their input's axes in another order: that order.
      outside: values that are used outside the region too.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        roles: dict[Node, Role],
        hazards: Hazards,
        space_of: Callable[[Node], Shape],
        orders: Mapping[Node, Order],
        outside: Iterable[Value] = (),
    ) -> None:
        self._roles = roles
        self._hazards = hazards
        self._space_of = space_of
        self._orders = orders
        self._inside = set(nodes)
        self._numbers = count()
        self._all: set[Group] = set()
        self.group_of: dict[Node, Group] = {}
        self._sources: dict[Node, tuple[Node, ...]] = {}
        self._consumers: dict[Value, int] = defaultdict(int)
        self._loops_of: dict[Value, list[Group]] = defaultdict(list)
        for node in nodes:
            for value in node.inputs:
                self._consumers[value] += 1
        for value in outside:
            self._consumers[value] += 1
        for node in nodes:
            if roles[node] not in WITHOUT_KERNEL:
                self._place(node)
        self.groups = self._ordered(nodes)

    # -- dependences -------------------------------------------------------------------------

    def sources(self, node: Node) -> tuple[Node, ...]:
        """The nodes with kernels that must have run before a node; names are looked through."""
        found = self._sources.get(node)
        if found is None:
            collected: dict[Node, None] = {}
            for before in self._hazards.before(node):
                if before not in self._inside:
                    continue
                if self._roles[before] in WITHOUT_KERNEL:
                    collected.update(dict.fromkeys(self.sources(before)))
                else:
                    collected[before] = None
            found = self._sources[node] = tuple(collected)
        return found

    def _groups_before(self, node: Node) -> set[Group]:
        return {self.group_of[s] for s in self.sources(node)}

    @staticmethod
    def _ancestors(starts: Iterable[Group]) -> set[Group]:
        """All groups that run before some, themselves among them."""
        found: set[Group] = set()
        stack = list(starts)
        while stack:
            group = stack.pop()
            if group not in found:
                found.add(group)
                stack.extend(group.before)
        return found

    def _may_join(self, group: Group, before: set[Group]) -> bool:
        """True when what must run before a node does not need the group."""
        return group not in self._ancestors(before - {group})

    def _may_merge(self, a: Group, b: Group) -> bool:
        return a not in self._ancestors(b.before - {a}) and b not in self._ancestors(a.before - {b})

    # -- placing -----------------------------------------------------------------------------

    def _place(self, node: Node) -> None:
        role = self._roles[node]
        space = self._space_of(node)
        before = self._groups_before(node)
        if role in (Role.ELEMENTWISE, Role.ROW, Role.UPDATE):
            group = self._group_to_join(node, role, space, before)
            if group is None:
                group = self._new(Role.ELEMENTWISE, space, self._orders.get(node))
            self._add(group, node, before)
            if group.is_loop:
                self._merge_inputs(group, node)
        elif role is Role.REDUCTION:
            self._place_reduction(node, space, before)
        else:
            group = self._new(role, space)
            group.anchor = node
            self._add(group, node, before)

    def _new(self, role: Role, space: Shape, order: Order = None) -> Group:
        group = Group(next(self._numbers), role, space, order)
        self._all.add(group)
        return group

    def _add(self, group: Group, node: Node, before: set[Group]) -> None:
        group.nodes.append(node)
        group.length += length_of(node)
        group.before |= before - {group}
        self.group_of[node] = group
        if group.is_loop:
            for value in node.inputs:
                self._loops_of[value].append(group)

    def _group_to_join(
        self, node: Node, role: Role, space: Shape, before: set[Group]
    ) -> Group | None:
        for group in self._candidates(node, role, space):
            if group.length + length_of(node) > MOST or not self._may_join(group, before):
                continue
            if self._hazards_allow(group, node) and not self._looks_into(group, node):
                return group
        return None

    def _looks_into(self, group: Group, node: Node) -> bool:
        """True when the node reads a result of the group by another name: it must be whole then.

        So it is for the second update of a variable, which finds the new value where the first
        one puts it.
        """
        for update in self._hazards.update_before.get(node, ()):
            if self.group_of.get(update) is group:
                return True
        for value in node.inputs:
            is_name = self._roles.get(value.node) in (Role.VIEW, Role.NAMING)
            if is_name and any(self.group_of.get(s) is group for s in self.sources(value.node)):
                return True
        return False

    def _candidates(self, node: Node, role: Role, space: Shape) -> list[Group]:
        """Groups the node could join, the best first."""
        ends: list[Group] = []
        loops: list[Group] = []
        for value in node.inputs:
            group = self.group_of.get(value.node)
            if group is None:
                continue
            if group.role in ANCHORS or group.role is Role.REDUCTION:
                is_end = role is not Role.ROW and static_shape(value) == group.space == space
                if is_end and self._consumers[value] == 1:
                    ends.append(group)
            elif group.is_loop and self._shares_space(group, node, space):
                loops.append(group)
        for value in node.inputs:
            # Beside each other: what both read is read once.
            if static_shape(value) == space and value.node.type != HANDLE:
                loops.extend(g for g in self._loops_of[value] if self._is_over(g, node, space))
        # The product that comes last has the others' results at its end.
        ends.sort(key=lambda g: -g.number)
        return list(dict.fromkeys([*ends, *loops]))

    def _shares_space(self, group: Group, node: Node, space: Shape) -> bool:
        return self._is_over(group, node, space) or self.is_per_row(group, node)

    def _is_over(self, group: Group, node: Node, space: Shape) -> bool:
        return group.space == space and group.order == self._orders.get(node)

    def is_per_row(self, group: Group, node: Node) -> bool:
        """True for an element-wise node on what a loop has once for each row."""
        if self._roles[node] is not Role.ELEMENTWISE or not group.space:
            return False
        rows = group.space[:-1]
        shape = static_shape(node.output())
        if shape not in (rows, (*rows, 1)) or group.space == shape:
            return False
        inside = [v for v in node.inputs if self.group_of.get(v.node) is group]
        return bool(inside) and all(static_shape(v) == shape for v in inside)

    def _hazards_allow(self, group: Group, node: Node) -> bool:
        """A variable may change in a group that reads it when each element is read first."""
        users = self._hazards.users_before.get(node, ())
        space = self._space_of(node)
        for user in users:
            if self.group_of.get(user) is not group:
                continue
            if self._roles[user] not in (Role.ELEMENTWISE, Role.UPDATE):
                return False
            if not group.is_loop or static_shape(user.output()) != space:
                return False
        return True

    def _merge_inputs(self, group: Group, node: Node) -> None:
        """Merges other loops of the same space that the node's inputs come from."""
        for value in node.inputs:
            other = self.group_of.get(value.node)
            if other is None or other is group or not other.is_loop:
                continue
            small = other.length + group.length <= MOST
            alike = other.space == group.space and other.order == group.order
            if alike and small and self._may_merge(group, other):
                allowed = all(
                    self._hazards_allow(a, n) and not self._looks_into(a, n)
                    for a, b in ((other, group), (group, other))
                    for n in b.nodes
                )
                if allowed:
                    self._merge(group, other)

    def _merge(self, group: Group, other: Group) -> None:
        """Everything of `other` becomes part of `group`."""
        group.nodes = _in_order([*other.nodes, *group.nodes], self.sources)
        group.length += other.length
        group.partials = [*other.partials, *group.partials]
        for node in other.nodes:
            self.group_of[node] = group
        self._all.discard(other)
        for found in self._all:
            if other in found.before:
                found.before.discard(other)
                if found is not group:
                    found.before.add(group)
        group.before |= other.before
        group.before -= {group, other}
        for loops in self._loops_of.values():
            if other in loops:
                loops[:] = [group if g is other else g for g in loops]

    def _place_reduction(self, node: Node, space: Shape, before: set[Group]) -> None:
        """A reduction: small ones at once, large ones as parts and their combination."""
        source = node.inputs[0]
        combine = self._new(Role.REDUCTION, static_shape(node.output()) or ())
        combine.anchor = node
        size = 1
        for extent in space:
            size *= extent
        if size > _DIRECT_REDUCTION:
            loop = self.group_of.get(source.node)
            joins = loop is not None and loop.is_loop and self._is_over(loop, node, space)
            if not joins:
                beside = [g for g in self._loops_of[source] if self._is_over(g, node, space)]
                loop = next((g for g in beside if self._may_join(g, before)), None)
            elif not self._may_join(loop, before):  # type: ignore[arg-type]
                loop = None
            if loop is None:
                loop = self._new(Role.ELEMENTWISE, space)
                loop.before |= before
                self._loops_of[source].append(loop)
            loop.before |= before - {loop}
            loop.partials.append(node)
            before = {loop}
        self._add(combine, node, before)

    # -- order -------------------------------------------------------------------------------

    def _ordered(self, nodes: Sequence[Node]) -> list[Group]:
        """The groups, each after those it needs, else by their last nodes."""
        position = {node: i for i, node in enumerate(nodes)}
        found = self._all
        last = {g: max([position[n] for n in [*g.nodes, *g.partials]], default=0) for g in found}
        ordered: list[Group] = []
        done: set[Group] = set()
        for group in sorted(found, key=lambda g: (last[g], g.number)):
            _visit(group, done, ordered)
        return ordered


def _visit(group: Group, done: set[Group], ordered: list[Group]) -> None:
    """Adds a group after all that come before it."""
    stack = [group]
    while stack:
        current = stack[-1]
        if current in done:
            stack.pop()
            continue
        waiting = [b for b in current.before if b not in done]
        if waiting:
            stack.extend(sorted(waiting, key=lambda g: -g.number))
            continue
        done.add(current)
        ordered.append(current)
        stack.pop()


def _in_order(nodes: Sequence[Node], sources: Callable[[Node], tuple[Node, ...]]) -> list[Node]:
    """Nodes of a group, each after those of the group that it needs."""
    inside = set(nodes)
    done: dict[Node, None] = {}
    for node in nodes:
        stack = [node]
        while stack:
            current = stack[-1]
            waiting = [s for s in sources(current) if s in inside and s not in done]
            if waiting and current not in done:
                stack.extend(waiting)
                continue
            done[current] = None
            stack.pop()
    return list(done)


__all__ = ["Group", "Grouping", "Shape"]
