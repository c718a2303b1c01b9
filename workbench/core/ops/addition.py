"""Sums of many tensors."""

from __future__ import annotations

from collections.abc import ValuesView
from typing import Any

import numpy as np

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import Entries, TensorShape, as_shape, merge_shapes
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.kernels.precision import delivered, scratch
from workbench.core.ops import api
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _add_all(inputs: tuple[Any, ...], *, out: Any = None) -> Any:
    if len(inputs) == 1:
        return np.positive(inputs[0], out=out)
    total = np.add(inputs[0], inputs[1], out=scratch(out, *inputs[2:]))
    for term in inputs[2:]:
        if isinstance(total, np.ndarray):
            np.add(total, term, out=total)
        else:
            total = np.add(total, term)
    return total if out is None else delivered(total, out.dtype, out)


def _common_shape(op: Any) -> list[Entries]:
    entries: Entries = None
    for i, tensor in reversed(list(enumerate(op.inputs))):
        try:
            entries = merge_shapes(tensor.entries, entries)
        except ValueError as error:
            raise ValueError(f"{error}\n\tFrom merging shape {i} with other shapes.") from None
    return [entries]


def _each(op: Any, dy: Any) -> list[Tensor]:
    return [dy] * len(op.inputs)


_SAMPLES: Any = (([1.0, 2.0], [10.0, 20.0], [-0.5, 0.5]), [10.5, 22.5])
declare(
    "AddN",
    inputs="inputs: N * T",
    outputs="sum: T",
    # Lists add up element by element.
    attrs="N: int >= 1, T: {number, variant}",
    shape=_common_shape,
    kernel=_add_all,
    gradient=_each,
    elementwise=True,
    commutative=True,
    samples=[
        sample(_SAMPLES[0], want=_SAMPLES[1]),
        sample(([1, 2],), want=[1, 2]),
    ],
)
declare(
    "AccumulateNV2",
    inputs="inputs: N * T",
    outputs="sum: T",
    attrs="N: int >= 1, T: {number}, shape: shape",
    shape=lambda op: [merge_shapes(op.attrs["shape"].entries, _common_shape(op)[0])],
    kernel=_add_all,
    gradient=_each,
    elementwise=True,
    commutative=True,
    samples=[sample(_SAMPLES[0], shape=[2], want=_SAMPLES[1])],
)

_WANTED = "inputs must be a list of at least one Tensor with the same dtype and shape"


def _tensors(inputs: Any) -> list[Tensor]:
    if isinstance(inputs, ValuesView):
        inputs = list(inputs)
    if isinstance(inputs, TensorLike) or not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError(_WANTED)
    known = next((v.dtype.base_dtype for v in inputs if hasattr(v, "op")), None)
    tensors = [convert_to_tensor(v, None if hasattr(v, "op") else known) for v in inputs]
    if any(t.dtype.base_dtype is not tensors[0].dtype.base_dtype for t in tensors):
        found = ", ".join(t.dtype.base_dtype.name for t in tensors)
        raise TypeError(f"{_WANTED}, got the types {found}")
    return tensors


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one shape.

    Raises ValueError for an empty list or for shapes that differ.

    >>> import workbench as tf
    >>> tf.add_n([[1, 2], [3, 4], [5, 6]]).eval().tolist()
    [9, 12]
    """
    tensors = _tensors(inputs)
    if len(tensors) == 1:
        return tensors[0] if not name else api.identity(tensors[0], name=name)
    return call("AddN", name, inputs=tensors)


def accumulate_n(
    inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None
) -> Tensor:
    """The sum of a list of tensors of one shape, like `add_n`; `shape` adds what is known of it.

    Raises TypeError when `tensor_dtype` is given and the tensors have another type.
    """
    tensors = _tensors(inputs)
    dtype = tensors[0].dtype.base_dtype
    if tensor_dtype is not None and as_dtype(tensor_dtype) is not dtype:
        raise TypeError(
            f"tensor_dtype is {as_dtype(tensor_dtype).name}, but input is of type {dtype.name}"
        )
    if len(tensors) == 1:
        return tensors[0] if not name else api.identity(tensors[0], name=name)
    merged = as_shape(shape) if shape is not None else TensorShape(None)
    for tensor in tensors:
        merged = merged.merge_with(tensor.shape)
    return call("AccumulateNV2", name, inputs=tensors, shape=merged)
