"""Metrics of the k classes that are predicted most, for labels that are sets of classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.composite import SparseTensor, SparseTensorValue
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.metrics.support import Metric, added, metric_variable, published
from workbench.train.weights import broadcast_weights


class _Ranked:
    """The best classes of each example [..., k] beside its labels [..., n].

    Labels may repeat and, in sparse ones, be fewer than n.
    """

    def __init__(self, labels: Any, best: Any) -> None:
        best = convert_to_tensor(best)
        self.best = api.cast(best, dtypes.int64)
        self.present: Tensor | None = None
        if isinstance(labels, (SparseTensor, SparseTensorValue)):
            sparse = SparseTensor.from_value(labels)
            where = (sparse.indices, sparse.dense_shape)
            there = api.ones_like(sparse.values, dtypes.bool)
            dense = api.sparse_to_dense(*where, api.cast(sparse.values, dtypes.int64))
            self.labels = _with_axis_of_labels(dense, best)
            mask = api.sparse_to_dense(*where, there, default_value=False)
            self.present = _with_axis_of_labels(mask, best)
        else:
            labels = api.cast(convert_to_tensor(labels), dtypes.int64)
            self.labels = _with_axis_of_labels(labels, best)
        same = api.equal(api.expand_dims(self.best, -1), api.expand_dims(self.labels, -2))
        if self.present is not None:
            same = api.logical_and(same, api.expand_dims(self.present, -2))
        #: Whether each of the best is among the labels [..., k].
        self.right = api.reduce_any(same, -1)
        #: Whether each label is among the best [..., n].
        self.found = api.reduce_any(same, -2)

    def distinct(self) -> Tensor:
        """True where a label is there and does not repeat an earlier one [..., n]."""
        equal = api.equal(api.expand_dims(self.labels, -1), api.expand_dims(self.labels, -2))
        if self.present is not None:
            equal = api.logical_and(equal, api.expand_dims(self.present, -2))
        earlier = api.matrix_band_part(api.cast(equal, dtypes.int32), -1, 0)
        diagonal = api.matrix_diag_part(earlier)
        repeats = api.greater(api.reduce_sum(earlier, -1), diagonal)
        first: Tensor = api.logical_not(repeats)
        if self.present is not None:
            first = api.logical_and(first, self.present)
        return first


def _best(predictions: Any, k: int) -> Tensor:
    """The k best classes [..., k] of the scores of all classes."""
    indices: Tensor = api.nn.top_k(convert_to_tensor(predictions), k).indices
    return indices


def _with_axis_of_labels(labels: Tensor, best: Tensor) -> Tensor:
    """Labels with a last axis of 1 where there is one label for each example."""
    own, other = labels.shape.ndims, best.shape.ndims
    if own is not None and other is not None:
        if own == other - 1:
            labels = api.expand_dims(labels, -1)
        return labels
    missing = api.rank(best) - api.rank(labels)
    sizes = api.concat([api.shape(labels), api.ones([missing], dtypes.int32)], 0)
    result: Tensor = api.reshape(labels, sizes)
    return result


def _of_class(flags: Tensor, numbers: Tensor, class_id: Any) -> Tensor:
    if class_id is None:
        return flags
    chosen: Tensor = api.logical_and(flags, api.equal(numbers, api.cast(class_id, dtypes.int64)))
    return chosen


def _sum_variable(flags: Tensor, weights: Any, name: str) -> tuple[Any, Tensor]:
    """A variable with the weighted number of the true flags, and its update."""
    with name_scope(name) as scope:
        counts = api.reduce_sum(api.cast(flags, dtypes.float64), -1)
        if weights is not None:
            counts = api.multiply(counts, broadcast_weights(weights, counts))
        variable = metric_variable([], scope, dtypes.float64)
        return variable, added(variable, api.reduce_sum(counts))


def _suffix(k: int | None, class_id: Any) -> str:
    number = "k" if k is None else f"{k}"
    return number if class_id is None else f"{number}_class{class_id}"


def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the labels that are among the k best predictions; NaN before the first batch.

    `labels` are class numbers [..., n] (dense or sparse), or [...] for one of each example;
    `predictions` [..., classes]. With `class_id` only that class counts. `weights` is a scalar or
    has the shape of the examples. Labels out of range count as not found.
    """
    with name_scope(name, f"recall_at_{_suffix(k, class_id)}", (predictions, labels, weights)) as s:
        return recall_at_top_k(
            labels,
            _best(predictions, k),
            k,
            class_id,
            weights,
            metrics_collections,
            updates_collections,
            name=s,
        )


def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`recall_at_k` of the best classes themselves, `predictions_idx` [..., k] in place of scores.

    `k` is for the names of the operations only.
    """
    suffix = _suffix(k, class_id)
    with name_scope(name, f"recall_at_{suffix}", (predictions_idx, labels, weights)) as scope:
        ranked = _Ranked(labels, predictions_idx)
        right = _of_class(ranked.right, ranked.best, class_id)
        missed = api.logical_and(ranked.distinct(), api.logical_not(ranked.found))
        missed = _of_class(missed, ranked.labels, class_id)
        hits, new_hits = _sum_variable(right, weights, f"true_positive_at_{suffix}")
        others, new_others = _sum_variable(missed, weights, f"false_negative_at_{suffix}")
        value = api.div(hits, api.add(hits, others), name=scope)
        update = api.div(new_hits, api.add(new_hits, new_others), name="update")
        return published(value, update, metrics_collections, updates_collections)


def sparse_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the k best predictions that are among the labels; NaN before the first batch.

    The arguments are those of `recall_at_k`.

    >>> import workbench as tf
    >>> scores = tf.constant([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])
    >>> labels = tf.constant([[2], [1]], tf.int64)
    >>> value, update = tf.metrics.sparse_precision_at_k(labels, scores, 1)
    >>> with tf.Session() as session:
    ...     session.run(tf.local_variables_initializer())
    ...     session.run(update)
    np.float64(0.5)
    """
    default = f"precision_at_{_suffix(k, class_id)}"
    with name_scope(name, default, (predictions, labels, weights)) as scope:
        return precision_at_top_k(
            labels,
            _best(predictions, k),
            k,
            class_id,
            weights,
            metrics_collections,
            updates_collections,
            name=scope,
        )


def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """`precision_at_k` of the best classes themselves, `predictions_idx` [..., k], not scores.

    `k` is for the names of the operations only.
    """
    suffix = _suffix(k, class_id)
    with name_scope(name, f"precision_at_{suffix}", (predictions_idx, labels, weights)) as scope:
        ranked = _Ranked(labels, predictions_idx)
        right = _of_class(ranked.right, ranked.best, class_id)
        wrong = _of_class(api.logical_not(ranked.right), ranked.best, class_id)
        hits, new_hits = _sum_variable(right, weights, f"true_positive_at_{suffix}")
        others, new_others = _sum_variable(wrong, weights, f"false_positive_at_{suffix}")
        value = api.div(hits, api.add(hits, others), name=scope)
        update = api.div(new_hits, api.add(new_hits, new_others), name="update")
        return published(value, update, metrics_collections, updates_collections)


def sparse_average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean over the examples of their average precision among the k best predictions.

    That is the mean of the precision at each place that holds a label, over the labels that could
    stand there. The arguments are those of `recall_at_k`; dense labels out of range are
    passed over.
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}: it must be at least 1")
    default = f"average_precision_at_{k}"
    with name_scope(name, default, (predictions, labels, weights)) as scope:
        ranked = _Ranked(labels, _best(predictions, k))
        right = api.cast(ranked.right, dtypes.float64)
        places = np.arange(1, k + 1, dtype=np.float64)
        precisions = api.multiply(api.cumsum(right, -1) / places, right)
        average = api.reduce_sum(precisions, -1)
        relevant = _relevant(ranked, api.shape(predictions)[-1], k)
        average = average / api.cast(relevant, dtypes.float64)
        number = api.cast(api.size(average), dtypes.float64)
        if weights is not None:
            weights = broadcast_weights(weights, average)
            average = api.multiply(average, weights)
            number = api.reduce_sum(weights)
        most, total = (metric_variable([], n, dtypes.float64) for n in ("max", "total"))
        new_total = added(total, api.reduce_sum(average))
        new_most = added(most, number, after=[average])
        value = _share(total, most, "mean")
        update = _share(new_total, new_most, scope)
        return published(value, update, metrics_collections, updates_collections)


def _share(total: Any, most: Any, name: str) -> Tensor:
    """total / most, 0 before the first batch."""
    nothing = api.equal(most, 0)
    ratio = api.div(total, api.where(nothing, api.ones_like(most), most))
    share: Tensor = api.where(nothing, api.zeros_like(ratio), ratio, name=name)
    return share


def _relevant(ranked: _Ranked, classes: Tensor, k: int) -> Tensor:
    """How many of the best could be labels: k, or the number of labels where that is less.

    Dense labels that are out of range fill up rows; in sparse ones they are labels of their own.
    """
    if ranked.present is None:
        kept = api.logical_and(
            api.greater_equal(ranked.labels, 0),
            api.less(ranked.labels, api.cast(classes, dtypes.int64)),
        )
    else:
        kept = ranked.distinct()
    count = api.reduce_sum(api.cast(kept, dtypes.int32), -1)
    relevant: Tensor = api.minimum(count, k)
    return relevant
