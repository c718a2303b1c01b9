"""What all metrics are made of: local variables, safe quotients, and the shapes of their inputs."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.context import add_to_collection, control_dependencies
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.confusion import remove_squeezable_dimensions
from workbench.core.ops.state import assignment
from workbench.core.ops.state.variables import Variable
from workbench.train.weights import weights_of_rank

#: The value of a metric, and the tensor that takes one more batch into account.
Metric = tuple[Tensor, Tensor]


def metric_variable(shape: Any, name: str, dtype: Any = dtypes.float32) -> Any:
    """A local variable of zeros."""
    return Variable(
        lambda: api.zeros(shape, dtype),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        name=name,
    )


def published(
    value: Tensor, update: Tensor, metrics_collections: Any, updates_collections: Any
) -> Metric:
    """Both, added to the collections (a name, or a list of names) that the user gave."""
    for tensor, names in ((value, metrics_collections), (update, updates_collections)):
        if not names:
            continue
        for name in [names] if isinstance(names, str) else names:
            add_to_collection(name, tensor)
    return value, update


def added(variable: Any, amount: Tensor, after: Any = ()) -> Tensor:
    """The variable grown by `amount`, once the tensors `after` have been computed."""
    with control_dependencies(list(after)):
        return assignment.assign_add(variable, amount)


def quotient(numerator: Any, denominator: Any, name: str | None = None) -> Tensor:
    """numerator / denominator, 0 where the denominator is 0."""
    nothing = api.equal(denominator, 0)
    divisor = api.where(nothing, api.ones_like(denominator), denominator)
    ratio = api.truediv(numerator, divisor)
    result: Tensor = api.where(nothing, api.zeros_like(ratio), ratio, name=name)
    return result


def floats(value: Any) -> Tensor:
    """The value as float32."""
    result: Tensor = api.cast(convert_to_tensor(value), dtypes.float32)
    return result


def same_shape(labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    """Labels and predictions as tensors of one shape; ValueError where they differ."""
    labels, predictions = remove_squeezable_dimensions(labels, predictions)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions


def fitted(labels: Any, predictions: Any, weights: Any) -> tuple[Tensor, Tensor, Any]:
    """Labels and predictions of one shape, and weights (or None) of their rank or scalar."""
    labels, predictions = same_shape(labels, predictions)
    if weights is not None:
        weights = weights_of_rank(convert_to_tensor(weights), predictions)
    return labels, predictions, weights
