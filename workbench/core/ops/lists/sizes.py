"""Operations on the size of a list and the shape of its elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.list_contents import resized
from workbench.core.kernels.tensor_list import TensorList
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare
from workbench.core.ops.lists.element_types import element_type, same_list


def _length(input_handle: TensorList) -> Any:
    return np.int32(input_handle.length)


declare(
    "TensorListLength",
    inputs="input_handle: variant",
    outputs="length: int32",
    shape=shape_rules.scalar,
    kernel=_length,
    gradient=NOT_DIFFERENTIABLE,
)


def length(handle: Any, name: str | None = None) -> Tensor:
    """The number of elements, an int32 scalar."""
    return call("TensorListLength", name, input_handle=handle)


def _resize(input_handle: TensorList, size: Any) -> TensorList:
    return resized(input_handle, int(size))


declare(
    "TensorListResize",
    inputs="input_handle: variant, size: int32",
    outputs="output_handle: variant",
    shape=same_list,
    kernel=_resize,
    gradient=lambda op, grad: [resize(grad, length(op.inputs[0])), None],
    aliases_input=True,
)


def resize(handle: Any, size: Any, name: str | None = None) -> Tensor:
    """The list with `size` elements: cut, or with new ones that are not written yet."""
    return call("TensorListResize", name, input_handle=handle, size=size)


def _element_shape(input_handle: TensorList, *, shape_type: Any) -> Any:
    shape = input_handle.kind.shape
    if shape is None:
        return shape_type.type(-1)
    return np.array([-1 if size is None else size for size in shape], shape_type)


def _element_shape_shape(op: Any) -> list[Any]:
    known = element_type(op.inputs[0])
    return [None if known is None or known.entries is None else (len(known.entries),)]


declare(
    "TensorListElementShape",
    inputs="input_handle: variant",
    outputs="element_shape: shape_type",
    attrs="shape_type: {int32, int64}",
    shape=_element_shape_shape,
    kernel=_element_shape,
    gradient=NOT_DIFFERENTIABLE,
)


def element_shape(handle: Any, shape_type: Any = np.int32, name: str | None = None) -> Tensor:
    """The shape that all elements have, -1 for unknown sizes, the scalar -1 where any will do."""
    return call("TensorListElementShape", name, input_handle=handle, shape_type=shape_type)
