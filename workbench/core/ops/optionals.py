"""Values that may be missing, as TensorFlow 2's conditionals hand them to their gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.shapes import Entries, TensorShape
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare


class Optional(NamedTuple):
    """Some tensors together, or None in their place."""

    components: tuple[Any, ...] | None


def _from_value(components: Any) -> Optional:
    # What is kept must stay what it is: kernels may overwrite what they were given.
    return Optional(tuple(np.array(c) if isinstance(c, np.ndarray) else c for c in components))


def _none() -> Optional:
    return Optional(None)


def _has_value(optional: Any) -> np.bool_:
    return np.bool_(_checked(optional).components is not None)


def _get_value(optional: Any) -> tuple[Any, ...]:
    components = _checked(optional).components
    if components is None:
        raise InvalidArgumentError(None, None, "The given optional does not have a value.")
    return tuple(np.array(c) if isinstance(c, np.ndarray) else c for c in components)


def _checked(value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise InvalidArgumentError(None, None, f"{value!r} is no optional value")
    return value


def _component_shapes(op: Any) -> list[Entries]:
    shapes = op.attrs["output_shapes"]
    return [s.entries if isinstance(s, TensorShape) else None for s in shapes]


def _from_value_gradient(op: Any, grad: Any) -> list[Any]:
    found = create(
        "OptionalGetValue",
        None,
        optional=grad,
        output_types=[t.dtype.base_dtype for t in op.inputs],
        output_shapes=[t.shape for t in op.inputs],
    )
    return list(found.outputs)


def _get_value_gradient(op: Any, *grads: Any) -> list[Any]:
    return [create("OptionalFromValue", None, components=list(grads)).outputs[0]]


declare(
    "OptionalFromValue",
    inputs="components: Toutput_types",
    outputs="optional: variant",
    attrs="Toutput_types: list(type) >= 1",
    shape=shape_rules.scalar,
    kernel=_from_value,
    gradient=_from_value_gradient,
)
declare(
    "OptionalNone",
    outputs="optional: variant",
    shape=shape_rules.scalar,
    kernel=_none,
    gradient=NOT_DIFFERENTIABLE,
)
declare(
    "OptionalHasValue",
    inputs="optional: variant",
    outputs="has_value: bool",
    shape=shape_rules.scalar,
    kernel=_has_value,
    gradient=NOT_DIFFERENTIABLE,
)
declare(
    "OptionalGetValue",
    inputs="optional: variant",
    outputs="components: output_types",
    attrs="output_types: list(type) >= 1, output_shapes: list(shape) >= 1",
    shape=_component_shapes,
    kernel=_get_value,
    gradient=_get_value_gradient,
)
