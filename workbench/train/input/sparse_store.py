"""Sparse tensors on their way through a queue.

A queue holds dense components only. A sparse tensor is kept in the session meanwhile, in a map of
its component, and the queue holds its handle, a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.dtypes import DType, int64
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.constant import constant
from workbench.core.ops.control_flow.cond import cond
from workbench.core.ops.creation import create
from workbench.core.ops.sparse.rows import sparse_retain
from workbench.core.ops.sparse.tensors_map import (
    add_many_sparse_to_tensors_map,
    add_sparse_to_tensors_map,
)


class Kept(NamedTuple):
    """A sparse component: its type, the rank of what comes out, and the name of its map."""

    dtype: DType
    rank: int | None
    map_name: str


#: For each component what is sparse of it, None for a dense one.
Components = list[Kept | None]


def components_of(
    tensors: Sequence[Any], enqueue_many: bool, shared_name: str | None
) -> Components:
    """The sparse ones of what is to be enqueued."""
    found: Components = []
    for number, tensor in enumerate(tensors):
        if not isinstance(tensor, SparseTensor):
            found.append(None)
            continue
        rank = tensor.dense_shape.shape.with_rank(1)[0].value
        graph = get_default_graph()
        # Who shares the queue shares what its handles stand for.
        name = f"{shared_name}/sparse_{number}" if shared_name else graph.unique_name("sparse_map")
        batched = rank if rank is None or enqueue_many else rank + 1
        found.append(Kept(tensor.dtype.base_dtype, batched, name))
    return found


def check_alike(first: Sequence[Any], other: Sequence[Any]) -> None:
    """ValueError where a component is sparse in one of two lists and dense in the other."""
    kinds = [[isinstance(tensor, SparseTensor) for tensor in each] for each in (first, other)]
    if kinds[0] != kinds[1]:
        raise ValueError(f"Inconsistent SparseTensors list: {first} vs. {other}")


def store(
    tensors: Sequence[Any], components: Components, enqueue_many: bool, keep_input: Tensor
) -> list[Tensor]:
    """The components as tensors: handles in the place of sparse ones.

    What is not to be kept is not stored.
    """
    return [
        tensor if kept is None else _handles(tensor, kept, enqueue_many, keep_input)
        for tensor, kept in zip(tensors, components, strict=True)
    ]


def _handles(tensor: SparseTensor, kept: Kept, enqueue_many: bool, keep_input: Tensor) -> Tensor:
    if keep_input.shape.ndims == 1:
        # All rows get a handle; there is nothing behind those of the rows that are left out.
        chosen = api.gather(keep_input, tensor.indices[:, 0])
        thinned = sparse_retain(tensor, chosen)
        return add_many_sparse_to_tensors_map(thinned, shared_name=kept.map_name)
    if enqueue_many:
        made: Tensor = _where_kept(
            keep_input,
            lambda: add_many_sparse_to_tensors_map(tensor, shared_name=kept.map_name),
            lambda: -api.ones([tensor.dense_shape[0]], int64),
        )
        made.set_shape([None])
    else:
        made = _where_kept(
            keep_input,
            lambda: add_sparse_to_tensors_map(tensor, shared_name=kept.map_name),
            lambda: constant(-1, int64),
        )
        made.set_shape([])
    return made


def _where_kept(keep_input: Tensor, stored: Any, nothing: Any) -> Any:
    known = constant_value(keep_input)
    if known is not None:
        return stored() if known else nothing()
    return cond(keep_input, stored, nothing)


def restore(tensors: Sequence[Tensor], components: Components) -> list[Any]:
    """A batch of components with the sparse ones as they were, in one more dimension."""
    return [
        tensor if kept is None else _taken(tensor, kept)
        for tensor, kept in zip(tensors, components, strict=True)
    ]


def _taken(handles: Tensor, kept: Kept) -> SparseTensor:
    indices, values, shape = create(
        "TakeManySparseFromTensorsMap",
        None,
        sparse_handles=handles,
        dtype=kept.dtype,
        shared_name=kept.map_name,
    ).outputs
    indices.set_shape([None, kept.rank])
    shape.set_shape([kept.rank])
    return SparseTensor(indices, values, shape)
