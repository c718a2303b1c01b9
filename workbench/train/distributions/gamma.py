"""The gamma distribution, and the exponential one, which is one of them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import (
    FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED,
    Distribution,
)
from workbench.train.distributions.support import checked, full, parameters, positive


class Gamma(Distribution):
    """The gamma distribution of shape `concentration` and inverse scale `rate`, both positive."""

    _batch_parameters: ClassVar[dict[str, int]] = {"concentration": 0, "rate": 0}

    def __init__(
        self,
        concentration: Any,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Gamma",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            concentration, rate = parameters(concentration, rate, names=("concentration", "rate"))
            self._concentration, self._rate = checked(
                validate_args,
                lambda: [*positive(concentration), *positive(rate)],
                [concentration, rate],
            )
        super().__init__(
            self._rate.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    @property
    def concentration(self) -> Tensor:
        """The shape of the distribution."""
        return self._concentration

    @property
    def rate(self) -> Tensor:
        """How fast the density falls."""
        return self._rate

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        return api.random_gamma(
            api.reshape(n, [1]), self.concentration, self.rate, dtype=self.dtype, seed=seed
        )

    def _checked_value(self, x: Any) -> Any:
        return checked(self.validate_args, lambda: positive(x, "sample"), [x])[0]

    def _log_prob(self, x: Any) -> Any:
        x = self._checked_value(x)
        normalisation = api.lgamma(self.concentration) - self.concentration * api.log(self.rate)
        return (self.concentration - 1.0) * api.log(x) - self.rate * x - normalisation

    def _cdf(self, x: Any) -> Any:
        x = self._checked_value(x)
        spread = x * api.ones_like(self.concentration * self.rate)
        return api.igamma(self.concentration * api.ones_like(spread), self.rate * spread)

    def _entropy(self) -> Any:
        c = self.concentration
        return c - api.log(self.rate) + api.lgamma(c) + (1.0 - c) * api.digamma(c)

    def _mean(self) -> Any:
        return self.concentration / self.rate

    def _variance(self) -> Any:
        return self.concentration / api.square(self.rate)

    def _mode(self) -> Any:
        mode = (self.concentration - 1.0) / self.rate
        what = "mode not defined when any concentration <= 1"
        return self._nan_above(1.0, self.concentration, mode, what)


class Exponential(Gamma):
    """The exponential distribution of inverse scale `rate`."""

    _batch_parameters: ClassVar[dict[str, int]] = {"rate": 0}

    def __init__(
        self,
        rate: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Exponential",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            (rate,) = parameters(rate, names=("rate",))
        super().__init__(api.ones_like(rate), rate, validate_args, allow_nan_stats, name)
        del given["self"], given["__class__"]
        self._parameters = given
        self._reparameterization_type = FULLY_REPARAMETERIZED

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        # Not 0 itself, whose logarithm is infinite.
        low = np.finfo(self.dtype.as_numpy_dtype).tiny
        shape = full(n, self.batch_shape_tensor())
        uniform = api.random_uniform(shape, low, 1.0, dtype=self.dtype, seed=seed)
        return -api.log(uniform) / self.rate

    def _log_prob(self, x: Any) -> Any:
        return api.log(self.rate) - self.rate * self._checked_value(x)

    def _cdf(self, x: Any) -> Any:
        return -api.expm1(-self.rate * self._checked_value(x))

    def _log_survival_function(self, x: Any) -> Any:
        return -self.rate * self._checked_value(x)

    def _quantile(self, p: Any) -> Any:
        return -api.log1p(-p) / self.rate

    def _mode(self) -> Any:
        return api.zeros_like(self.rate)
