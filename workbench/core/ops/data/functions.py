"""Datasets that apply a function to elements."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from workbench.core import errors
from workbench.core.graph import dtypes
from workbench.core.ops.data import components, nest
from workbench.core.ops.data.dataset import Dataset, TracedFunction, int64_input
from workbench.core.ops.data.pipeline import Element, Pipeline
from workbench.core.ops.data.side_by_side import SideBySide


class Mapped(Dataset):
    """A function of each element."""

    def __init__(self, parent: Dataset, function: Callable[..., Any], parallel_calls: Any) -> None:
        traced = TracedFunction(function, parent)
        structure, found = traced.components()
        self._function, self._results = traced.graph, components.tensors_of(found)
        self._parallel = (
            None if parallel_calls is None else int64_input(parallel_calls, "num_parallel_calls")
        )
        super().__init__(
            nest.pack(structure, [components.type_of(c) for c in found]),
            nest.pack(structure, [components.shape_of(c) for c in found]),
            [parent],
            [*self._function.captured, *([] if self._parallel is None else [self._parallel])],
            nest.pack(structure, [components.class_of(c) for c in found]),
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        workers = 1 if self._parallel is None else int(pipeline.value(self._parallel))
        function = pipeline.function(self._function, self._results, workers)
        source = self._parents[0].elements(pipeline)
        if workers <= 1:
            return itertools.starmap(function, source)
        return SideBySide(pipeline, function, source, workers)


class Filtered(Dataset):
    """The elements for which a predicate is true."""

    def __init__(self, parent: Dataset, predicate: Callable[..., Any]) -> None:
        traced = TracedFunction(predicate, parent)
        _, self._results = traced.components()
        self._function = traced.graph
        if len(self._results) != 1 or self._results[0].dtype is not dtypes.bool:
            raise ValueError(
                "`predicate` must return a scalar boolean tensor, got "
                f"{[t.dtype.name for t in self._results]}"
            )
        self._results[0].shape.assert_is_compatible_with([])
        super().__init__(
            parent.output_types,
            parent.output_shapes,
            [parent],
            self._function.captured,
            parent.output_classes,
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        predicate = pipeline.function(self._function, self._results)
        return filter(lambda e: bool(predicate(*e)[0]), self._parents[0].elements(pipeline))


class Interleaved(Dataset):
    """Elements in turn of the datasets that a function gives for each element."""

    def __init__(
        self, parent: Dataset, function: Callable[..., Any], cycle_length: Any, block_length: Any
    ) -> None:
        traced = TracedFunction(function, parent)
        self._function, inner = traced.graph, traced.result
        if not isinstance(inner, Dataset):
            raise TypeError("`map_func` must return a `Dataset` object.")
        self._inner = inner
        with self._function.as_default():
            self._results = [
                t if t.graph is self._function else self._function.capture(t)
                for t in inner.all_inputs()
            ]
        self._cycle = int64_input(cycle_length, "cycle_length")
        self._block = int64_input(block_length, "block_length")
        super().__init__(
            inner.output_types,
            inner.output_shapes,
            [parent],
            [*self._function.captured, self._cycle, self._block],
            inner.output_classes,
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        return Turns(self._opened(pipeline), *self._lengths(pipeline))

    def _lengths(self, pipeline: Pipeline) -> tuple[int, int]:
        """How many datasets are read in turn, and how many elements of each."""
        cycle = int(pipeline.value(self._cycle))
        block = int(pipeline.value(self._block))
        for value, name in ((cycle, "cycle_length"), (block, "block_length")):
            if value < 1:
                raise errors.InvalidArgumentError(
                    None, None, f"{name} must be greater than zero, got {value}"
                )
        return cycle, block

    def _opened(self, pipeline: Pipeline) -> Iterator[Iterator[Element]]:
        """The inner datasets, each started with what the function computed for its element."""
        compute = pipeline.function(self._function, self._results)
        wanted = self._inner.all_inputs()

        def opened(*element: Any) -> Iterator[Element]:
            inputs = dict(zip(wanted, compute(*element), strict=True))
            return self._inner.elements(pipeline.with_inputs(inputs))

        return itertools.starmap(opened, self._parents[0].elements(pipeline))


class Turns(Iterator[Element]):
    """The elements of several iterators in turn: each place in the cycle has one at a time."""

    def __init__(self, sources: Iterator[Iterator[Element]], cycle: int, block: int) -> None:
        self._sources = sources
        self._places: list[Iterator[Element] | None] = [None] * cycle
        self._block = block
        self._place = 0
        self._given = 0
        self._more = True

    def __next__(self) -> Element:
        while self._more or any(place is not None for place in self._places):
            current = self._places[self._place]
            if current is None:
                self._open()
                continue
            try:
                element = next(current)
            except StopIteration:
                self._places[self._place] = None
                self._turn()
                continue
            except Exception:
                # An error stands for the element that could not be had.
                self._count()
                raise
            self._count()
            return element
        raise StopIteration

    def _count(self) -> None:
        self._given += 1
        if self._given == self._block:
            self._turn()

    def _open(self) -> None:
        """Puts the next iterator in the place, or goes on where there is none left."""
        if self._more:
            try:
                self._places[self._place] = next(self._sources)
            except StopIteration:
                self._more = False
            except Exception:
                self._turn()
                raise
        else:
            self._turn()

    def _turn(self) -> None:
        self._place = (self._place + 1) % len(self._places)
        self._given = 0
