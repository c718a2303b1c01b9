"""Rows of a tensor as elements of a list, at given places."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import merge_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.list_contents import rows_added, rows_of, scattered, scattered_into
from workbench.core.kernels.list_elements import shape_from_tensor
from workbench.core.kernels.tensor_list import ListKind, TensorList
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare
from workbench.core.ops.lists.creation import row_shape_of, shape_tensor
from workbench.core.ops.lists.element_types import (
    check_element_dtype,
    elements_are_differentiable,
    new_list,
    same_list,
)
from workbench.core.ops.lists.stacking import gather
from workbench.core.ops.shape_rules import at_least_rank, with_rank


def _scatter(tensor: Any, indices: Any, element_shape: Any, num_elements: Any) -> TensorList:
    rows = rows_of(tensor)
    kind = ListKind(tensor.dtype, shape_from_tensor(element_shape))
    made = scattered(kind, rows, indices.tolist(), int(num_elements))
    if rows:
        made.fitting(rows[0], "set")
    return made


def _check_rows(tensor: Tensor, indices: Tensor) -> None:
    entries = at_least_rank(tensor.entries, 1, "tensor")
    (count,) = with_rank(indices.entries, 1, "indices")
    if entries is not None:
        merge_entries(entries[0], count)


def _scatter_shape(op: Any) -> list[Any]:
    _check_rows(op.inputs[0], op.inputs[1])
    return new_list(op, 2)


def _scatter_gradient(op: Any, grad: Any) -> list[Any]:
    tensor, indices = op.inputs[:2]
    rows = gather(grad, indices, tensor.dtype.base_dtype, row_shape_of(tensor))
    return [rows, None, None, None]


declare(
    "TensorListScatterV2",
    inputs="tensor: element_dtype, indices: int32, element_shape: shape_type, num_elements: int32",
    outputs="output_handle: variant",
    attrs="element_dtype: type, shape_type: {int32, int64}",
    shape=_scatter_shape,
    kernel=_scatter,
    gradient=_scatter_gradient,
    aliases_input=True,
)


def scatter(
    tensor: Any,
    indices: Any,
    element_shape: Any = None,
    num_elements: Any = -1,
    name: str | None = None,
) -> Tensor:
    """A list with the rows of `tensor` at `indices`, with room for the highest, or of a size."""
    tensor = convert_to_tensor(tensor)
    if element_shape is None:
        element_shape = tensor.shape[1:] if tensor.shape.ndims else None
    return call(
        "TensorListScatterV2",
        name,
        tensor=tensor,
        indices=indices,
        element_shape=shape_tensor(element_shape),
        num_elements=num_elements,
    )


def _scatter_into(input_handle: TensorList, tensor: Any, indices: Any) -> TensorList:
    rows = rows_of(tensor)
    return scattered_into(input_handle, rows, indices.tolist())


def _scatter_into_shape(op: Any) -> list[Any]:
    _check_rows(op.inputs[1], op.inputs[2])
    check_element_dtype(op)
    return same_list(op)


def _scatter_into_gradient(op: Any, grad: Any) -> list[Any]:
    _, tensor, indices = op.inputs
    before = clear_rows(grad, indices)
    if not elements_are_differentiable(op):
        return [before, None, None]
    rows = gather(grad, indices, tensor.dtype.base_dtype, row_shape_of(tensor))
    return [before, rows, None]


declare(
    "TensorListScatterIntoExistingList",
    inputs="input_handle: variant, tensor: element_dtype, indices: int32",
    outputs="output_handle: variant",
    attrs="element_dtype: type",
    shape=_scatter_into_shape,
    kernel=_scatter_into,
    gradient=_scatter_into_gradient,
    aliases_input=True,
)


def scatter_into(handle: Any, tensor: Any, indices: Any, name: str | None = None) -> Tensor:
    """The list with the rows of `tensor` in place of its elements at `indices`."""
    return call(
        "TensorListScatterIntoExistingList",
        name,
        input_handle=handle,
        tensor=tensor,
        indices=indices,
    )


def _clear_rows(input_handle: TensorList, indices: Any) -> TensorList:
    for index in indices.tolist():
        input_handle = input_handle.replaced(input_handle.checked_index(index), None)
    return input_handle


declare(
    "TensorListClearRows",
    inputs="input_handle: variant, indices: int32",
    outputs="output_handle: variant",
    shape=same_list,
    kernel=_clear_rows,
    gradient=lambda op, grad: [clear_rows(grad, op.inputs[1]), None],
    aliases_input=True,
)


def clear_rows(handle: Any, indices: Any, name: str | None = None) -> Tensor:
    """The list with its elements at `indices` as if they had never been written."""
    return call("TensorListClearRows", name, input_handle=handle, indices=indices)


def _add_rows(input_handle: TensorList, tensor: Any, indices: Any) -> TensorList:
    rows = rows_of(tensor)
    return rows_added(input_handle, rows, indices.tolist())


def _add_rows_gradient(op: Any, grad: Any) -> list[Any]:
    _, tensor, indices = op.inputs
    return [
        grad,
        gather(grad, indices, tensor.dtype.base_dtype, row_shape_of(tensor)),
        None,
    ]


declare(
    # The sum of a list and the gradient of several read elements, some perhaps read twice.
    "TensorListAddRows",
    inputs="input_handle: variant, tensor: element_dtype, indices: int32",
    outputs="output_handle: variant",
    attrs="element_dtype: {number, variant}",
    shape=_scatter_into_shape,
    kernel=_add_rows,
    gradient=_add_rows_gradient,
    aliases_input=True,
)


def add_rows(handle: Any, tensor: Any, indices: Any, name: str | None = None) -> Tensor:
    """The list with the rows of `tensor` added to its elements at `indices`."""
    return call("TensorListAddRows", name, input_handle=handle, tensor=tensor, indices=indices)
