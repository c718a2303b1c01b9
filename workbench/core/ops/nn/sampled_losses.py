"""Losses over many classes that look at a sample of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32, int64
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.nn.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
)
from workbench.core.ops.nn.embedding import embedding_lookup, parameter_list


def _sampled_logits(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Sequence[Any] | None,
    subtract_log_q: bool,
    remove_accidental_hits: bool,
    partition_strategy: str,
    name: str | None,
    seed: int | None,
) -> tuple[Any, Any]:
    """Logits [batch, true + sampled] and labels (1 / num_true for the true ones, else 0)."""
    matrices = parameter_list(weights)
    with name_scope(name, "compute_sampled_logits", [*matrices, biases, inputs, labels]):
        inputs = convert_to_tensor(inputs, name="inputs")
        labels = api.cast(convert_to_tensor(labels, name="labels"), int64)
        flat = api.reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = api.log_uniform_candidate_sampler(
                true_classes=labels,
                num_true=num_true,
                num_sampled=num_sampled,
                unique=True,
                range_max=num_classes,
                seed=seed,
            )
        sampled, true_count, sampled_count = (api.stop_gradient(s) for s in sampled_values)
        sampled = api.cast(sampled, int64)
        # One look-up of both, so that the gradient is one set of rows.
        ids = api.concat([flat, sampled], 0)
        rows: Any = embedding_lookup(matrices, ids, partition_strategy)
        offsets: Any = embedding_lookup(biases, ids, partition_strategy)
        count = api.shape(flat)[0]
        true_rows, sampled_rows = rows[:count], rows[count:]
        sampled_logits = api.matmul(inputs, sampled_rows, transpose_b=True) + offsets[count:]
        width = _width(true_rows)
        products = api.expand_dims(inputs, 1) * api.reshape(true_rows, [-1, num_true, width])
        true_logits = api.reduce_sum(products, 2) + api.reshape(offsets[:count], [-1, num_true])
        if remove_accidental_hits:
            hits = api.compute_accidental_hits(labels, sampled, num_true=num_true)
            sampled_logits += _at_hits(hits, labels, num_sampled, sampled_logits.dtype)
        if subtract_log_q:
            # Frequent classes are sampled more often; this takes that out again.
            true_logits -= api.log(true_count)
            sampled_logits -= api.log(sampled_count)
        logits = api.concat([true_logits, sampled_logits], 1)
        targets = [api.ones_like(true_logits) / num_true, api.zeros_like(sampled_logits)]
        return logits, api.concat(targets, 1)


def _width(rows: Tensor) -> Any:
    size = rows.shape.as_list()[1] if rows.shape.ndims is not None else None
    return api.shape(rows)[1] if size is None else size


def _at_hits(hits: Sequence[Any], labels: Any, num_sampled: int, dtype: Any) -> Any:
    """The weights of accidental hits (very negative) at their places, zeros elsewhere."""
    indices, ids, weights = hits
    places = api.stack([indices, api.cast(ids, int32)], axis=1)
    shape = api.concat([api.shape(labels)[:1], api.expand_dims(num_sampled, 0)], 0)
    return api.sparse_to_dense(
        places, shape, api.cast(weights, dtype), default_value=0.0, validate_indices=False
    )


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Sequence[Any] | None = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str = "nce_loss",
    seed: int | None = None,
) -> Tensor:
    """The noise-contrastive estimation loss of each example, float [batch].

    `weights` [num_classes, dim] (or a list of parts) and `biases` [num_classes] are the classes',
    `labels` int64 [batch, num_true], `inputs` [batch, dim]. `num_sampled` classes are drawn for
    the batch by `tf.nn.log_uniform_candidate_sampler`, which expects classes in order of falling
    frequency, unless `sampled_values` (what a candidate sampler returns) are given.
    `remove_accidental_hits` leaves out samples that are a label.
    """
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        True,
        remove_accidental_hits,
        partition_strategy,
        name,
        seed,
    )
    losses = sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name="sampled_losses")
    total: Tensor = api.reduce_sum(losses, 1)
    return total


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Sequence[Any] | None = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str = "sampled_softmax_loss",
    seed: int | None = None,
) -> Tensor:
    """The cross entropy of a softmax over the true and `num_sampled` sampled classes, [batch].

    It estimates the full softmax in training; the arguments are those of `tf.nn.nce_loss`.
    """
    logits, targets = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        True,
        remove_accidental_hits,
        partition_strategy,
        name,
        seed,
    )
    return softmax_cross_entropy_with_logits(labels=targets, logits=logits)
