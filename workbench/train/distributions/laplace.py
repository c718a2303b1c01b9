"""The Laplace distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.ops import api
from workbench.train.distributions.shared_parameters import LocationAndScale
from workbench.train.distributions.support import full


class Laplace(LocationAndScale):
    """Its density falls exponentially on both sides of `loc`, to 1/e within `scale`."""

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Laplace",
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, dict(locals()), name)

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        # Not -1 itself, whose logarithm below would be infinite.
        low = np.nextafter(self.dtype.as_numpy_dtype(-1), self.dtype.as_numpy_dtype(0))
        shape = full(n, self.batch_shape_tensor())
        uniform = api.random_uniform(shape, low, 1.0, dtype=self.dtype, seed=seed)
        return self.loc - self.scale * api.sign(uniform) * api.log1p(-api.abs(uniform))

    def _z(self, x: Any) -> Any:
        return (x - self.loc) / self.scale

    def _log_prob(self, x: Any) -> Any:
        return -api.abs(self._z(x)) - math.log(2.0) - api.log(self.scale)

    def _cdf(self, x: Any) -> Any:
        z = self._z(x)
        tail = 0.5 * api.exp(-api.abs(z))
        return api.where(z < 0.0, tail, 1.0 - tail)

    def _log_cdf(self, x: Any) -> Any:
        return self._log_tail(self._z(x))

    def _log_survival_function(self, x: Any) -> Any:
        return self._log_tail(-self._z(x))

    @staticmethod
    def _log_tail(z: Any) -> Any:
        above = api.log1p(-0.5 * api.exp(-api.maximum(z, 0.0)))
        return api.where(z < 0.0, z - math.log(2.0), above)

    def _entropy(self) -> Any:
        return 1.0 + math.log(2.0) + api.log(self.scale * api.ones_like(self.loc))

    def _mean(self) -> Any:
        return self.loc * api.ones_like(self.scale)

    def _mode(self) -> Any:
        return self._mean()

    def _stddev(self) -> Any:
        return math.sqrt(2.0) * self.scale * api.ones_like(self.loc)
