"""Datasets of several datasets that are read side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.ops.data.dataset import Dataset, int64_input, scalar_input
from workbench.core.ops.data.functions import Interleaved, Turns
from workbench.core.ops.data.pipeline import Element, Pipeline
from workbench.core.ops.data.threads import Gatherer


class ParallelInterleaved(Interleaved):
    """Elements in turn of the datasets that a function gives, each read by a thread.

    A `sloppy` one gives elements as they come.
    """

    def __init__(
        self,
        parent: Dataset,
        function: Callable[..., Any],
        cycle_length: Any,
        block_length: Any,
        sloppy: Any,
        buffer_output_elements: Any,
        prefetch_input_elements: Any,
    ) -> None:
        super().__init__(parent, function, cycle_length, block_length)
        self._sloppy = scalar_input(sloppy, dtypes.bool, "sloppy")
        self._buffer = int64_input(buffer_output_elements, "buffer_output_elements")
        self._ahead = int64_input(prefetch_input_elements, "prefetch_input_elements")
        self._inputs = (*self._inputs, self._sloppy, self._buffer, self._ahead)

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        cycle, block = self._lengths(pipeline)
        buffer = max(1, int(pipeline.value(self._buffer)))
        opened = self._opened(pipeline)
        if bool(pipeline.value(self._sloppy)):
            gatherer = Gatherer(opened, cycle, cycle * buffer, pipeline.disown)
            pipeline.own(gatherer)
            return gatherer
        ahead = max(0, int(pipeline.value(self._ahead)))
        return Turns(_Started(pipeline, opened, buffer, cycle + ahead), cycle, block)


class _Started(Iterator[Iterator[Element]]):
    """Iterators that threads read, of which `count` are at work: those given, and some ahead.

    An error of one of them comes in its place; those after it go on.
    """

    def __init__(
        self, pipeline: Pipeline, sources: Iterator[Iterator[Element]], buffer: int, count: int
    ) -> None:
        self._pipeline = pipeline
        self._sources = sources
        self._buffer = buffer
        self._count = count
        self._waiting: deque[Any] = deque()
        self._ended = False

    def __next__(self) -> Iterator[Element]:
        while not self._ended and len(self._waiting) < self._count:
            self._waiting.append(self._next())
        while self._waiting:
            first = self._waiting.popleft()
            if isinstance(first, Exception):
                raise first
            if first is not None:
                return first  # type: ignore[no-any-return]
        raise StopIteration

    def _next(self) -> Any:
        try:
            source = next(self._sources)
        except StopIteration:
            self._ended = True
            return None
        except Exception as error:
            return error
        prefetcher = self._pipeline.prefetch(source, self._buffer)
        prefetcher.start()
        return prefetcher
