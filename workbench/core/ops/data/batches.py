"""Datasets of batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.constants import constant_value
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops.data import nest
from workbench.core.ops.data.dataset import Dataset, int64_input
from workbench.core.ops.data.pipeline import Element, Pipeline, Steps


class Batched(Dataset):
    """Elements stacked."""

    def __init__(self, parent: Dataset, batch_size: Any, drop_remainder: bool) -> None:
        size = int64_input(batch_size, "batch_size")
        known = constant_value(size) if drop_remainder else None
        rows = None if known is None else int(known)
        shapes = nest.map_structure(
            lambda s: TensorShape([rows]).concatenate(s), parent.output_shapes
        )
        super().__init__(parent.output_types, shapes, [parent], [size])
        self._drops = drop_remainder

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = _batch_size(pipeline.value(self._inputs[0]))
        source = self._parents[0].elements(pipeline)
        types = self.flat_types()

        def step() -> Element:
            rows = _rows(source, size, self._drops)
            return tuple(
                _stack(column, dtype.as_numpy_dtype)
                for column, dtype in zip(zip(*rows, strict=True), types, strict=True)
            )

        return Steps(step)


def _rows(source: Iterator[Element], size: int, drops: bool) -> list[Element]:
    """The next elements, StopIteration where there are none or (to drop) too few."""
    rows = list(itertools.islice(source, size))
    if not rows or (drops and len(rows) < size):
        raise StopIteration
    return rows


def _batch_size(value: Any) -> int:
    if value <= 0:
        raise errors.InvalidArgumentError(
            None, None, f"batch_size must be greater than zero, got {value}"
        )
    return int(value)


def _stack(column: tuple[Any, ...], dtype: Any) -> Any:
    shapes = {np.shape(c) for c in column}
    if len(shapes) > 1:
        first, *_ = [np.shape(c) for c in column]
        other = next(np.shape(c) for c in column if np.shape(c) != first)
        raise errors.InvalidArgumentError(
            None,
            None,
            "Cannot batch tensors with different shapes in one component: the first element had "
            f"shape {list(first)}, another {list(other)}. Use padded_batch.",
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
        size = int64_input(batch_size, "batch_size")
        wanted = [_padded_shape(s) for s in nest.flatten_up_to(parent.output_types, padded_shapes)]
        for shape, own in zip(wanted, parent.flat_shapes(), strict=True):
            if own.ndims is not None and shape.ndims != own.ndims:
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
            [size, *values],
        )
        self._wanted = wanted
        self._drops = drop_remainder

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = _batch_size(pipeline.value(self._inputs[0]))
        fills = [pipeline.value(t) for t in self._inputs[1:]]
        source = self._parents[0].elements(pipeline)
        types = self.flat_types()

        def step() -> Element:
            rows = _rows(source, size, self._drops)
            return tuple(
                _pad(column, shape, fill, dtype.as_numpy_dtype)
                for column, shape, fill, dtype in zip(
                    zip(*rows, strict=True), self._wanted, fills, types, strict=True
                )
            )

        return Steps(step)


def _padded_shape(value: Any) -> TensorShape:
    if isinstance(value, (list, tuple, np.ndarray)):
        return TensorShape([None if d in (None, -1) else d for d in value])
    known = constant_value(value) if not isinstance(value, TensorShape) else None
    if known is not None:
        return TensorShape([None if d == -1 else int(d) for d in known.reshape(-1)])
    return TensorShape(value)


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
