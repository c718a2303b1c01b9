"""Looking up rows of (partitioned) matrices."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import colocate_with, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api

_COMBINERS = ("mean", "sqrtn", "sum")


def parameter_list(params: Any) -> list[Any]:
    """The parts of a matrix: those of a partitioned variable, a list's items, or it alone."""
    if params is None or (isinstance(params, (list, tuple)) and not params):
        raise ValueError("Need at least one param")
    parts = getattr(params, "_get_variable_list", None)
    if parts is not None:
        return list(parts())
    return list(params) if isinstance(params, (list, tuple)) else [params]


def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: float | None = None,
) -> Tensor:
    """The rows `ids` of `params`, in the shape of `ids` with a row in place of each id.

    `params` may be several matrices: with `partition_strategy` "mod" row i is in matrix i % n, with
    "div" they follow each other in parts of nearly equal size. With `max_norm` longer rows are
    scaled down to that norm. Raises ValueError without params or with another strategy.

    >>> import workbench as tf
    >>> table = tf.constant([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]])
    >>> tf.nn.embedding_lookup(table, [2, 1]).eval().tolist()
    [[2.0, 20.0], [1.0, 10.0]]
    """
    matrices = parameter_list(params)
    with name_scope(name, "embedding_lookup", [*matrices, ids]) as scope:
        ids = convert_to_tensor(ids, name="ids")
        if len(matrices) == 1:
            with colocate_with(_operation(matrices[0])):
                return _clipped(api.gather(matrices[0], ids, name=scope), ids, max_norm)
        tensors = [convert_to_tensor(m, name=f"params_{i}") for i, m in enumerate(matrices)]
        rows = _from_several(matrices, tensors, ids, partition_strategy, scope)
        return _clipped(rows, ids, max_norm)


def _operation(value: Any) -> Any:
    return getattr(value, "op", None) or convert_to_tensor(value).op


def _from_several(
    matrices: list[Any], tensors: list[Tensor], ids: Tensor, strategy: str, scope: str
) -> Tensor:
    """Each matrix gives its rows, and the rows are put in the order of `ids`."""
    flat: Any = api.reshape(ids, [-1])
    order = api.range(api.size(flat))
    if strategy == "mod":
        owners, local = flat % len(matrices), flat // len(matrices)
    elif strategy == "div":
        owners, local = _divided(tensors, flat)
    else:
        raise ValueError(
            f"Unrecognized partition strategy: {strategy!r}, known are 'mod' and 'div'"
        )
    owners = api.cast(owners, int32)
    wanted = api.dynamic_partition(local, owners, len(matrices))
    places = api.dynamic_partition(order, owners, len(matrices))
    parts = []
    for matrix, indices in zip(matrices, wanted, strict=True):
        with colocate_with(_operation(matrix)):
            parts.append(api.gather(matrix, indices))
    rows = api.dynamic_stitch(places, parts, name=scope)
    shape = tensors[0].shape[1:]
    for tensor in tensors[1:]:
        shape = shape.merge_with(tensor.shape[1:])
    outer, inner = _sizes(ids), _sizes(tensors[0], 1)
    if isinstance(outer, list) and isinstance(inner, list):
        rows = api.reshape(rows, [*outer, *inner])
    else:
        rows = api.reshape(rows, api.concat([outer, inner], 0))
    rows.set_shape(ids.shape.concatenate(shape))
    result: Tensor = rows
    return result


def _sizes(tensor: Tensor, start: int = 0) -> Any:
    """The sizes from axis `start` on: a list where they are known."""
    shape = tensor.shape[start:] if tensor.shape.ndims is not None else tensor.shape
    return shape.as_list() if shape.is_fully_defined() else api.shape(tensor)[start:]


def _divided(tensors: list[Tensor], flat: Any) -> tuple[Any, Any]:
    """For each id its matrix and its row in it, where the first matrices may have one row more."""
    count = len(tensors)
    sizes = [None if t.shape.ndims is None else t.shape.as_list()[0] for t in tensors]
    if None not in sizes:
        total: Any = api.constant(sum(s for s in sizes if s), flat.dtype.base_dtype)
    else:
        heights = [api.cast(api.shape(t)[0], flat.dtype.base_dtype) for t in tensors]
        total = api.reduce_sum(api.stack(heights))
    each, extras = total // count, total % count
    owners = api.maximum(flat // (each + 1), (flat - extras) // each)
    return owners, api.where(owners < extras, flat % (each + 1), (flat - extras) % each)


def _clipped(rows: Any, ids: Tensor, max_norm: float | None) -> Tensor:
    if max_norm is None:
        unchanged: Tensor = rows
        return unchanged
    if ids.shape.ndims is not None and rows.shape.ndims is not None:
        axes: Any = list(range(ids.shape.ndims, rows.shape.ndims))
    else:
        axes = api.range(api.rank(ids), api.rank(rows))
    clipped: Tensor = api.clip_by_norm(rows, max_norm, axes=axes)
    return clipped


def embedding_lookup_sparse(
    params: Any,
    sp_ids: SparseTensor,
    sp_weights: SparseTensor | None,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: float | None = None,
) -> Tensor:
    """For each row of `sp_ids` the combined rows of `params` that its ids name.

    `sp_weights` weighs them (1 without). `combiner` is "sum", "mean" (the sum by the sum of
    weights, the default) or "sqrtn" (the sum by the norm of the weights). Every row of `sp_ids`
    must have an id. Raises TypeError unless `sp_ids` and `sp_weights` are sparse, ValueError for
    another combiner.

    >>> import workbench as tf
    >>> ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 2, 0], [2, 2])
    >>> tf.nn.embedding_lookup_sparse(
    ...     tf.constant([[1.0], [2.0], [4.0]]), ids, None, combiner="sum"
    ... ).eval().tolist()
    [[6.0], [1.0]]
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in _COMBINERS:
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner!r}")
    matrices = parameter_list(params)
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError(f"sp_ids must be SparseTensor, got {type(sp_ids).__name__}")
    if sp_weights is not None:
        if not isinstance(sp_weights, SparseTensor):
            raise TypeError(
                f"sp_weights must be either None or SparseTensor, got {type(sp_weights).__name__}"
            )
        for a, b in zip(sp_ids, sp_weights, strict=True):
            a.shape.assert_is_compatible_with(b.shape)
    with name_scope(name, "embedding_lookup_sparse", [*matrices, *sp_ids]) as scope:
        indices: Any = sp_ids.indices
        segments = api.cast(indices[:, 0], int32)
        if sp_weights is None:
            # Each row is looked up once, however often its id occurs.
            distinct, positions = api.unique(sp_ids.values)
            rows = embedding_lookup(matrices, distinct, partition_strategy, max_norm=max_norm)
            return _combine(combiner, rows, positions, segments, scope)
        found: Any = embedding_lookup(
            matrices, sp_ids.values, partition_strategy, max_norm=max_norm
        )
        weights = _aligned(api.cast(sp_weights.values, found.dtype.base_dtype), found)
        if combiner == "sum":
            summed: Tensor = api.segment_sum(found * weights, segments, name=scope)
            return summed
        total = api.segment_sum(found * weights, segments)
        if combiner == "mean":
            norm = api.segment_sum(weights, segments)
        else:
            norm = api.sqrt(api.segment_sum(api.square(weights), segments))
        result: Tensor = api.div(total, norm, name=scope)
        return result


def _combine(combiner: str, rows: Tensor, positions: Any, segments: Any, scope: str) -> Tensor:
    functions = {
        "sum": api.sparse_segment_sum,
        "mean": api.sparse_segment_mean,
        "sqrtn": api.sparse_segment_sqrt_n,
    }
    result: Tensor = functions[combiner](rows, positions, segments, name=scope)
    return result


def _aligned(weights: Any, rows: Tensor) -> Any:
    """One weight for each row, with axes of size 1 for the row's own."""
    rank = rows.shape.ndims
    if rank is not None:
        return api.reshape(weights, [-1, *[1] * (rank - 1)])
    ones = api.fill(api.expand_dims(api.rank(rows) - 1, 0), 1)
    return api.reshape(weights, api.concat([api.shape(weights), ones], 0))
