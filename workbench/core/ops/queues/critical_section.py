"""`CriticalSection`: a part of a graph that one step at a time runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from workbench.core.graph import nest
from workbench.core.graph.context import (
    add_to_collection,
    colocate_with,
    control_dependencies,
    get_collection,
    get_default_graph,
    name_scope,
)
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.control import group
from workbench.core.ops.creation import call, create
from workbench.core.ops.identity import identity
from workbench.core.ops.queues import mutex_ops as mutex_ops

#: The collections of all critical sections, and of all that was made to run in one.
CRITICAL_SECTIONS = "critical_sections"
CRITICAL_SECTION_EXECUTIONS = "critical_section_executions"


class _Execution(NamedTuple):
    """One function that runs in a critical section."""

    op: Operation
    handle: Tensor
    resources: list[Tensor]
    exclusive_resource_access: bool


class CriticalSection:
    """A lock for parts of a graph: of all that runs in it, only one runs at a time.

    Args:
      name: the name of the operation.
      shared_name: sections of one shared name are one section of a session.

    >>> import workbench as tf
    >>> section = tf.contrib.framework.CriticalSection()
    >>> count = tf.get_variable("count", initializer=0, use_resource=True)
    >>> def double():
    ...     return count.assign(count.read_value() * 2 + 1)
    >>> doubled = [section.execute(double) for _ in range(3)]
    >>> with tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     sorted(int(v) for v in session.run(doubled))
    [1, 3, 7]
    """

    def __init__(self, name: str | None = None, shared_name: str | None = None) -> None:
        with name_scope(name, "CriticalSection", []) as scope:
            graph = get_default_graph()
            self._handle = call(
                "MutexV2",
                scope,
                shared_name=shared_name or graph.full_name(scope),
                container=graph.scopes.containers[-1] if graph.scopes.containers else None,
            )
        add_to_collection(CRITICAL_SECTIONS, self)

    @property
    def name(self) -> str:
        """The name of the section's operation."""
        return self._handle.op.name

    def execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What `fn(*args, **kwargs)` makes, to run while nothing else runs in the section.

        All it makes runs together, after all that it uses from outside. Among `kwargs`, `name`
        names the operations, and `exclusive_resource_access` (True) says that no other section
        may use the variables and other resources that it uses.

        Raises ValueError where `fn` uses the section itself, or what another section has for its
        own.
        """
        name = kwargs.pop("name", None)
        exclusive = kwargs.pop("exclusive_resource_access", True)
        graph = get_default_graph()
        with name_scope(name, "critical_section_execute", []):
            lock = call("MutexLock", None, mutex=self._handle)
            before = len(graph.get_operations())
            with control_dependencies([lock]):
                result = fn(*args, **kwargs)
            made = graph.get_operations()[before:]
            resources = _resources(made)
            if any(self._is_own(resource) for resource in resources):
                raise ValueError(
                    "The function fn attempts to directly access the CriticalSection in which it "
                    "would be running.  This is illegal and would cause deadlocks."
                )
            self._check_resources(resources, exclusive)
            lock.op._add_control_inputs(_needed_from_outside(lock.op, made))
            outputs = self._together(result, lock)
        execution = _Execution(lock.op, self._handle, resources, exclusive)
        add_to_collection(CRITICAL_SECTION_EXECUTIONS, execution)
        return outputs

    @staticmethod
    def _together(result: Any, lock: Tensor) -> Any:
        """The outputs of a function, which are there when all are, and the lock is given back."""
        outputs = [None if each is None else _copy(each) for each in nest.flatten(result)]
        done = [each for each in outputs if each is not None]
        with control_dependencies(done), colocate_with(lock):
            consumed = create("ConsumeMutexLock", None, mutex_lock=lock)
        with control_dependencies([consumed]):
            flat = [None if each is None else _copy(each) for each in outputs]
        return nest.pack_sequence_as(result, flat)

    def _is_own(self, handle: Tensor) -> bool:
        """True for a handle of this section's mutex."""
        op, own = handle.op, self._handle.op
        return (
            op.type == "MutexV2"
            and bool(op.attrs["shared_name"])
            and op.attrs["shared_name"] == own.attrs["shared_name"]
            and op.device == own.device
        )

    def _check_resources(self, resources: Iterable[Tensor], exclusive: bool) -> None:
        """Raises ValueError where another section has one of the resources for its own."""
        for other in get_collection(CRITICAL_SECTION_EXECUTIONS):
            if self._is_own(other.handle):
                continue
            if not (exclusive or other.exclusive_resource_access):
                continue
            both = [r for r in resources if r in other.resources]
            if both:
                raise ValueError(
                    f"This execution would access resources: {both}.  Either this lock "
                    f"(CriticalSection: {self._handle.name}) or lock '{other.op.name}' "
                    f"(CriticalSection: {other.handle.name}) requested exclusive resource access "
                    "of this resource.  Did you mean to call execute with keyword argument "
                    "exclusive_resource_access=False?"
                )


def _resources(made: Iterable[Operation]) -> list[Tensor]:
    """The handles, of variables too, that operations use."""
    handles = (
        tensor
        for op in made
        for tensor in op.inputs
        if tensor.dtype.name == "resource" or tensor.dtype._is_ref_dtype
    )
    return list(dict.fromkeys(handles))


def _needed_from_outside(lock: Operation, made: list[Operation]) -> list[Operation]:
    """What the operations of a function use that it did not make: it comes before the lock.

    A section then waits for nothing but other sections, whatever holds up its arguments.
    """
    inside = {lock, *made, *(t.op for t in lock.inputs)}
    needed = (
        other
        for op in made
        for other in (*(t.op for t in op.inputs), *op.control_inputs)
        if other not in inside
    )
    return list(dict.fromkeys(needed))


def _copy(value: Any) -> Any:
    if isinstance(value, Operation):
        return group(value)
    if hasattr(value, "identity") and not isinstance(value, Tensor):
        # A TensorArray.
        return value.identity()
    return identity(value)
