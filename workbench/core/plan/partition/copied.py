"""What each stage has of its own: constants, and what is found by its name."""

from __future__ import annotations

from workbench.core.graph.body_graph import VARIABLES
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.placement.colocation import stays_put


def is_copied(op: Operation) -> bool:
    """Whether each stage that needs an operation has one of its own: constants, and what stands
    for a variable, a queue and the like, which are known by their names."""
    if op.inputs or op._control_inputs:
        return False
    if op.type == "Const" or op.type in VARIABLES:
        return True
    return bool(op.outputs) and all(stays_put(t) for t in op.outputs)


def is_known(tensor: Tensor) -> bool:
    """Whether a tensor stands for something that is found by its name, see `root`."""
    return is_copied(root(tensor).op)


def root(tensor: Tensor) -> Tensor:
    """The tensor that first stood for the variable or resource that this one stands for."""
    while stays_put(tensor) and tensor.op.inputs and stays_put(tensor.op.inputs[0]):
        if tensor.dtype.base_dtype.name == "variant":
            break
        tensor = tensor.op.inputs[0]
    return tensor
