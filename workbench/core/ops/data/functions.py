"""Datasets that apply a function to elements."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.ops.data import nest
from workbench.core.ops.data.dataset import Dataset, TracedFunction, int64_input
from workbench.core.ops.data.pipeline import Element, Pipeline


class Mapped(Dataset):
    """A function of each element."""

    def __init__(self, parent: Dataset, function: Callable[..., Any], parallel_calls: Any) -> None:
        self._traced = TracedFunction(function, parent)
        structure, self._results = self._traced.tensors()
        self._parallel = (
            None if parallel_calls is None else int64_input(parallel_calls, "num_parallel_calls")
        )
        super().__init__(
            nest.pack(structure, [t.dtype.base_dtype for t in self._results]),
            nest.pack(structure, [t.shape for t in self._results]),
            [parent],
            [*self._traced.graph.captured, *([] if self._parallel is None else [self._parallel])],
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        function = pipeline.function(self._traced.graph, self._results)
        source = self._parents[0].elements(pipeline)
        workers = 1 if self._parallel is None else int(pipeline.value(self._parallel))
        if workers <= 1:
            for element in source:
                yield function(*element)
            return
        with ThreadPoolExecutor(workers, "workbench-map") as pool:
            waiting: deque[Future[Element]] = deque(
                pool.submit(function, *e) for e in itertools.islice(source, workers)
            )
            while waiting:
                done = waiting.popleft().result()
                for element in itertools.islice(source, 1):
                    waiting.append(pool.submit(function, *element))
                yield done


class Filtered(Dataset):
    """The elements for which a predicate is true."""

    def __init__(self, parent: Dataset, predicate: Callable[..., Any]) -> None:
        self._traced = TracedFunction(predicate, parent)
        _, self._results = self._traced.tensors()
        if len(self._results) != 1 or self._results[0].dtype is not dtypes.bool:
            raise ValueError("`predicate` must return a scalar boolean tensor.")
        self._results[0].shape.assert_is_compatible_with([])
        super().__init__(
            parent.output_types, parent.output_shapes, [parent], self._traced.graph.captured
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        predicate = pipeline.function(self._traced.graph, self._results)
        for element in self._parents[0].elements(pipeline):
            if predicate(*element)[0]:
                yield element


class Interleaved(Dataset):
    """Elements in turn of the datasets that a function gives for each element."""

    def __init__(
        self, parent: Dataset, function: Callable[..., Any], cycle_length: Any, block_length: Any
    ) -> None:
        self._traced = TracedFunction(function, parent)
        inner = self._traced.result
        if not isinstance(inner, Dataset):
            raise TypeError("`map_func` must return a `Dataset` object.")
        self._inner = inner
        with self._traced.graph.as_default():
            graph = self._traced.graph
            self._results = [
                t if t.graph is graph else graph.capture(t) for t in inner.all_inputs()
            ]
        self._cycle = int64_input(cycle_length, "cycle_length")
        self._block = int64_input(block_length, "block_length")
        super().__init__(
            inner.output_types,
            inner.output_shapes,
            [parent],
            [*self._traced.graph.captured, self._cycle, self._block],
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        cycle = int(pipeline.value(self._cycle))
        block = int(pipeline.value(self._block))
        datasets = self._opened(pipeline)
        active: deque[Iterator[Element]] = deque(itertools.islice(datasets, cycle))
        while active:
            current = active.popleft()
            taken = list(itertools.islice(current, block))
            yield from taken
            if len(taken) == block:
                active.append(current)
            else:
                # An exhausted dataset's place in the cycle goes to the next one.
                active.extendleft(itertools.islice(datasets, 1))

    def _opened(self, pipeline: Pipeline) -> Iterator[Iterator[Element]]:
        """The inner datasets, each started with what the function computed for its element."""
        compute = pipeline.function(self._traced.graph, self._results)
        wanted = self._inner.all_inputs()
        for element in self._parents[0].elements(pipeline):
            values = compute(*element)
            yield self._inner.elements(pipeline.with_inputs(dict(zip(wanted, values, strict=True))))
