"""A session of the user's graph on a cluster: plans its steps, and has a master run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.master.step_plan import plan_step
from workbench.cluster.master.step_programs import LocalSteps, is_local, spread_program
from workbench.core.errors import OpError
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.parts import Part
from workbench.core.plan.placement.costs import CostModel
from workbench.core.plan.placement.devices import task_of
from workbench.core.plan.placement.graph_placer import GraphPlacer
from workbench.core.plan.placement.noted import note_devices, note_step
from workbench.core.plan.placement.report import Placement
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.devices import Device, local_devices
from workbench.core.runtime.failures import make_error, missing_feeds_error
from workbench.core.sync.registry import Waiting


class Master(Protocol):
    """Who runs planned steps: in this process, or at the other end of the wire."""

    @property
    def config(self) -> Any:
        """The session's `ConfigProto` with what the server says for all, or None."""

    @property
    def devices(self) -> Sequence[str]:
        """The devices of all tasks by their full names, the default one first."""

    def register(self, parts: Sequence[Part]) -> int:
        """Tells the tasks of a step; the number that it is run by."""

    def run(
        self, handle: int, feeds: Mapping[str, Any], traces: list[bytes] | None = None
    ) -> dict[str, Any]:
        """Runs a step; what the user gets of it, by the tensors' names."""

    def waiting(self) -> list[list[Any]]:
        """What steps of the session wait for, on all tasks: the fields of `Waiting`."""

    def labels(self, text: str | None) -> list[str]:
        """What the tasks are told of whose their state is, where it is given; what they know."""

    def close(self) -> None:
        """The session ends."""


class PlannedSession:
    """The steps of a graph on the devices that a master knows of."""

    def __init__(self, graph: Graph, master: Master, placer: str = "default") -> None:
        self._graph = graph
        self._master = master
        self._placer = GraphPlacer(graph, placer, master.devices)
        note_devices(graph, master.devices)
        #: The steps that need no other process, where the master is in this one.
        self._local = LocalSteps(graph, master) if isinstance(master, MasterSession) else None

    def placement(
        self,
        fetches: Sequence[Tensor],
        targets: Sequence[Operation],
        fed: Sequence[Tensor],
        costs: CostModel | None = None,
    ) -> Placement:
        """Where each operation of a step runs, and why."""
        order = needed_operations(fetches, targets, fed)
        return self._placer.place(order, fed, fetches, costs)

    def use_costs(self, costs: Sequence[Any]) -> None:
        """Places what is planned from now on with other costs: a model, or traced runs."""
        is_model = len(costs) == 1 and isinstance(costs[0], CostModel)
        self._placer.use(costs[0] if is_model else CostModel.measured(*costs))

    def devices(
        self, order: Sequence[Operation], fetches: Sequence[Tensor], fed: Sequence[Tensor]
    ) -> Mapping[Operation, str]:
        """The device of each operation of a step."""
        return self._placer.devices(order, fed, fetches)

    def program(
        self, fetches: Sequence[Tensor], targets: Sequence[Operation], fed: Sequence[Tensor]
    ) -> Callable[..., tuple[Any, ...]]:
        """A function from the fed values to the fetched ones, each in order."""
        order = needed_operations(fetches, targets, fed)
        missing = missing_feeds_error(order, [*fetches, *targets], list(fed))
        if missing is not None:
            raise missing
        devices = self._placer.devices(order, fed, fetches)
        note_step(self._graph, devices)
        if self._local is not None and is_local(list(devices.values()), self._task):
            return self._local.program(fetches, targets, fed)
        plan = plan_step(order, fetches, fed, devices)
        return spread_program(
            self._master, plan.parts, fetches, fed, self._in_users_terms, plan.devices
        )

    @property
    def config(self) -> Any:
        """The session's `ConfigProto` with what its server says for all, or None."""
        return self._master.config

    @property
    def _task(self) -> str:
        return task_of(self._master.devices[0])

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

    def waiting(self) -> list[Waiting]:
        """What runs of the session wait for, on all tasks."""
        found = [Waiting(*fields) for fields in self._master.waiting()]
        return [*(self._local.waiting() if self._local is not None else ()), *found]

    def label(self, text: str) -> None:
        """Has the tasks know whose their variables are."""
        self._master.labels(text)

    def labels(self) -> list[str]:
        """What tasks know of whose their variables are; "" for nothing."""
        return self._master.labels(None)

    def close(self) -> None:
        """The session ends."""
        self._master.close()
        if self._local is not None:
            self._local.close()
