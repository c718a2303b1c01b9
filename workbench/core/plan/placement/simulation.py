"""Simulated execution: when each operation of a step begins and ends, for given devices.

A device does one operation after the other, in the order of the step; it begins one when its
inputs are there. A tensor goes once to each device that needs it; a link carries one transfer at a
time, and its latency passes while the next one goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.copied import is_copied
from workbench.core.plan.placement.colocation import stays_put
from workbench.core.plan.placement.costs import CostModel


@dataclass(frozen=True)
class Transfer:
    """A value, or where it has no bytes an order, that goes from one device to another."""

    name: str
    source: str
    destination: str
    bytes: float
    begins: float
    arrives: float


class Clock:
    """A step as far as it has been simulated.

    Args:
      costs: the cost model.
      fed: tensors that the user gives; they are on the device `home` from the beginning.
    """

    def __init__(self, costs: CostModel, fed: Iterable[Tensor], home: str) -> None:
        self._costs = costs
        self._home = home
        self._fed = set(fed)
        self._free: dict[str, float] = {}
        self._links: dict[tuple[str, str], float] = {}
        self._arrived: dict[tuple[Tensor | Operation, str], float] = {}
        self.place: dict[Operation, str] = {}
        self.begins: dict[Operation, float] = {}
        self.ends: dict[Operation, float] = {}
        self.transfers: list[Transfer] = []

    def completion(self, op: Operation, device: str) -> float:
        """When an operation would end on a device."""
        return self._begin(op, device, {}) + self._costs.operation_seconds(op, device)

    def run(self, op: Operation, device: str) -> None:
        """Has an operation run on a device."""
        begins = self._begin(op, device, None)
        self.place[op] = device
        self.begins[op] = begins
        self.ends[op] = begins + self._costs.operation_seconds(op, device)
        if not is_copied(op):
            self._free[device] = self.ends[op]

    def collect(self, fetches: Sequence[Tensor]) -> float:
        """Brings the fetches home; when all of the step has ended."""
        last = max(self.ends.values(), default=0.0)
        for tensor in fetches:
            last = max(last, self._arrival(tensor, self._home, None))
        return last

    def _begin(
        self, op: Operation, device: str, links: dict[tuple[str, str], float] | None
    ) -> float:
        if is_copied(op):
            return 0.0
        ready = self._free.get(device, 0.0)
        for tensor in op.inputs:
            ready = max(ready, self._arrival(tensor, device, links))
        for control in op._control_inputs:
            if control in self.place:
                ready = max(ready, self._arrival(control, device, links))
        return ready

    def _arrival(
        self,
        needed: Tensor | Operation,
        device: str,
        links: dict[tuple[str, str], float] | None,
    ) -> float:
        """When something is on a device. `links` takes the links' times where nothing really goes:
        the simulation is then as before."""
        if isinstance(needed, Tensor):
            if needed in self._fed:
                source, made = self._home, 0.0
            else:
                op = needed.op
                if is_copied(op) and not stays_put(needed):
                    return 0.0
                if op not in self.place:
                    # The end of a turn of a loop in raw form, which comes after its beginning.
                    return 0.0
                source, made = self.place[op], self.ends[op]
        else:
            source, made = self.place[needed], self.ends[needed]
        if source == device:
            return made
        key = needed, device
        if key in self._arrived:
            return self._arrived[key]
        size = self._costs.tensor_bytes(needed) if isinstance(needed, Tensor) else 0.0
        link, way = self._costs.link(source, device), (source, device)
        busy = self._links.get(way, 0.0)
        if links is not None:
            busy = links.get(way, busy)
        begins = max(made, busy)
        arrives = begins + link.seconds(size)
        taken = self._links if links is None else links
        taken[way] = begins + size / link.bytes_per_second
        if links is None:
            self._arrived[key] = arrives
            self.transfers.append(Transfer(needed.name, source, device, size, begins, arrives))
        return arrives


def simulate(
    order: Sequence[Operation],
    devices: Mapping[Operation, str],
    costs: CostModel,
    fed: Iterable[Tensor],
    fetches: Sequence[Tensor],
    home: str,
) -> tuple[float, Clock]:
    """How long a step takes with given devices, and the simulated step."""
    clock = Clock(costs, fed, home)
    for op in order:
        clock.run(op, devices[op])
    return clock.collect(fetches), clock
