"""The confusion matrix of predictions and labels."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, checks
from workbench.core.ops.control import with_dependencies


def remove_squeezable_dimensions(
    labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Both without a last axis of size 1 where the ranks differ by one more than expected.

    `expected_rank_diff` is the rank of the predictions less that of the labels.
    """
    with name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        labels = convert_to_tensor(labels)
        predictions = convert_to_tensor(predictions)
        ranks = labels.shape.ndims, predictions.shape.ndims
        if ranks[0] is not None and ranks[1] is not None:
            difference = ranks[1] - ranks[0]
            if difference == expected_rank_diff + 1:
                predictions = api.squeeze(predictions, [-1])
            elif difference == expected_rank_diff - 1:
                labels = api.squeeze(labels, [-1])
            return labels, predictions
        surplus = api.rank(predictions) - api.rank(labels) - expected_rank_diff
        if _may_end_in_one(predictions):
            predictions = _without_last_axis_if(api.equal(surplus, 1), predictions)
        if _may_end_in_one(labels):
            labels = _without_last_axis_if(api.equal(surplus, -1), labels)
        return labels, predictions


def _may_end_in_one(tensor: Tensor) -> bool:
    entries = tensor.entries
    return entries is None or (
        bool(entries) and not (isinstance(entries[-1], int) and entries[-1] != 1)
    )


def _without_last_axis_if(condition: Any, tensor: Tensor) -> Any:
    kept = api.rank(tensor) - api.cast(condition, dtypes.int32)
    return api.reshape(tensor, api.shape(tensor)[:kept])


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    weights: Any = None,
) -> Tensor:
    """How often each label (row) was predicted as each class (column).

    `labels` and `predictions` are vectors of class numbers of one length; `weights` counts each
    pair as more or less than one; `num_classes` is one more than the largest number when not given.
    A run fails for negative numbers, and for numbers that are not below `num_classes`.

    >>> import workbench as tf
    >>> tf.confusion_matrix([1, 2, 2], [2, 2, 2]).eval().tolist()
    [[0, 0, 0], [0, 0, 1], [0, 0, 2]]
    """
    with name_scope(name, "confusion_matrix", [predictions, labels, num_classes, weights]) as scope:
        labels, predictions = remove_squeezable_dimensions(
            convert_to_tensor(labels, name="labels"),
            convert_to_tensor(predictions, name="predictions"),
        )
        labels = _checked(api.cast(labels, dtypes.int64), "labels", num_classes)
        predictions = _checked(api.cast(predictions, dtypes.int64), "predictions", num_classes)
        if num_classes is None:
            largest = api.maximum(api.reduce_max(predictions), api.reduce_max(labels))
            num_classes = largest + 1
        else:
            num_classes = api.cast(num_classes, dtypes.int64)
        if weights is None:
            weights = api.ones_like(predictions, dtype)
        else:
            weights = convert_to_tensor(weights, name="weights")
            predictions.shape.assert_is_compatible_with(weights.shape)
            weights = api.cast(weights, dtype)
        shape = api.stack([num_classes, num_classes])
        pairs = api.stack([labels, predictions], axis=1)
        matrix: Tensor = api.scatter_nd(pairs, weights, shape, name=scope)
        return matrix


def _checked(numbers: Any, what: str, num_classes: Any) -> Any:
    """The class numbers, which a run checks to be in range."""
    positive = checks.assert_non_negative(numbers, message=f"`{what}` contains negative values")
    numbers = with_dependencies([positive], numbers)
    if num_classes is None:
        return numbers
    below = checks.assert_less(
        numbers, api.cast(num_classes, dtypes.int64), message=f"`{what}` out of bound"
    )
    return with_dependencies([below], numbers)
