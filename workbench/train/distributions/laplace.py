"""The Laplace distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from workbench.train.distributions.support import checked, full, parameters, positive


class Laplace(Distribution):
    """The distribution whose density falls exponentially on both sides of `loc`."""

    _batch_parameters: ClassVar[dict[str, int]] = {"loc": 0, "scale": 0}

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Laplace",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            loc, scale = parameters(loc, scale, names=("loc", "scale"))
            self._loc, self._scale = checked(validate_args, lambda: positive(scale), [loc, scale])
        super().__init__(
            self._loc.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    @property
    def loc(self) -> Tensor:
        """The mean."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The distance in which the density falls to 1/e."""
        return self._scale

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
