"""Operations between whole lists and tensors: stack, gather, scatter, concat, split."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.composite import ListSlices
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype, int64
from workbench.core.graph.shapes import merge_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import list_contents
from workbench.core.kernels.list_elements import shape_from_tensor
from workbench.core.kernels.tensor_list import ListKind, TensorList
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare
from workbench.core.ops.lists.creation import from_tensor, row_shape_of, shape_tensor
from workbench.core.ops.lists.element_types import (
    ElementType,
    check_element_dtype,
    element_entries,
    elements_are_differentiable,
    new_list,
    same_list,
    set_element_type,
)
from workbench.core.ops.shape_rules import at_least_rank, with_rank

# -- stack ---------------------------------------------------------------------------------------


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
    return list_contents.stacked(input_handle, input_handle.items(), asked, "stack")


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


# -- gather --------------------------------------------------------------------------------------


def _gather(
    input_handle: TensorList, indices: Any, element_shape: Any, *, element_dtype: Any
) -> Any:
    input_handle.check_dtype(element_dtype)
    items = input_handle.items()
    wanted = [items[input_handle.checked_index(i)] for i in indices.tolist()]
    asked = shape_from_tensor(element_shape)
    return list_contents.stacked(input_handle, wanted, asked, "gather")


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


# -- scatter -------------------------------------------------------------------------------------


def _scatter(tensor: Any, indices: Any, element_shape: Any, num_elements: Any) -> TensorList:
    rows = list_contents.rows_of(tensor)
    kind = ListKind(tensor.dtype, shape_from_tensor(element_shape))
    made = list_contents.scattered(kind, rows, indices.tolist(), int(num_elements))
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
    rows = list_contents.rows_of(tensor)
    return list_contents.scattered_into(input_handle, rows, indices.tolist(), adds=False)


def _scatter_into_shape(op: Any) -> list[Any]:
    _check_rows(op.inputs[1], op.inputs[2])
    check_element_dtype(op)
    return same_list(op)


def _scatter_into_gradient(op: Any, grad: Any) -> list[Any]:
    _, tensor, indices = op.inputs
    before = call("TensorListClearRows", None, input_handle=grad, indices=indices)
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
    gradient=lambda op, grad: [
        call("TensorListClearRows", None, input_handle=grad, indices=op.inputs[1]),
        None,
    ],
    aliases_input=True,
)


def _add_rows(input_handle: TensorList, tensor: Any, indices: Any) -> TensorList:
    rows = list_contents.rows_of(tensor)
    return list_contents.scattered_into(input_handle, rows, indices.tolist(), adds=True)


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


# -- concat and split ----------------------------------------------------------------------------


def _concat(
    input_handle: TensorList, element_shape: Any, leading_dims: Any, *, element_dtype: Any
) -> Any:
    input_handle.check_dtype(element_dtype)
    asked = shape_from_tensor(element_shape)
    return list_contents.concatenated(input_handle, asked, leading_dims.tolist())


def _concat_shape(op: Any) -> list[Any]:
    entries = element_entries(op, 1)
    if entries is None:
        return [None, (None,)]
    at_least_rank(entries, 1, "elements")
    return [(None, *entries[1:]), (None,)]


def _concat_gradient(op: Any, grad: Any, _: Any) -> list[Any]:
    if not elements_are_differentiable(op):
        return [None, None, None]
    return [split(grad, op.outputs[1]), None, None]


declare(
    "TensorListConcatV2",
    inputs="input_handle: variant, element_shape: shape_type, leading_dims: int64",
    outputs="tensor: element_dtype, lengths: int64",
    attrs="element_dtype: type, shape_type: {int32, int64}",
    shape=_concat_shape,
    kernel=_concat,
    gradient=_concat_gradient,
)


def concat(
    handle: Any,
    dtype: Any,
    element_shape: Any = None,
    leading_dims: Any = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """All elements along their first axis, and the length of each.

    `leading_dims` has the lengths of those never written, for which there are zeros.
    """
    if leading_dims is None:
        leading_dims = np.zeros(0, np.int64)
    op = create(
        "TensorListConcatV2",
        name,
        input_handle=handle,
        element_shape=shape_tensor(element_shape),
        leading_dims=leading_dims,
        element_dtype=as_dtype(dtype),
    )
    return op.outputs[0], op.outputs[1]


def _split(tensor: Any, element_shape: Any, lengths: Any) -> TensorList:
    parts = list_contents.split(tensor, lengths.tolist())
    made = TensorList(ListKind(tensor.dtype, shape_from_tensor(element_shape)), parts)
    for part in parts:
        made.fitting(part, "set")
    return made


def _split_shape(op: Any) -> list[Any]:
    entries = at_least_rank(op.inputs[0].entries, 1, "tensor")
    with_rank(op.inputs[2].entries, 1, "lengths")
    new_list(op, 1)
    if entries is not None:
        set_element_type(
            op.outputs[0], ElementType(op.attrs["element_dtype"], (None, *entries[1:]))
        )
    return [()]


def _split_gradient(op: Any, grad: Any) -> list[Any]:
    tensor, _, lengths = op.inputs
    shape: Any = shape_tensor([None, *tensor.shape[1:]] if tensor.shape.ndims else None)
    if tensor.shape.ndims is None or not tensor.shape[1:].is_fully_defined():
        shape = api.concat([[-1], api.shape(tensor)[1:]], 0)
    joined, _ = concat(grad, tensor.dtype.base_dtype, shape, lengths)
    return [joined, None, None]


declare(
    "TensorListSplit",
    inputs="tensor: element_dtype, element_shape: shape_type, lengths: int64",
    outputs="output_handle: variant",
    attrs="element_dtype: type, shape_type: {int32, int64}",
    shape=_split_shape,
    kernel=_split,
    gradient=_split_gradient,
    aliases_input=True,
)


def split(tensor: Any, lengths: Any, element_shape: Any = None, name: str | None = None) -> Tensor:
    """The list of the parts of `tensor` along its first axis, of the given lengths."""
    tensor = convert_to_tensor(tensor)
    if element_shape is None and tensor.shape.ndims:
        element_shape = [None, *tensor.shape[1:]]
    return call(
        "TensorListSplit",
        name,
        tensor=tensor,
        element_shape=shape_tensor(element_shape),
        lengths=api.cast(lengths, int64),
    )
