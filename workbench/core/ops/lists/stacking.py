"""Elements of a list along a new axis: stack, gather."""

from __future__ import annotations

from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.composite import ListSlices
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.list_contents import stacked, stacked_all
from workbench.core.kernels.list_elements import shape_from_tensor
from workbench.core.kernels.tensor_list import TensorList
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare
from workbench.core.ops.lists.creation import from_tensor, shape_tensor
from workbench.core.ops.lists.element_types import (
    element_entries,
    elements_are_differentiable,
)
from workbench.core.ops.shape_rules import with_rank


def _stack(
    input_handle: TensorList, element_shape: Any, *, element_dtype: Any, num_elements: int
) -> Any:
    input_handle.check_dtype(element_dtype)
    if num_elements not in (-1, input_handle.length):
        raise InvalidArgumentError(
            None,
            None,
            f"Operation expected a list with {num_elements} elements but got a list with "
            f"{input_handle.length} elements.",
        )
    asked = shape_from_tensor(element_shape)
    return stacked_all(input_handle, asked)


def _stack_shape(op: Any) -> list[Any]:
    entries = element_entries(op, 1)
    count = op.attrs["num_elements"]
    return [None if entries is None else (None if count < 0 else count, *entries)]


def _stack_gradient(op: Any, grad: Any) -> list[Any]:
    if not elements_are_differentiable(op):
        return [None, None]
    return [from_tensor(grad), None]


declare(
    "TensorListStack",
    inputs="input_handle: variant, element_shape: int32",
    outputs="tensor: element_dtype",
    attrs="element_dtype: type, num_elements: int = -1",
    shape=_stack_shape,
    kernel=_stack,
    gradient=_stack_gradient,
)


def stack(
    handle: Any,
    dtype: Any,
    element_shape: Any = None,
    num_elements: int = -1,
    name: str | None = None,
) -> Tensor:
    """All elements along a new first axis, zeros for those never written."""
    return call(
        "TensorListStack",
        name,
        input_handle=handle,
        element_shape=shape_tensor(element_shape),
        element_dtype=as_dtype(dtype),
        num_elements=num_elements,
    )


def _gather(
    input_handle: TensorList, indices: Any, element_shape: Any, *, element_dtype: Any
) -> Any:
    input_handle.check_dtype(element_dtype)
    items = input_handle.items()
    wanted = [items[input_handle.checked_index(i)] for i in indices.tolist()]
    asked = shape_from_tensor(element_shape)
    return stacked(input_handle, wanted, asked, "gather")


def _gather_shape(op: Any) -> list[Any]:
    (count,) = with_rank(op.inputs[1].entries, 1, "indices")
    entries = element_entries(op, 2)
    return [None if entries is None else (count, *entries)]


def _gather_gradient(op: Any, grad: Any) -> list[Any]:
    if not elements_are_differentiable(op):
        return [None, None, None]
    return [ListSlices(op.inputs[0], ((op.inputs[1], grad),)), None, None]


declare(
    "TensorListGather",
    inputs="input_handle: variant, indices: int32, element_shape: int32",
    outputs="values: element_dtype",
    attrs="element_dtype: type",
    shape=_gather_shape,
    kernel=_gather,
    gradient=_gather_gradient,
)


def gather(
    handle: Any, indices: Any, dtype: Any, element_shape: Any = None, name: str | None = None
) -> Tensor:
    """The elements at `indices` along a new first axis, zeros for those never written."""
    return call(
        "TensorListGather",
        name,
        input_handle=handle,
        indices=indices,
        element_shape=shape_tensor(element_shape),
        element_dtype=as_dtype(dtype),
    )
