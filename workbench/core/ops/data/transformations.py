"""Functions for `Dataset.apply`: the transformations of `tf.contrib.data`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.dtypes import as_dtype, int64
from workbench.core.ops import api
from workbench.core.ops.data.dataset import Dataset
from workbench.core.platform.processors import processors

Transformation = Callable[[Dataset], Dataset]


def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """Batches of `batch_size` elements; what is left at the end is dropped.

    >>> import workbench as tf
    >>> batches = tf.data.Dataset.range(5).apply(tf.contrib.data.batch_and_drop_remainder(2))
    >>> batches.output_shapes.as_list()
    [2]
    """
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def padded_batch_and_drop_remainder(
    batch_size: Any, padded_shapes: Any, padding_values: Any = None
) -> Transformation:
    """As `Dataset.padded_batch`; what is left at the end is dropped."""
    return lambda dataset: dataset.padded_batch(
        batch_size, padded_shapes, padding_values, drop_remainder=True
    )


def map_and_batch(
    map_func: Callable[..., Any], batch_size: Any, num_parallel_batches: int = 1
) -> Transformation:
    """Batches of what `map_func` gives for each element, computed side by side."""

    def apply(dataset: Dataset) -> Dataset:
        calls = max(1, num_parallel_batches) * processors()
        return dataset.map(map_func, num_parallel_calls=calls).batch(batch_size)

    return apply


def unbatch() -> Transformation:
    """The rows of each element.

    >>> import workbench as tf
    >>> rows = tf.data.Dataset.range(4).batch(2).apply(tf.contrib.data.unbatch())
    >>> rows.output_shapes.as_list()
    []
    """
    from workbench.core.ops.data.rows import Unbatched

    return Unbatched


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Transformation:
    """Batches of tensors that differ in size, as SparseTensors with all their values.

    Each is [batch, *row_shape]; None in `row_shape` is the largest of a batch.
    """
    from workbench.core.ops.data.rows import SparseBatched

    return lambda dataset: SparseBatched(dataset, batch_size, row_shape)


def enumerate_dataset(start: int = 0) -> Transformation:
    """(number, element) pairs."""
    return lambda dataset: dataset.enumerate(start)


def ignore_errors() -> Transformation:
    """The elements that can be had without an error."""
    from workbench.core.ops.data.rows import SoundElements

    return SoundElements


def group_by_window(
    key_func: Callable[..., Any],
    reduce_func: Callable[[Any, Dataset], Dataset],
    window_size: Any = None,
    window_size_func: Callable[[Any], Any] | None = None,
) -> Transformation:
    """The elements of the datasets that `reduce_func` makes of windows of elements with one key.

    `key_func` gives an int64 scalar for an element. Up to `window_size` elements with one key (or
    what `window_size_func` gives for the key) are a window; `reduce_func` is called with the key
    and a dataset of them.

    >>> import workbench as tf
    >>> grouped = tf.data.Dataset.range(6).apply(
    ...     tf.contrib.data.group_by_window(lambda n: n % 2, lambda _, w: w.batch(3), 3)
    ... )
    >>> batch = grouped.make_one_shot_iterator().get_next()
    >>> with tf.Session() as session:
    ...     session.run(batch).tolist(), session.run(batch).tolist()
    ([0, 2, 4], [1, 3, 5])
    """
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Must pass either window_size or window_size_func, and not both.")
    size: Callable[[Any], Any] = window_size_func or (lambda _: api.cast(window_size, int64))
    from workbench.core.ops.data.windows import Grouped

    return lambda dataset: Grouped(dataset, key_func, reduce_func, size)


def parallel_interleave(
    map_func: Callable[..., Any],
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: Any = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Transformation:
    """As `Dataset.interleave`, each of the `cycle_length` datasets being read by a thread.

    A `sloppy` one gives elements as they come, in an order that differs from run to run.
    `buffer_output_elements` are made ahead of each dataset, and `prefetch_input_elements` datasets
    are begun ahead.
    """
    from workbench.core.ops.data.parallel import ParallelInterleaved

    buffer = 2 * block_length if buffer_output_elements is None else buffer_output_elements
    ahead = 2 * cycle_length if prefetch_input_elements is None else prefetch_input_elements
    return lambda dataset: ParallelInterleaved(
        dataset, map_func, cycle_length, block_length, sloppy, buffer, ahead
    )


def sloppy_interleave(
    map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1
) -> Transformation:
    """As `parallel_interleave` with `sloppy`: elements as they come."""
    return parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


def rejection_resample(
    class_func: Callable[..., Any],
    target_dist: Any,
    initial_dist: Any = None,
    seed: int | None = None,
) -> Transformation:
    """(class, element) pairs, of which some are left out so that classes are as frequent as wanted.

    `class_func` gives the class of an element, a number below the length of `target_dist`, the
    wanted shares. The shares in the dataset are `initial_dist`, or are estimated as elements come.
    """
    from workbench.core.ops.data.resampling import resampled

    return lambda dataset: resampled(dataset, class_func, target_dist, initial_dist, seed)


def scan(initial_state: Any, scan_func: Callable[..., Any]) -> Transformation:
    """What `scan_func` gives for a state and each element: the next state, and an element.

    >>> import workbench as tf
    >>> sums = tf.data.Dataset.range(4).apply(
    ...     tf.contrib.data.scan(tf.constant(0, tf.int64), lambda s, n: (s + n, s + n))
    ... )
    >>> total = sums.make_one_shot_iterator().get_next()
    >>> with tf.Session() as session:
    ...     [int(session.run(total)) for _ in range(4)]
    [0, 1, 3, 6]
    """
    from workbench.core.ops.data.windows import Scanned

    return lambda dataset: Scanned(dataset, initial_state, scan_func)


def shuffle_and_repeat(
    buffer_size: Any, count: Any = None, seed: int | None = None
) -> Transformation:
    """The elements `count` times, each time in another order; for ever without a count."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def Counter(start: Any = 0, step: Any = 1, dtype: Any = int64) -> Dataset:
    """A dataset of numbers from `start` on, for ever."""
    end = -(2**63) if isinstance(step, int) and step < 0 else 2**63 - 1
    numbers = Dataset.range(start, end, step)
    kind = as_dtype(dtype)
    return numbers if kind is int64 else numbers.map(lambda number: api.cast(number, kind))


def read_batch_features(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Callable[..., Dataset],
    reader_args: Any = None,
    randomize_input: bool = True,
    num_epochs: Any = None,
    capacity: int = 10000,
) -> Any:
    """Batches of features of the examples in files: a dict of tensors, anew in each run.

    Args:
      file_pattern: the names of the files, or patterns of them.
      batch_size: how many examples a batch has.
      features: what to read, as for `tf.parse_example`.
      reader: makes a dataset of the examples of files, such as `tf.data.TFRecordDataset`.
      reader_args: further arguments for it.
      randomize_input: whether to shuffle files and examples (a buffer of `capacity`).
      num_epochs: how often to read all; None for ever.
    """
    from workbench.core.graph.dtypes import string
    from workbench.core.ops.parsing.examples import parse_example
    from workbench.core.platform.file_io import get_matching_files

    patterns = [file_pattern] if isinstance(file_pattern, (str, bytes)) else list(file_pattern)
    names = sorted(name for pattern in patterns for name in get_matching_files(pattern))
    if not names:
        raise ValueError(f"No files match {file_pattern!r}.")
    files = Dataset.from_tensor_slices(names)
    if randomize_input:
        files = files.shuffle(len(names))
    dataset = files.flat_map(lambda name: reader(name, *(reader_args or ())))
    if dataset.output_types == (string, string):
        dataset = dataset.map(lambda _, value: value)
    dataset = dataset.repeat(num_epochs)
    if randomize_input:
        dataset = dataset.shuffle(capacity)
    parsed = dataset.batch(batch_size).map(lambda batch: parse_example(batch, features))
    return parsed.prefetch(1).make_one_shot_iterator().get_next()
