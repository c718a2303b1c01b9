"""The components of elements: what users see as one, and the arrays it is made of.

A dense component is one array. A sparse component, which users see as a `SparseTensor`, is three:
indices, values and dense shape. Elements are flat tuples of arrays everywhere inside.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph import dtypes
from workbench.core.graph.composite import SparseTensor, SparseTensorValue
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data import nest

#: How many arrays a sparse component is made of.
PARTS = 3


def dense_classes(types: Any) -> Any:
    """The classes of components that are all dense."""
    return nest.map_structure(lambda _: Tensor, types)


def flat_types(types: Any, classes: Any) -> list[DType]:
    """The types of the arrays of an element."""
    found: list[DType] = []
    for dtype, kind in zip(nest.flatten(types), nest.flatten(classes), strict=True):
        found += [dtypes.int64, dtype, dtypes.int64] if kind is SparseTensor else [dtype]
    return found


def flat_shapes(shapes: Any, classes: Any) -> list[TensorShape]:
    """The shapes of the arrays of an element."""
    found = []
    for shape, kind in zip(nest.flatten(shapes), nest.flatten(classes), strict=True):
        if kind is SparseTensor:
            rank = shape.ndims
            found += [TensorShape([None, rank]), TensorShape([None]), TensorShape([rank])]
        else:
            found.append(shape)
    return found


def pack(types: Any, classes: Any, flat: Sequence[Tensor]) -> Any:
    """The tensors of an element in its structure."""
    tensors = iter(flat)
    leaves = [
        SparseTensor(next(tensors), next(tensors), next(tensors))
        if kind is SparseTensor
        else next(tensors)
        for kind in nest.flatten(classes)
    ]
    return nest.pack(types, leaves)


def is_sparse(value: Any) -> bool:
    """True for sparse tensors, and their values."""
    return isinstance(value, (SparseTensor, SparseTensorValue))


def as_component(value: Any, name: str | None = None) -> Tensor | SparseTensor:
    """A component as a tensor or a SparseTensor."""
    if is_sparse(value):
        return SparseTensor.from_value(value)
    return convert_to_tensor(value, name=name)


def tensors_of(components: Sequence[Any]) -> list[Tensor]:
    """The tensors that components are made of."""
    found: list[Tensor] = []
    for component in components:
        found += list(component) if isinstance(component, SparseTensor) else [component]
    return found


def type_of(component: Any) -> DType:
    """The type of a component's values."""
    dtype: DType = component.dtype.base_dtype
    return dtype


def shape_of(component: Any) -> TensorShape:
    """The static shape of a component."""
    shape: TensorShape = component.get_shape()
    return shape


def class_of(component: Any) -> type:
    """The class that users see a component as."""
    return SparseTensor if isinstance(component, SparseTensor) else Tensor


def join_sparse(rows: Sequence[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    """Sparse components as one with one more dimension, as large as the largest."""
    counts = [len(values) for _, values, _ in rows]
    numbers = np.repeat(np.arange(len(rows), dtype=np.int64), counts)
    inner = np.concatenate([indices for indices, _, _ in rows])
    indices = np.concatenate([numbers[:, None], inner], axis=1)
    values = np.concatenate([np.atleast_1d(values) for _, values, _ in rows])
    largest = np.stack([shape for _, _, shape in rows]).max(axis=0)
    return indices, values, np.concatenate([[np.int64(len(rows))], largest])


def sparse_rows(indices: Any, values: Any, shape: Any) -> list[tuple[Any, Any, Any]]:
    """A sparse component's slices along its first dimension."""
    order = np.argsort(indices[:, 0], kind="stable")
    ordered = indices[order]
    bounds = np.searchsorted(ordered[:, 0], np.arange(int(shape[0]) + 1))
    rows = []
    for start, stop in itertools.pairwise(bounds):
        rows.append((ordered[start:stop, 1:], values[order[start:stop]], shape[1:]))
    return rows


def slices(arrays: Sequence[Any], kinds: Sequence[type]) -> Iterator[tuple[Any, ...]]:
    """The slices of an element's components along their first dimensions, as elements."""
    left = iter(arrays)
    columns: list[Any] = []
    for kind in kinds:
        if kind is SparseTensor:
            columns.append(sparse_rows(next(left), next(left), next(left)))
        else:
            columns.append([(part,) for part in np.asarray(next(left))])
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise InvalidArgumentError(
            None, None, f"The components have different numbers of slices: {sorted(lengths)}"
        )
    for parts in zip(*columns, strict=True):
        yield tuple(itertools.chain.from_iterable(parts))
