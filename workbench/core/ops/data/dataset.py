"""Dataset: a sequence of elements, described once and run by iterators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import get_default_graph, get_seed
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.function_graph import FunctionGraph, trace
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data import components, nest
from workbench.core.ops.data.pipeline import Element, Pipeline


class Dataset:
    """A sequence of elements, each a tensor or a nested tuple or dict of tensors.

    Sources (`from_tensor_slices`, `range`, ...) make datasets, transformations (`map`, `batch`,
    ...) make datasets of datasets, iterators give the elements to a graph.

    >>> import workbench as tf
    >>> dataset = tf.data.Dataset.range(5).map(lambda n: n * n).batch(2)
    >>> next_batch = dataset.make_one_shot_iterator().get_next()
    >>> with tf.Session() as session:
    ...     session.run(next_batch).tolist(), session.run(next_batch).tolist()
    ([0, 1], [4, 9])
    """

    def __init__(
        self,
        output_types: Any,
        output_shapes: Any,
        parents: Sequence[Dataset] = (),
        inputs: Sequence[Tensor] = (),
        output_classes: Any = None,
    ) -> None:
        #: The dtypes of the components, in the structure of an element.
        self.output_types = output_types
        #: The static shapes of the components, in the structure of an element.
        self.output_shapes = output_shapes
        #: `Tensor` or `SparseTensor` for each component, in the structure of an element.
        self.output_classes = (
            components.dense_classes(output_types) if output_classes is None else output_classes
        )
        self._parents = tuple(parents)
        self._inputs = tuple(inputs)

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        """The elements as flat tuples of the components' arrays."""
        raise NotImplementedError

    def all_inputs(self) -> list[Tensor]:
        """The tensors of the graph that the dataset and its parents take."""
        found: dict[Tensor, None] = {}
        for parent in self._parents:
            found.update(dict.fromkeys(parent.all_inputs()))
        found.update(dict.fromkeys(self._inputs))
        return list(found)

    def flat_types(self) -> list[DType]:
        """The dtypes of an element's arrays."""
        return components.flat_types(self.output_types, self.output_classes)

    def flat_shapes(self) -> list[TensorShape]:
        """The shapes of an element's arrays."""
        return components.flat_shapes(self.output_shapes, self.output_classes)

    def definition(self) -> list[bytes]:
        """It as plain data, see `definitions`; nothing where it calls Python functions."""
        from workbench.core.ops.data.definitions import StaysHereError, definition

        try:
            return definition(self)
        except StaysHereError:
            return []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} shapes: {self.output_shapes}, types: {self.output_types}>"

    # -- sources -----------------------------------------------------------------------------

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """A dataset of one element."""
        from workbench.core.ops.data import sources

        return sources.Tensors(tensors)

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """A dataset of the slices of tensors along their first axis."""
        from workbench.core.ops.data import sources

        return sources.TensorSlices(tensors)

    @staticmethod
    def from_sparse_tensor_slices(sparse_tensor: Any) -> Dataset:
        """A dataset of the rows of a sparse tensor, each (indices, values, dense shape)."""
        from workbench.core.ops.data import sources

        return sources.SparseTensorSlices(sparse_tensor)

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any,
        output_shapes: Any = None,
        args: Any = None,
    ) -> Dataset:
        """A dataset of what a Python generator yields; `generator(*args)` starts a pass."""
        from workbench.core.ops.data import sources

        return sources.Generated(generator, output_types, output_shapes, args)

    @staticmethod
    def range(*args: Any) -> Dataset:
        """int64 numbers, with the arguments of Python's range."""
        from workbench.core.ops.data import sources

        return sources.Range(*args)

    @staticmethod
    def zip(datasets: Any) -> Dataset:
        """Elements of several datasets side by side, until the shortest ends."""
        from workbench.core.ops.data import combinations

        return combinations.Zipped(datasets)

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool | None = None, seed: Any = None) -> Dataset:
        """The names of the files that match a pattern, in order unless shuffled."""
        from workbench.core.ops.data import sources

        dataset: Dataset = sources.Files(file_pattern)
        return dataset.shuffle(1 << 20, seed) if shuffle else dataset

    # -- transformations ---------------------------------------------------------------------

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        num_threads: Any = None,
        output_buffer_size: Any = None,
    ) -> Dataset:
        """`map_func` of each element; `num_parallel_calls` elements are computed side by side."""
        from workbench.core.ops.data import functions

        calls = num_threads if num_parallel_calls is None else num_parallel_calls
        return functions.Mapped(self, map_func, calls)

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the datasets that `map_func` gives, one dataset after the other."""
        from workbench.core.ops.data import functions

        return functions.Interleaved(self, map_func, 1, 1)

    def interleave(
        self, map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1
    ) -> Dataset:
        """`block_length` elements in turn of `cycle_length` datasets that `map_func` gives."""
        from workbench.core.ops.data import functions

        return functions.Interleaved(self, map_func, cycle_length, block_length)

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements for which `predicate` is true."""
        from workbench.core.ops.data import functions

        return functions.Filtered(self, predicate)

    def batch(self, batch_size: Any, drop_remainder: bool = False) -> Dataset:
        """`batch_size` elements stacked; the last batch may be smaller."""
        from workbench.core.ops.data import batches

        return batches.Batched(self, batch_size, drop_remainder)

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any,
        padding_values: Any = None,
        drop_remainder: bool = False,
    ) -> Dataset:
        """`batch_size` elements padded to a common shape and stacked.

        `padded_shapes` has a shape for each component: None or -1 pads to the longest of a batch.
        """
        from workbench.core.ops.data import batches

        return batches.Padded(self, batch_size, padded_shapes, padding_values, drop_remainder)

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool | None = None
    ) -> Dataset:
        """Elements drawn at random from a buffer of the next `buffer_size` ones."""
        from workbench.core.ops.data import orders

        return orders.Shuffled(self, buffer_size, seed, reshuffle_each_iteration is not False)

    def repeat(self, count: Any = None) -> Dataset:
        """The elements `count` times; for ever without a count."""
        from workbench.core.ops.data import orders

        return orders.Repeated(self, count)

    def take(self, count: Any) -> Dataset:
        """The first `count` elements; all for -1."""
        from workbench.core.ops.data import orders

        return orders.Taken(self, count)

    def skip(self, count: Any) -> Dataset:
        """All but the first `count` elements; none for -1."""
        from workbench.core.ops.data import orders

        return orders.Skipped(self, count)

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Every `num_shards`-th element, from the `index`-th on."""
        from workbench.core.ops.data import orders

        return orders.Sharded(self, num_shards, index)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this dataset, then those of another."""
        from workbench.core.ops.data import combinations

        return combinations.Concatenated(self, dataset)

    def cache(self, filename: Any = "") -> Dataset:
        """The elements, kept in memory (or in a file) after the first pass."""
        from workbench.core.ops.data import orders

        return orders.Cached(self, filename)

    def prefetch(self, buffer_size: Any) -> Dataset:
        """The elements, up to `buffer_size` of them made ahead in a thread."""
        from workbench.core.ops.data import orders

        return orders.Prefetched(self, buffer_size)

    def enumerate(self, start: int = 0) -> Dataset:
        """(number, element) pairs."""
        from workbench.core.ops.data import combinations, sources

        counted = sources.Range(start, 2**63 - 1)
        return combinations.Zipped((counted, self))

    def apply(self, transformation_func: Callable[[Dataset], Any]) -> Any:
        """`transformation_func` of this dataset."""
        dataset = transformation_func(self)
        if not isinstance(dataset, Dataset):
            raise TypeError("`transformation_func` must return a Dataset.")
        return dataset

    # -- iterators ---------------------------------------------------------------------------

    def make_one_shot_iterator(self) -> Any:
        """An iterator that starts by itself, once; the dataset may not depend on placeholders."""
        from workbench.core.ops.data.iterators import one_shot_iterator

        return one_shot_iterator(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Any:
        """An iterator that starts when its `initializer` runs, as often as that."""
        from workbench.core.ops.data.iterators import Iterator as DatasetIterator

        iterator = DatasetIterator.from_structure(
            self.output_types, self.output_shapes, shared_name, self.output_classes
        )
        iterator.bind_initializer(iterator.make_initializer(self))
        return iterator


class TracedFunction:
    """A Python function on elements, traced into a graph."""

    def __init__(self, function: Callable[..., Any], dataset: Dataset) -> None:
        def packed(flat: list[Tensor]) -> tuple[Any, ...]:
            element = components.pack(dataset.output_types, dataset.output_classes, flat)
            # A tuple is passed as several arguments; a dict or a single component as one.
            return element if type(element) is tuple else (element,)

        self.graph: FunctionGraph
        outer = get_default_graph()
        entries = [s.entries for s in dataset.flat_shapes()]
        self.graph, self.result = trace(outer, function, dataset.flat_types(), entries, packed)

    def components(self) -> tuple[Any, list[Any]]:
        """The structure of what the function returned, and its components."""
        result = self.result
        if isinstance(result, list):
            result = tuple(result)
        with self.graph.as_default():
            found = [self._component(value) for value in nest.flatten(result)]
        return result, found

    def _component(self, value: Any) -> Any:
        component = components.as_component(value)
        if isinstance(component, SparseTensor):
            return SparseTensor(*map(self._inside, component))
        return self._inside(component)

    def _inside(self, tensor: Tensor) -> Tensor:
        # What the function passed through from outside is an argument like any other.
        return tensor if tensor.graph is self.graph else self.graph.capture(tensor)


def scalar_input(value: Any, dtype: DType, name: str) -> Tensor:
    """A scalar argument of a dataset as a tensor."""
    tensor = convert_to_tensor(value, dtype=dtype, name=name)
    tensor.shape.assert_is_compatible_with([])
    return tensor


def int64_input(value: Any, name: str) -> Tensor:
    """A count or size of a dataset as an int64 tensor."""
    if isinstance(value, Tensor) and value.dtype is dtypes.int32:
        from workbench.core.ops import api

        value = api.cast(value, dtypes.int64)
    return scalar_input(value, dtypes.int64, name)


def structure_of_types(value: Any) -> Any:
    """`value` with every component made a DType."""
    return nest.map_structure(as_dtype, tuple(value) if isinstance(value, list) else value)


def structure_of_shapes(types: Any, value: Any) -> Any:
    """Shapes for each of `types`: unknown ones where `value` is None."""
    if value is None:
        return nest.map_structure(lambda _: TensorShape(None), types)
    try:
        given = nest.flatten_up_to(types, value)
    except ValueError as error:
        raise TypeError(f"The shapes have another structure than the types: {error}") from None
    parts = [TensorShape(part) for part in given]
    return nest.pack(types, parts)


def dataset_seeds(seed: Any) -> tuple[int | None, int | None]:
    """The two seeds of a dataset's randomness."""
    return get_seed(seed)
