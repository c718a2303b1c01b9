"""Examples kept with a probability of their own: `tf.contrib.training.rejection_sample`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.checks import assert_less_equal
from workbench.core.ops.control import with_dependencies
from workbench.core.ops.random import random_uniform
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.input.batch import batch, maybe_batch
from workbench.train.input.filling import tensors_in


def rejection_sample(
    tensors: Sequence[Any],
    accept_prob_fn: Callable[[list[Tensor]], Any],
    batch_size: Any,
    queue_threads: int = 1,
    enqueue_many: bool = False,
    prebatch_capacity: int = 16,
    prebatch_threads: int = 1,
    runtime_checks: bool = False,
    name: str | None = None,
) -> list[Tensor]:
    """Batches of examples, each of which is kept with the probability that it has.

    Args:
      tensors: the components of an example, or with `enqueue_many` of several along the first axis.
      accept_prob_fn: the probability of one example, a scalar in [0, 1], from its components.
      batch_size: how many examples a batch has.
      queue_threads: how many threads fill the batches.
      prebatch_capacity, prebatch_threads: of the queue that parts the examples, with
        `enqueue_many`.
      runtime_checks: whether a probability that is none ends the input with InvalidArgumentError.

    Returns a list of the batches of all components.

    Raises:
      ValueError: with `enqueue_many`, components have other numbers of examples.

    >>> import workbench as tf
    >>> number = tf.train.range_input_producer(8, num_epochs=1, shuffle=False).dequeue()
    >>> (odd,) = tf.contrib.training.rejection_sample([number], lambda parts: parts[0] % 2, 4)
    >>> with tf.train.MonitoredSession() as session:
    ...     session.run(odd).tolist()
    [1, 3, 5, 7]
    """
    with variable_scope(name, "rejection_sample", tensors):
        parts = [convert_to_tensor(each) for each in tensors]
        if enqueue_many:
            _check_counts(parts)
            rows = batch(parts, 1, prebatch_threads, prebatch_capacity, enqueue_many=True)
            parts = [api.squeeze(each, [0]) for each in tensors_in(rows)]
        probability = api.cast(accept_prob_fn(parts), float32)
        if runtime_checks:
            checks = [assert_less_equal(0.0, probability), assert_less_equal(probability, 1.0)]
            probability = with_dependencies(checks, probability, name="prob_with_checks")
        keep = random_uniform([]) < probability
        return tensors_in(maybe_batch(parts, keep, batch_size, num_threads=queue_threads))


def _check_counts(tensors: Sequence[Tensor]) -> None:
    """ValueError where tensors have other numbers of rows."""
    rows = tensors[0].shape.with_rank_at_least(1)[:1]
    for each in tensors[1:]:
        rows = rows.merge_with(each.shape.with_rank_at_least(1)[:1])
