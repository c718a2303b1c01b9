"""Batches of examples in a random order: `tf.train.shuffle_batch` and its siblings."""

from __future__ import annotations

from typing import Any

from workbench.train.input.filling import batches_of


def shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of examples in a random order, drawn from a queue that a queue runner fills.

    Args:
      tensors: as for `tf.train.batch`.
      batch_size: how many examples a batch has.
      capacity: the most examples that the queue holds.
      min_after_dequeue: how many stay in it, to draw from: more shuffle better, and take longer
        before the first batch.
      num_threads: how many threads run `tensors`.
      seed: determines the order, with one thread.
      enqueue_many, shapes, allow_smaller_final_batch, shared_name: as for `tf.train.batch`.

    Raises:
      ValueError: a shape is not known, or capacity is not more than min_after_dequeue.

    >>> import workbench as tf
    >>> numbers = tf.train.limit_epochs(tf.range(6), num_epochs=1)
    >>> some = tf.train.shuffle_batch(
    ...     [numbers], 3, capacity=10, min_after_dequeue=3, enqueue_many=True
    ... )
    >>> with tf.train.MonitoredSession() as session:
    ...     sorted([*session.run(some).tolist(), *session.run(some).tolist()])
    [0, 1, 2, 3, 4, 5]
    """
    return batches_of("shuffle_batch", locals())


def maybe_shuffle_batch(
    tensors: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    num_threads: int = 1,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `tf.train.shuffle_batch`, of those examples only for which `keep_input` is true.

    `keep_input` is a bool scalar, or with `enqueue_many` a vector with one for each example.
    """
    return batches_of("shuffle_batch", locals())


def shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `tf.train.shuffle_batch`, from several inputs, each of which has a thread of its own.

    `tensors_list` has a list or dict of tensors for each input; all have the same types and the
    same keys.
    """
    return batches_of("shuffle_batch_join", locals())


def maybe_shuffle_batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int,
    min_after_dequeue: int,
    keep_input: Any,
    seed: int | None = None,
    enqueue_many: bool = False,
    shapes: Any = None,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `tf.train.shuffle_batch_join`, of those examples only for which `keep_input` is true.

    `keep_input` is a bool scalar, or with `enqueue_many` a vector with one for each example.
    """
    return batches_of("shuffle_batch_join", locals())
