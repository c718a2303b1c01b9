"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from workbench.train.distributions.support import checked, full, parameters, positive


class StudentT(Distribution):
    """Student's distribution of `df` degrees of freedom, moved and stretched.

    It is symmetric: the sign of `scale` does not matter.
    """

    _batch_parameters: ClassVar[dict[str, int]] = {"df": 0, "loc": 0, "scale": 0}

    def __init__(
        self,
        df: Any,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "StudentT",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            df, loc, scale = parameters(df, loc, scale, names=("df", "loc", "scale"))
            self._df, self._loc, self._scale = checked(
                validate_args, lambda: positive(df), [df, loc, scale]
            )
        super().__init__(
            self._scale.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self._df

    @property
    def loc(self) -> Tensor:
        """The middle."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The width."""
        return self._scale

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        normal = api.random_normal(full(n, self.batch_shape_tensor()), dtype=self.dtype, seed=seed)
        df = self.df * api.ones_like(self.loc * self.scale)
        other = None if seed is None else seed + 1
        chi = api.random_gamma(api.reshape(n, [1]), 0.5 * df, 0.5, dtype=self.dtype, seed=other)
        return normal * api.rsqrt(chi / df) * self.scale + self.loc

    def _log_prob(self, x: Any) -> Any:
        y = (x - self.loc) / self.scale
        unnormalised = -0.5 * (self.df + 1.0) * api.log1p(api.square(y) / self.df)
        normalisation = (
            api.log(api.abs(self.scale))
            + 0.5 * api.log(self.df)
            + 0.5 * math.log(math.pi)
            + api.lgamma(0.5 * self.df)
            - api.lgamma(0.5 * (self.df + 1.0))
        )
        return unnormalised - normalisation

    def _cdf(self, x: Any) -> Any:
        y = (x - self.loc) / api.abs(self.scale) * api.ones_like(self.df)
        df = self.df * api.ones_like(y)
        tail = 0.5 * api.betainc(0.5 * df, 0.5 * api.ones_like(df), df / (api.square(y) + df))
        return api.where(y < 0.0, tail, 1.0 - tail)

    def _entropy(self) -> Any:
        df, half = self.df * api.ones_like(self.loc * self.scale), 0.5 * (self.df + 1.0)
        log_beta = math.lgamma(0.5) + api.lgamma(0.5 * df) - api.lgamma(half)
        return (
            api.log(api.abs(self.scale))
            + 0.5 * api.log(df)
            + log_beta
            + half * (api.digamma(half) - api.digamma(0.5 * df))
        )

    def _spread(self) -> Any:
        return api.ones_like(self.df * self.loc * self.scale)

    def _mean(self) -> Any:
        spread, what = self._spread(), "mean not defined for components of df <= 1"
        return self._nan_above(1.0, self.df * spread, self.loc * spread, what)

    def _variance(self) -> Any:
        spread = self._spread()
        df = self.df * spread
        # The denominator is harmless where another case is chosen below.
        variance = df / api.where(df > 2.0, df - 2.0, spread) * api.square(self.scale)
        infinite = spread * np.array(np.inf, self.dtype.as_numpy_dtype)
        found = api.where(df > 2.0, variance, infinite)
        return self._nan_above(1.0, df, found, "variance not defined for components of df <= 1")

    def _mode(self) -> Any:
        return self.loc * self._spread()
