"""Dropout, and norms of activations and weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.kernels import normalization
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

declare(
    "L2Loss",
    inputs="t: T",
    outputs="output: T",
    attrs="T: {floating}",
    shape=shape_rules.scalar,
    kernel=normalization.l2_loss,
    gradient=lambda op, dy: op.inputs[0] * dy,
    samples=[
        sample([[1.0, -2.0], [3.0, 0.5]], want=lambda t: np.sum(t * t) / 2),
        sample(3.0, want=4.5),
    ],
)


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Half the sum of the squares of `t`, a scalar.

    >>> import workbench as tf
    >>> float(tf.nn.l2_loss([3.0, 4.0]).eval())
    12.5
    """
    return call("L2Loss", name, t=t)


def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Tensor:
    """Keeps each element with probability `keep_prob`, scaled by 1 / keep_prob, else gives 0.

    `noise_shape` (broadcast to the shape of `x`; None entries take the size of `x`) makes elements
    live and die together. `rate`, the probability to drop, may be given in place of `keep_prob`.
    Raises ValueError where `x` is not floating or `keep_prob` not in (0, 1].

    >>> import workbench as tf
    >>> sorted(set(tf.nn.dropout(tf.ones([100]), 0.5, seed=1).eval().tolist()))
    [0.0, 2.0]
    """
    if (keep_prob is None) == (rate is None):
        raise ValueError("tf.nn.dropout needs either keep_prob or rate")
    if rate is not None:
        keep_prob = 1 - rate
    with name_scope(name, "dropout", [x]):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(
                "x has to be a floating point tensor since it's going to be scaled. Got a "
                f"{x.dtype.base_dtype!r} tensor instead."
            )
        if isinstance(keep_prob, (int, float)) and not 0 < keep_prob <= 1:
            raise ValueError(
                f"keep_prob must be a scalar tensor or a float in the range (0, 1], got {keep_prob}"
            )
        keep_prob = convert_to_tensor(keep_prob, dtype=x.dtype.base_dtype, name="keep_prob")
        keep_prob.shape.assert_is_compatible_with(TensorShape([]))
        known = constant_value(keep_prob)
        if known is not None and known == 1:
            unchanged: Tensor = x
            return unchanged
        uniform = api.random_uniform(_noise_shape(x, noise_shape), seed=seed, dtype=x.dtype)
        kept = api.floor(keep_prob + uniform)
        result: Tensor = api.div(x, keep_prob) * kept
        result.set_shape(x.shape)
        return result


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return x.shape.as_list() if x.shape.is_fully_defined() else api.shape(x)
    if isinstance(noise_shape, TensorLike):
        return noise_shape
    if isinstance(noise_shape, TensorShape):
        noise_shape = noise_shape.as_list()
    sizes = list(noise_shape) if np.ndim(noise_shape) else [noise_shape]
    known = x.shape.as_list() if x.shape.ndims == len(sizes) else [None] * len(sizes)
    return [
        size if size is not None else known[i] if known[i] is not None else api.shape(x)[i]
        for i, size in enumerate(sizes)
    ]


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The fraction of zeros in `value`, a float32 scalar.

    >>> import workbench as tf
    >>> float(tf.nn.zero_fraction([0.0, 3.0, 0.0, 1.0]).eval())
    0.5
    """
    with name_scope(name, "zero_fraction", [value]):
        value = convert_to_tensor(value, name="value")
        zero = api.constant(0, dtype=value.dtype.base_dtype, name="zero")
        fraction: Tensor = api.reduce_mean(api.cast(api.equal(value, zero), "float32"))
        return fraction


def l2_normalize(
    x: Any,
    axis: Any = None,
    epsilon: float = 1e-12,
    name: str | None = None,
    dim: Any = None,
) -> Tensor:
    """`x` divided by its Euclidean norm along `axis` (an int or several; `dim` is its old name).

    `epsilon` is the least squared norm to divide by.

    >>> import workbench as tf
    >>> tf.nn.l2_normalize([3.0, 4.0], 0).eval().round(3).tolist()
    [0.6..., 0.8...]
    """
    with name_scope(name, "l2_normalize", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        axis = dim if axis is None else axis
        squares = api.reduce_sum(api.square(x), axis, keep_dims=True)
        inverse = api.rsqrt(api.maximum(squares, epsilon))
        result: Tensor = api.multiply(x, inverse, name=scope)
        return result
