"""Batches of examples in the order they come: `tf.train.batch` and its siblings."""

from __future__ import annotations

from typing import Any

from workbench.train.input.filling import batches_of


def batch(
    tensors: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Batches of examples, collected by a queue that a queue runner fills.

    Args:
      tensors: a list or dict of tensors (or SparseTensors): one example, or with `enqueue_many`
        several along the first axis.
      batch_size: how many examples a batch has.
      num_threads: how many threads run `tensors`.
      capacity: the most examples that the queue holds.
      enqueue_many: whether `tensors` are several examples.
      shapes: the shapes of an example's components, where they are not known of `tensors`.
      dynamic_pad: whether components may differ in size; they are filled up with zeros.
      allow_smaller_final_batch: whether what is left when the queue is closed is a batch.
      shared_name: queues of one shared name are one queue of a session.

    Returns tensors with one more dimension, in the form of `tensors`; a list of one is the tensor.
    Getting them fails with OutOfRangeError when the input has ended.

    Raises:
      ValueError: a shape is not known.

    >>> import workbench as tf
    >>> number = tf.train.range_input_producer(4, num_epochs=1, shuffle=False).dequeue()
    >>> pair = tf.train.batch([number], batch_size=2)
    >>> with tf.train.MonitoredSession() as session:
    ...     session.run(pair).tolist(), session.run(pair).tolist()
    ([0, 1], [2, 3])
    """
    return batches_of("batch", locals())


def maybe_batch(
    tensors: Any,
    keep_input: Any,
    batch_size: Any,
    num_threads: int = 1,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `tf.train.batch`, of those examples only for which `keep_input` is true.

    `keep_input` is a bool scalar, or with `enqueue_many` a vector with one for each example.
    """
    return batches_of("batch", locals())


def batch_join(
    tensors_list: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `tf.train.batch`, from several inputs, each of which has a thread of its own.

    `tensors_list` has a list or dict of tensors for each input; all have the same types and the
    same keys.
    """
    return batches_of("batch_join", locals())


def maybe_batch_join(
    tensors_list: Any,
    keep_input: Any,
    batch_size: Any,
    capacity: int = 32,
    enqueue_many: bool = False,
    shapes: Any = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """As `tf.train.batch_join`, of those examples only for which `keep_input` is true.

    `keep_input` is a bool scalar, or with `enqueue_many` a vector with one for each example.
    """
    return batches_of("batch_join", locals())
