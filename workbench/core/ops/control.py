"""Operations that only order others: no_op, group, tuple."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import ValuesView
from typing import Any

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import control_dependencies, device, get_default_graph, name_scope
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare


def _nothing() -> None:
    """Does nothing: the order that NoOp stands for is kept by the planner."""


declare("NoOp", shape=shape_rules.no_outputs, kernel=_nothing, gradient=NOT_DIFFERENTIABLE)
declare("ControlTrigger", shape=shape_rules.no_outputs, kernel=_nothing)


def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing but wait for its control inputs."""
    return create("NoOp", name)


def group(*inputs: Any, **keywords: Any) -> Operation:
    """An operation that has run when all `inputs` have.

    >>> import workbench as tf
    >>> a, b = tf.Variable(1.0), tf.Variable(2.0)
    >>> tf.group(a.assign(3.0), b.assign(4.0)).run()
    >>> a.eval(), b.eval()
    (np.float32(3.0), np.float32(4.0))
    """
    name = keywords.pop("name", None)
    if keywords:
        raise ValueError(f"Unknown keyword arguments: {', '.join(keywords)}")
    with name_scope(name, "group_deps", inputs) as scope:
        by_device: dict[str, list[Operation]] = defaultdict(list)
        for value in _flatten(inputs):
            op = _operation(value)
            by_device[op.device].append(op)
        if len(by_device) <= 1:
            ops = [op for ops in by_device.values() for op in ops]
            where = next(iter(by_device), "")
            return _no_op_after(ops, where, scope)
        parts = [_no_op_after(ops, where, None) for where, ops in sorted(by_device.items())]
        return _no_op_after(parts, "", scope)


def _flatten(inputs: Any) -> list[Any]:
    found: list[Any] = []
    for value in inputs:
        if isinstance(value, (list, tuple, ValuesView)):
            found.extend(_flatten(value))
        else:
            found.append(value)
    return found


def _operation(value: Any) -> Operation:
    from workbench.core.graph.control import control_operation

    if not hasattr(value, "graph"):
        raise TypeError(f"tf.group takes operations and tensors, got {value!r}")
    return control_operation(value.graph, value)


def _no_op_after(ops: list[Operation], where: str, name: str | None) -> Operation:
    with control_dependencies(ops):
        if not where:
            return no_op(name)
        with device(where):
            return no_op(name)


def tuple_(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """The tensors, each of which is given out only when all of them are computed.

    None entries stay None. Raises ValueError when there is no tensor at all.
    """
    with name_scope(name, "tuple", [t for t in tensors if t is not None]):
        gates: list[Any] = [_operation(t) for t in tensors if t is not None]
        if not gates:
            raise ValueError(f"Must have at least one Tensor: {tensors}")
        for value in control_inputs or ():
            if not isinstance(value, (Operation, Tensor)):
                raise TypeError(f"Control input must be Operation or Tensor: {value!r}")
            gates.append(_operation(value))
        gate = group(*dict.fromkeys(gates))
        return [None if t is None else with_dependencies([gate], t) for t in tensors]


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """`output_tensor`, given out only after `dependencies` have run."""
    values = [*dependencies, output_tensor]
    with (
        name_scope(name, "control_dependency", values) as scope,
        get_default_graph().colocate_with(output_tensor),
        control_dependencies(dependencies),
    ):
        if isinstance(output_tensor, IndexedSlices):
            return IndexedSlices(
                api.identity(output_tensor.values, name=scope),
                output_tensor.indices,
                output_tensor.dense_shape,
            )
        from workbench.core.graph.convert import convert_to_tensor

        return api.identity(convert_to_tensor(output_tensor), name=scope)
