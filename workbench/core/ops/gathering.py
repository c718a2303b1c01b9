"""Picking elements by number, and putting them back: gather, scatter, one-hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.constants import constant_entries, constant_value
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import gathering as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import check_scatter_nd


def _gather_entries(params: Entries, indices: Entries, axis: int) -> Entries:
    if params is None:
        return None
    shape_rules.at_least_rank(params, axis + 1 if axis >= 0 else -axis, "params")
    at = axis % len(params)
    return None if indices is None else params[:at] + indices + params[at + 1 :]


def _gather_v2_shape(op: Any) -> list[Any]:
    params, indices, axis = op.inputs
    value = constant_value(axis)
    if value is not None:
        return [_gather_entries(params.entries, indices.entries, int(value))]
    if params.entries is None or indices.entries is None:
        return [None]
    return [(None,) * (len(params.entries) + len(indices.entries) - 1)]


def _rows_gradient(params: Tensor, indices: Tensor, grad: Any) -> IndexedSlices:
    """The gradient of taking rows: the rows of `grad`, at the indices they were taken from."""
    shape = api.shape(params)
    inner = None if params.entries is None else params.entries[1:]
    if inner is not None and all(isinstance(e, int) and e > 0 for e in inner):
        sizes: Any = [-1, *inner]
    else:
        sizes = api.concat([api.reshape(api.size(indices), [1]), shape[1:]], 0)
    flat = indices if indices.shape.ndims == 1 else api.reshape(indices, [-1])
    rows = grad
    if indices.shape.ndims != 1 or not isinstance(grad, Tensor):
        rows = api.reshape(grad, sizes)
    return IndexedSlices(rows, flat, shape)


def _columns_gradient(params: Tensor, indices: Tensor, axis: Any, grad: Any) -> Tensor:
    """The gradient of taking slices along any axis, summed where a slice was taken twice."""
    value = constant_value(axis)
    at = axis if value is None else int(value)
    many, rank = indices.shape.ndims, params.shape.ndims
    if many is None:
        many = api.rank(indices)
    if rank is None:
        rank = api.rank(params)
    at = at % rank
    # The axes of the indices go first, so that what was taken is rows.
    to_front = _joined(_range(at, at + many), _range(0, at), _range(at + many, rank + many - 1))
    rows = api.transpose(grad, to_front)
    flat = api.reshape(indices, [-1])
    shape = api.shape(rows)
    rows = api.reshape(rows, api.concat([api.reshape(api.size(flat), [1]), shape[many:]], 0))
    total = api.unsorted_segment_sum(rows, flat, api.shape(params)[at])
    back = _joined(_range(1, at + 1), _range(0, 1), _range(at + 1, rank))
    result: Tensor = api.transpose(total, back)
    result.set_shape(params.shape)
    return result


def _range(start: Any, stop: Any) -> Any:
    if isinstance(start, int) and isinstance(stop, int):
        return np.arange(start, stop, dtype=np.int32)
    return api.range(start, stop)


def _joined(*parts: Any) -> Any:
    if all(isinstance(p, np.ndarray) for p in parts):
        return np.concatenate(parts)
    return api.concat(list(parts), 0)


def _gather_v2_gradient(op: Any, grad: Any) -> list[Any]:
    params, indices, axis = op.inputs
    value = constant_value(axis)
    if value is not None and int(value) == 0:
        return [_rows_gradient(params, indices, grad), None, None]
    return [_columns_gradient(params, indices, axis, grad), None, None]


_TABLE = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
declare(
    "Gather",
    inputs="params: Tparams, indices: Tindices",
    outputs="output: Tparams",
    attrs="validate_indices: bool = true, Tparams: type, Tindices: {int32, int64}",
    shape=lambda op: [_gather_entries(op.inputs[0].entries, op.inputs[1].entries, 0)],
    kernel=kernels.gather,
    gradient=lambda op, grad: [_rows_gradient(op.inputs[0], op.inputs[1], grad), None],
    samples=[
        sample(_TABLE, [2, 0, 2], want=[[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]),
        sample(_TABLE, 1, want=[3.0, 4.0]),
    ],
)
declare(
    "GatherV2",
    inputs="params: Tparams, indices: Tindices, axis: Taxis",
    outputs="output: Tparams",
    attrs="Tparams: type, Tindices: {int32, int64}, Taxis: {int32, int64}",
    shape=_gather_v2_shape,
    kernel=kernels.gather_v2,
    gradient=_gather_v2_gradient,
    samples=[
        sample(_TABLE, [[1, 1]], 1, want=[[[2.0, 2.0]], [[4.0, 4.0]], [[6.0, 6.0]]]),
        sample(_TABLE, [2, 0], 0, want=[[5.0, 6.0], [1.0, 2.0]]),
    ],
)


def _gather_nd_shape(op: Any) -> list[Any]:
    params, indices = (t.entries for t in op.inputs)
    if indices is None:
        return [None]
    shape_rules.at_least_rank(indices, 1, "indices")
    depth = indices[-1]
    if params is None or not isinstance(depth, int):
        return [None]
    if depth > len(params):
        raise ValueError(
            f"indices.shape[-1] must be <= params.rank, but saw indices.shape[-1] = {depth} and "
            f"params.rank = {len(params)}"
        )
    return [indices[:-1] + params[depth:]]


def _gather_nd_gradient(op: Any, grad: Any) -> list[Any]:
    params, indices = op.inputs
    shape = api.shape(params, out_type=indices.dtype)
    if indices.shape.ndims == 2 and indices.entries[1] == 1:
        # Whole rows: only those that were taken have a gradient.
        return [IndexedSlices(grad, api.squeeze(indices, [-1]), shape), None]
    return [scatter_nd(indices, grad, shape), None]


declare(
    "GatherNd",
    inputs="params: Tparams, indices: Tindices",
    outputs="output: Tparams",
    attrs="Tparams: type, Tindices: {int32, int64}",
    shape=_gather_nd_shape,
    kernel=kernels.gather_nd,
    gradient=_gather_nd_gradient,
    samples=[
        sample(_TABLE, [[2, 1], [0, 0]], want=[6.0, 1.0]),
        sample(_TABLE, [[2], [0]], want=[[5.0, 6.0], [1.0, 2.0]]),
    ],
)


def _scatter_nd_shape(op: Any) -> list[Any]:
    indices, updates, shape = op.inputs
    result = constant_entries(shape)
    check_scatter_nd(indices.entries, updates.entries, result, "output")
    return [result]


declare(
    "ScatterNd",
    inputs="indices: Tindices, updates: T, shape: Tindices",
    outputs="output: T",
    attrs="T: type, Tindices: {int32, int64}",
    shape=_scatter_nd_shape,
    kernel=kernels.scatter_nd,
    gradient=lambda op, grad: [None, gather_nd(grad, op.inputs[0]), None],
    samples=[sample([[4], [1], [4]], [9.0, 1.0, 2.0], [6], want=[0.0, 1.0, 0.0, 0.0, 11.0, 0.0])],
)


def _scatter_add_shape(op: Any) -> list[Any]:
    source, indices, updates = (t.entries for t in op.inputs)
    check_scatter_nd(indices, updates, source, "input")
    return [source]


def _scatter_add(input: Any, indices: Any, updates: Any) -> Any:
    return input + kernels.scatter_nd(indices, updates, np.array(input.shape))


declare(
    "ScatterNdNonAliasingAdd",
    inputs="input: T, indices: Tindices, updates: T",
    outputs="output: T",
    attrs="T: {number}, Tindices: {int32, int64}",
    shape=_scatter_add_shape,
    kernel=_scatter_add,
    gradient=lambda op, grad: [grad, None, gather_nd(grad, op.inputs[1])],
    samples=[sample([1.0, 2.0, 3.0], [[2], [0], [2]], [5.0, 6.0, 7.0], want=[7.0, 2.0, 15.0])],
)


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = 0,
) -> Tensor:
    """The slices of `params` along `axis` that `indices` names, in the shape of `indices`.

    The gradient along axis 0 is an IndexedSlices: only the rows that were taken.

    >>> import workbench as tf
    >>> tf.gather([10, 20, 30], [[2, 0]]).eval().tolist()
    [[30, 10]]
    """
    if isinstance(axis, (int, np.integer)) and axis == 0:
        sparse_read = getattr(params, "sparse_read", None)
        if sparse_read is not None:
            rows: Tensor = sparse_read(indices, name=name)
            return rows
        return call(
            "Gather", name, params=params, indices=indices, validate_indices=validate_indices
        )
    return call("GatherV2", name, params=params, indices=indices, axis=axis)


def gather_nd(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """The slices of `params` at positions: the last axis of `indices` holds the coordinates.

    >>> import workbench as tf
    >>> tf.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).eval().tolist()
    [2, 3]
    """
    return call("GatherNd", name, params=params, indices=indices)


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of `shape` with `updates` added at the positions `indices`.

    >>> import workbench as tf
    >>> tf.scatter_nd([[1], [3]], [7, 9], [4]).eval().tolist()
    [0, 7, 0, 9]
    """
    return call("ScatterNd", name, indices=indices, updates=updates, shape=shape)


def scatter_nd_non_aliasing_add(
    input: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """A new tensor: `input` with `updates` added at the positions `indices`."""
    return call("ScatterNdNonAliasingAdd", name, input=input, indices=indices, updates=updates)
