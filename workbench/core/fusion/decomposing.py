"""Nodes written as several smaller ones, which fuse where the whole would not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from workbench.core.codegen.translation.decomposition import DECOMPOSITIONS
from workbench.core.codegen.translation.lookup import decompose
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import Node, NodeTable, Value
from workbench.core.plan.schedule import schedule

_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "Conv2DBackpropFilter"})


class Decomposed(NamedTuple):
    """The nodes of a plan in order, some of them replaced by smaller ones."""

    order: tuple[Node, ...]
    fetches: tuple[Value, ...]
    #: What stands for the values of the original nodes that are not among the new ones.
    replaced: dict[Value, Value]


def decompose_nodes(order: Sequence[Node], fetches: Sequence[Value]) -> Decomposed:
    """Decomposes what the translation knows how to, and sums of products.

    A sum of products becomes a chain of additions, each at the end of its product.
    """
    uses = Counter(v for node in order for v in node.inputs)
    uses.update(fetches)
    chosen = [n for n in order if n.type in DECOMPOSITIONS or _is_sum_of_products(n, uses)]
    if not chosen:
        return Decomposed(tuple(order), tuple(fetches), {})
    table = _table_after(order)
    values: dict[Value, Value] = {}
    nodes: dict[Node, Node] = {}
    for node in order:
        inputs = tuple(values.get(v, v) for v in node.inputs)
        after = tuple(nodes.get(n, n) for n in node.after)
        made = node
        if inputs != node.inputs or after != node.after:
            made = table.make(
                node.type,
                inputs,
                node.attrs,
                node.dtypes,
                node.shapes,
                node.origin,
                after,
                None if node.is_pure else node.number,
            )
        results = _decomposed(made, table) if node in chosen else None
        if results is None:
            results = tuple(made.output(i) for i in range(len(made.dtypes)))
        if made is not node:
            nodes[node] = made
        for index, value in enumerate(results):
            if value != node.output(index):
                values[node.output(index)] = value
    new_fetches = tuple(values.get(v, v) for v in fetches)
    effects = [nodes.get(n, n) for n in order if n.has_effect]
    new_order = schedule([*(v.node for v in new_fetches), *effects])
    return Decomposed(tuple(new_order), new_fetches, values)


def _table_after(order: Sequence[Node]) -> NodeTable:
    """A table whose nodes have other numbers than those of a plan."""
    return NodeTable(first=max((n.number for n in order), default=0) + 1)


def _is_sum_of_products(node: Node, uses: Counter[Value]) -> bool:
    if node.type != "AddN" or len(node.inputs) < 3 or node.after:
        return False
    shape = static_shape(node.output())
    return all(
        v.node.type in _PRODUCTS and uses[v] == 1 and static_shape(v) == shape for v in node.inputs
    )


def _decomposed(node: Node, table: NodeTable) -> tuple[Value, ...] | None:
    if node.type == "AddN":
        total = node.inputs[0]
        for value in node.inputs[1:]:
            made = table.make(
                "Add",
                (total, value),
                {"T": node.dtypes[0]},
                node.dtypes,
                node.shapes,
                node.origin,
            )
            total = made.output()
        return (total,)
    try:
        DECOMPOSITIONS[node.type].check(node)
        return decompose(node, table)
    except Unsupported:
        return None
