"""The devices of replicas: variables go to parameter servers, everything else to the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.device import DeviceSpec, merge_device_names
from workbench.core.graph.operation import Operation

#: What parameter servers hold.
_HELD = (
    "Variable",
    "VariableV2",
    "AutoReloadVariable",
    "MutableHashTable",
    "MutableHashTableV2",
    "MutableHashTableOfTensors",
    "MutableHashTableOfTensorsV2",
    "MutableDenseHashTable",
    "MutableDenseHashTableV2",
    "VarHandleOp",
)


class _RoundRobin:
    """The tasks of a job in turns."""

    def __init__(self, tasks: int) -> None:
        self._tasks = tasks
        self._next = 0

    def __call__(self, op: Operation) -> int:
        task = self._next
        self._next = (task + 1) % self._tasks
        return task


def replica_device_setter(
    ps_tasks: int = 0,
    ps_device: str = "/job:ps",
    worker_device: str = "/job:worker",
    merge_devices: bool = True,
    cluster: Any = None,
    ps_ops: Sequence[str] | None = None,
    ps_strategy: Callable[[Operation], int] | None = None,
) -> Callable[[Operation], str] | None:
    """A device function: variables on the parameter servers, the rest on the worker.

    Args:
      ps_tasks: how many parameter servers there are, where `cluster` does not say it.
      ps_device: the job of the parameter servers; its variables go to them in turns.
      worker_device: the device of everything else.
      merge_devices: whether a device that an operation has already adds to this one, and wins.
      cluster: a `ClusterSpec`, or what one can be made of.
      ps_ops: the types of operations that parameter servers hold.
      ps_strategy: a function from an operation to the number of its parameter server.

    Returns None where there are no parameter servers.

    >>> import workbench as tf
    >>> cluster = {"ps": ["ps0:2222", "ps1:2222"], "worker": ["worker0:2222"]}
    >>> with tf.device(tf.train.replica_device_setter(cluster=cluster)):
    ...     v1, v2 = tf.Variable(1.0, name="v1"), tf.Variable(2.0, name="v2")
    ...     total = v1 + v2
    >>> v1.device, v2.device, total.device
    ('/job:ps/task:0', '/job:ps/task:1', '/job:worker')
    """
    if cluster is not None:
        if hasattr(cluster, "as_dict"):
            jobs: Any = cluster.as_dict()
        elif hasattr(cluster, "job"):
            jobs = {job.name: job.tasks for job in cluster.job}
        else:
            jobs = cluster
        name = DeviceSpec.from_string(ps_device).job
        if name not in jobs or not jobs[name]:
            return None
        ps_tasks = len(jobs[name])
    if not ps_tasks:
        return None
    strategy = ps_strategy if ps_strategy is not None else _RoundRobin(ps_tasks)
    if not callable(strategy):
        raise TypeError("ps_strategy must be callable")
    held = frozenset(_HELD if ps_ops is None else ps_ops)

    def choose(op: Operation) -> str:
        current = op.device or ""
        if current and not merge_devices:
            return current
        device = worker_device
        if op.type in held and ps_device:
            device = ps_device
            job = DeviceSpec.from_string(ps_device).job
            if job is not None and DeviceSpec.from_string(current).job in (None, job):
                device = merge_device_names(f"/task:{strategy(op)}", ps_device)
        return merge_device_names(current, device)

    return choose
