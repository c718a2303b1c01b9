"""Cross entropy of classes, and losses of independent events."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, TensorShape, broadcast_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import softmax as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.broadcast_gradient import sum_to_shapes
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn.zeros import is_zeros

# -- the operations ------------------------------------------------------------------------------


def _dense_shape(op: Any) -> list[Entries]:
    features, labels = op.inputs
    shape_rules.with_rank(features.entries, 2, "the logits")
    shape_rules.with_rank(labels.entries, 2, "the labels")
    try:
        entries = broadcast_entries(features.entries, labels.entries)
    except ValueError:
        clash = _first_clash(features, labels)
        raise ValueError(f"Dimensions must be equal, but are {clash} (logits and labels)") from None
    rows, classes = (None, None) if entries is None else entries
    return [(rows,), (rows, classes)]


def _first_clash(a: Tensor, b: Tensor) -> str:
    pairs = zip(a.entries or (), b.entries or (), strict=True)
    x, y = next((x, y) for x, y in pairs if x != y and 1 not in (x, y))
    return f"{x} and {y}"


def _sparse_shape(op: Any) -> list[Entries]:
    rows, classes = shape_rules.with_rank(op.inputs[0].entries, 2, "the logits")
    (count,) = shape_rules.with_rank(op.inputs[1].entries, 1, "the labels")
    rows = shape_rules.equal_sizes(rows, count, "rows of the logits and number of labels")
    return [(rows,), (rows, classes)]


def _by_logits(op: Any, d_loss: Tensor, d_backprop: Any) -> Any:
    """The operation has computed the gradient of the loss already: its second output.

    The gradient of that second output is the gradient of a softmax.
    """
    gradient = api.expand_dims(d_loss, -1) * op.outputs[1]
    if is_zeros(d_backprop):
        return gradient
    probabilities = api.softmax(op.inputs[0])
    mean = api.matmul(api.expand_dims(d_backprop, 1), api.expand_dims(probabilities, 2))
    return gradient + (d_backprop - api.squeeze(mean, [1])) * probabilities


def _dense_gradient(op: Any, d_loss: Tensor, d_backprop: Any) -> tuple[Any, Any]:
    logits, labels = op.inputs
    by_logits = _by_logits(op, d_loss, d_backprop)
    if labels.op.type == "StopGradient" and labels.entries == logits.entries:
        # Where nothing flows on, the graph is spared the operations.
        return by_logits, None
    by_labels = -api.expand_dims(d_loss, -1) * api.log_softmax(logits)
    if not is_zeros(d_backprop):
        by_labels = by_labels - d_backprop
    return sum_to_shapes(logits, labels, by_logits, by_labels)


def _sparse_gradient(op: Any, d_loss: Tensor, d_backprop: Any) -> tuple[Any, None]:
    return _by_logits(op, d_loss, d_backprop), None


def _expected(logits: Any, labels: Any) -> tuple[Any, Any]:
    exponentials = np.exp(logits)
    p = exponentials / exponentials.sum(1, keepdims=True)
    return -(labels * np.log(p)).sum(1), p - labels


_LOGITS = [[1.0, 2.0, -1.0], [0.5, 0.5, 0.0]]

declare(
    "SoftmaxCrossEntropyWithLogits",
    inputs="features: T, labels: T",
    outputs="loss: T, backprop: T",
    attrs="T: {floating}",
    shape=_dense_shape,
    kernel=kernels.softmax_cross_entropy_with_logits,
    gradient=_dense_gradient,
    samples=[
        sample(_LOGITS, [[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]], want=_expected),
        sample(_LOGITS, [[0.0, 1.0, 0.0]], want=_expected),
    ],
)
declare(
    "SparseSoftmaxCrossEntropyWithLogits",
    inputs="features: T, labels: Tlabels",
    outputs="loss: T, backprop: T",
    attrs="T: {floating}, Tlabels: {int32, int64} = DT_INT64",
    shape=_sparse_shape,
    kernel=kernels.sparse_softmax_cross_entropy_with_logits,
    gradient=_sparse_gradient,
    samples=[sample(_LOGITS, [1, 2], want=lambda x, labels: _expected(x, np.eye(3)[labels]))],
)

# -- public functions ----------------------------------------------------------------------------


def _check_arguments(function: str, sentinel: Any, labels: Any, logits: Any) -> None:
    """Labels and logits are easily mistaken for each other: they must be named."""
    if sentinel is not None:
        raise ValueError(
            f"Only call `{function}` with named arguments (labels=..., logits=..., ...)"
        )
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
    axis: int | None = None,
) -> Tensor:
    """The cross entropy of `labels` (probabilities) and softmax(`logits`), along `dim`.

    Both have the same shape; the result lacks the axis `dim`. No gradient flows to the labels (see
    `softmax_cross_entropy_with_logits_v2`). Arguments must be named.

    >>> import workbench as tf
    >>> loss = tf.nn.softmax_cross_entropy_with_logits(labels=[[1.0, 0.0]], logits=[[0.0, 0.0]])
    >>> loss.eval().round(3).tolist()
    [0.69...]
    """
    _check_arguments("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as scope:
        labels = api.stop_gradient(labels, name="labels_stop_gradient")
        return _dense(labels, logits, dim if axis is None else axis, scope)


def softmax_cross_entropy_with_logits_v2(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
    axis: int | None = None,
) -> Tensor:
    """`softmax_cross_entropy_with_logits` with gradients to the labels too."""
    _check_arguments("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as scope:
        return _dense(labels, logits, dim if axis is None else axis, scope)


def _dense(labels: Any, logits: Any, axis: int, scope: str) -> Tensor:
    logits = convert_to_tensor(logits, name="logits")
    precise = _precise(logits)
    labels = api.cast(convert_to_tensor(labels, name="labels"), precise.dtype)
    rank = logits.shape.ndims
    if rank == 2 and axis in (-1, 1):
        return _narrowed(_loss("SoftmaxCrossEntropyWithLogits", precise, labels, scope), logits)
    if rank is None:
        if axis != -1:
            raise ValueError("logits must have a known rank unless dim is the last one")
        flat = api.reshape(precise, api.concat([[-1], api.shape(precise)[-1:]], 0))
        flat_labels = api.reshape(labels, api.concat([[-1], api.shape(labels)[-1:]], 0))
        loss = _loss("SoftmaxCrossEntropyWithLogits", flat, flat_labels, scope)
        return _narrowed(api.reshape(loss, api.shape(logits)[:-1]), logits)
    axis = shape_rules.normalise_axis(axis, rank, "dim")
    if axis != rank - 1:
        order = [i for i in range(rank) if i != axis] + [axis]
        precise, labels = api.transpose(precise, order), api.transpose(labels, order)
    loss = _loss("SoftmaxCrossEntropyWithLogits", _as_rows(precise), _as_rows(labels), scope)
    outer = precise.shape[: rank - 1]
    loss = api.reshape(loss, _sizes(outer, precise))
    loss.set_shape(outer)
    return _narrowed(loss, logits)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    name: str | None = None,
) -> Tensor:
    """The cross entropy of `labels` (class numbers) and softmax(`logits`), along the last axis.

    `labels` has the shape of `logits` without the last axis, and so has the result. A label that is
    no class is an error of the run. Arguments must be named. Raises ValueError where ranks differ.

    >>> import workbench as tf
    >>> loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=[[0.0, 0.0]])
    >>> loss.eval().round(3).tolist()
    [0.69...]
    """
    _check_arguments("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]) as scope:
        labels = convert_to_tensor(labels, name="labels")
        logits = convert_to_tensor(logits, name="logits")
        rank, label_rank = logits.shape.ndims, labels.shape.ndims
        if rank == 0:
            raise ValueError(f"Logits cannot be scalars - received shape {logits.shape}.")
        if rank is not None and label_rank is not None and label_rank != rank - 1:
            raise ValueError(
                f"Rank mismatch: Rank of labels (received {label_rank}) should equal rank of "
                f"logits minus 1 (received {rank})."
            )
        if rank is not None:
            labels.shape.assert_is_compatible_with(logits.shape[: rank - 1])
        precise = _precise(logits)
        if rank == 2:
            loss = _loss("SparseSoftmaxCrossEntropyWithLogits", precise, labels, scope)
            return _narrowed(loss, logits)
        loss = _loss(
            "SparseSoftmaxCrossEntropyWithLogits",
            _as_rows(precise),
            api.reshape(labels, [-1]),
            scope,
        )
        loss = api.reshape(loss, _sizes(labels.shape, labels))
        loss.set_shape(labels.shape)
        return _narrowed(loss, logits)


def _precise(logits: Tensor) -> Any:
    """Half floats are too coarse for logarithms of sums."""
    return api.cast(logits, "float32") if logits.dtype.base_dtype == "float16" else logits


def _narrowed(loss: Any, logits: Tensor) -> Tensor:
    same = loss.dtype == logits.dtype.base_dtype
    result: Tensor = loss if same else api.cast(loss, logits.dtype.base_dtype)
    return result


def _loss(type_name: str, features: Any, labels: Any, scope: str) -> Any:
    return create(type_name, scope, features=features, labels=labels).outputs[0]


def _as_rows(tensor: Tensor) -> Any:
    if tensor.shape.ndims == 2:
        return tensor
    last = tensor.shape[-1:].as_list()[0] if tensor.shape.ndims else None
    if last is None or last == 0:
        last = api.shape(tensor)[-1]
    return api.reshape(tensor, [-1, last])


def _sizes(shape: TensorShape, tensor: Tensor) -> Any:
    """The leading sizes of `tensor`, as a list where they are known."""
    if shape.is_fully_defined():
        return shape.as_list()
    return api.shape(tensor) if shape.ndims is None else api.shape(tensor)[: shape.ndims]


def _same_shape(a: Tensor, b: Tensor, names: str) -> None:
    try:
        a.shape.merge_with(b.shape)
    except ValueError:
        raise ValueError(f"{names} must have the same shape ({a.shape} vs {b.shape})") from None


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    name: str | None = None,
) -> Tensor:
    """The cross entropy of `labels` (probabilities) and sigmoid(`logits`), element by element.

    For labels z and logits x: max(x, 0) - x * z + log(1 + exp(-abs(x))). Arguments must be named.
    Raises ValueError where the shapes differ.

    >>> import workbench as tf
    >>> loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0])
    >>> loss.eval().round(3).tolist()
    [0.69...]
    """
    _check_arguments("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _same_shape(logits, labels, "logits and labels")
        zeros = api.zeros_like(logits)
        # Written with a choice and not with abs and max, so that the slope at 0 is right.
        above = logits >= zeros
        positive = api.where(above, logits, zeros)
        decay = api.where(above, -logits, logits)
        loss: Tensor = api.add(positive - logits * labels, api.log1p(api.exp(decay)), name=scope)
        return loss


def weighted_cross_entropy_with_logits(
    targets: Any = None,
    logits: Any = None,
    pos_weight: Any = None,
    name: str | None = None,
    labels: Any = None,
) -> Tensor:
    """`sigmoid_cross_entropy_with_logits` with the error of positive targets times `pos_weight`."""
    targets = labels if targets is None else targets
    with name_scope(name, "logistic_loss", [logits, targets]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        targets = convert_to_tensor(targets, name="targets")
        _same_shape(logits, targets, "logits and targets")
        weight = 1 + (pos_weight - 1) * targets
        curve = api.log1p(api.exp(-api.abs(logits))) + api.relu(-logits)
        loss: Tensor = api.add((1 - targets) * logits, weight * curve, name=scope)
        return loss


def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> Tensor:
    """-log of the likelihood of the counts `targets` under Poisson(exp(`log_input`)).

    The term that depends on the targets alone, log(targets!), is left out, or is Stirling's
    approximation with `compute_full_loss`. Raises ValueError where the shapes differ.
    """
    with name_scope(name, "log_poisson_loss", [log_input, targets]):
        log_input = convert_to_tensor(log_input, name="log_input")
        targets = convert_to_tensor(targets, name="targets")
        _same_shape(log_input, targets, "log_input and targets")
        result: Any = api.exp(log_input) - log_input * targets
        if compute_full_loss:
            stirling = targets * api.log(targets) - targets + 0.5 * api.log(2 * pi * targets)
            few = api.logical_and(targets >= 0, targets <= 1)
            result += api.where(few, api.zeros_like(targets), stirling)
        loss: Tensor = result
        return loss
