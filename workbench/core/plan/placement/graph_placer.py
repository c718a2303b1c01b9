"""Placement of the steps of one graph: what lies on a device stays there from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.copied import is_copied
from workbench.core.plan.placement.choice import choose_devices
from workbench.core.plan.placement.colocation import stays_put
from workbench.core.plan.placement.costs import CostModel
from workbench.core.plan.placement.devices import full_name
from workbench.core.plan.placement.placer import place_by_cost, place_by_rule
from workbench.core.plan.placement.report import Placement
from workbench.core.plan.reach import needed_operations

#: How operations that are not pinned are placed: on the default device, or where it is cheapest.
PLACERS = ("default", "cost")


class GraphPlacer:
    """Places the steps of a graph.

    Args:
      placer: "default" or "cost".
      devices: the devices' full names, the default one first.
      costs: the cost model.

    By cost, the variables, queues and the like get their devices from the graph as a whole, so
    that all steps find them at one place; what comes later is placed beside what is there.
    """

    def __init__(
        self, graph: Graph, placer: str, devices: Sequence[str], costs: CostModel | None = None
    ) -> None:
        self._graph, self._placer = graph, checked_placer(placer)
        self._devices, self._costs = list(devices), costs or CostModel()
        self._held: dict[Operation, str] = {}
        self._seen = -1

    def use(self, costs: CostModel) -> None:
        """Takes other costs from now on; what lies on a device stays there.

        ValueError where operations are not placed by cost.
        """
        if self._placer != "cost":
            raise ValueError('Operations are placed by rule here, not by cost: say placer="cost"')
        self._costs = costs

    def devices(
        self, order: Sequence[Operation], fed: Sequence[Tensor], fetches: Sequence[Tensor]
    ) -> dict[Operation, str]:
        """The device of each operation of a step."""
        if self._placer == "default":
            return choose_devices(order, self._devices, self._devices[0])
        return self.place(order, fed, fetches).device_of

    def place(
        self,
        order: Sequence[Operation],
        fed: Sequence[Tensor],
        fetches: Sequence[Tensor],
        costs: CostModel | None = None,
    ) -> Placement:
        """The placement of a step, whose operations each come after what they need.

        With other costs than the placer's own it tells where they would have the step run.
        """
        default, costs = self._devices[0], costs or self._costs
        if self._placer == "default":
            return place_by_rule(order, self._devices, default, costs, fed, fetches)
        self._hold_state()
        return place_by_cost(order, self._devices, default, costs, fed, fetches, self._held)

    def _hold_state(self) -> None:
        operations = self._graph.get_operations()
        if len(operations) == self._seen:
            return
        self._seen = len(operations)
        state = [op for op in operations if _is_state(op)]
        if all(op in self._held for op in state):
            return
        whole = needed_operations((), operations, ())
        # Whichever server leads a session: all must find a variable at one place.
        devices = sorted(self._devices)
        chosen = place_by_cost(whole, devices, devices[0], self._costs, held=self._held).device_of
        self._held.update({op: chosen[op] for op in state})


def _is_state(op: Operation) -> bool:
    return is_copied(op) and any(stays_put(t) for t in op.outputs)


def with_placer(config: Any, placer: str) -> Any:
    """A `ConfigProto` that is as another one, or None, but for the placer."""
    from workbench.core.protos import ConfigProto

    changed = ConfigProto()
    if config is not None:
        changed.CopyFrom(config)
    changed.graph_options.placer = checked_placer(placer)
    return changed


def checked_placer(placer: str) -> str:
    """The name of a placer; ValueError for others."""
    if placer not in PLACERS:
        raise ValueError(f"placer must be one of {', '.join(PLACERS)}, got {placer!r}")
    return placer


def step_placement(
    graph: Graph,
    devices: Sequence[str],
    fetches: Sequence[Tensor],
    targets: Sequence[Operation],
    fed: Sequence[Tensor],
    placer: str,
    costs: CostModel | None,
) -> Placement:
    """The placement of one step of a graph."""
    order = needed_operations(fetches, targets, fed)
    return GraphPlacer(graph, placer, devices, costs).place(order, fed, fetches)


def graph_placement(
    graph: Graph, devices: Any, fetches: Any, feeds: Any, placer: str, costs: CostModel | None
) -> Placement:
    """The placement of a step of a graph, for what `Graph.placement` takes."""
    from workbench.core.runtime.devices import local_devices
    from workbench.core.runtime.fetches import FetchPlan

    if isinstance(devices, str):
        devices = [devices]
    names = [d.name for d in local_devices()] if devices is None else map(full_name, devices)
    plan = FetchPlan(graph, graph.get_operations() if fetches is None else fetches)
    fed = [graph.as_graph_element(feed, allow_operation=False) for feed in feeds]
    return step_placement(
        graph, list(dict.fromkeys(names)), plan.tensors, plan.targets, fed, placer, costs
    )
