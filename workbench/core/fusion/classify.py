"""What the compiled tier makes of each node of a plan: its role, or why it has none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from workbench.core.codegen.translation.description import (
    Access,
    Description,
    Expression,
    Reduction,
)
from workbench.core.codegen.translation.lookup import checked_kind, describe
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.places import shape_of
from workbench.core.fusion.regions import NAMING
from workbench.core.fusion.roles import Role
from workbench.core.fusion.rows import ROW_TYPES, row_kernel
from workbench.core.fusion.windows import CONVOLUTION_TYPES, POOLING_TYPES, check_window
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import HANDLE, Node

_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2"})
_SPLATS = frozenset({"Fill", "ZerosLike", "OnesLike"})


class Classification:
    """The roles of nodes, found when they are asked for.

    `left` has nodes that stay with the interpreter though a kernel was thought possible, with the
    reason; `copied` has views whose elements must move after all.
    """

    def __init__(
        self, left: Mapping[Node, str] | None = None, copied: frozenset[Node] = frozenset()
    ) -> None:
        self._left = dict(left or {})
        self._copied = copied
        self._roles: dict[Node, Role | None] = {}
        self.descriptions: dict[Node, Description] = {}
        #: For reductions that see their input with its axes in another order: that order.
        self.orders: dict[Node, tuple[int, ...]] = {}
        #: Why nodes are interpreted.
        self.reasons: dict[Node, str] = {}

    def role(self, node: Node) -> Role | None:
        """The role, or None for a node that is interpreted."""
        if node not in self._roles:
            try:
                if node in self._left:
                    raise Unsupported(self._left[node])
                self._roles[node] = self._classify(node)
            except Unsupported as error:
                self._roles[node] = None
                self.reasons[node] = str(error)
        return self._roles[node]

    def is_compiled(self, node: Node) -> bool:
        """True for nodes that a region can have."""
        return self.role(node) is not None

    def _classify(self, node: Node) -> Role:
        if node.type in NAMING:
            return Role.NAMING
        _require_static(node)
        if node in self._copied:
            return Role.COPY
        if node.type in _SPLATS:
            return Role.SPLAT
        if node.type in _PRODUCTS:
            return _product(node)
        if node.type in CONVOLUTION_TYPES or node.type in POOLING_TYPES:
            check_window(node)
            return Role.CONVOLUTION if node.type in CONVOLUTION_TYPES else Role.POOLING
        if node.type in ROW_TYPES:
            row_kernel(node)
            return Role.GATHER
        kind = checked_kind(node)
        if kind == "view":
            return Role.VIEW
        if kind == "parts":
            return Role.PARTS
        if kind == "decomposition":
            raise Unsupported(f"there is no kernel for {node.type}")
        return self._described(node, describe(node))

    def _described(self, node: Node, description: Description) -> Role:
        self.descriptions[node] = description
        if not isinstance(description, Reduction):
            kinds = {"elementwise": Role.ELEMENTWISE, "row": Role.ROW, "update": Role.UPDATE}
            return kinds[description.kind]
        box = description.consecutive
        if description.count == 1:
            self.descriptions[node] = _of_single_elements(node, description)
            return Role.ELEMENTWISE
        if box is not None and box[0] == 1:
            return Role.REDUCTION
        if description.axes != (len(description.shape) - 1,):
            # Seen with the axes it reduces as one last axis, each place is a row.
            kept = [a for a in range(len(description.shape)) if a not in description.axes]
            self.orders[node] = (*kept, *description.axes)
            shape = (*(description.shape[a] for a in kept), description.count)
            description = replace(description, shape=shape, axes=(len(shape) - 1,), keep_dims=False)
        self.descriptions[node] = description.rows()
        return Role.ROW


def _of_single_elements(node: Node, description: Reduction) -> Expression:
    """A reduction over axes of size 1: only what comes before and after it is left."""
    shape = shape_of(node.output())

    def write(x: Term) -> Term:
        step = description.finish(x.builder, description.before(x).step, is_literal=True)
        return Term(x.builder, step)

    return Expression("elementwise", shape, (Access(description.input, shape),), (shape,), write)


def _require_static(node: Node) -> None:
    for value in [*node.inputs, *(node.output(i) for i in range(len(node.dtypes)))]:
        if value.node.type == HANDLE:
            continue
        shape = static_shape(value)
        if shape is None:
            raise Unsupported("its shapes are not known before it runs")
        if math.prod(shape) == 0:
            raise Unsupported("it has no elements")


def _product(node: Node) -> Role:
    if node.dtypes[0].name not in ("float32", "float64"):
        raise Unsupported(f"products are not compiled for {node.dtypes[0].name}")
    return Role.PRODUCT
