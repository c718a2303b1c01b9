"""What must come before what in a plan, for whoever wants to run its steps in another order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from workbench.core.plan.node import HANDLE, READ, Node
from workbench.core.plan.schedule import Aliases, updated_handles


class Hazards:
    """The orders that a schedule of a plan settled, besides those of its data.

    `users_before[update]` are the nodes that use the value which the update replaces; they come
    before it. `update_before[node]` are the updates whose new values a node may see; they come
    before the node. `effect_before[node]` is the stateful node that came before a stateful one.
    """

    def __init__(self, order: Sequence[Node]) -> None:
        self.users_before: dict[Node, tuple[Node, ...]] = {}
        self.update_before: dict[Node, tuple[Node, ...]] = {}
        self.effect_before: dict[Node, Node] = {}
        aliases = Aliases(order)
        users: dict[Node, list[Node]] = defaultdict(list)
        last_update: dict[Node, Node] = {}
        last_effect: Node | None = None
        for node in order:
            handles = _handles_used(node, aliases)
            before = tuple(dict.fromkeys(last_update[h] for h in handles if h in last_update))
            if before:
                self.update_before[node] = before
            updated = updated_handles(node)
            if updated:
                waiting = [u for h in updated for u in users[h] if u is not node]
                self.users_before[node] = tuple(dict.fromkeys(waiting))
            elif node.type != READ and node.has_effect:
                if last_effect is not None:
                    self.effect_before[node] = last_effect
                last_effect = node
            for handle in handles:
                users[handle].append(node)
            for handle in updated:
                users[handle] = [node]
                last_update[handle] = node

    def before(self, node: Node) -> list[Node]:
        """All nodes that come before one, its inputs and control inputs among them."""
        found = [v.node for v in node.inputs]
        found += node.after
        found += self.users_before.get(node, ())
        found += self.update_before.get(node, ())
        effect = self.effect_before.get(node)
        if effect is not None:
            found.append(effect)
        return found


def _handles_used(node: Node, aliases: Aliases) -> list[Node]:
    """The variables whose arrays a node reads or writes."""
    if node.type == HANDLE:
        return []
    found: dict[Node, None] = {}
    for value in node.inputs:
        for root in aliases.of(value):
            if isinstance(root, Node):
                found[root] = None
    return list(found)
