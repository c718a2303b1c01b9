"""What runs a conditional or loop in a dataflow program: its bodies are programs of their own."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.body_graph import original_variable, variable_of
from workbench.core.graph.operation import Operation
from workbench.core.plan.bodies import Part
from workbench.core.plan.node import FEED, HANDLE, Node, NodeTable
from workbench.core.runtime.dataflow.choice import may_wait
from workbench.core.runtime.dataflow.steps import Step, read, variable_type


def body_step(op: Operation, part: Part, session: Any) -> Step:
    """The step of what is left of a conditional or loop: it takes the inputs that are left."""
    from workbench.core.runtime.body_program import BodyMaker
    from workbench.core.runtime.control_flow import handed_inputs
    from workbench.core.runtime.control_flow import make_step as make_body_step

    node = _body_node(op, part)
    # The arrays of variables may be in use elsewhere in the run: they are not overwritten.
    run = make_body_step(node, BodyMaker(session, False))
    places = handed_inputs(node)
    count = len(op.outputs)
    used = [part.outputs[i] for i in node.attrs["used"]]

    def call(values: tuple[Any, ...]) -> tuple[Any, ...]:
        outputs: list[Any] = [None] * count
        results = run(*[read(values[i]) for i in places])
        for index, result in zip(used, results, strict=True):
            outputs[index] = result
        return tuple(outputs)

    return Step(call, may_wait(op), bool(node.attrs["updated"]))


def _body_node(op: Operation, part: Part) -> Node:
    """A conditional or loop as a node of a plan, on values that are given and on variables."""
    table = NodeTable()
    inputs = []
    for index in part.inputs:
        tensor = op.inputs[index]
        variable = variable_of(tensor)
        dtype, entries = tensor.dtype.base_dtype, tensor.entries
        if variable is None:
            node = table.make(FEED, (), {"index": index}, (dtype,), (entries,), tensor.op)
        else:
            original = original_variable(variable.op)
            name = {"name": original.name}
            dtype, entries = variable_type(original)
            node = table.make(HANDLE, (), name, (dtype,), (entries,), original)
        inputs.append(node.output())
    return table.make(
        op.type,
        tuple(inputs),
        dict(part.attrs),
        tuple(op.outputs[i].dtype.base_dtype for i in part.outputs),
        tuple(op.outputs[i].entries for i in part.outputs),
        op,
    )
