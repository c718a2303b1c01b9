"""Batches of examples that are alike: `tf.contrib.training.bucket` and its sibling by length."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from workbench.core.errors import CancelledError, OutOfRangeError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32, int32
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, summary
from workbench.core.ops.control import group, no_op
from workbench.core.ops.control_flow.cond import cond
from workbench.core.ops.queues.queue_base import QueueBase
from workbench.core.ops.queues.queue_types import FIFOQueue, PaddingFIFOQueue
from workbench.train.input import sparse_store
from workbench.train.input.filling import (
    Batches,
    checked_keep_input,
    converted_tensors,
    in_form_of,
    shapes_of,
    tensors_in,
    types_of,
)
from workbench.train.queue_runner import QueueRunner, add_queue_runner

#: What says to the threads of a queue that its input has ended.
_ENDS = (OutOfRangeError, CancelledError)


def bucket(
    tensors: Any,
    which_bucket: Any,
    batch_size: Any,
    num_buckets: int,
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[Tensor, Any]:
    """Batches of examples of one bucket each, in the order in which buckets are full.

    Each bucket is a queue, and what is taken of them goes through one more; queue runners fill
    these.

    Args:
      tensors: a list or dict of tensors (or SparseTensors): one example.
      which_bucket: the number of its bucket, a scalar; an example of none of them is left out.
      batch_size: how many examples a batch has, or a list with a number for each bucket.
      num_buckets: how many buckets there are.
      num_threads: how many threads run `tensors`.
      capacity: the most batches that wait to be taken, and examples in each bucket.
      bucket_capacities: the most examples in each bucket, where they differ.
      shapes, dynamic_pad, allow_smaller_final_batch, shared_name: as for `tf.train.batch`.
      keep_input: a bool scalar: whether the example is used at all.

    Returns the bucket's number, and tensors with one more dimension in the form of `tensors`.
    Getting them fails with OutOfRangeError when the input has ended.

    Raises:
      ValueError: a shape is not known, or a list has not one item for each bucket.

    >>> import workbench as tf
    >>> number = tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    >>> which, numbers = tf.contrib.training.bucket([number], number % 2, 3, num_buckets=2)
    >>> with tf.train.MonitoredSession() as session:
    ...     found = [session.run([which, numbers]) for _ in range(2)]
    >>> sorted((int(number), numbers.tolist()) for number, numbers in found)
    [(0, [0, 2, 4]), (1, [1, 3, 5])]
    """
    differ = isinstance(batch_size, (list, tuple))
    sizes = list(batch_size) if differ else [batch_size] * num_buckets
    capacities = [capacity] * num_buckets if bucket_capacities is None else bucket_capacities
    for what, given in (("batch_size", sizes), ("bucket_capacities", capacities)):
        if len(given) != num_buckets:
            raise ValueError(
                f"The list {what} ({given}) must have exactly num_buckets ({num_buckets}) elements."
            )
    listed = tensors_in(tensors)
    with name_scope(name, "bucket", [*listed, which_bucket, keep_input]):
        converted = converted_tensors(listed, "bucket")
        keep = checked_keep_input(keep_input, enqueue_many=False)
        components = sparse_store.components_of(converted, False, shared_name)
        stored = sparse_store.store(converted, components, False, keep)
        wanted = Batches(batch_size, capacity, shapes=shapes, dynamic_pad=dynamic_pad)
        types, known_shapes = types_of([stored]), shapes_of([stored], wanted)
        kind = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        buckets: list[QueueBase] = [
            kind(
                capacity=most,
                dtypes=types,
                shapes=known_shapes,
                shared_name=f"{shared_name}_{number}" if shared_name else None,
                name=f"bucket_queue_{number}",
            )
            for number, most in enumerate(capacities)
        ]
        size = None if allow_smaller_final_batch else _common_size(sizes)
        top = PaddingFIFOQueue(
            capacity=capacity,
            dtypes=[int32, *types],
            shapes=[TensorShape([]), *(TensorShape([size, *s.as_list()]) for s in known_shapes)],
            shared_name=shared_name,
            name="top_queue",
        )
        number = convert_to_tensor(which_bucket, dtype=int32, name="which_bucket")
        _fill_buckets(buckets, number, stored, keep, num_threads)
        _fill_top(top, buckets, sizes, allow_smaller_final_batch)
        for queue in buckets:
            summary.scalar(f"{queue.name}/size", api.cast(queue.size(), float32))
        fraction = api.cast(top.size(), float32) * (1.0 / capacity)
        summary.scalar(f"{top.name}/fraction_of_{capacity}_full", fraction)
        which, *batch = top.dequeue(name="dequeue_top")
        return which, in_form_of(tensors, sparse_store.restore(batch, components))


def _common_size(sizes: Sequence[Any]) -> int | None:
    """The size of all batches, where it is one that is known."""
    known = {size if isinstance(size, int) else _known_size(size) for size in sizes}
    return known.pop() if len(known) == 1 else None


def _known_size(size: Any) -> int | None:
    found = constant_value(convert_to_tensor(size, dtype=int32))
    return None if found is None else int(found)


def _fill_buckets(
    buckets: Sequence[QueueBase],
    which: Tensor,
    tensors: list[Tensor],
    keep: Tensor,
    num_threads: int,
) -> None:
    """Has threads put each example that is kept into its bucket."""
    known = constant_value(keep)
    if known is not None and not known:
        # What is not kept is computed all the same, and its input ends.
        enqueue = group(*tensors)
    else:
        enqueue = group(
            *(
                cond(
                    api.logical_and(keep, api.equal(which, number)),
                    partial(queue.enqueue, tensors),
                    no_op,
                )
                for number, queue in enumerate(buckets)
            )
        )
    runner = QueueRunner(
        buckets[0],
        [enqueue] * num_threads,
        close_op=group(*(queue.close() for queue in buckets)),
        cancel_op=group(*(queue.close(cancel_pending_enqueues=True) for queue in buckets)),
        queue_closed_exception_types=_ENDS,
    )
    add_queue_runner(runner)


def _fill_top(
    top: QueueBase, buckets: Sequence[QueueBase], sizes: Sequence[Any], may_be_smaller: bool
) -> None:
    """Has a thread for each bucket take batches of it."""
    operations = []
    for number, (queue, size) in enumerate(zip(buckets, sizes, strict=True)):
        take = queue.dequeue_up_to if may_be_smaller else queue.dequeue_many
        batch = take(size, name=f"read_bucket_{number}")
        parts = batch if isinstance(batch, list) else [batch]
        operations.append(top.enqueue([number, *parts], name=f"enqueue_from_bucket_{number}"))
    add_queue_runner(QueueRunner(top, operations, queue_closed_exception_types=_ENDS))


def bucket_by_sequence_length(
    input_length: Any,
    tensors: Any,
    batch_size: Any,
    bucket_boundaries: Sequence[int],
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[Tensor, Any]:
    """As `bucket`, of examples of about the same length.

    Args:
      input_length: the length of the example, a scalar.
      bucket_boundaries: increasing lengths; the first bucket has what is shorter than the first of
        them, the last one what is not shorter than the last. There is one bucket more than these.

    Returns the lengths of a batch's examples, and the batch.

    Raises:
      TypeError: the boundaries are no list of integers.
      ValueError: there are no boundaries, or they do not increase.
    """
    _check_boundaries(bucket_boundaries)
    listed = tensors_in(tensors)
    with name_scope(name, "bucket_by_sequence_length", [*listed, input_length]) as scope:
        length = convert_to_tensor(input_length, dtype=int32, name="length")
        passed = api.greater_equal(length, list(bucket_boundaries))
        _, (lengths, *batch) = bucket(
            [length, *listed],
            api.reduce_sum(api.cast(passed, int32)),
            batch_size,
            len(bucket_boundaries) + 1,
            num_threads,
            capacity,
            bucket_capacities,
            None if shapes is None else [[], *shapes],
            dynamic_pad,
            allow_smaller_final_batch,
            keep_input,
            shared_name,
            scope,
        )
        return lengths, in_form_of(tensors, batch)


def _check_boundaries(boundaries: Any) -> None:
    if not isinstance(boundaries, (list, tuple)):
        raise TypeError(f"bucket_boundaries must be a list or tuple, but received: {boundaries}")
    if not boundaries:
        raise ValueError("bucket_boundaries must not be empty")
    if not all(isinstance(each, int) for each in boundaries):
        raise TypeError(f"bucket boundaries must be integers, but saw: {boundaries}")
    for first, second in pairwise(boundaries):
        if first >= second:
            raise ValueError(
                "Buckets must contain sequential increasing lengths, but saw: "
                f"{first} before {second}"
            )
