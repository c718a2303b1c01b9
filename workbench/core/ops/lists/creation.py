"""Operations that make lists: of a size, empty, from the rows of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_entries
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype, int32
from workbench.core.graph.shapes import as_shape, merge_shapes
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.kernels.array_rules import ArrayRules
from workbench.core.kernels.list_contents import require_rows
from workbench.core.kernels.list_elements import shape_from_tensor
from workbench.core.kernels.list_rows import Rows
from workbench.core.kernels.tensor_list import ListKind, TensorList
from workbench.core.ops import api
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare
from workbench.core.ops.lists.element_types import ElementType, new_list, set_element_type
from workbench.core.ops.shape_rules import at_least_rank


def shape_tensor(shape: Any) -> Any:
    """A shape as list operations take it: -1 for unknown sizes, the scalar -1 for any shape."""
    if isinstance(shape, (TensorLike, np.ndarray, np.generic)):
        return shape
    entries = as_shape(shape).entries
    if entries is None:
        return np.int32(-1)
    return np.array([e if isinstance(e, int) else -1 for e in entries], np.int32)


def shape_of(tensor: Tensor) -> Any:
    """The shape of a tensor that is to have a gradient: known before the run where it can be."""
    shape = tensor.shape
    return shape_tensor(shape) if shape.is_fully_defined() else api.shape(tensor)


def row_shape_of(tensor: Tensor) -> Any:
    """The shape of the rows of a tensor, like `shape_of`."""
    row = tensor.shape[1:]
    return shape_tensor(row) if row.is_fully_defined() else api.shape(tensor)[1:]


def _reserve(
    element_shape: Any,
    num_elements: Any,
    *,
    element_dtype: Any,
    _array_name: str,
    _array_rules: tuple[str, ...],
) -> TensorList:
    size = int(num_elements)
    if size < 0:
        raise InvalidArgumentError(
            None, None, f"The num_elements to reserve must be a non negative number, but got {size}"
        )
    rules = ArrayRules(_array_name, **dict.fromkeys(_array_rules, True)) if _array_name else None
    kind = ListKind(element_dtype, shape_from_tensor(element_shape), None, rules)
    return TensorList(kind, [None] * size)


def _reserve_shape(op: Any) -> list[Any]:
    is_array = bool(op.attrs.get("_array_name"))
    found = ElementType(op.attrs["element_dtype"], constant_entries(op.inputs[0]), is_array)
    set_element_type(op.outputs[0], found)
    return [()]


declare(
    "TensorListReserve",
    inputs="element_shape: shape_type, num_elements: int32",
    outputs="handle: variant",
    # TensorFlow's operation, and what a TensorArray asks of its list (see `ArrayRules`): others
    # that read the graph pass over attributes that begin with "_".
    attrs="element_dtype: type, shape_type: {int32, int64}, _array_name: string = '', "
    "_array_rules: list(string) = []",
    shape=_reserve_shape,
    kernel=_reserve,
    gradient=NOT_DIFFERENTIABLE,
)


def _empty(element_shape: Any, max_num_elements: Any, *, element_dtype: Any) -> TensorList:
    most = int(max_num_elements)
    kind = ListKind(element_dtype, shape_from_tensor(element_shape), None if most < 0 else most)
    return TensorList(kind, [])


declare(
    "EmptyTensorList",
    inputs="element_shape: shape_type, max_num_elements: int32",
    outputs="handle: variant",
    attrs="element_dtype: type, shape_type: {int32, int64}",
    shape=lambda op: new_list(op, 0),
    kernel=_empty,
    gradient=NOT_DIFFERENTIABLE,
)


def _from_tensor(tensor: Any, element_shape: Any) -> TensorList:
    require_rows(tensor)
    made = TensorList(ListKind(tensor.dtype, shape_from_tensor(element_shape)), Rows(tensor))
    if made.length:
        made.fitting(tensor[0], "set")
    return made


def _from_tensor_shape(op: Any) -> list[Any]:
    entries = at_least_rank(op.inputs[0].entries, 1, "tensor")
    found = constant_entries(op.inputs[1])
    if entries is not None:
        merge_shapes(found, entries[1:])
        found = entries[1:] if found is None else found
    set_element_type(op.outputs[0], ElementType(op.attrs["element_dtype"], found))
    return [()]


def _from_tensor_gradient(op: Any, grad: Any) -> list[Any]:
    from workbench.core.ops.lists.stacking import stack

    tensor = op.inputs[0]
    dtype = op.attrs["element_dtype"]
    known = tensor.shape[0].value if tensor.shape.ndims else None
    rows = stack(grad, dtype, row_shape_of(tensor), -1 if known is None else known)
    if not tensor.shape.is_fully_defined():
        # What takes it is compiled for its shape, which a list does not tell.
        rows = api.reshape(rows, api.shape(tensor))
    return [rows, None]


declare(
    "TensorListFromTensor",
    inputs="tensor: element_dtype, element_shape: shape_type",
    outputs="output_handle: variant",
    attrs="element_dtype: type, shape_type: {int32, int64}",
    shape=_from_tensor_shape,
    kernel=_from_tensor,
    gradient=_from_tensor_gradient,
    aliases_input=True,
)


def reserve(
    element_shape: Any,
    num_elements: Any,
    element_dtype: Any,
    name: str | None = None,
    *,
    array_name: str | None = None,
    array_rules: Sequence[str] = (),
) -> Tensor:
    """A list of `num_elements` elements that are not written yet, and read as zeros.

    `element_shape` is a static shape, or a tensor with -1 for unknown sizes. The list of a
    TensorArray has a name for errors, and rules: the keywords of `ArrayRules` that are True.
    """
    return call(
        "TensorListReserve",
        name,
        element_shape=shape_tensor(element_shape),
        num_elements=num_elements,
        element_dtype=as_dtype(element_dtype),
        _array_name=array_name,
        _array_rules=array_rules,
    )


def empty(
    element_shape: Any, element_dtype: Any, most: int = -1, name: str | None = None
) -> Tensor:
    """A list without elements, to push elements to: at most `most`, or (-1) any number."""
    return call(
        "EmptyTensorList",
        name,
        element_shape=shape_tensor(element_shape),
        max_num_elements=convert_to_tensor(most, int32),
        element_dtype=as_dtype(element_dtype),
    )


def from_tensor(tensor: Any, element_shape: Any = None, name: str | None = None) -> Tensor:
    """The list of the rows of a tensor."""
    tensor = convert_to_tensor(tensor)
    if element_shape is None:
        element_shape = tensor.shape[1:] if tensor.shape.ndims else None
    return call(
        "TensorListFromTensor", name, tensor=tensor, element_shape=shape_tensor(element_shape)
    )
