"""The operations of queues: each once for handles that are references, once for resources."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.shapes import Entries
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.queues.components import Components, given
from workbench.core.ops.queues.held import agreed_resource, handle_of, held_resource
from workbench.core.ops.queues.resources import QueueResource, random_seed, within
from workbench.core.sync.stores import FifoStore, PriorityStore, ShuffleStore, Store

_PLACE = "container: string = '', shared_name: string = ''"
_SHAPES = "shapes: list(shape) >= 0 = []"
_QUEUES = ("FIFOQueue", "PaddingFIFOQueue", "RandomShuffleQueue", "PriorityQueue")


def _shared(context: Any, queue: QueueResource, container: str, shared_name: str) -> QueueResource:
    """The queue of that name in the session: `queue` itself, where there is none yet."""
    found = held_resource(context, QueueResource, lambda: queue, container, shared_name)
    if found is not queue:
        found.check_shared(queue)
    found.agreed.add(context.name)
    return found


def _in_order(kind: str, store: type[FifoStore] | type[PriorityStore], has_priority: bool) -> Any:
    def make(
        *,
        component_types: Any,
        shapes: Any,
        capacity: int,
        container: str,
        shared_name: str,
        context: Any,
    ) -> QueueResource:
        agreed = agreed_resource(context, QueueResource, container, shared_name)
        if agreed is not None:
            return agreed
        types, known = component_types, shapes
        if has_priority:
            types = (np.dtype(np.int64), *types)
            known = ((), *known)
        if kind == "PaddingFIFOQueue" and len(known) != len(types):
            raise invalid("Shapes must be provided for all components of a PaddingFIFOQueue.")
        queue = QueueResource(
            kind, shared_name or context.name, store(), Components(types, known), capacity
        )
        return _shared(context, queue, container, shared_name)

    return make


def _shuffled(
    *,
    component_types: Any,
    shapes: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int,
    seed2: int,
    container: str,
    shared_name: str,
    context: Any,
) -> QueueResource:
    agreed = agreed_resource(context, QueueResource, container, shared_name)
    if agreed is not None:
        return agreed
    if min_after_dequeue < 0:
        raise invalid(f"min_after_dequeue must be >= 0, but it is {min_after_dequeue}")
    if 0 <= capacity <= min_after_dequeue:
        raise invalid(
            f"min_after_dequeue, {min_after_dequeue}, must be < capacity, {capacity}: nothing "
            "could be dequeued ever"
        )
    store: Store = ShuffleStore(min_after_dequeue, random_seed(seed, seed2))
    queue = QueueResource(
        "RandomShuffleQueue",
        shared_name or context.name,
        store,
        Components(component_types, shapes),
        capacity,
        {
            "min_after_dequeue": min_after_dequeue,
            "random seeds": (seed, seed2) if seed or seed2 else None,
        },
    )
    return _shared(context, queue, container, shared_name)


# -- shapes --------------------------------------------------------------------------------------


def component_shapes(op: Any) -> list[Entries]:
    """What the queue of an operation's handle knows of the shapes of an element's components."""
    queue = op.inputs[0].op
    count = len(op.attrs["component_types"]) if "component_types" in op.attrs else 0
    kind = queue.type.removesuffix("V2")
    if kind not in _QUEUES:
        return [None] * count
    shapes: list[Entries] = [s.entries for s in queue.attrs["shapes"]]
    if kind == "PriorityQueue":
        shapes = [(), *shapes]
    return shapes if len(shapes) == count else [None] * count


def _batch_shapes(op: Any) -> list[Entries]:
    count = constant_value(op.inputs[1])
    size = None if count is None else int(count)
    if size is not None and size < 0:
        raise ValueError(f"A queue gives out 0 or more elements, but n is {size}")
    return [None if e is None else (size, *e) for e in component_shapes(op)]


def _some_shapes(op: Any) -> list[Entries]:
    return [None if e is None else (None, *e) for e in component_shapes(op)]


# -- kernels -------------------------------------------------------------------------------------


def queue_of(handle: Any) -> QueueResource:
    """The queue that a handle stands for."""
    return handle_of(handle, QueueResource)


def _enqueue(handle: Any, components: Any, *, timeout_ms: int, context: Any) -> None:
    within(timeout_ms, lambda: queue_of(handle).enqueue(components, context))


def _enqueue_many(handle: Any, components: Any, *, timeout_ms: int, context: Any) -> None:
    within(timeout_ms, lambda: queue_of(handle).enqueue_many(components, context))


def _dequeue(handle: Any, *, component_types: Any, timeout_ms: int, context: Any) -> Any:
    queue = queue_of(handle)
    _check_types(queue, component_types)
    return given(within(timeout_ms, lambda: queue.dequeue(context)))


def _dequeuing(up_to: bool) -> Any:
    def dequeue(handle: Any, n: Any, *, component_types: Any, timeout_ms: int, context: Any) -> Any:
        queue = queue_of(handle)
        _check_types(queue, component_types)
        count = int(as_array(n).reshape(()))
        return within(timeout_ms, lambda: queue.dequeue_many(count, up_to, context))

    return dequeue


def _check_types(queue: QueueResource, wanted: Any) -> None:
    if tuple(wanted) != queue.components.types:
        has = [t.name for t in queue.components.types]
        raise invalid(
            f"{queue.machine.title} has components of types {has}, but "
            f"{[t.name for t in wanted]} are to be dequeued"
        )


def _close(handle: Any, *, cancel_pending_enqueues: bool, context: Any) -> None:
    queue_of(handle).finish(cancel_pending_enqueues, context)


def _is_closed(handle: Any) -> np.bool_:
    return np.bool_(queue_of(handle).is_closed)


def _size(handle: Any) -> np.int32:
    return np.int32(queue_of(handle).size)


# -- declarations --------------------------------------------------------------------------------

_TYPES = "component_types: list(type) >= 1"
_OF_ELEMENTS = f"{_TYPES}, timeout_ms: int = -1"
_TO_ELEMENTS = "Tcomponents: list(type) >= 1, timeout_ms: int = -1"


def _declare_both(
    type_name: str,
    inputs: str,
    outputs: str,
    attrs: str,
    shape: Any,
    kernel: Any,
    blocking: bool = False,
) -> None:
    """Declares an operation with handles as references, and its second version with resources."""
    for suffix, handle in (("", "Ref(string)"), ("V2", "resource")):
        declare(
            f"{type_name}{suffix}",
            inputs=inputs.replace("HANDLE", handle),
            outputs=outputs.replace("HANDLE", handle),
            attrs=attrs,
            shape=shape,
            kernel=kernel,
            stateful=True,
            blocking=blocking,
        )


def _handle_shape(op: Any) -> list[Entries]:
    return [() if op.type.endswith("V2") else (2,)]


_FIFO = f"{_TYPES}, {_SHAPES}, capacity: int = -1, {_PLACE}"
for _name in ("FIFOQueue", "PaddingFIFOQueue"):
    _make = _in_order(_name, FifoStore, False)
    _declare_both(_name, "", "handle: HANDLE", _FIFO, _handle_shape, _make)
_declare_both(
    "PriorityQueue",
    "",
    "handle: HANDLE",
    "component_types: list(type) >= 0 = [], shapes: list(shape) >= 0, capacity: int = -1, "
    f"{_PLACE}",
    _handle_shape,
    _in_order("PriorityQueue", PriorityStore, True),
)
_declare_both(
    "RandomShuffleQueue",
    "",
    "handle: HANDLE",
    f"{_TYPES}, {_SHAPES}, capacity: int = -1, min_after_dequeue: int = 0, seed: int = 0, "
    f"seed2: int = 0, {_PLACE}",
    _handle_shape,
    _shuffled,
)
for _name, _kernel in (("QueueEnqueue", _enqueue), ("QueueEnqueueMany", _enqueue_many)):
    _declare_both(
        _name,
        "handle: HANDLE, components: Tcomponents",
        "",
        _TO_ELEMENTS,
        shape_rules.no_outputs,
        _kernel,
        blocking=True,
    )
_declare_both(
    "QueueDequeue",
    "handle: HANDLE",
    "components: component_types",
    _OF_ELEMENTS,
    component_shapes,
    _dequeue,
    blocking=True,
)
for _name, _many, _rule in (
    ("QueueDequeueMany", _dequeuing(up_to=False), _batch_shapes),
    ("QueueDequeueUpTo", _dequeuing(up_to=True), _some_shapes),
):
    _declare_both(
        _name,
        "handle: HANDLE, n: int32",
        "components: component_types",
        _OF_ELEMENTS,
        _rule,
        _many,
        blocking=True,
    )
_declare_both(
    "QueueClose",
    "handle: HANDLE",
    "",
    "cancel_pending_enqueues: bool = false",
    shape_rules.no_outputs,
    _close,
    blocking=True,
)
_declare_both(
    "QueueIsClosed", "handle: HANDLE", "is_closed: bool", "", shape_rules.scalar, _is_closed
)
_declare_both("QueueSize", "handle: HANDLE", "size: int32", "", shape_rules.scalar, _size)


def _fake_queue(resource: Any) -> QueueResource:
    return queue_of(resource)


declare(
    "FakeQueue",
    inputs="resource: resource",
    outputs="handle: Ref(string)",
    shape=lambda op: [(2,)],
    kernel=_fake_queue,
    stateful=True,
)
