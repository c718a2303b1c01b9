"""Metrics of the curves that predictions in [0, 1] draw as the threshold moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.losses.weighting import safe_divide
from workbench.train.metrics.support import Metric, published
from workbench.train.metrics.thresholds import EPSILON, KINDS, Counts, counts_at

# Curves are smoothed by a little more than the shares at single thresholds.
_SMOOTHING = 1e-6

_HEIGHTS: dict[str, Callable[[Any, Any], Any]] = {
    "trapezoidal": lambda left, right: (left + right) / 2.0,
    "careful_interpolation": lambda left, right: (left + right) / 2.0,
    "minoring": lambda left, right: api.minimum(left, right),
    "majoring": lambda left, right: api.maximum(left, right),
}


def _thresholds(number: int) -> list[float]:
    """Evenly spaced from just below 0 to just above 1, so that the ends take all and nothing."""
    if number < 2:
        raise ValueError(f"num_thresholds must be at least 2, got {number}")
    inner = [i / (number - 1) for i in range(1, number - 1)]
    return [0.0 - EPSILON, *inner, 1.0 + EPSILON]


def _tensors(counts: Counts) -> list[Tensor]:
    """True positives, false negatives, true negatives and false positives."""
    return [convert_to_tensor(counts[kind]) for kind in KINDS]


def _interpolated(tp: Tensor, fn: Tensor, fp: Tensor, name: str) -> Tensor:
    """The area under precision over recall, where both counts change evenly between thresholds.

    The precision at p positives is (a + b * p) / p with constants of the interval, and the recall
    grows by b for each of them; the integral of that product has a closed form.
    """
    positives = tp + fp
    more, less = positives[:-1], positives[1:]
    gained = tp[:-1] - tp[1:]
    growth = safe_divide(gained, more - less)
    offset = tp[1:] - growth * less
    # From nothing on, the precision is constant.
    both = api.logical_and(more > 0.0, less > 0.0)
    ratio = api.where(both, safe_divide(more, less), api.ones_like(more))
    areas = growth * (gained + offset * api.log(ratio))
    total: Tensor = api.reduce_sum(safe_divide(areas, tp[1:] + fn[1:]), name=name)
    return total


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
) -> Metric:
    """The area under a curve of predictions in [0, 1], by sums over evenly spaced thresholds.

    `curve` is "ROC" (true positive rate over false positive rate) or "PR" (precision over recall).
    `summation_method` is "trapezoidal", or "minoring" or "majoring" for a bound below or above.
    Precision over recall is no straight line between two thresholds: "careful_interpolation" finds
    the area under the curve that it is. Raises ValueError for others; a run fails for predictions
    out of range.

    >>> import workbench as tf
    >>> value, update = tf.metrics.auc([0, 1, 0, 1], [0.1, 0.8, 0.6, 0.7])
    >>> with tf.Session() as session:
    ...     session.run(tf.local_variables_initializer())
    ...     round(float(session.run(update)), 4)
    1.0
    """
    if curve not in ("ROC", "PR"):
        raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
    if summation_method not in _HEIGHTS:
        raise ValueError(
            f"Invalid summation_method: {summation_method}; use one of {', '.join(_HEIGHTS)}"
        )
    height = _HEIGHTS[summation_method]
    with variable_scope(name, "auc", (labels, predictions, weights)):
        thresholds = _thresholds(num_thresholds)
        values, updates = counts_at(labels, predictions, thresholds, weights, list(KINDS))

        def area(counts: Counts, what: str) -> Tensor:
            tp, fn, tn, fp = _tensors(counts)
            if curve == "PR" and summation_method == "careful_interpolation":
                return _interpolated(tp, fn, fp, what)
            recall = (tp + _SMOOTHING) / (tp + fn + _SMOOTHING)
            if curve == "ROC":
                x, y = fp / (fp + tn + _SMOOTHING), recall
            else:
                x, y = recall, (tp + _SMOOTHING) / (tp + fp + _SMOOTHING)
            widths = x[:-1] - x[1:]
            total: Tensor = api.reduce_sum(api.multiply(widths, height(y[:-1], y[1:])), name=what)
            return total

        return published(
            area(values, "value"),
            area(updates, "update_op"),
            metrics_collections,
            updates_collections,
        )


def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the true labels that are predicted, at the threshold with this specificity.

    That is the threshold where the share of the false labels that are recognised comes closest to
    `specificity`; the first of several.
    """
    _check_share("specificity", specificity)
    with variable_scope(name, "sensitivity_at_specificity", (predictions, labels, weights)):
        thresholds = _thresholds(num_thresholds)
        values, updates = counts_at(labels, predictions, thresholds, weights, list(KINDS))

        def sensitivity(counts: Counts, what: str) -> Tensor:
            tp, fn, tn, fp = _tensors(counts)
            place = api.argmin(api.abs(tn / (tn + fp + EPSILON) - specificity), 0)
            found: Tensor = api.div(tp[place], tp[place] + fn[place] + EPSILON, name=what)
            return found

        return published(
            sensitivity(values, "value"),
            sensitivity(updates, "update_op"),
            metrics_collections,
            updates_collections,
        )


def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the false labels that are recognised, at the threshold with this sensitivity.

    That is the threshold where the share of the true labels that are predicted comes closest to
    `sensitivity`; the last of several.
    """
    _check_share("sensitivity", sensitivity)
    with variable_scope(name, "specificity_at_sensitivity", (predictions, labels, weights)):
        thresholds = _thresholds(num_thresholds)
        values, updates = counts_at(labels, predictions, thresholds, weights, list(KINDS))

        def specificity(counts: Counts, what: str) -> Tensor:
            tp, fn, tn, fp = _tensors(counts)
            distances = api.abs(tp / (tp + fn + EPSILON) - sensitivity)
            place = num_thresholds - 1 - api.argmin(api.reverse(distances, [0]), 0)
            found: Tensor = api.div(tn[place], tn[place] + fp[place] + EPSILON, name=what)
            return found

        return published(
            specificity(values, "value"),
            specificity(updates, "update_op"),
            metrics_collections,
            updates_collections,
        )


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be in the range [0, 1], got {value}")
