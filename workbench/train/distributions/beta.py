"""The beta distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from workbench.train.distributions.support import checked, parameters, positive


class Beta(Distribution):
    """The beta distribution over 0 ... 1; the larger `concentration1`, the nearer to 1.

    Both concentrations are positive, and 1 where they are not given.
    """

    _batch_parameters: ClassVar[dict[str, int]] = {"concentration1": 0, "concentration0": 0}

    def __init__(
        self,
        concentration1: Any = None,
        concentration0: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Beta",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            one, zero = parameters(
                1.0 if concentration1 is None else concentration1,
                1.0 if concentration0 is None else concentration0,
                names=("concentration1", "concentration0"),
            )
            self._one, self._zero = checked(
                validate_args, lambda: [*positive(one), *positive(zero)], [one, zero]
            )
        super().__init__(
            self._one.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    @property
    def concentration1(self) -> Tensor:
        """How much mass is near 1."""
        return self._one

    @property
    def concentration0(self) -> Tensor:
        """How much mass is near 0."""
        return self._zero

    @property
    def total_concentration(self) -> Tensor:
        """The sum of both."""
        return self._one + self._zero

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        spread = api.ones_like(self.total_concentration)
        count = api.reshape(n, [1])
        first = api.random_gamma(count, self._one * spread, dtype=self.dtype, seed=seed)
        other = None if seed is None else seed + 1
        second = api.random_gamma(count, self._zero * spread, dtype=self.dtype, seed=other)
        return first / (first + second)

    def _checked_value(self, x: Any) -> Any:
        def checks() -> list[Any]:
            below = "sample must be no larger than `1`."
            return [*positive(x, "sample"), api.assert_less(x, api.ones_like(x), message=below)]

        return checked(self.validate_args, checks, [x])[0]

    def _log_beta(self) -> Any:
        return api.lgamma(self._one) + api.lgamma(self._zero) - api.lgamma(self.total_concentration)

    def _log_prob(self, x: Any) -> Any:
        x = self._checked_value(x)
        density = (self._one - 1.0) * api.log(x) + (self._zero - 1.0) * api.log1p(-x)
        return density - self._log_beta()

    def _cdf(self, x: Any) -> Any:
        spread = self._checked_value(x) * api.ones_like(self.total_concentration)
        ones = api.ones_like(spread)
        return api.betainc(self._one * ones, self._zero * ones, spread)

    def _entropy(self) -> Any:
        total = self.total_concentration
        return (
            self._log_beta()
            - (self._one - 1.0) * api.digamma(self._one)
            - (self._zero - 1.0) * api.digamma(self._zero)
            + (total - 2.0) * api.digamma(total)
        )

    def _mean(self) -> Any:
        return self._one / self.total_concentration

    def _variance(self) -> Any:
        mean = self._mean()
        return mean * (1.0 - mean) / (1.0 + self.total_concentration)

    def _mode(self) -> Any:
        mode = (self._one - 1.0) / (self.total_concentration - 2.0)
        what = "Mode undefined for concentration{} <= 1."
        mode = self._nan_above(1.0, self._one, mode, what.format(1))
        return self._nan_above(1.0, self._zero, mode, what.format(0))
