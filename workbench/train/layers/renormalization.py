"""Batch renormalisation: batch normalisation that trains with what it will see in use.

Ioffe, "Batch Renormalization: Towards Reducing Minibatch Dependence in Batch-Normalized Models",
2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.graph.context import control_dependencies
from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.train.layers.base import Layer
from workbench.train.layers.training import choice, known_truth, scalar_choice
from workbench.train.moving_averages import assign_moving_average

_BOUNDS = ("rmax", "rmin", "dmax")


def checked_clipping(clipping: Mapping[str, Any] | None) -> dict[str, Any]:
    """The bounds of the corrections; ValueError for names that are none."""
    unknown = sorted(set(clipping or {}) - set(_BOUNDS))
    if unknown:
        raise ValueError(
            f"renorm_clipping {dict(clipping or {})} contains keys {unknown} not in {_BOUNDS}"
        )
    return dict(clipping or {})


class Renormalization:
    """The averages that batch renormalisation keeps, and the corrections it makes by them."""

    def __init__(
        self, layer: Layer, shape: Any, dtype: Any, clipping: Mapping[str, Any], momentum: Any
    ) -> None:
        def average(name: str, sizes: Any) -> Any:
            return layer.add_variable(
                name, sizes, dtype=dtype, initializer=zeros_initializer(), trainable=False
            )

        self.mean = average("renorm_mean", shape)
        # The averages start at zero; the weights say how much of them is there already.
        self.mean_weight = average("renorm_mean_weight", ())
        self.stddev = average("renorm_stddev", shape)
        self.stddev_weight = average("renorm_stddev_weight", ())
        self._clipping = clipping
        self._momentum = momentum

    def correct(self, mean: Any, variance: Any, epsilon: Any, training: Any) -> Any:
        """The factor r and the offset d, and the mean and variance for the moving averages."""
        stddev = api.sqrt(variance + epsilon)
        # The averages as if they had begun with this batch.
        mixed_mean = self.mean + (1.0 - self.mean_weight) * mean
        mixed_stddev = self.stddev + (1.0 - self.stddev_weight) * stddev
        r = stddev / mixed_stddev
        d = (mean - mixed_mean) / mixed_stddev
        with control_dependencies([r, d]):
            # The corrections are made by the averages from before this step's update.
            mean, stddev = api.identity(mean), api.identity(stddev)
        r, d = self._clipped(r, d)
        momentum = self._momentum
        if known_truth(training) is None:
            r, d = choice(training, r, api.ones_like(r)), choice(training, d, api.zeros_like(d))
            momentum = scalar_choice(training, momentum, 1.0, mean.dtype.base_dtype)
        new_mean = self._updated(self.mean, self.mean_weight, mean, momentum)
        new_stddev = self._updated(self.stddev, self.stddev_weight, stddev, momentum)
        return r, d, new_mean, api.square(new_stddev) - epsilon

    def _clipped(self, r: Any, d: Any) -> tuple[Any, Any]:
        rmin, rmax, dmax = (self._clipping.get(key) for key in ("rmin", "rmax", "dmax"))
        if rmin is not None:
            r = api.maximum(r, rmin)
        if rmax is not None:
            r = api.minimum(r, rmax)
        if dmax is not None:
            d = api.minimum(api.maximum(d, -dmax), dmax)
        return r, d

    @staticmethod
    def _updated(average: Any, weight: Any, value: Any, momentum: Any) -> Any:
        """The average after its update, freed of the bias of its start at zero."""
        value = api.identity(value)
        with control_dependencies([value]):
            one = api.constant(1.0, dtype=weight.dtype.base_dtype)
        moved: Any = assign_moving_average(average, value, momentum, zero_debias=False)
        counted = assign_moving_average(weight, one, momentum, zero_debias=False)
        return moved / counted
