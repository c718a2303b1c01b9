"""Lists whose elements are known one by one: what goes through them needs no list.

Where the places that are written and read are known, as in a loop that was unrolled, reading an
element gives the value that was written, and stacking a list is packing its elements.
"""

from __future__ import annotations

from workbench.core.plan.list_elements import ListElements, ListState
from workbench.core.plan.list_rules import RULES
from workbench.core.plan.node import Node, NodeTable, Value

#: Operations that are no operations of lists, but take lists as well.
_OF_ANYTHING = frozenset({"ZerosLike", "AddN", "Add", "AddV2"})


class ListValues:
    """Follows lists through a plan while it is rewritten."""

    def __init__(self, table: NodeTable) -> None:
        self._lists = ListElements(table)

    def outputs(self, node: Node) -> list[Value] | None:
        """What the outputs of a node are instead; None where they stay what they are."""
        rule = RULES.get(node.type)
        if rule is None or node.after:
            return None
        if node.type in _OF_ANYTHING and node.dtypes[0].name != "variant":
            return None
        found = rule(self._lists, node)
        if found is None:
            return None
        outputs = []
        for index, result in enumerate(found):
            value = node.output(index)
            if isinstance(result, ListState):
                self._lists.know(value, result)
                outputs.append(value)
            else:
                outputs.append(result)
        return outputs
