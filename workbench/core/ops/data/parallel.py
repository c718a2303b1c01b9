"""Datasets of several datasets that are read side by side."""

from __future__ import annotations

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
        started = _started((pipeline.prefetch(source, buffer) for source in opened), cycle + ahead)
        return Turns(started, cycle, block)


def _started(sources: Iterator[Any], count: int) -> Iterator[Iterator[Element]]:
    """The iterators, of which `count` are at work: those in the cycle, and some ahead."""
    waiting: list[Any] = []
    for source in sources:
        source.start()
        waiting.append(source)
        if len(waiting) >= count:
            yield waiting.pop(0)
    yield from waiting
