"""Steps of the user's graph as functions: on the tasks of a cluster, or on the own one alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workbench.cluster.execution.registered_part import PartSession
from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.master.step_records import add_graphs, add_traces
from workbench.core.errors import CancelledError, OpError
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.parts import Part
from workbench.core.plan.placement.devices import task_of
from workbench.core.sync.scope import Scope, current, entered


class Runs(Protocol):
    """The master of steps on a cluster."""

    def register(self, parts: Sequence[Part]) -> int:
        """Tells the tasks of a step; the number that it is run by."""

    def run(
        self, handle: int, feeds: dict[str, Any], traces: list[bytes] | None = None
    ) -> dict[str, Any]:
        """Runs a step; what the user gets of it, by the tensors' names."""


def wants_trace(options: Any, run_metadata: Any) -> bool:
    """Whether a run is to tell what each operation took."""
    return run_metadata is not None and getattr(options, "trace_level", 0) != 0


def spread_program(
    master: Runs,
    parts: Sequence[Part],
    fetches: Sequence[Tensor],
    fed: Sequence[Tensor],
    in_users_terms: Callable[[OpError], OpError],
    devices: Mapping[Operation, str],
) -> Callable[..., tuple[Any, ...]]:
    """A function for a step of several tasks, from the fed values to the fetched ones.

    It takes `options` and `run_metadata` as `Session.run` does. The tasks of a step that was
    planned for sessions that were lost do not know it: it is told to them on first use.
    """
    handle = master.register(parts)
    keys = [t.name for t in fed]
    names = [t.name for t in fetches]
    used = {key for part in parts for key in part.feeds}

    def run(*values: Any, options: Any = None, run_metadata: Any = None) -> tuple[Any, ...]:
        feeds = dict(zip(keys, values, strict=True))
        traces: list[bytes] | None = [] if wants_trace(options, run_metadata) else None
        if getattr(options, "output_partition_graphs", False) and run_metadata is not None:
            add_graphs(run_metadata, parts, {op.name: place for op, place in devices.items()})
        try:
            found = master.run(handle, {k: v for k, v in feeds.items() if k in used}, traces)
        except OpError as error:
            raise in_users_terms(error) from None
        if traces:
            add_traces(run_metadata, traces)
        return tuple([found[name] if name in found else feeds[name] for name in names])

    return run


class LocalSteps:
    """The steps of a session that its server's process does alone, on the user's own graph.

    They cost what they cost without a cluster, but for the scope by which the session ends them.
    """

    def __init__(self, graph: Graph, master: MasterSession) -> None:
        self._master = master
        self._session = PartSession(graph, master.config, master.own.state(master.name))

    def program(
        self, fetches: Sequence[Tensor], targets: Sequence[Operation], fed: Sequence[Tensor]
    ) -> Callable[..., tuple[Any, ...]]:
        """A function from the fed values to the fetched ones, each in order."""
        call = self._session.make_callable([*fetches, *targets], list(fed))
        count, master = len(fetches), self._master

        def run(*values: Any, options: Any = None, run_metadata: Any = None) -> tuple[Any, ...]:
            scope = Scope(outer=current())
            number = master.enter(scope)
            try:
                with entered(scope):
                    if options is None and run_metadata is None:
                        found = call(*values)
                    else:
                        found = call(*values, options=options, run_metadata=run_metadata)
            except CancelledError:
                # What ended the session says more than what that ended.
                master.check()
                raise
            finally:
                master.leave(number)
                scope.end()
            if run_metadata is not None:
                # A session of this process told of the devices, which are those of the task.
                task = task_of(master.devices[0])
                for entry in run_metadata.step_stats.dev_stats:
                    entry.device = f"{task}/{entry.device.rpartition('/')[2]}"
            return tuple(found[:count])

        return run

    def waiting(self) -> list[Any]:
        """What its runs wait for."""
        return self._session.waiting()

    def close(self) -> None:
        """Forgets the programs."""
        self._session.close()


def is_local(devices: Sequence[str], task: str) -> bool:
    """Whether all devices are those of one task."""
    return all(task_of(device) == task for device in devices)
