"""What shape a tensor has: its sizes, their number and their product."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.composite import SparseTensor, SparseTensorValue
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, shape_rules
from workbench.core.ops.constant import constant
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.static_shapes import sizes_or_none


def _shape_kernel(input: Any, *, out_type: Any) -> Any:
    return np.array(np.shape(input), out_type)


def _shape_n_kernel(input: Any, *, out_type: Any) -> Any:
    return tuple(np.array(np.shape(i), out_type) for i in input)


def _size_kernel(input: Any, *, out_type: Any) -> Any:
    return np.array(np.size(input), out_type)


def _rank_kernel(input: Any) -> Any:
    return np.array(np.ndim(input), np.int32)


def _ranks(op: Any) -> list[Any]:
    return [(None if t.entries is None else len(t.entries),) for t in op.inputs]


_OUT_TYPE = "out_type: {int32, int64} = DT_INT32"
declare(
    "Shape",
    inputs="input: T",
    outputs="output: out_type",
    attrs=f"T: type, {_OUT_TYPE}",
    shape=_ranks,
    kernel=_shape_kernel,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([[1.0, 2.0, 3.0]], want=[1, 3]),
        sample([1.0], out_type="int64", want=[1]),
    ],
)
declare(
    "ShapeN",
    inputs="input: N * T",
    outputs="output: N * out_type",
    attrs=f"N: int >= 1, T: type, {_OUT_TYPE}",
    shape=_ranks,
    kernel=_shape_n_kernel,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample(([[1.0, 2.0, 3.0]], [1.0]), want=([1, 3], [1]))],
)
declare(
    "Size",
    inputs="input: T",
    outputs="output: out_type",
    attrs=f"T: type, {_OUT_TYPE}",
    shape=shape_rules.scalar,
    kernel=_size_kernel,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[1.0, 2.0, 3.0]], want=3), sample([1], out_type="int64", want=1)],
)
declare(
    "Rank",
    inputs="input: T",
    outputs="output: int32",
    attrs="T: type",
    shape=shape_rules.scalar,
    kernel=_rank_kernel,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([[1.0, 2.0, 3.0]], want=2)],
)


def shape(
    input: Any,
    name: str | None = None,
    out_type: Any = "int32",
    optimize: bool = True,
) -> Tensor:
    """The shape of a tensor as a vector; a constant where it is known before a run.

    >>> import workbench as tf
    >>> tf.shape([[1, 2, 3], [4, 5, 6]]).eval().tolist()
    [2, 3]
    """
    out_type = as_dtype(out_type)
    with name_scope(name, "Shape", [input]) as scope:
        if isinstance(input, (SparseTensor, SparseTensorValue)):
            cast: Tensor = api.cast(input.dense_shape, out_type)
            return cast
        tensor = convert_to_tensor(input, name="input")
        sizes = sizes_or_none(tensor) if optimize else None
        if sizes is not None:
            return constant(sizes, out_type, name=scope)
        return call("Shape", scope, input=tensor, out_type=out_type)


def shape_n(
    input: Any,
    out_type: Any = "int32",
    name: str | None = None,
) -> list[Tensor]:
    """The shapes of several tensors of one dtype, each as a vector."""
    return list(create("ShapeN", name, input=input, out_type=as_dtype(out_type)).outputs)


def size(
    input: Any,
    name: str | None = None,
    out_type: Any = "int32",
    optimize: bool = True,
) -> Tensor:
    """The number of elements of a tensor; a constant where it is known before a run.

    >>> import workbench as tf
    >>> tf.size([[1, 2, 3], [4, 5, 6]]).eval()
    np.int32(6)
    """
    out_type = as_dtype(out_type)
    with name_scope(name, "Size", [input]) as scope:
        if isinstance(input, (SparseTensor, SparseTensorValue)):
            product: Tensor = api.reduce_prod(api.cast(input.dense_shape, out_type), 0, name=scope)
            return product
        tensor = convert_to_tensor(input, name="input")
        count = tensor.shape.num_elements() if optimize else None
        if count is not None:
            return constant(count, out_type, name=scope)
        return call("Size", scope, input=tensor, out_type=out_type)


def rank(
    input: Any,
    name: str | None = None,
    optimize: bool = True,
) -> Tensor:
    """The number of axes of a tensor; a constant where it is known before a run.

    >>> import workbench as tf
    >>> tf.rank([[1, 2, 3], [4, 5, 6]]).eval()
    np.int32(2)
    """
    with name_scope(name, "Rank", [input]) as scope:
        if isinstance(input, (SparseTensor, SparseTensorValue)):
            return call("Size", scope, input=input.dense_shape, out_type="int32")
        tensor = convert_to_tensor(input, name="input")
        if optimize and tensor.entries is not None:
            return constant(len(tensor.entries), "int32", name=scope)
        return call("Rank", scope, input=tensor)
