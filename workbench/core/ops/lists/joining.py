"""Elements of a list along their first axis, and apart again: concat, split."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_entries
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype, int64
from workbench.core.graph.shapes import merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import list_contents
from workbench.core.kernels.list_elements import shape_from_tensor
from workbench.core.kernels.tensor_list import ListKind, TensorList
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare
from workbench.core.ops.lists.creation import shape_tensor
from workbench.core.ops.lists.element_types import (
    ElementType,
    element_entries,
    elements_are_differentiable,
    same_list,
    set_element_type,
)
from workbench.core.ops.lists.scattering import clear_rows
from workbench.core.ops.lists.sizes import resize
from workbench.core.ops.shape_rules import at_least_rank, with_rank


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
    parts = list_contents.split(tensor, lengths)
    made = TensorList(ListKind(tensor.dtype, shape_from_tensor(element_shape)), parts)
    for part in parts:
        made.fitting(part, "set")
    return made


def _split_shape(op: Any) -> list[Any]:
    entries = at_least_rank(op.inputs[0].entries, 1, "tensor")
    with_rank(op.inputs[2].entries, 1, "lengths")
    found = constant_entries(op.inputs[1])
    if entries is not None:
        found = merge_shapes(found, (None, *entries[1:]))
    set_element_type(op.outputs[0], ElementType(op.attrs["element_dtype"], found))
    return [()]


def _split_gradient(op: Any, grad: Any) -> list[Any]:
    tensor, _, lengths = op.inputs
    return [_joined(grad, tensor, lengths), None, None]


def _joined(grad: Any, tensor: Tensor, lengths: Tensor) -> Tensor:
    """The gradient of a tensor that was split, of the list of its parts' gradients."""
    shape: Any = shape_tensor([None, *tensor.shape[1:]] if tensor.shape.ndims else None)
    if tensor.shape.ndims is None or not tensor.shape[1:].is_fully_defined():
        shape = api.concat([[-1], api.shape(tensor)[1:]], 0)
    joined, _ = concat(grad, tensor.dtype.base_dtype, shape, lengths)
    return joined


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


def _split_into(input_handle: TensorList, tensor: Any, lengths: Any) -> TensorList:
    parts = list_contents.split(tensor, lengths)
    return list_contents.filled(input_handle, parts)


def _split_into_gradient(op: Any, grad: Any) -> list[Any]:
    _, tensor, lengths = op.inputs
    written = api.range(api.size(lengths))
    before = clear_rows(grad, written)
    if not elements_are_differentiable(op):
        return [before, None, None]
    return [before, _joined(resize(grad, api.size(lengths)), tensor, lengths), None]


declare(
    # How a TensorArray is split into: it may have been written to, and may grow.
    "TensorListSplitInto",
    inputs="input_handle: variant, tensor: element_dtype, lengths: int64",
    outputs="output_handle: variant",
    attrs="element_dtype: type",
    shape=same_list,
    kernel=_split_into,
    gradient=_split_into_gradient,
    aliases_input=True,
)


def split_into(handle: Any, tensor: Any, lengths: Any, name: str | None = None) -> Tensor:
    """The list with the parts of `tensor` along its first axis as its first elements."""
    return call(
        "TensorListSplitInto",
        name,
        input_handle=handle,
        tensor=tensor,
        lengths=api.cast(lengths, int64),
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
