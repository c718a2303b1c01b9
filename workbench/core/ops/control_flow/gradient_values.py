"""What gradients of bodies are made of: which tensors have some, zeros, dense forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workbench.core.gradients.registry import gradient_function
from workbench.core.graph.body import Body
from workbench.core.graph.composite import IndexedSlices, ListSlices
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.lists.element_types import is_differentiable


def is_trainable(tensor: Tensor) -> bool:
    """True where a tensor may have a gradient: floats, lists of them, and variables of floats."""
    dtype = value_dtype(tensor)
    if dtype.name == "variant":
        return is_differentiable(tensor)
    return dtype.is_floating or dtype.is_complex


def value_dtype(tensor: Tensor) -> DType:
    """The dtype of a tensor's value: for what stands for a variable, of the variable's."""
    if tensor.op.type == "VarHandleOp":
        dtype: DType = tensor.op.attrs["dtype"]
        return dtype
    return tensor.dtype.base_dtype


def zeros_like(tensor: Tensor) -> Tensor:
    """Zeros as the gradient of `tensor`."""
    if tensor.dtype.name == "variant":
        from workbench.core.ops.lists.slices import zeros_like as list_of_zeros

        return list_of_zeros(tensor)
    if tensor.op.type == "VarHandleOp":
        zeros: Tensor = api.zeros(tensor.op.attrs["shape"], tensor.op.attrs["dtype"])
        return zeros
    zeros = api.zeros_like(tensor)
    return zeros


def dense(gradient: Any, tensor: Tensor) -> Tensor:
    """A gradient of `tensor` as one tensor, whatever form it has."""
    if isinstance(gradient, ListSlices):
        from workbench.core.ops.lists.slices import add_slices

        return add_slices(zeros_like(gradient.source), [gradient])
    if isinstance(gradient, IndexedSlices) and gradient.dense_shape is None:
        gradient = IndexedSlices(gradient.values, gradient.indices, api.shape(tensor))
    return convert_to_tensor(gradient)


def arguments_with_gradients(body: Body, results: Iterable[Tensor]) -> set[int]:
    """The numbers of the arguments from which a differentiable path leads to `results`."""
    reached: set[Operation] = set()
    stack = [t.op for t in results if is_trainable(t)]
    while stack:
        op = stack.pop()
        if op not in reached:
            reached.add(op)
            if _passes_gradients(op):
                stack.extend(t.op for t in op.inputs if is_trainable(t))
    return {i for i, t in enumerate(body.arguments) if t.op in reached and is_trainable(t)}


def _passes_gradients(op: Operation) -> bool:
    if not op.inputs:
        return False
    try:
        return gradient_function(op) is not None
    except LookupError:
        # Whether it is on the way to what is asked for is found out when it is differentiated.
        return True


def body_gradients(
    body: Body, results: Sequence[int], arguments: Sequence[int], weights: Sequence[Tensor]
) -> list[Any]:
    """The gradients of arguments of a body, in the default graph, by those of results."""
    from workbench.core.gradients.gradients import gradients

    if not results or not arguments:
        return [None] * len(arguments)
    found: list[Any] = gradients(
        [body.results[i] for i in results],
        [body.arguments[i] for i in arguments],
        list(weights),
        name="body",
        _crossing=False,
    )
    return found
