"""Sparse tensors kept in a session under handles, which are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.sparse_bytes import Parts, checked_parts, join_rows, rows_of
from workbench.core.kernels.sparse_map import SparseTensorsMap
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.sparse.support import as_sparse, check, dense_entries, parts, unknown_parts

_NAMES = ("sparse_indices", "sparse_values", "sparse_shape")
_INPUTS = "sparse_indices: int64, sparse_values: T, sparse_shape: int64"
_SHARED = "container: string = '', shared_name: string = ''"


def _map(context: Any, container: str, shared_name: str) -> SparseTensorsMap:
    found: SparseTensorsMap = context.resource(
        lambda: SparseTensorsMap(shared_name or context.name), container, shared_name
    )
    return found


def _add(
    sparse_indices: Any,
    sparse_values: Any,
    sparse_shape: Any,
    *,
    container: str,
    shared_name: str,
    context: Any,
) -> np.int64:
    kept = checked_parts(sparse_indices, sparse_values, sparse_shape)
    (number,) = _map(context, container, shared_name).add([_copied(kept)])
    return np.int64(number)


def _copied(kept: Parts) -> Parts:
    indices, values, shape = (part.copy() for part in kept)
    return indices, values, shape


def _add_many(
    sparse_indices: Any,
    sparse_values: Any,
    sparse_shape: Any,
    *,
    container: str,
    shared_name: str,
    context: Any,
) -> Any:
    rows = [_copied(row) for row in rows_of(sparse_indices, sparse_values, sparse_shape)]
    return np.array(_map(context, container, shared_name).add(rows), np.int64)


def _take_many(
    sparse_handles: Any, *, dtype: Any, container: str, shared_name: str, context: Any
) -> Parts:
    handles = as_array(sparse_handles)
    if handles.ndim != 1:
        raise invalid(f"sparse_handles should be a vector but received shape {list(handles.shape)}")
    taken = _map(context, container, shared_name).take(handles.tolist())
    return join_rows(taken, dtype, "rank", counted=1)


def _handle_shape(op: Any) -> list[Any]:
    check(op)
    return [()]


def _handles_shape(op: Any) -> list[Any]:
    check(op)
    entries = dense_entries(op.inputs[2])
    return [(entries[0] if entries else None,)]


def _taken_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 1, "sparse_handles")
    return unknown_parts(None)


declare(
    "AddSparseToTensorsMap",
    inputs=_INPUTS,
    outputs="sparse_handle: int64",
    attrs=f"T: type, {_SHARED}",
    shape=_handle_shape,
    kernel=_add,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([[1]], [1.0], [5], want=0)],
)
declare(
    "AddManySparseToTensorsMap",
    inputs=_INPUTS,
    outputs="sparse_handles: int64",
    attrs=f"T: type, {_SHARED}",
    shape=_handles_shape,
    kernel=_add_many,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample([[1, 1]], [1.0], [3, 5], want=[0, 1, 2])],
)
declare(
    "TakeManySparseFromTensorsMap",
    inputs="sparse_handles: int64",
    outputs="sparse_indices: int64, sparse_values: dtype, sparse_shape: int64",
    attrs=f"dtype: type, {_SHARED}",
    shape=_taken_shape,
    kernel=_take_many,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
)


def add_sparse_to_tensors_map(
    sp_input: Any,
    container: str | None = None,
    shared_name: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Keeps a SparseTensor in the session; its handle, an int64.

    >>> import workbench as tf
    >>> x = tf.SparseTensor([[1]], [7], [5])
    >>> handle = add_sparse_to_tensors_map(x)
    >>> rows = take_many_sparse_from_tensors_map(handle.op, tf.stack([handle]))
    >>> rows.eval().indices.tolist()
    [[0, 1]]
    """
    return _kept("AddSparseToTensorsMap", sp_input, container, shared_name, name)


def add_many_sparse_to_tensors_map(
    sp_input: Any,
    container: str | None = None,
    shared_name: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Keeps each row along the first axis of a SparseTensor in the session; their handles."""
    return _kept("AddManySparseToTensorsMap", sp_input, container, shared_name, name)


def _kept(
    type_name: str, sp_input: Any, container: str | None, shared_name: str | None, name: str | None
) -> Tensor:
    return call(
        type_name,
        name,
        **parts(as_sparse(sp_input), *_NAMES),
        container=container,
        shared_name=shared_name,
    )


def take_many_sparse_from_tensors_map(
    sparse_map_op: Operation, sparse_handles: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """The SparseTensor with a row for each handle, which is good for one use.

    `sparse_map_op` is the operation that gave the handles.
    """
    if not isinstance(sparse_map_op, Operation):
        raise TypeError(f"sparse_map_op must be an Operation, got {sparse_map_op!r}")
    if sparse_map_op.type not in ("AddSparseToTensorsMap", "AddManySparseToTensorsMap"):
        raise TypeError(
            "sparse_map_op must be one of AddSparseToTensorsMap or AddManySparseToTensorsMap. "
            f"Instead, found `{sparse_map_op.type}`."
        )
    with get_default_graph().colocate_with(sparse_map_op):
        indices, values, shape = create(
            "TakeManySparseFromTensorsMap",
            name,
            sparse_handles=sparse_handles,
            dtype=sparse_map_op.get_attr("T"),
            container=sparse_map_op.get_attr("container"),
            shared_name=sparse_map_op.get_attr("shared_name") or sparse_map_op.name,
        ).outputs
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)


#: The names under which TensorFlow's own Python code knows these.
_add_sparse_to_tensors_map = add_sparse_to_tensors_map
_add_many_sparse_to_tensors_map = add_many_sparse_to_tensors_map
_take_many_sparse_from_tensors_map = take_many_sparse_from_tensors_map
