"""The cross entropy of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.ops import api

#: Keeps the mean of no steps at all finite.
_TINY = 1e-12


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """The weighted cross entropy of logits [batch, time, classes], a mean over batch and time.

    `targets` (class numbers) and `weights` are [batch, time]. Without one of the averages the
    result has that axis; without both it is [batch, time]. A mean is divided by the sum of weights.
    `softmax_loss_function(labels=..., logits=...)` takes the place of the cross entropy. Raises
    ValueError for other ranks.

    >>> import workbench as tf
    >>> loss = tf.contrib.seq2seq.sequence_loss(
    ...     tf.zeros([1, 3, 2]), tf.constant([[0, 1, 1]]), tf.constant([[1.0, 1.0, 0.0]])
    ... )
    >>> loss.eval().round(3)
    np.float32(0.69...)
    """
    if len(logits.get_shape()) != 3:
        raise ValueError(
            "Logits must be a [batch_size x sequence_length x logits] tensor, got "
            f"{logits.get_shape()}"
        )
    for what, tensor in (("Targets", targets), ("Weights", weights)):
        if len(tensor.get_shape()) != 2:
            raise ValueError(
                f"{what} must be a [batch_size x sequence_length] tensor, got {tensor.get_shape()}"
            )
    with name_scope(name, "sequence_loss", [logits, targets, weights]):
        sizes: Any = api.shape(logits)
        classes = logits.get_shape()[2].value or sizes[2]
        function = softmax_loss_function or api.sparse_softmax_cross_entropy_with_logits
        loss = function(
            labels=api.reshape(targets, [-1]), logits=api.reshape(logits, [-1, classes])
        )
        loss = loss * api.reshape(weights, [-1])
        if average_across_timesteps and average_across_batch:
            return api.reduce_sum(loss) / (api.reduce_sum(weights) + _TINY)
        loss = api.reshape(loss, sizes[:2])
        loss.set_shape(logits.get_shape()[:2])
        if not average_across_timesteps and not average_across_batch:
            return loss
        axis = 1 if average_across_timesteps else 0
        return api.reduce_sum(loss, axis) / (api.reduce_sum(weights, axis) + _TINY)
