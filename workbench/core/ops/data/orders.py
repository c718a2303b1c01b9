"""Datasets of the same elements in another order or number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from workbench.core import errors
from workbench.core.graph import dtypes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.scalars import as_array
from workbench.core.ops.data.dataset import Dataset, dataset_seeds, int64_input, scalar_input
from workbench.core.ops.data.pipeline import Element, Pipeline, Steps


class _SameElements(Dataset):
    """A dataset whose elements have the types and shapes of its parent's."""

    def __init__(self, parent: Dataset, inputs: Any = ()) -> None:
        super().__init__(
            parent.output_types, parent.output_shapes, [parent], inputs, parent.output_classes
        )

    def _parent_elements(self, pipeline: Pipeline) -> Iterator[Element]:
        return self._parents[0].elements(pipeline)

    def _count(self, pipeline: Pipeline) -> int:
        return int(pipeline.value(self._inputs[0]))


class Shuffled(_SameElements):
    """Elements drawn at random from a buffer."""

    def __init__(self, parent: Dataset, buffer_size: Any, seed: Any, reshuffle: bool) -> None:
        self._seeds = dataset_seeds(seed)
        given = [s for s in self._seeds if isinstance(s, Tensor)]
        super().__init__(
            parent,
            [int64_input(buffer_size, "buffer_size"), *(int64_input(s, "seed") for s in given)],
        )
        self._reshuffle = reshuffle

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = self._count(pipeline)
        if size < 1:
            raise errors.InvalidArgumentError(
                None, None, f"buffer_size must be greater than zero, got {size}"
            )
        further = iter(self._inputs[1:])
        seed, seed2 = (
            int(pipeline.value(next(further))) if isinstance(s, Tensor) else s for s in self._seeds
        )
        number = pipeline.pass_number(self) if self._reshuffle else 0
        if seed2 is not None:
            # Each pass over the data is in an order of its own, the same in every run.
            seed2 = seed2 + (number << 32)
        random = pipeline.generator(seed, seed2)
        source = self._parent_elements(pipeline)
        buffer: list[Element] = []

        def step() -> Element:
            buffer.extend(itertools.islice(source, size - len(buffer)))
            if not buffer:
                raise StopIteration
            chosen = int(random.integers(len(buffer)))
            buffer[chosen], buffer[-1] = buffer[-1], buffer[chosen]
            return buffer.pop()

        return Steps(step)


class Repeated(_SameElements):
    """The elements several times."""

    def __init__(self, parent: Dataset, count: Any) -> None:
        super().__init__(parent, [int64_input(-1 if count is None else count, "count")])

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        count = self._count(pipeline)
        turns = iter(range(count) if count >= 0 else itertools.count())
        source: Iterator[Element] | None = None

        def step() -> Element:
            nonlocal source
            while True:
                begun = source is None
                if source is None:
                    next(turns)
                    source = self._parent_elements(pipeline)
                try:
                    return next(source)
                except StopIteration:
                    source = None
                    if begun and count < 0:
                        raise errors.OutOfRangeError(
                            None, None, "Attempted to repeat an empty dataset infinitely."
                        ) from None

        return Steps(step)


class Taken(_SameElements):
    """The first elements."""

    def __init__(self, parent: Dataset, count: Any) -> None:
        super().__init__(parent, [int64_input(count, "count")])

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        count = self._count(pipeline)
        return itertools.islice(self._parent_elements(pipeline), None if count < 0 else count)


class Skipped(_SameElements):
    """All but the first elements."""

    def __init__(self, parent: Dataset, count: Any) -> None:
        super().__init__(parent, [int64_input(count, "count")])

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        count = self._count(pipeline)
        if count < 0:
            return iter(())
        return itertools.islice(self._parent_elements(pipeline), count, None)


class Sharded(_SameElements):
    """Every n-th element."""

    def __init__(self, parent: Dataset, num_shards: int, index: int) -> None:
        if num_shards < 1:
            raise ValueError(f"num_shards must be >= 1; got: {num_shards}")
        if not 0 <= index < num_shards:
            raise ValueError(f"index must be in [0, {num_shards}); got: {index}")
        super().__init__(parent)
        self._step, self._first = num_shards, index

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        return itertools.islice(self._parent_elements(pipeline), self._first, None, self._step)


class Cached(_SameElements):
    """The elements, kept after the first whole pass."""

    def __init__(self, parent: Dataset, filename: Any) -> None:
        super().__init__(parent, [scalar_input(filename, dtypes.string, "filename")])

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        from workbench.core.ops.data import cache_files

        filename = as_array(pipeline.value(self._inputs[0])).item()
        if filename:
            return cache_files.cached(
                filename.decode(), self._parent_elements(pipeline), self.flat_types()
            )
        return self._from_memory(pipeline)

    def _from_memory(self, pipeline: Pipeline) -> Iterator[Element]:
        kept = pipeline.kept.get(self)
        if kept is not None:
            return iter(kept)
        source = self._parent_elements(pipeline)
        elements: list[Element] = []

        def step() -> Element:
            try:
                elements.append(next(source))
            except StopIteration:
                pipeline.kept[self] = elements
                raise
            return elements[-1]

        return Steps(step)


class Prefetched(_SameElements):
    """The elements, made ahead in a thread."""

    def __init__(self, parent: Dataset, buffer_size: Any) -> None:
        super().__init__(parent, [int64_input(buffer_size, "buffer_size")])

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        size = self._count(pipeline)
        if size < 0:
            raise errors.InvalidArgumentError(None, None, f"buffer_size must be >= 0, got {size}")
        return pipeline.prefetch(self._parent_elements(pipeline), size if size > 0 else 2)
