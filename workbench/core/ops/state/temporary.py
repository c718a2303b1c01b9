"""Variables of one step, and the end of resources."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import NotFoundError
from workbench.core.graph.operation import Operation
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

declare(
    "TemporaryVariable",
    outputs="ref: Ref(dtype)",
    attrs="shape: shape, dtype: type, var_name: string = ''",
    shape=shape_rules.from_attribute(),
    kernel=None,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
)


def _destroy(ref: Any, *, var_name: str, context: Any) -> Any:
    made_by = _maker(context.operation)
    if made_by is None:
        return np.array(ref)[()]
    if (made_by.attrs["var_name"] or made_by.name) != var_name:
        raise NotFoundError(None, None, f"There is no temporary variable {var_name!r}")
    if ref is None:
        # Nobody gave it a value: it has any.
        shape, dtype = made_by.attrs["shape"].as_list(), made_by.attrs["dtype"]
        return np.zeros(shape, dtype.as_numpy_dtype)[()]
    return np.array(ref)[()]


def _maker(op: Operation) -> Operation | None:
    """The operation that made the variable that an operation gets."""
    while op.inputs:
        op = op.inputs[0].op
        if op.type == "TemporaryVariable":
            return op
    return None


declare(
    "DestroyTemporaryVariable",
    inputs="ref: Ref(T)",
    outputs="value: T",
    attrs="T: type, var_name: string",
    shape=shape_rules.first,
    kernel=_destroy,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    updates=0,
    allows_uninitialized=True,
    samples=[sample([1.0, 2.0], var_name="x", want=[1.0, 2.0])],
)


def _destroy_resource(resource: Any, *, ignore_lookup_error: bool, context: Any) -> None:
    """Forgets a resource of the session; None as a variable's value leaves it without any."""
    if context.operation.inputs[0].op.type == "VarHandleOp":
        gone = resource is None
    else:
        resources = context.state.resources
        keys = [key for key, value in list(resources.items()) if value is resource]
        gone = not keys
        for key in keys:
            del resources[key]
        close = getattr(resource, "close", None)
        if callable(close):
            close()
    if gone and not ignore_lookup_error:
        name = context.operation.inputs[0].op.name
        raise NotFoundError(None, None, f"Resource {name} does not exist.")


declare(
    "DestroyResourceOp",
    inputs="resource: resource",
    attrs="ignore_lookup_error: bool = true",
    shape=shape_rules.no_outputs,
    kernel=_destroy_resource,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    updates=1,
    allows_uninitialized=True,
)
