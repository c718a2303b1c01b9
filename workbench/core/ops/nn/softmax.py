"""Softmax and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import softmax as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _at_least_a_vector(op: Any) -> list[Entries]:
    return [shape_rules.at_least_rank(op.inputs[0].entries, 1, f"'{op.name}'")]


def _softmax_gradient(op: Any, dy: Tensor) -> Any:
    y = op.outputs[0]
    return (dy - api.reduce_sum(dy * y, -1, keep_dims=True)) * y


def _log_softmax_gradient(op: Any, dy: Tensor) -> Any:
    return dy - api.reduce_sum(dy, -1, keep_dims=True) * api.exp(op.outputs[0])


def _expected(x: Any) -> Any:
    exponentials = np.exp(x)
    return exponentials / exponentials.sum(-1, keepdims=True)


_LOGITS = [[1.0, 2.0, -1.0], [0.5, 0.5, 0.0]]

declare(
    "Softmax",
    inputs="logits: T",
    outputs="softmax: T",
    attrs="T: {floating}",
    shape=_at_least_a_vector,
    kernel=kernels.softmax,
    gradient=_softmax_gradient,
    samples=[
        sample(_LOGITS, want=_expected),
        sample([[_LOGITS]], want=_expected),
        sample([0.0, 1.0], want=_expected),
    ],
)
declare(
    "LogSoftmax",
    inputs="logits: T",
    outputs="logsoftmax: T",
    attrs="T: {floating}",
    shape=_at_least_a_vector,
    kernel=kernels.log_softmax,
    gradient=_log_softmax_gradient,
    samples=[
        sample(_LOGITS, want=lambda x: np.log(_expected(x))),
        sample([1000.0, 0.0], want=[0.0, -1000.0], gradient=()),
    ],
)


def _along(type_name: str, logits: Any, axis: Any, name: str | None) -> Tensor:
    """The operation, which works along the last axis, along any axis."""
    logits = convert_to_tensor(logits)
    rank = logits.shape.ndims
    axis = -1 if axis is None else _known_axis(axis)
    if isinstance(axis, Tensor):
        # Which axis it is only a run tells.
        rank = None
    elif axis == -1 or (rank is not None and axis == rank - 1):
        return call(type_name, name, logits=logits)
    if rank is not None and not -rank <= axis < rank:
        raise InvalidArgumentError(
            None, None, f"Cannot reduce on axis {axis}: logits have rank {rank}"
        )
    with name_scope(name, type_name, [logits]) as scope:
        if rank is None:
            order = _swapped_order(axis, api.rank(logits))
        else:
            order = list(range(rank))
            order[axis], order[-1] = order[-1], order[axis]
        turned = call(type_name, None, logits=api.transpose(logits, order))
        result: Tensor = api.transpose(turned, order, name=scope)
        result.set_shape(logits.shape)
        return result


def _known_axis(axis: Any) -> Any:
    """An axis as a number, or as the tensor it is where only a run tells which it is."""
    value = constant_value(axis) if isinstance(axis, Tensor) else axis
    return axis if value is None else int(value)


def _swapped_order(axis: Any, rank: Any) -> Any:
    """The axes of a tensor of unknown rank with `axis` and the last one swapped."""
    if isinstance(axis, Tensor):
        place: Any = api.where(axis < 0, axis + rank, axis)
    else:
        place = axis if axis >= 0 else rank + axis
    axes = api.range(rank)
    last = rank - 1
    swapped = api.where(api.equal(axes, place), api.zeros_like(axes) + last, axes)
    return api.where(api.equal(axes, last), api.zeros_like(axes) + place, swapped)


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """exp(logits) / sum(exp(logits)) along `axis` (the last one; `dim` is its old name).

    Raises InvalidArgumentError when `axis` is not one of the axes.

    >>> import workbench as tf
    >>> tf.nn.softmax([0.0, 0.0]).eval().tolist()
    [0.5, 0.5]
    """
    return _along("Softmax", logits, dim if axis is None else axis, name)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """logits - log(sum(exp(logits))) along `axis` (the last one; `dim` is its old name)."""
    return _along("LogSoftmax", logits, dim if axis is None else axis, name)
