"""Initializers as `tf.contrib.layers` has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.dtypes import as_dtype, float32
from workbench.core.ops import api

#: What makes up for the tails that a truncated normal distribution lacks.
_TRUNCATION = 1.3


def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: Any = float32
) -> Callable[..., Any]:
    """Glorot's initializer: values whose scale keeps that of what flows through, both ways.

    `uniform` is False for a normal distribution.

    >>> import workbench as tf
    >>> v = tf.get_variable("v", [3, 3], initializer=xavier_initializer(seed=1))
    """
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


#: The same, under the name that convolutions had.
xavier_initializer_conv2d = xavier_initializer


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = float32,
) -> Callable[..., Any]:
    """An initializer whose variance is `factor` by the number of inputs, of outputs, or their mean.

    Args:
      factor: the factor.
      mode: "FAN_IN", "FAN_OUT" or "FAN_AVG".
      uniform: a uniform distribution instead of a truncated normal one.
      seed: the seed of the random numbers.
      dtype: the type of the values.

    Raises:
      TypeError: the type is not floating, or the mode none of these.
    """
    _check_floating(dtype)
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknow mode {mode} [FAN_IN, FAN_OUT, FAN_AVG]")

    def initializer(shape: Sequence[int], dtype: Any = dtype, partition_info: Any = None) -> Any:
        _check_floating(dtype)
        sizes = [int(size) for size in shape]
        window = math.prod(sizes[:-2])
        fan_in = float(window * sizes[max(-2, -len(sizes))]) if sizes else 1.0
        fan_out = float(window * sizes[-1]) if sizes else 1.0
        fan = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / fan)
            return api.random_uniform(sizes, -limit, limit, dtype, seed=seed)
        deviation = math.sqrt(_TRUNCATION * factor / fan)
        return api.truncated_normal(sizes, 0.0, deviation, dtype, seed=seed)

    return initializer


def _check_floating(dtype: Any) -> None:
    if not as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")
