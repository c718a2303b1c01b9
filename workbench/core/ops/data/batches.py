"""Datasets of batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data import components, nest
from workbench.core.ops.data.dataset import Dataset, int64_input
from workbench.core.ops.data.pipeline import Element, Pipeline, Steps, take


class Batched(Dataset):
    """Elements stacked."""

    def __init__(self, parent: Dataset, batch_size: Any, drop_remainder: bool) -> None:
        size = int64_input(batch_size, "batch_size")
        known = constant_value(size) if drop_remainder else None
        rows = None if known is None else int(known)
        shapes = nest.map_structure(
            lambda s: TensorShape([rows]).concatenate(s), parent.output_shapes
        )
        super().__init__(parent.output_types, shapes, [parent], [size], parent.output_classes)
        self._drops = drop_remainder

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = _batch_size(pipeline.value(self._inputs[0]))
        source = self._parents[0].elements(pipeline)
        types = self.flat_types()
        kinds = nest.flatten(self.output_classes)

        def step() -> Element:
            rows = _rows(source, size, self._drops)
            return batch(rows, types, kinds)

        return Steps(step)


def batch(rows: Sequence[Element], types: Sequence[Any], kinds: Sequence[type]) -> Element:
    """Elements as one: arrays stacked, sparse components as rows of one."""
    columns = list(zip(*rows, strict=True))
    found: list[Any] = []
    for number, kind in enumerate(kinds):
        at = len(found)
        if kind is SparseTensor:
            found += components.join_sparse(list(zip(*columns[at : at + 3], strict=True)))
        else:
            found.append(_stack(columns[at], types[at].as_numpy_dtype, number))
    return tuple(found)


def _rows(source: Iterator[Element], size: int, drops: bool) -> list[Element]:
    """The next elements, StopIteration where there are none or (to drop) too few."""
    rows = take(source, size)
    if not rows or (drops and len(rows) < size):
        raise StopIteration
    return rows


def _batch_size(value: Any) -> int:
    if value <= 0:
        raise errors.InvalidArgumentError(
            None, None, f"batch_size must be greater than zero, got {value}"
        )
    return int(value)


def _stack(column: tuple[Any, ...], dtype: Any, number: int) -> Any:
    shapes = {np.shape(c) for c in column}
    if len(shapes) > 1:
        first = np.shape(column[0])
        other = next(i for i, c in enumerate(column) if np.shape(c) != first)
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Cannot batch tensors with different shapes in component {number}. First element had "
            f"shape {list(first)} and element {other} had shape {list(np.shape(column[other]))}. "
            "Use padded_batch.",
        )
    shape = shapes.pop()
    result = np.empty((len(column), *shape), dtype)
    for i, component in enumerate(column):
        result[i] = component
    return result


class Padded(Dataset):
    """Elements padded to a common shape and stacked."""

    def __init__(
        self,
        parent: Dataset,
        batch_size: Any,
        padded_shapes: Any,
        padding_values: Any,
        drop_remainder: bool,
    ) -> None:
        if SparseTensor in nest.flatten(parent.output_classes):
            raise TypeError("Batching of padded sparse tensors is not currently supported")
        size = int64_input(batch_size, "batch_size")
        given = nest.flatten_up_to(parent.output_types, padded_shapes)
        wanted = [_padded_shape(s) for s in given]
        for shape, own in zip(wanted, parent.flat_shapes(), strict=True):
            if None not in (own.ndims, shape.ndims) and shape.ndims != own.ndims:
                raise ValueError(
                    f"The padded shape {shape} is not compatible with the corresponding input "
                    f"component shape {own}: the ranks differ"
                )
        values = _padding_values(parent, padding_values)
        shapes = [TensorShape([None]).concatenate(s) for s in wanted]
        super().__init__(
            parent.output_types,
            nest.pack(parent.output_types, shapes),
            [parent],
            [size, *values, *(s for s in given if isinstance(s, Tensor))],
        )
        #: Shapes that are only known when it runs are tensors.
        self._wanted = [
            g if isinstance(g, Tensor) else w for g, w in zip(given, wanted, strict=True)
        ]
        self._drops = drop_remainder

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = _batch_size(pipeline.value(self._inputs[0]))
        types = self.flat_types()
        fills = [pipeline.value(t) for t in self._inputs[1 : 1 + len(types)]]
        shapes = [_sizes(pipeline.value(s)) if isinstance(s, Tensor) else s for s in self._wanted]
        source = self._parents[0].elements(pipeline)

        def step() -> Element:
            rows = _rows(source, size, self._drops)
            return tuple(
                _pad(column, shape, fill, dtype.as_numpy_dtype)
                for column, shape, fill, dtype in zip(
                    zip(*rows, strict=True), shapes, fills, types, strict=True
                )
            )

        return Steps(step)


def _padded_shape(value: Any) -> TensorShape:
    if isinstance(value, (list, tuple, np.ndarray)):
        return TensorShape([None if d in (None, -1) else d for d in value])
    if isinstance(value, Tensor):
        known = constant_value(value)
        return _sizes(known) if known is not None else TensorShape([None] * _rank(value))
    return TensorShape(value)


def _sizes(value: Any) -> TensorShape:
    return TensorShape([None if d == -1 else int(d) for d in np.asarray(value).reshape(-1)])


def _rank(shape: Tensor) -> int:
    size = shape.shape.with_rank(1)[0].value
    if size is None:
        raise ValueError(f"The rank of the padded shape {shape} must be known")
    return int(size)


def _padding_values(parent: Dataset, given: Any) -> list[Any]:
    types = parent.flat_types()
    if given is None:
        plain = [b"" if t.name == "string" else t.as_numpy_dtype() for t in types]
    else:
        plain = nest.flatten_up_to(parent.output_types, given)
    return [
        convert_to_tensor(p, dtype=t, name="padding_value")
        for p, t in zip(plain, types, strict=True)
    ]


def _pad(column: tuple[Any, ...], wanted: TensorShape, fill: Any, dtype: Any) -> Any:
    rank = wanted.ndims or 0
    longest = [max(np.shape(c)[axis] for c in column) for axis in range(rank)]
    sizes = []
    for axis, size in enumerate(wanted.as_list()):
        if size is not None and longest[axis] > size:
            raise errors.DataLossError(
                None,
                None,
                f"Attempted to pad to a smaller size than the input element: axis {axis} of an "
                f"element has {longest[axis]}, the padded shape {size}",
            )
        sizes.append(longest[axis] if size is None else size)
    result = np.full((len(column), *sizes), fill, dtype)
    for i, component in enumerate(column):
        where: tuple[Any, ...] = (i, *(slice(0, n) for n in np.shape(component)))
        result[where] = component
    return result
