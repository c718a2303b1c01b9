"""Means and variances, and normalisation by them."""

from __future__ import annotations

from math import prod
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def moments(
    x: Any,
    axes: Any,
    shift: Any = None,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean and the variance of `x` over `axes`.

    float16 is computed in float32. `shift` is accepted and has no effect.

    >>> import workbench as tf
    >>> mean, variance = tf.nn.moments(tf.constant([[1.0, 3.0], [2.0, 8.0]]), [1])
    >>> mean.eval().tolist(), variance.eval().tolist()
    ([2.0, 5.0], [1.0, 9.0])
    """
    kept = bool(keep_dims if keepdims is None else keepdims)
    with name_scope(name, "moments", [x, axes]):
        x = convert_to_tensor(x, name="x")
        y = _wide(x)
        mean = api.reduce_mean(y, axes, keep_dims=True, name="mean")
        # The variance does not change when the mean moves a little: no gradient goes that way.
        distances = api.squared_difference(y, api.stop_gradient(mean))
        variance = api.reduce_mean(distances, axes, keep_dims=True, name="variance")
        if not kept:
            mean, variance = api.squeeze(mean, axes), api.squeeze(variance, axes)
        return _narrow(mean, x), _narrow(variance, x)


def weighted_moments(
    x: Any,
    axes: Any,
    frequency_weights: Any,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean and variance of `x` over `axes`, each element counted `frequency_weights` times.

    The weights broadcast against `x`.

    >>> import workbench as tf
    >>> mean, variance = tf.nn.weighted_moments(tf.constant([1.0, 4.0]), [0], [2.0, 1.0])
    >>> float(mean.eval()), float(variance.eval())
    (2.0, 2.0)
    """
    kept = bool(keep_dims if keepdims is None else keepdims)
    with name_scope(name, "weighted_moments", [x, frequency_weights, axes]):
        x = convert_to_tensor(x, name="x")
        y = _wide(x)
        weights: Any = convert_to_tensor(frequency_weights, name="frequency_weights")
        if weights.dtype.base_dtype is not y.dtype.base_dtype:
            weights = api.cast(weights, y.dtype)
        total = api.reduce_sum(weights * y, axes, name="weighted_input_sum", keep_dims=True)
        # The weights may be smaller than x: each counts as often as it is broadcast.
        counted = weights + api.zeros_like(y)
        count = api.reduce_sum(counted, axes, name="sum_of_weights", keep_dims=True)
        inverse = api.reciprocal(count, name="inv_weight_sum")
        mean = api.multiply(total, inverse)
        distances = weights * api.squared_difference(y, mean)
        spread = api.reduce_sum(distances, axes, name="weighted_distsq", keep_dims=True)
        variance = api.multiply(spread, inverse)
        if not kept:
            mean, variance = api.squeeze(mean, axes), api.squeeze(variance, axes)
        return _narrow(mean, x), _narrow(variance, x)


def _wide(x: Tensor) -> Any:
    """Squares of half floats overflow early: float32 instead."""
    return api.cast(x, "float32") if x.dtype.base_dtype == "float16" else x


def _narrow(value: Any, x: Tensor) -> Any:
    return value if value.dtype == x.dtype.base_dtype else api.cast(value, x.dtype.base_dtype)


def sufficient_statistics(
    x: Any,
    axes: Any,
    shift: Any = None,
    keep_dims: bool | None = None,
    name: str | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """The count, the sum and the sum of squares of `x` over `axes`, and `shift`.

    The sums are of `x` - `shift` where a shift is given: one near the mean keeps digits. See
    `tf.nn.normalize_moments`.
    """
    kept = bool(keep_dims if keepdims is None else keepdims)
    axes = list(dict.fromkeys(axes))
    with name_scope(name, "sufficient_statistics", [x, shift]):
        x = convert_to_tensor(x, name="x")
        sizes = [] if x.shape.ndims is None else [x.shape.as_list()[axis] for axis in axes]
        if sizes and None not in sizes:
            counts = api.constant(prod(sizes), dtype=x.dtype.base_dtype, name="count")
        else:
            taken = api.gather(api.cast(api.shape(x), x.dtype.base_dtype), axes)
            counts = api.reduce_prod(taken, name="count")
        if shift is None:
            first, second = x, api.square(x)
        else:
            shift = convert_to_tensor(shift, name="shift", dtype=x.dtype.base_dtype)
            first, second = api.subtract(x, shift), api.squared_difference(x, shift)
        first = api.reduce_sum(first, axes, keep_dims=kept, name="mean_ss")
        second = api.reduce_sum(second, axes, keep_dims=kept, name="var_ss")
        return counts, first, second, shift


def normalize_moments(
    counts: Any,
    mean_ss: Any,
    variance_ss: Any,
    shift: Any,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean and the variance from what `tf.nn.sufficient_statistics` gives.

    >>> import workbench as tf
    >>> statistics = tf.nn.sufficient_statistics(tf.constant([1.0, 3.0]), [0])
    >>> [float(t.eval()) for t in tf.nn.normalize_moments(*statistics)]
    [2.0, 1.0]
    """
    with name_scope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = api.reciprocal(counts, name="divisor")
        if shift is None:
            mean = shifted = api.multiply(mean_ss, divisor, name="mean")
        else:
            shifted = api.multiply(mean_ss, divisor, name="shifted_mean")
            mean = api.add(shifted, shift, name="mean")
        squares = api.multiply(variance_ss, divisor)
        return mean, api.subtract(squares, api.square(shifted), name="variance")


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: Any,
    name: str | None = None,
) -> Tensor:
    """scale * (x - mean) / sqrt(variance + variance_epsilon) + offset, with broadcasting.

    `offset` and `scale` may be None. The result has the dtype of `x`; what it is scaled and moved
    by is computed in the dtype of the statistics.

    >>> import workbench as tf
    >>> tf.nn.batch_normalization([[3.0], [5.0]], [4.0], [1.0], [10.0], None, 0.0).eval().tolist()
    [[9.0], [11.0]]
    """
    with name_scope(name, "batchnorm", [x, mean, variance, scale, offset]):
        variance = convert_to_tensor(variance, name="variance")
        factor: Any = api.rsqrt(variance + variance_epsilon)
        if scale is not None:
            factor = factor * scale
        x = convert_to_tensor(x, name="x")
        # In this order, that of TensorFlow's names.
        scaled = x * api.cast(factor, x.dtype)
        moved = -mean * factor if offset is None else offset - mean * factor
        result: Tensor = scaled + api.cast(moved, x.dtype)
        return result


def batch_norm_with_global_normalization(
    t: Any,
    m: Any,
    v: Any,
    beta: Any,
    gamma: Any,
    variance_epsilon: Any,
    scale_after_normalization: bool,
    name: str | None = None,
) -> Tensor:
    """`batch_normalization` of `t` with mean `m`, variance `v`, offset `beta` and scale `gamma`.

    `gamma` is used only with `scale_after_normalization`.
    """
    scale = gamma if scale_after_normalization else None
    return batch_normalization(t, m, v, beta, scale, variance_epsilon, name)
