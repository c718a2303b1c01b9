"""Finding values that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.context import (
    colocate_with,
    control_dependencies,
    get_default_graph,
    name_scope,
)
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.control import with_dependencies
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _check(tensor: Any, *, message: str) -> Any:
    # A sum is finite only if every element is; it may overflow, so a bad one is looked at closely.
    if not np.isfinite(np.sum(tensor)):
        found = []
        if np.isinf(tensor).any():
            found.append("Inf")
        if np.isnan(tensor).any():
            found.append("NaN")
        if found:
            raise InvalidArgumentError(
                None, None, f"{message} : Tensor had {' and '.join(found)} values"
            )
    return tensor


def _check_gradient(op: Any, dy: Any) -> Tensor:
    return check_numerics(dy, "Not a number (NaN) or infinity (Inf) values detected in gradient. ")


declare(
    "CheckNumerics",
    inputs="tensor: T",
    outputs="output: T",
    attrs="T: {floating}, message: string",
    shape=shape_rules.first,
    kernel=_check,
    gradient=_check_gradient,
    # A failing check is an effect: it must not be folded, nor dropped where only waited for.
    stateful=True,
    aliases_input=True,
    samples=[sample([1.0, -2.0], message="x", want=[1.0, -2.0])],
)


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """`tensor`; a run in which it holds NaN or infinity fails with `message`.

    >>> import workbench as tf
    >>> tf.check_numerics(tf.constant([1.0, 0.0]) / 0.0, "the ratio").eval()
    Traceback (most recent call last):
    workbench.core.errors.InvalidArgumentError: ...the ratio : Tensor had Inf and NaN values...
    """
    return call("CheckNumerics", name, tensor=tensor, message=message)


def verify_tensor_all_finite(t: Any, msg: str, name: str | None = None) -> Tensor:
    """`t`, given out only when it holds neither NaN nor infinity; see `check_numerics`."""
    with name_scope(name, "VerifyFinite", [t]):
        t = convert_to_tensor(t, name="t")
        with colocate_with(t):
            checked = check_numerics(t, message=msg)
            verified: Tensor = with_dependencies([checked], t)
            return verified


def add_check_numerics_ops() -> Operation:
    """An operation that checks every floating tensor of the graph, in the order they were made.

    `check_numerics=True` of a session does the same without adding to the graph.
    """
    graph = get_default_graph()
    checks: list[Any] = []
    for op in graph.get_operations():
        for output in op.outputs:
            if output.dtype not in (api.float16, api.float32, api.float64):
                continue
            if getattr(op, "_control_flow_context", None) is not None:
                raise ValueError(
                    "`tf.add_check_numerics_ops() is not compatible with TensorFlow control flow "
                    "operations such as `tf.cond()` or `tf.while_loop()`."
                )
            message = f"{op.name}:{output.value_index}"
            with control_dependencies(checks[-1:]):
                checks.append(check_numerics(output, message=message))
    group: Operation = api.group(*checks[-1:])
    return group
