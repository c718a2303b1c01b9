"""Clusters: jobs, their tasks, and where each of them is reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: What jobs may be called, so that devices can be named by them.
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class ClusterSpec:
    """The tasks of a cluster by job, each with its address.

    `cluster` is a dictionary from the names of jobs to lists of addresses ("host:port"), or to
    dictionaries from task numbers to addresses; or a `ClusterDef`, or another ClusterSpec.

    >>> import workbench as tf
    >>> cluster = tf.train.ClusterSpec({"ps": ["a:2222"], "worker": ["b:2222", "c:2222"]})
    >>> cluster.jobs, cluster.num_tasks("worker"), cluster.task_address("worker", 1)
    (['ps', 'worker'], 2, 'c:2222')
    """

    def __init__(self, cluster: Any) -> None:
        self._tasks: dict[str, dict[int, str]] = {}
        if isinstance(cluster, ClusterSpec):
            self._tasks = {job: dict(tasks) for job, tasks in cluster._tasks.items()}
        elif isinstance(cluster, Mapping):
            for job, tasks in cluster.items():
                self._tasks[_job_name(job)] = _numbered(job, tasks)
        elif hasattr(cluster, "job"):
            for job in cluster.job:
                self._tasks[_job_name(job.name)] = _numbered(job.name, dict(job.tasks))
        else:
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network "
                f"addresses, or a `ClusterDef` protocol buffer, but is {cluster!r}"
            )
        self._tasks = {job: dict(sorted(t.items())) for job, t in sorted(self._tasks.items())}

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._tasks)

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has. ValueError for a job that does not exist."""
        return len(self._of(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers of a job's tasks. ValueError for a job that does not exist."""
        return list(self._of(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """Where a task is reached. ValueError for one that does not exist."""
        tasks = self._of(job_name)
        if task_index not in tasks:
            raise ValueError(
                f"No task with index {task_index!r} in job {job_name!r}. It has {_listed(tasks)}"
            )
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses of a job's tasks by number, None where a number is left out."""
        tasks = self._of(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]

    def as_dict(self) -> dict[str, Any]:
        """Lists of addresses by job; dictionaries for jobs that leave numbers out."""
        return {
            job: list(tasks.values()) if list(tasks) == list(range(len(tasks))) else dict(tasks)
            for job, tasks in self._tasks.items()
        }

    def as_cluster_def(self) -> Any:
        """The cluster as a `ClusterDef`."""
        from workbench.core.protos import ClusterDef

        definition = ClusterDef()
        for job, tasks in self._tasks.items():
            entry = definition.job.add(name=job)
            for index, address in tasks.items():
                entry.tasks[index] = address
        return definition

    def _of(self, job_name: str) -> dict[int, str]:
        try:
            return self._tasks[job_name]
        except KeyError:
            raise ValueError(
                f"No such job in cluster: {job_name!r}. It has {_listed(self._tasks)}"
            ) from None

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self._tasks == other._tasks

    def __hash__(self) -> int:
        return hash(str(self._tasks))

    def __repr__(self) -> str:
        return f"ClusterSpec({self.as_dict()!r})"


def common_text(cluster: ClusterSpec, job: str) -> str:
    """What other tasks must say as well of their cluster: how many tasks each job has.

    A task need not know all: jobs that leave numbers out are not counted, nor the task's own `job`
    where it knows only itself. "" where that is too long to be said.

    >>> from workbench.cluster.spec import ClusterSpec, common_text
    >>> common_text(ClusterSpec({"ps": ["a:1"], "worker": ["b:1", "c:1"]}), "ps")
    'worker=2'
    >>> common_text(ClusterSpec({"ps": ["a:1"], "worker": {1: "c:1"}}), "worker")
    'ps=1'
    """
    counts = {
        name: cluster.num_tasks(name)
        for name in cluster.jobs
        if cluster.task_indices(name) == list(range(cluster.num_tasks(name)))
    }
    if counts.get(job) == 1:
        del counts[job]
    text = " ".join(f"{name}={count}" for name, count in counts.items())
    return text if len(text) <= 512 else ""


def _text(value: Any) -> str:
    text = value.decode() if isinstance(value, bytes) else value
    if not isinstance(text, str):
        raise TypeError(f"Names and addresses must be strings, got {value!r}")
    return text


def _job_name(value: Any) -> str:
    name = _text(value)
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a job: use letters, digits, '_', '-' and '.', as devices are "
            "named by it"
        )
    return name


def _listed(names: Mapping[Any, Any]) -> str:
    return ", ".join(str(name) for name in names) or "none"


def _numbered(job: Any, tasks: Any) -> dict[int, str]:
    if isinstance(tasks, Mapping):
        if not all(isinstance(i, int) for i in tasks):
            raise TypeError(f"The tasks of job {job!r} must have integers for keys, got {tasks!r}")
        if any(i < 0 for i in tasks):
            raise ValueError(f"The tasks of job {job!r} must not be negative, got {tasks!r}")
        return {i: _text(address) for i, address in tasks.items()}
    if isinstance(tasks, (list, tuple)):
        return {i: _text(address) for i, address in enumerate(tasks)}
    raise TypeError(
        f"The tasks of job {job!r} must be a list of addresses or a dictionary from numbers to "
        f"addresses, got {tasks!r}"
    )
