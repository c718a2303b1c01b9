"""Datasets of the rows of batches, and batches that are sparse tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data import components, nest
from workbench.core.ops.data.dataset import Dataset, int64_input
from workbench.core.ops.data.pipeline import Element, Pipeline, Steps, take


class Unbatched(Dataset):
    """The rows of each element."""

    def __init__(self, parent: Dataset) -> None:
        super().__init__(
            parent.output_types,
            nest.map_structure(lambda s: s.with_rank_at_least(1)[1:], parent.output_shapes),
            [parent],
            output_classes=parent.output_classes,
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        kinds = nest.flatten(self.output_classes)
        for element in self._parents[0].elements(pipeline):
            yield from components.slices(element, kinds)


class SparseBatched(Dataset):
    """Arrays that may differ in size, as the rows of a sparse tensor that has all their values."""

    def __init__(self, parent: Dataset, batch_size: Any, row_shape: Any) -> None:
        if nest.is_nested(parent.output_types) or parent.output_classes is not Tensor:
            raise TypeError("dense_to_sparse_batch takes datasets of single dense tensors")
        self._row_shape = TensorShape(row_shape)
        super().__init__(
            parent.output_types,
            TensorShape([None]).concatenate(self._row_shape),
            [parent],
            [int64_input(batch_size, "batch_size")],
            SparseTensor,
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = int(pipeline.value(self._inputs[0]))
        source = self._parents[0].elements(pipeline)

        def step() -> Element:
            rows = [self._sparse(np.asarray(row)) for (row,) in take(source, size)]
            if not rows:
                raise StopIteration
            return components.join_sparse(rows)

        return Steps(step)

    def _sparse(self, row: Any) -> tuple[Any, Any, Any]:
        sizes = self._row_shape.as_list()
        fits = row.ndim == len(sizes) and all(
            most is None or own <= most for own, most in zip(row.shape, sizes, strict=True)
        )
        if not fits:
            raise errors.DataLossError(
                None,
                None,
                f"Got an element of shape {list(row.shape)}, which does not fit into the row shape "
                f"{self._row_shape}",
            )
        indices = np.argwhere(np.ones(row.shape, np.bool_)).astype(np.int64)
        shape = [own if most is None else most for own, most in zip(row.shape, sizes, strict=True)]
        return indices, row.reshape(-1), np.array(shape, np.int64)


class SoundElements(Dataset):
    """The elements that can be had without an error."""

    def __init__(self, parent: Dataset) -> None:
        super().__init__(
            parent.output_types,
            parent.output_shapes,
            [parent],
            output_classes=parent.output_classes,
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        source = self._parents[0].elements(pipeline)
        while True:
            try:
                element = next(source)
            except StopIteration:
                return
            except errors.OpError:
                continue
            yield element
