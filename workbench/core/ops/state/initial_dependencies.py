"""Initial values that depend on other variables.

`w = tf.Variable(v * 2)` must be initialised correctly by one run that initialises both, in
whatever order it does so. The initializer of `w` therefore gets a copy of the computation in which
`v` stands for its value, or for its initial value where it has none yet.
"""

from __future__ import annotations

from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.ops.creation import call

_VARIABLES = ("VariableV2", "Variable")


def independent_value(value: Tensor, variable: str) -> Tensor:
    """`value` for the initializer of `variable`, whatever other variables it was computed from.

    It is `value` itself where no other variable is involved.
    """
    graph = value.graph
    reached = _reached_operations(value.op)
    dependent: set[Operation] = set()
    for op in reached:
        if any(source.op in dependent or _is_read(op, source) for source in op.inputs):
            dependent.add(op)
    if value.op not in dependent:
        return value
    with graph.name_scope(None):
        return _copy(graph, [op for op in reached if op in dependent], value, variable)


def _reached_operations(last: Operation) -> list[Operation]:
    """The operations that `last` is computed from and itself, each after its inputs."""
    order: list[Operation] = []
    seen: set[Operation] = set()
    stack: list[tuple[Operation, bool]] = [(last, False)]
    while stack:
        op, inputs_done = stack.pop()
        if inputs_done:
            order.append(op)
        elif op not in seen:
            seen.add(op)
            stack.append((op, True))
            stack.extend((source.op, False) for source in op.inputs)
    return order


def _is_read(op: Operation, source: Tensor) -> bool:
    """True when `op` takes the value of the variable `source`, not the variable itself."""
    if source.op.type not in _VARIABLES or source.op not in source.graph.variable_initializers:
        return False
    declaration = registry.lookup(op.type)
    if declaration is None:
        return False
    parts = declaration.schema.split_inputs(op.attrs, len(op.inputs))
    arguments = [argument for argument, count in parts for _ in range(count)]
    return not arguments[op.inputs.index(source)].is_reference


def _copy(graph: Graph, order: list[Operation], value: Tensor, variable: str) -> Tensor:
    values: dict[Operation, Tensor] = {}
    copies: dict[Operation, Operation] = {}

    def replaced(op: Operation, source: Tensor) -> Tensor:
        if _is_read(op, source):
            if source.op not in values:
                values[source.op] = _value_of(graph, source, variable)
            return values[source.op]
        copy = copies.get(source.op)
        return source if copy is None else copy.outputs[source.value_index]

    for op in order:
        copies[op] = graph.add_operation(
            op.type,
            graph.unique_name(f"{op.name}_{variable}"),
            tuple(replaced(op, source) for source in op.inputs),
            tuple(output.dtype for output in op.outputs),
            dict(op.attrs),
        )
    return copies[value.op].outputs[value.value_index]


def _value_of(graph: Graph, source: Tensor, variable: str) -> Tensor:
    initial = graph.variable_initializers[source.op].inputs[1]
    return call("InitializedValue", f"{variable}/InitializedValue", ref=source, initial=initial)
