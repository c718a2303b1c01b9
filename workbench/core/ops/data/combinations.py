"""Datasets made of several datasets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from workbench.core.ops.data import nest
from workbench.core.ops.data.dataset import Dataset
from workbench.core.ops.data.pipeline import Element, Pipeline


class Zipped(Dataset):
    """Elements side by side."""

    def __init__(self, datasets: Any) -> None:
        flat = nest.flatten(datasets)
        for dataset in flat:
            if not isinstance(dataset, Dataset):
                raise TypeError(
                    "The argument to `Dataset.zip()` must be a nested structure of `Dataset` "
                    f"objects, got {dataset!r}; lists are not supported."
                )
        super().__init__(
            nest.pack(datasets, [d.output_types for d in flat]),
            nest.pack(datasets, [d.output_shapes for d in flat]),
            flat,
            output_classes=nest.pack(datasets, [d.output_classes for d in flat]),
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        sources = [d.elements(pipeline) for d in self._parents]
        return itertools.starmap(_joined, zip(*sources, strict=False))


def _joined(*parts: Element) -> Element:
    return tuple(itertools.chain(*parts))


class Concatenated(Dataset):
    """One dataset after the other."""

    def __init__(self, first: Dataset, second: Dataset) -> None:
        kinds = (first.output_classes, second.output_classes)
        if first.flat_types() != second.flat_types() or kinds[0] != kinds[1]:
            raise TypeError(
                f"Two datasets to concatenate have different types {first.output_types} and "
                f"{second.output_types}"
            )
        shapes = [
            _common(a, b)
            for a, b in zip(
                nest.flatten(first.output_shapes), nest.flatten(second.output_shapes), strict=True
            )
        ]
        super().__init__(
            first.output_types,
            nest.pack(first.output_types, shapes),
            [first, second],
            output_classes=first.output_classes,
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        return itertools.chain.from_iterable(p.elements(pipeline) for p in self._parents)


def _common(a: Any, b: Any) -> Any:
    """The most specific shape that covers both."""
    from workbench.core.graph.shapes import TensorShape

    if a.ndims is None or a.ndims != b.ndims:
        return TensorShape(None)
    return TensorShape(
        [x if x == y else None for x, y in zip(a.as_list(), b.as_list(), strict=True)]
    )
