"""Losses of lists of logits, and models for buckets of lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.ops import api
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.variable_scope import variable_scope

#: Keeps the mean of no steps at all finite.
_TINY = 1e-12


def sequence_loss_by_example(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """The weighted cross entropy of a list of logits [batch, symbols], summed over steps: [batch].

    `targets` (class numbers) and `weights` are lists of [batch]. With `average_across_timesteps`
    the sum is divided by that of the weights. `softmax_loss_function(labels=..., logits=...)`
    takes the place of the cross entropy. Raises ValueError where the lists' lengths differ.

    >>> import workbench as tf
    >>> loss = tf.contrib.legacy_seq2seq.sequence_loss_by_example(
    ...     [tf.zeros([1, 2])] * 3, [tf.constant([1])] * 3, [tf.ones([1])] * 3
    ... )
    >>> loss.eval().round(3).tolist()
    [0.69...]
    """
    if len(targets) != len(logits) or len(weights) != len(logits):
        raise ValueError(
            "Lengths of logits, weights, and targets must be the same "
            f"{len(logits)}, {len(weights)}, {len(targets)}."
        )
    with name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        terms = []
        for logit, target, weight in zip(logits, targets, weights, strict=True):
            if softmax_loss_function is None:
                target = api.reshape(target, [-1])
                loss = api.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logit)
            else:
                loss = softmax_loss_function(labels=target, logits=logit)
            terms.append(loss * weight)
        total = api.add_n(terms)
        return total / (api.add_n(weights) + _TINY) if average_across_timesteps else total


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """The sum of `sequence_loss_by_example`, by default divided by the batch size: a scalar."""
    with name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        by_example = sequence_loss_by_example(
            logits, targets, weights, average_across_timesteps, softmax_loss_function
        )
        total = api.reduce_sum(by_example)
        if not average_across_batch:
            return total
        return total / api.cast(api.shape(targets[0])[0], total.dtype)


def model_with_buckets(
    encoder_inputs: Any,
    decoder_inputs: Any,
    targets: Any,
    weights: Any,
    buckets: Any,
    seq2seq: Callable[[Any, Any], tuple[Any, Any]],
    softmax_loss_function: Callable[..., Any] | None = None,
    per_example_loss: bool = False,
    name: str | None = None,
) -> tuple[list[Any], list[Any]]:
    """The outputs and losses of a model for several lengths, with shared variables.

    `buckets` lists (input length, output length), ascending; `seq2seq(inputs, decoder_inputs)`
    makes the model and returns outputs and state. Losses are scalars, or [batch] with
    `per_example_loss`. Raises ValueError where lists are shorter than the last bucket.
    """
    needed = {
        "encoder_inputs": (encoder_inputs, buckets[-1][0]),
        "targets": (targets, buckets[-1][1]),
        "weights": (weights, buckets[-1][1]),
    }
    for what, (values, length) in needed.items():
        if len(values) < length:
            raise ValueError(
                f"Length of {what} ({len(values)}) must be at least that of last bucket ({length})."
            )
    function = sequence_loss_by_example if per_example_loss else sequence_loss
    outputs: list[Any] = []
    losses: list[Any] = []
    everything = [*encoder_inputs, *decoder_inputs, *targets, *weights]
    with name_scope(name, "model_with_buckets", everything):
        for number, (inputs, steps) in enumerate(buckets):
            with variable_scope(get_variable_scope(), reuse=True if number else None):
                made, _ = seq2seq(encoder_inputs[:inputs], decoder_inputs[:steps])
            outputs.append(made)
            losses.append(
                function(
                    made,
                    targets[:steps],
                    weights[:steps],
                    softmax_loss_function=softmax_loss_function,
                )
            )
    return outputs, losses
