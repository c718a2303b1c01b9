"""The one driver of rewriting: it applies folding and the rules' tables until nothing changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.plan.known_values import shape_results
from workbench.core.plan.list_values import ListValues
from workbench.core.plan.node import Node, NodeTable, Value
from workbench.core.plan.pattern import Rule, match
from workbench.core.plan.refining import refine_shapes

#: A value is rewritten at most this often: rules that undo each other must not run for ever.
_LOOP_GUARD = 64
#: Results larger than this (elements) are computed in the run, not folded into the plan.
_FOLDED_ELEMENTS = 1 << 20


class Rewriter:
    """Rewrites a plan bottom-up; `counts` says how often each rule applied."""

    def __init__(self, table: NodeTable, rules: Sequence[Rule]) -> None:
        self.table = table
        self.counts: Counter[str] = Counter()
        #: The rules for a type of operation, each with the types one of its inputs must be of.
        self._by_type: dict[str, list[tuple[frozenset[str] | None, Rule]]] = defaultdict(list)
        for rule in rules:
            for type_name in rule.pattern.types:
                self._by_type[type_name].append((rule.pattern.needs, rule))
        self._values: dict[Value, Value] = {}
        self._nodes: dict[Node, Node] = {}
        self._lists = ListValues(table)

    def rewrite(
        self, values: Iterable[Value], roots: Iterable[Node]
    ) -> tuple[list[Value], list[Node]]:
        """The rewritten values and the nodes that must still run."""
        values, roots = list(values), list(roots)
        for node in sort_nodes([*(v.node for v in values), *roots]):
            self._visit(node)
        kept = [self._nodes[n] for n in roots]
        return [self._values[v] for v in values], kept

    def rewritten(self, value: Value) -> Value | None:
        """What became of a value; None where nothing needed it."""
        return self._values.get(value)

    def _visit(self, node: Node) -> None:
        values = self._values
        inputs = tuple([values[v] for v in node.inputs])
        after = tuple(dict.fromkeys([self._nodes[n] for n in node.after])) if node.after else ()
        rebuilt = self.table.like(node, inputs, after)
        if rebuilt is not node:
            refine_shapes(rebuilt)
        self._nodes[node] = rebuilt
        outputs = [Value(node, index) for index in range(len(node.dtypes))]
        results = [Value(rebuilt, value.index) for value in outputs]
        through_lists = self._lists.outputs(rebuilt)
        if through_lists is not None:
            results = through_lists
            if results and results[0].node is not rebuilt:
                self.counts["lists by element"] += 1
        elif rebuilt.is_pure and not rebuilt.after and not rebuilt.is_constant:
            folded = self._fold(rebuilt)
            if folded is not None:
                results = folded
            elif len(results) == 1:
                results = [self._simplify(results[0])]
                self._nodes[node] = results[0].node
        values.update(zip(outputs, results, strict=True))

    def _simplify(self, value: Value) -> Value:
        for _ in range(_LOOP_GUARD):
            replaced = self._apply(value)
            if replaced is None or replaced == value:
                return value
            value = replaced
            if value.node.is_constant or not value.node.is_pure or value.node.after:
                return value
            folded = self._fold(value.node)
            if folded is not None:
                return folded[value.index]
        raise RuntimeError(f"Rewrite rules do not come to an end at {value.node!r}")

    def _apply(self, value: Value) -> Value | None:
        rules = self._by_type.get(value.node.type)
        if rules is None:
            return None
        kinds = {v.node.type for v in value.node.inputs}
        for needs, rule in rules:
            if needs is not None and needs.isdisjoint(kinds):
                continue
            for bound in match(rule.pattern, value):
                replaced = rule.replace(bound, value.node, self.table)
                if replaced is not None and replaced != value:
                    self.counts[rule.name] += 1
                    return replaced
        return None

    def _fold(self, node: Node) -> list[Value] | None:
        known = shape_results(node)
        if known is None:
            if not node.inputs:
                return None
            for value in node.inputs:
                if not value.node.is_constant:
                    return None
            if not node.dtypes:
                # It is run for what it does.
                return None
            if node.type == "Fill" or _too_large(node) or _is_list(node):
                return None
            known = _computed(node)
        if known is None:
            return None
        self.counts["constant folding"] += 1
        return [
            self.table.constant(array, dtype, node.origin).output()
            for array, dtype in zip(known, node.dtypes, strict=True)
        ]


def _is_list(node: Node) -> bool:
    """True where a result is a list: each run begins one of its own."""
    return any(dtype.name == "variant" for dtype in node.dtypes)


def _too_large(node: Node) -> bool:
    if node.type == "BroadcastGradientArgs":
        # How many axes it gives follows from the values; they are few.
        return False
    for entries in node.shapes:
        if entries is None:
            return True
        size = 1
        for entry in entries:
            if not isinstance(entry, int):
                return True
            size *= entry
        # A broadcast constant is a view of one number, however large it is.
        if size > _FOLDED_ELEMENTS and node.type != "BroadcastTo":
            return True
    return False


def _computed(node: Node) -> list[np.ndarray[Any, Any]] | None:
    kernel = bind_kernel(node.type, node.attrs, len(node.inputs))
    if kernel is None:
        return None
    try:
        with np.errstate(all="ignore"):
            results = kernel(*(v.node.constant for v in node.inputs))
    except Exception:
        return None
    outputs = list(results) if len(node.dtypes) > 1 else [results]
    arrays = [as_array(r) for r in outputs]
    for array in arrays:
        array.flags.writeable = False
    return arrays


def sort_nodes(roots: Iterable[Node]) -> list[Node]:
    """The nodes that `roots` need, each after its inputs."""
    order: list[Node] = []
    done: set[Node] = set()
    opened: set[Node] = set()
    stack = list(roots)[::-1]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
        elif node in opened:
            done.add(node)
            order.append(stack.pop())
        else:
            # It stays on the stack below what it needs.
            opened.add(node)
            stack.extend([n for n in node.after[::-1] if n not in done])
            stack.extend([v.node for v in node.inputs[::-1] if v.node not in done])
    return order
