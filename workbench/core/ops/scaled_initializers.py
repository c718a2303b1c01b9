"""Initializers whose values are scaled with the number of inputs and outputs of a layer."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.graph.dtypes import float32
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import Initializer, floating


class VarianceScaling(Initializer):
    """Values of variance `scale / n`.

    `mode` says what n is: "fan_in" the number of inputs, "fan_out" of outputs, "fan_avg" their
    mean. `distribution` is "normal" (truncated) or "uniform". For convolution kernels the receptive
    field counts too.

    >>> import workbench as tf
    >>> w = tf.variance_scaling_initializer(scale=2.0, seed=1)([1000, 20])
    >>> bool(abs(w.eval().std() - (2.0 / 1000) ** 0.5) < 0.006)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "normal",
        seed: int | None = None,
        dtype: Any = float32,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive float, got {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: {mode!r}; use fan_in, fan_out or fan_avg")
        if distribution.lower() not in ("normal", "uniform"):
            raise ValueError(
                f"Invalid `distribution` argument: {distribution!r}; use normal or uniform"
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution.lower()
        self.seed = seed
        self.dtype = floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        chosen = self._dtype(dtype)
        full = shape if partition_info is None else partition_info.full_shape
        fan_in, fan_out = fans([int(size) for size in full])
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}
        variance = self.scale / max(1.0, count[self.mode])
        values: Tensor
        if self.distribution == "normal":
            values = api.truncated_normal(shape, 0.0, math.sqrt(variance), chosen, seed=self.seed)
        else:
            limit = math.sqrt(3.0 * variance)
            values = api.random_uniform(shape, -limit, limit, chosen, seed=self.seed)
        return values

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "seed": self.seed,
            "dtype": self.dtype.name,
        }


class UniformUnitScaling(Initializer):
    """Uniform values such that a layer keeps the scale of its input: +-factor * sqrt(3 / n).

    n is the size of all dimensions but the last.
    """

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        self.factor = factor
        self.seed = seed
        self.dtype = floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        full = shape if partition_info is None else partition_info.full_shape
        # An empty dimension must not divide by zero.
        inputs = max(1.0, math.prod(float(int(size)) for size in list(full)[:-1]))
        limit = math.sqrt(3.0 / inputs) * self.factor
        values: Tensor = api.random_uniform(
            shape, -limit, limit, self._dtype(dtype), seed=self.seed
        )
        return values

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "seed": self.seed, "dtype": self.dtype.name}


def fans(shape: list[int]) -> tuple[float, float]:
    """The number of inputs and of outputs that a weight of this shape connects.

    >>> fans([784, 10]), fans([3, 3, 16, 32])
    ((784, 10), (144, 288))
    """
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def glorot_uniform_initializer(seed: int | None = None, dtype: Any = float32) -> VarianceScaling:
    """Uniform values of variance 2 / (inputs + outputs), also called Xavier's initializer."""
    return VarianceScaling(1.0, "fan_avg", "uniform", seed, dtype)


def glorot_normal_initializer(seed: int | None = None, dtype: Any = float32) -> VarianceScaling:
    """Truncated normal values of variance 2 / (inputs + outputs)."""
    return VarianceScaling(1.0, "fan_avg", "normal", seed, dtype)


def he_normal(seed: int | None = None, dtype: Any = float32) -> VarianceScaling:
    """Truncated normal values of variance 2 / inputs, for layers with relu."""
    return VarianceScaling(2.0, "fan_in", "normal", seed, dtype)


def he_uniform(seed: int | None = None, dtype: Any = float32) -> VarianceScaling:
    """Uniform values of variance 2 / inputs, for layers with relu."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed, dtype)


def lecun_normal(seed: int | None = None, dtype: Any = float32) -> VarianceScaling:
    """Truncated normal values of variance 1 / inputs."""
    return VarianceScaling(1.0, "fan_in", "normal", seed, dtype)


def lecun_uniform(seed: int | None = None, dtype: Any = float32) -> VarianceScaling:
    """Uniform values of variance 1 / inputs."""
    return VarianceScaling(1.0, "fan_in", "uniform", seed, dtype)


variance_scaling_initializer = VarianceScaling
uniform_unit_scaling_initializer = UniformUnitScaling
