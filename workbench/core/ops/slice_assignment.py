"""Assignments to a slice of a variable: `variable[1:3].assign(...)`."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.slicing import strided_slice_index
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.slicing import MASK_ATTRIBUTES, masks


def _assign_slice(
    ref: Any,
    begin: Any,
    end: Any,
    strides: Any,
    value: Any,
    *,
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
    inplace: bool,
) -> Any:
    array = ref if inplace and isinstance(ref, np.ndarray) else np.array(ref)
    index = strided_slice_index(
        array.shape,
        begin.tolist(),
        end.tolist(),
        strides.tolist(),
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )
    part = array[(*index, ...)]
    if not part.size:
        return ref
    if part.shape != np.shape(value):
        raise InvalidArgumentError(
            None,
            None,
            f"The value assigned to a slice of shape {list(part.shape)} must have that shape too, "
            f"got {list(np.shape(value))}",
        )
    part[...] = value
    return array if array.ndim else array[()]


_BOUNDS = "begin: Index, end: Index, strides: Index, value: T"
_ATTRS = f"T: type, Index: {{int32, int64}}, {MASK_ATTRIBUTES}"
declare(
    "StridedSliceAssign",
    inputs=f"ref: Ref(T), {_BOUNDS}",
    outputs="output_ref: Ref(T)",
    attrs=_ATTRS,
    shape=shape_rules.first,
    kernel=_assign_slice,
    stateful=True,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([1.0, 2.0, 3.0], [1], [3], [1], [8.0, 9.0], want=[1.0, 8.0, 9.0])],
)
declare(
    "ResourceStridedSliceAssign",
    inputs=f"ref: resource, {_BOUNDS}",
    attrs=_ATTRS,
    shape=shape_rules.no_outputs,
    kernel=_assign_slice,
    stateful=True,
    updates=1,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([1.0, 2.0, 3.0], [1], [3], [1], [8.0, 9.0])],
)


class SlicedTensor(Tensor):
    """A slice, which can be assigned to when it is one of a variable."""

    __slots__ = ()

    def assign(self, value: Any, name: str | None = None) -> Any:
        """Gives this part of the variable a new value; the result is the whole variable after it.

        Raises ValueError when it is not a part of a variable.

        >>> import workbench as tf
        >>> v = tf.Variable([1, 2, 3])
        >>> v[1:].assign([8, 9]).eval().tolist()
        [1, 8, 9]
        """
        source: Tensor = self.op.inputs[0]
        while source.op.type == "Identity":
            source = source.op.inputs[0]
        _, begin, end, strides = self.op.inputs
        label = name or self.op.name.rsplit("/", 1)[-1] + "_assign"
        bounds = {"begin": begin, "end": end, "strides": strides, **masks(self.op)}
        if source.dtype._is_ref_dtype:
            return call("StridedSliceAssign", label, ref=source, value=value, **bounds)
        if source.op.type == "ReadVariableOp":
            handle = source.op.inputs[0]
            return create("ResourceStridedSliceAssign", label, ref=handle, value=value, **bounds)
        raise ValueError("Sliced assignment is only supported for variables")


def assignable(tensor: Tensor) -> SlicedTensor:
    """The slice `tensor`, with the method `assign`.

    It stays the same object, since the operation that made it refers to it.
    """
    sliced: Any = tensor
    sliced.__class__ = SlicedTensor
    return cast(SlicedTensor, sliced)
