"""A session of the user's graph on a cluster: plans its steps, and has a master run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workbench.cluster.master.step_plan import StepPlan, plan_step
from workbench.core.errors import OpError
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.parts import Part
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.devices import Device, local_devices
from workbench.core.runtime.failures import make_error, missing_feeds_error


class Master(Protocol):
    """Who runs planned steps: in this process, or at the other end of the wire."""

    @property
    def devices(self) -> Sequence[str]:
        """The devices of all tasks by their full names, the default one first."""

    def register(self, parts: Sequence[Part]) -> int:
        """Tells the tasks of a step; the number that it is run by."""

    def run(self, handle: int, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Runs a step; what the user gets of it, by the tensors' names."""

    def close(self) -> None:
        """The session ends."""


class PlannedSession:
    """The steps of a graph on the devices that a master knows of."""

    def __init__(self, graph: Graph, master: Master) -> None:
        self._graph = graph
        self._master = master

    def plan(
        self, fetches: Sequence[Tensor], targets: Sequence[Operation], fed: Sequence[Tensor]
    ) -> StepPlan:
        """What each task does of a step. InvalidArgumentError for placeholders without a value."""
        order = needed_operations(fetches, targets, fed)
        missing = missing_feeds_error(order, [*fetches, *targets], list(fed))
        if missing is not None:
            raise missing
        devices = self._master.devices
        return plan_step(order, fetches, fed, devices, devices[0])

    def program(
        self, fetches: Sequence[Tensor], targets: Sequence[Operation], fed: Sequence[Tensor]
    ) -> Callable[..., tuple[Any, ...]]:
        """A function from the fed values to the fetched ones, each in order."""
        plan = self.plan(fetches, targets, fed)
        handle = self._master.register(plan.parts)
        keys = [t.name for t in fed]
        names = [t.name for t in fetches]
        used = {key for part in plan.parts for key in part.feeds}

        def run(*values: Any) -> tuple[Any, ...]:
            feeds = dict(zip(keys, values, strict=True))
            try:
                found = self._master.run(handle, {k: v for k, v in feeds.items() if k in used})
            except OpError as error:
                raise self._in_users_terms(error) from None
            return tuple([found[name] if name in found else feeds[name] for name in names])

        return run

    def _in_users_terms(self, error: OpError) -> OpError:
        """An error of a task, about the operation and the line of the user's graph."""
        name = error.op if isinstance(error.op, str) else getattr(error.op, "name", None)
        if name is None:
            return error
        try:
            op = self._graph.get_operation_by_name(name)
        except KeyError:
            return make_error(type(error), None, error.message)
        line = user_line(op.frames)
        message = f"{line}\n  {error.message}" if line else error.message
        return make_error(type(error), op, message)

    def list_devices(self) -> list[Any]:
        """The devices of the cluster; their memory is taken to be that of this machine."""
        memory = local_devices()[0].memory_limit_bytes
        return [Device(name, "CPU", memory) for name in self._master.devices]

    def close(self) -> None:
        """The session ends."""
        self._master.close()
