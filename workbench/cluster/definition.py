"""Which task of which cluster a server is, and where it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.cluster.addresses import canonical
from workbench.cluster.spec import ClusterSpec
from workbench.core.errors import InvalidArgumentError


@dataclass(frozen=True)
class Definition:
    """What a server is made of; `config` is what its sessions have beside their own."""

    cluster: ClusterSpec
    job: str
    index: int
    address: str
    config: Any


def definition_of(
    server_or_cluster_def: Any,
    job_name: str | None,
    task_index: int | None,
    protocol: str | None,
    config: Any,
) -> Definition:
    """The definition that the arguments of a `Server` say; what a `ServerDef` has goes behind them.

    ValueError for a task that does not exist, or where it is not clear which is meant; TypeError
    for arguments of other types;
    InvalidArgumentError for another protocol, or an address that is none.
    """
    cluster_def = server_or_cluster_def
    if hasattr(cluster_def, "cluster") and hasattr(cluster_def, "job_name"):
        job_name = cluster_def.job_name if job_name is None else job_name
        task_index = cluster_def.task_index if task_index is None else task_index
        protocol = protocol or cluster_def.protocol
        config = config or cluster_def.default_session_config
        cluster_def = cluster_def.cluster
    if config is not None and not hasattr(config, "device_count"):
        raise TypeError(f"config must be a tf.ConfigProto, but got {config!r}")
    cluster = ClusterSpec(cluster_def)
    job, index = _which(cluster, job_name, task_index)
    if (protocol or "tcp") not in ("tcp", "grpc"):
        raise InvalidArgumentError(
            None, None, f"There is no protocol {protocol!r}: servers speak 'tcp'"
        )
    return Definition(cluster, job, index, _addresses(cluster)[job, index], config)


def _addresses(cluster: ClusterSpec) -> dict[tuple[str, int], str]:
    """The addresses of all tasks. InvalidArgumentError where one is none, or two are the same."""
    found: dict[tuple[str, int], str] = {}
    known: dict[str, str] = {}
    for job in cluster.jobs:
        for index in cluster.task_indices(job):
            name = f"task {index} of job {job!r}"
            try:
                address = canonical(cluster.task_address(job, index))
            except ValueError as error:
                raise InvalidArgumentError(None, None, f"{error} (for {name})") from None
            other = known.setdefault(address, name)
            # Any port that is free is another one each time.
            if other != name and not address.endswith(":0"):
                raise InvalidArgumentError(
                    None, None, f"{other} and {name} have one address, {address}"
                )
            found[job, index] = address
    return found


def _which(cluster: ClusterSpec, job: str | None, index: int | None) -> tuple[str, int]:
    """The task of a server. ValueError where it is not said and not clear."""
    if job is None or job == "":
        if not cluster:
            raise ValueError("The cluster has no tasks: a server is one of them")
        if len(cluster.jobs) != 1:
            raise ValueError(
                "Must specify an explicit `job_name` where a cluster has more jobs than one: "
                f"{', '.join(cluster.jobs)}"
            )
        job = cluster.jobs[0]
    if index is None:
        indices = cluster.task_indices(job)
        if len(indices) != 1:
            raise ValueError(f"Must specify an explicit `task_index`: job {job!r} has {indices}")
        index = indices[0]
    if type(index) is not int:
        raise TypeError(f"task_index must be a number, but got {index!r}")
    cluster.task_address(job, index)
    return job, index
