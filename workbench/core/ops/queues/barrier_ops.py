"""The operations of barriers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.shapes import Entries, merge_entries
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.queues.components import Components, Element
from workbench.core.ops.queues.held import Held, handle_of, held_resource
from workbench.core.ops.queues.resources import within
from workbench.core.sync.barriers import BarrierMachine, CloseBarrier, Insert, Take

_HANDLE = "handle: Ref(string)"


class BarrierResource(Held):
    """A barrier of a session."""

    machine: BarrierMachine
    is_own = True

    def __init__(self, name: str, components: Components) -> None:
        super().__init__(BarrierMachine(len(components.types), f"Barrier '{name}'"))
        self.components = components

    def check_shared(self, other: Components) -> None:
        """Raises InvalidArgumentError where an operation wants another barrier of this name."""
        for what in ("types", "shapes"):
            has, wanted = getattr(self.components, what), getattr(other, what)
            if has != wanted:
                raise invalid(
                    f"Shared {self.machine.title} has component {what} {list(has)} but requested "
                    f"component {what} were {list(wanted)}"
                )

    def insert(self, component: int, keys: Any, values: Any, context: Any) -> None:
        """Gives keys their values for a component."""
        if not 0 <= component < len(self.components.types):
            raise invalid(
                f"The component ID is out of range {component} > num_components (= "
                f"{len(self.components.types)})"
            )
        names = [bytes(key) for key in as_array(keys).flat]
        array = as_array(values)
        if names and not array.size:
            raise invalid(
                f"Tensors with no elements are not supported {self.machine.title}: received shape "
                f"{list(array.shape)}"
            )
        if array.ndim == 0 or array.shape[0] != len(names):
            raise invalid(
                f"There are {len(names)} keys, but the values have the shape {list(array.shape)}"
            )
        part = Components(
            [self.components.types[component]],
            self.components.shapes[component : component + 1],
        )
        elements = part.elements([array])
        self.perform(Insert(component, names, [e[0] for e in elements]), context)

    def take(self, count: int, up_to: bool, context: Any) -> tuple[Any, Any, Element]:
        """The insertion numbers, the keys and the values of ready elements, as batches."""
        taken: Sequence[Any] = self.perform(Take(count, up_to), context) if count else []
        numbers = np.array([element[0] for element in taken], np.int64)
        keys = np.array([element[1] for element in taken], object)
        if not taken:
            return numbers, keys, self.components.empty_batch()
        return numbers, keys, self.components.batch([e[2:] for e in taken], pads=False)


def _make(
    *,
    component_types: Any,
    shapes: Any,
    capacity: int,
    container: str,
    shared_name: str,
    context: Any,
) -> BarrierResource:
    if capacity != -1:
        raise invalid(
            "Barrier only accepts capacity=-1.  Feed the inputs to your Barrier through a queue to "
            "enforce a limited capacity."
        )
    if len(shapes) != len(component_types):
        raise invalid("All of the component shapes must be specified")
    components = Components(component_types, shapes)
    name = shared_name or context.name
    barrier = held_resource(
        context,
        BarrierResource,
        lambda: BarrierResource(name, components),
        container,
        shared_name,
    )
    barrier.check_shared(components)
    return barrier


declare(
    "Barrier",
    outputs=_HANDLE,
    attrs=(
        "component_types: list(type) >= 1, shapes: list(shape) >= 0 = [], capacity: int = -1, "
        "container: string = '', shared_name: string = ''"
    ),
    shape=lambda op: [(2,)],
    kernel=_make,
    stateful=True,
)


def _insert_shape(op: Any) -> list[Entries]:
    handle, keys, values = op.inputs
    shape_rules.with_rank(keys.entries, 1, "keys")
    if values.entries == ():
        raise ValueError("values must have an axis to cut them along, but they are a scalar")
    if keys.entries is not None and values.entries is not None:
        merge_entries(keys.entries[0], values.entries[0])
    return []


def _insert(handle: Any, keys: Any, values: Any, *, component_index: int, context: Any) -> None:
    handle_of(handle, BarrierResource).insert(component_index, keys, values, context)


declare(
    "BarrierInsertMany",
    inputs=f"{_HANDLE}, keys: string, values: T",
    attrs="T: type, component_index: int",
    shape=_insert_shape,
    kernel=_insert,
    stateful=True,
    blocking=True,
)


def _take_shape(op: Any) -> list[Entries]:
    known = constant_value(op.inputs[1])
    size = None if known is None or op.attrs["allow_small_batch"] else int(known)
    barrier = op.inputs[0].op
    count = len(op.attrs["component_types"])
    shapes = [s.entries for s in barrier.attrs["shapes"]] if barrier.type == "Barrier" else []
    if len(shapes) != count:
        shapes = [None] * count
    return [(size,), (size,), *(None if e is None else (size, *e) for e in shapes)]


def _take(
    handle: Any,
    num_elements: Any,
    *,
    component_types: Any,
    allow_small_batch: bool,
    timeout_ms: int,
    context: Any,
) -> Any:
    barrier = handle_of(handle, BarrierResource)
    if tuple(component_types) != barrier.components.types:
        raise invalid(
            f"{barrier.machine.title} has components of types {list(barrier.components.types)}, "
            f"but {list(component_types)} are to be taken"
        )
    count = int(as_array(num_elements).reshape(()))
    numbers, keys, values = within(
        timeout_ms, lambda: barrier.take(count, allow_small_batch, context)
    )
    return (numbers, keys, *values)


declare(
    "BarrierTakeMany",
    inputs=f"{_HANDLE}, num_elements: int32",
    outputs="indices: int64, keys: string, values: component_types",
    attrs=(
        "component_types: list(type) >= 1, allow_small_batch: bool = false, "
        "wait_for_incomplete: bool = false, timeout_ms: int = -1"
    ),
    shape=_take_shape,
    kernel=_take,
    stateful=True,
    blocking=True,
)


def _close(handle: Any, *, cancel_pending_enqueues: bool, context: Any) -> None:
    request = CloseBarrier(cancel_pending_enqueues)
    handle_of(handle, BarrierResource).perform(request, context)


declare(
    "BarrierClose",
    inputs=_HANDLE,
    attrs="cancel_pending_enqueues: bool = false",
    shape=shape_rules.no_outputs,
    kernel=_close,
    stateful=True,
)


def _ready_size(handle: Any) -> np.int32:
    barrier = handle_of(handle, BarrierResource)
    return np.int32(barrier.ask(lambda: barrier.machine.ready_size))


def _incomplete_size(handle: Any) -> np.int32:
    barrier = handle_of(handle, BarrierResource)
    return np.int32(barrier.ask(lambda: barrier.machine.incomplete_size))


for _name, _kernel in (
    ("BarrierReadySize", _ready_size),
    ("BarrierIncompleteSize", _incomplete_size),
):
    declare(
        _name,
        inputs=_HANDLE,
        outputs="size: int32",
        shape=shape_rules.scalar,
        kernel=_kernel,
        stateful=True,
    )
