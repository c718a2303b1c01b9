"""The operations of iterators: they start datasets, and give elements to a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import shape_rules
from workbench.core.ops.data.iterator_resource import IteratorResource
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare


def _resource(
    context: Any, shared_name: str, container: str, types: Any, shapes: Any
) -> IteratorResource:
    key = context.state.key(container, shared_name, context.name, is_own=True)
    made: IteratorResource = context.state.resource(
        key,
        lambda: IteratorResource(key, context.operation, context.state, types, shapes),
    )
    context.state.resource(("iterators", made.handle.decode()), lambda: made)
    return made


def _iterator(
    *, shared_name: str, container: str, output_types: Any, output_shapes: Any, context: Any
) -> Any:
    return _resource(context, shared_name, container, output_types, output_shapes)


_STRUCTURE = "output_types: list(type) >= 1, output_shapes: list(shape) >= 1"

declare(
    "Iterator",
    outputs="handle: resource",
    attrs=f"shared_name: string = '', container: string = '', {_STRUCTURE}",
    shape=shape_rules.scalar,
    kernel=_iterator,
    stateful=True,
    gradient=NOT_DIFFERENTIABLE,
)


def _make_iterator(inputs: Any, iterator: Any, *, context: Any) -> None:
    iterator.start(context.operation, inputs)


declare(
    "MakeIterator",
    inputs="inputs: Tinputs, iterator: resource",
    attrs="dataset: string, Tinputs: list(type)",
    shape=shape_rules.no_outputs,
    kernel=_make_iterator,
    stateful=True,
    gradient=NOT_DIFFERENTIABLE,
)


def _one_shot(
    inputs: Any,
    *,
    shared_name: str,
    container: str,
    output_types: Any,
    output_shapes: Any,
    context: Any,
) -> Any:
    resource = _resource(context, shared_name, container, output_types, output_shapes)
    if not resource.started:
        resource.start(context.operation, inputs)
    return resource


declare(
    "OneShotIterator",
    inputs="inputs: Tinputs",
    outputs="handle: resource",
    attrs=(
        f"dataset: string, Tinputs: list(type), {_STRUCTURE}, container: string = '', "
        "shared_name: string = ''"
    ),
    shape=shape_rules.scalar,
    kernel=_one_shot,
    stateful=True,
    gradient=NOT_DIFFERENTIABLE,
)


def _get_next(iterator: Any, *, output_types: Any, output_shapes: Any) -> Any:
    element = iterator.next()
    for component, entries in zip(element, output_shapes, strict=True):
        if entries == np.shape(component):
            continue
        if not TensorShape.of(entries).is_compatible_with(np.shape(component)):
            raise errors.InvalidArgumentError(
                None,
                None,
                f"The dataset gave a component of shape {np.shape(component)}, where the iterator "
                f"has {TensorShape.of(entries)}",
            )
    return element if len(element) > 1 else element[0]


def _output_shapes(op: Any) -> list[Any]:
    return [s.entries for s in op.attrs["output_shapes"]]


declare(
    "IteratorGetNext",
    inputs="iterator: resource",
    outputs="components: output_types",
    attrs=_STRUCTURE,
    shape=_output_shapes,
    kernel=_get_next,
    stateful=True,
    gradient=NOT_DIFFERENTIABLE,
)


def _to_string(resource_handle: Any) -> Any:
    return resource_handle.handle


declare(
    "IteratorToStringHandle",
    inputs="resource_handle: resource",
    outputs="string_handle: string",
    shape=shape_rules.scalar,
    kernel=_to_string,
    stateful=True,
    gradient=NOT_DIFFERENTIABLE,
)


def _from_string(string_handle: Any, *, output_types: Any, output_shapes: Any, context: Any) -> Any:
    value = string_handle.item() if isinstance(string_handle, np.ndarray) else string_handle
    key = ("iterators", value.decode())
    if key not in context.state.resources:
        raise errors.NotFoundError(
            None, None, f"This session has no iterator with the handle {value!r}"
        )
    found = context.state.resources[key]
    _check_structure(found, output_types, output_shapes)
    return found


def _check_structure(iterator: IteratorResource, types: Any, shapes: Any) -> None:
    """Raises InvalidArgumentError where an iterator gives something else than is expected."""
    if types and tuple(types) != tuple(iterator.types):
        names = [[as_dtype(t).name for t in each] for each in (types, iterator.types)]
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Expected an iterator with elements of types {names[0]}, got one of {names[1]}",
        )
    for wanted, own in zip(shapes, iterator.shapes, strict=False):
        if not TensorShape.of(wanted).is_compatible_with(TensorShape.of(own)):
            raise errors.InvalidArgumentError(
                None,
                None,
                f"Expected an iterator with elements of shape {TensorShape.of(wanted)}, got one of "
                f"{TensorShape.of(own)}",
            )


declare(
    "IteratorFromStringHandle",
    inputs="string_handle: string",
    outputs="resource_handle: resource",
    attrs="output_types: list(type) = [], output_shapes: list(shape) = []",
    shape=shape_rules.scalar,
    kernel=_from_string,
    stateful=True,
    gradient=NOT_DIFFERENTIABLE,
)
