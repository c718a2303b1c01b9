"""Operations on one element of a list: set, get, add, push, pop."""

from __future__ import annotations

from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.composite import ListSlices
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.list_contents import element
from workbench.core.kernels.list_sums import add_elements
from workbench.core.kernels.tensor_list import TensorList
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare
from workbench.core.ops.lists.creation import shape_of, shape_tensor
from workbench.core.ops.lists.element_types import (
    check_element_dtype,
    element_entries,
    element_type,
    elements_are_differentiable,
    same_list,
)
from workbench.core.ops.lists.sizes import length, resize
from workbench.core.ops.shape_rules import with_rank


def _same_with_item(item: int, index: int | None) -> Any:
    """The shape rule of operations that write one element."""

    def rule(op: Any) -> list[Any]:
        known = element_type(op.inputs[0])
        if known is not None and not known.is_array:
            check_element_dtype(op)
            merge_shapes(known.entries, op.inputs[item].entries)
        if index is not None:
            with_rank(op.inputs[index].entries, 0, "index")
        return same_list(op)

    return rule


# -- set -----------------------------------------------------------------------------------------


def _set(
    input_handle: TensorList, index: Any, item: Any, *, resize_if_index_out_of_bounds: bool
) -> TensorList:
    place = int(index)
    if resize_if_index_out_of_bounds and place >= input_handle.length:
        for _ in range(place + 1 - input_handle.length):
            input_handle = input_handle.appended(None)
    return input_handle.with_item(place, item)


def _set_gradient(op: Any, grad: Any) -> list[Any]:
    values, index, item = op.inputs
    before = call("TensorListClearItem", None, input_handle=grad, index=index)
    if op.attrs["resize_if_index_out_of_bounds"]:
        before = resize(before, length(values))
    if not elements_are_differentiable(op):
        return [before, None, None]
    return [before, None, get_item(grad, index, item.dtype.base_dtype, shape_of(item))]


declare(
    "TensorListSetItem",
    inputs="input_handle: variant, index: int32, item: element_dtype",
    outputs="output_handle: variant",
    attrs="element_dtype: type, resize_if_index_out_of_bounds: bool = false",
    shape=_same_with_item(2, 1),
    kernel=_set,
    gradient=_set_gradient,
    aliases_input=True,
)


def set_item(
    handle: Any, index: Any, item: Any, grows: bool = False, name: str | None = None
) -> Tensor:
    """The list with `item` as its element `index`; with `grows` an index behind the end is fine."""
    return call(
        "TensorListSetItem",
        name,
        input_handle=handle,
        index=index,
        item=item,
        resize_if_index_out_of_bounds=grows,
    )


def _clear(input_handle: TensorList, index: Any) -> TensorList:
    place = input_handle.checked_index(index)
    return input_handle if input_handle.get(place) is None else input_handle.replaced(place, None)


declare(
    # The gradient of an element that was overwritten: zero, whatever its shape is.
    "TensorListClearItem",
    inputs="input_handle: variant, index: int32",
    outputs="output_handle: variant",
    shape=same_list,
    kernel=_clear,
    gradient=lambda op, grad: [
        call("TensorListClearItem", None, input_handle=grad, index=op.inputs[1]),
        None,
    ],
    aliases_input=True,
)


# -- get -----------------------------------------------------------------------------------------


def _get(input_handle: TensorList, index: Any, element_shape: Any, *, element_dtype: Any) -> Any:
    place = int(index)
    kind = input_handle.kind
    if kind.rules is not None:
        kind.rules.check_read(input_handle, place)
    if not 0 <= place < input_handle.length:
        input_handle.checked_index(place)
    if kind.dtype is not element_dtype:
        input_handle.check_dtype(element_dtype)
    return element(input_handle, place, input_handle.get(place), element_shape)


def _get_gradient(op: Any, grad: Any) -> list[Any]:
    if not elements_are_differentiable(op):
        return [None, None, None]
    return [ListSlices(op.inputs[0], ((op.inputs[1], grad),)), None, None]


declare(
    "TensorListGetItem",
    inputs="input_handle: variant, index: int32, element_shape: int32",
    outputs="item: element_dtype",
    attrs="element_dtype: type",
    shape=lambda op: [element_entries(op, 2)],
    kernel=_get,
    gradient=_get_gradient,
    aliases_input=True,
)


def get_item(
    handle: Any, index: Any, dtype: Any, element_shape: Any = None, name: str | None = None
) -> Tensor:
    """Element `index` of a list; zeros where none was written and the shape is known."""
    return call(
        "TensorListGetItem",
        name,
        input_handle=handle,
        index=index,
        element_shape=shape_tensor(element_shape),
        element_dtype=as_dtype(dtype),
    )


# -- add -----------------------------------------------------------------------------------------


def _add(input_handle: TensorList, index: Any, item: Any) -> TensorList:
    place = input_handle.checked_index(index)
    item = input_handle.fitting(item, "add")
    return input_handle.replaced(place, add_elements(input_handle.get(place), item))


def _add_gradient(op: Any, grad: Any) -> list[Any]:
    _, index, item = op.inputs
    return [grad, None, get_item(grad, index, item.dtype.base_dtype, shape_of(item))]


declare(
    # The sum of a list and the gradient of one read element.
    "TensorListAddItem",
    inputs="input_handle: variant, index: int32, item: element_dtype",
    outputs="output_handle: variant",
    attrs="element_dtype: {number, variant}",
    shape=_same_with_item(2, 1),
    kernel=_add,
    gradient=_add_gradient,
    aliases_input=True,
)


def add_item(handle: Any, index: Any, item: Any, name: str | None = None) -> Tensor:
    """The list with `item` added to its element `index`."""
    return call("TensorListAddItem", name, input_handle=handle, index=index, item=item)


# -- push and pop --------------------------------------------------------------------------------


def _push(input_handle: TensorList, tensor: Any) -> TensorList:
    limit = input_handle.kind.limit
    if limit is not None and input_handle.length >= limit:
        raise InvalidArgumentError(
            None,
            None,
            f"Tried to push item into a full list list size: {input_handle.length} "
            f"max_num_elements: {limit}",
        )
    return input_handle.appended(input_handle.fitting(tensor, "append"))


def _push_gradient(op: Any, grad: Any) -> list[Any]:
    tensor = op.inputs[1]
    before, item = pop_back(grad, tensor.dtype.base_dtype, shape_of(tensor))
    return [before, item if elements_are_differentiable(op) else None]


declare(
    "TensorListPushBack",
    inputs="input_handle: variant, tensor: element_dtype",
    outputs="output_handle: variant",
    attrs="element_dtype: type",
    shape=_same_with_item(1, None),
    kernel=_push,
    gradient=_push_gradient,
    aliases_input=True,
)


def push_back(handle: Any, tensor: Any, name: str | None = None) -> Tensor:
    """The list with one more element."""
    return call("TensorListPushBack", name, input_handle=handle, tensor=tensor)


def _pop(input_handle: TensorList, element_shape: Any, *, element_dtype: Any) -> Any:
    input_handle.check_dtype(element_dtype)
    shorter, item = input_handle.popped()
    return shorter, element(input_handle, input_handle.length - 1, item, element_shape)


def _pop_shape(op: Any) -> list[Any]:
    entries = element_entries(op, 1)
    return [*same_list(op), entries]


def _pop_gradient(op: Any, grad: Any, item_grad: Any) -> list[Any]:
    if grad is None:
        grad = api.zeros_like(op.outputs[0])
    if item_grad is None:
        item_grad = api.zeros_like(op.outputs[1])
    return [push_back(grad, item_grad), None]


declare(
    "TensorListPopBack",
    inputs="input_handle: variant, element_shape: int32",
    outputs="output_handle: variant, tensor: element_dtype",
    attrs="element_dtype: type",
    shape=_pop_shape,
    kernel=_pop,
    gradient=_pop_gradient,
    aliases_input=True,
)


def pop_back(
    handle: Any, dtype: Any, element_shape: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The list without its last element, and that element."""
    op = create(
        "TensorListPopBack",
        name,
        input_handle=handle,
        element_shape=shape_tensor(element_shape),
        element_dtype=as_dtype(dtype),
    )
    return op.outputs[0], op.outputs[1]
