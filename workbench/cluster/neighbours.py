"""The tasks of a cluster as one of them sees them: what they are called, reached by, and have."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence

from workbench.cluster.addresses import canonical
from workbench.cluster.master.tasks import RemoteTask, checked
from workbench.cluster.spec import ClusterSpec
from workbench.cluster.wire.endpoint import Endpoint
from workbench.core.errors import InvalidArgumentError, UnavailableError
from workbench.core.plan.placement.devices import device_name, fits, task_name

#: How long a new session waits for other tasks to tell of their devices, in seconds.
_GREETING_SECONDS = 0.5
#: A task has no more devices than this, whatever it says.
_MOST_DEVICES = 1024


class Neighbours:
    """The other tasks of a cluster, and the devices of all.

    Args:
      cluster: the cluster.
      job, index: which of its tasks this process is.
      endpoint: what reaches the others.
      device_count: how many devices this task has.
      are_named: whether the others know themselves by their names in this cluster; False for the
        cluster of one session, whose tasks may be called otherwise by themselves.
    """

    def __init__(
        self,
        cluster: ClusterSpec,
        job: str,
        index: int,
        endpoint: Endpoint,
        device_count: int,
        are_named: bool = True,
    ) -> None:
        self._cluster, self._own = cluster, (job, index)
        self._endpoint, self._device_count = endpoint, device_count
        #: What this process is called, and where the others reach it.
        self.own_name = task_name(job, index)
        self.own_address = canonical(cluster.task_address(job, index))
        self._others = {
            task_name(j, i): RemoteTask(
                task_name(j, i), canonical(cluster.task_address(j, i)), endpoint, are_named
            )
            for j, i in self._tasks()
        }
        #: How many devices the others have, as far as they have said so.
        self._counts: dict[str, int] = {}

    def of_session(self, cluster: ClusterSpec, address: str) -> Neighbours:
        """The cluster that a session brings with it, seen by this server, which is at an address.

        InvalidArgumentError where the server is not in it.
        """
        for job in cluster.jobs:
            for index in cluster.task_indices(job):
                if canonical(cluster.task_address(job, index)) == address:
                    return Neighbours(
                        cluster, job, index, self._endpoint, self._device_count, False
                    )
        raise InvalidArgumentError(
            None,
            None,
            f"The server at {address} is not one of the tasks in the session's cluster_def: "
            f"{cluster.as_dict()}",
        )

    def _tasks(self) -> list[tuple[str, int]]:
        """The other tasks."""
        found = [(job, i) for job in self._cluster.jobs for i in self._cluster.task_indices(job)]
        return [task for task in found if task != self._own]

    @property
    def others(self) -> Mapping[str, RemoteTask]:
        """The other tasks by name."""
        return self._others

    def forget_devices(self, address: str) -> None:
        """Who was at an address is gone: who takes its place says itself what it has."""
        for name, task in self._others.items():
            if task.address == address:
                self._counts.pop(name, None)

    def devices(self, filters: Sequence[str]) -> list[str]:
        """The devices of this task, then those of the others that the filters let through."""
        own = [device_name(*self._own, i) for i in range(self._device_count)]
        first = {task_name(job, index): device_name(job, index) for job, index in self._tasks()}
        wanted = [t for t, d in first.items() if not filters or any(fits(d, f) for f in filters)]
        self._greet([t for t in wanted if t not in self._counts])
        return own + [
            f"{first[task].rpartition(':')[0]}:{number}"
            for task in wanted
            for number in range(self._counts.get(task, 1))
        ]

    def _greet(self, tasks: Sequence[str]) -> None:
        """Asks tasks for their devices. Those that are not there yet are taken to have one."""
        answers = [(task, self._others[task].greet()) for task in tasks]
        deadline = time.monotonic() + _GREETING_SECONDS
        for task, answer in answers:
            with contextlib.suppress(TimeoutError, UnavailableError):
                found = checked(answer.result(max(deadline - time.monotonic(), 0.0)), task)
                count = found.fields.get("devices")
                self._counts[task] = min(count, _MOST_DEVICES) if type(count) is int else 1
