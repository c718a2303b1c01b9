"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.ops import api
from workbench.train.distributions.shared_parameters import LocationAndScale
from workbench.train.distributions.support import full

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def standard_cdf(x: Any) -> Any:
    """The probability that a sample of the standard normal distribution is at most `x`."""
    return 0.5 * api.erfc(x * -math.sqrt(0.5))


def standard_log_cdf(x: Any) -> Any:
    """Its logarithm, exact far below zero too, where the probability itself is too small."""
    limit = -20.0 if x.dtype == "float64" else -10.0
    middle = api.log(standard_cdf(api.maximum(x, limit)))
    low = api.minimum(x, limit)
    square = api.square(low)
    # The asymptotic series of the tail.
    series = 1.0 - 1.0 / square + 3.0 / square**2 - 15.0 / square**3
    tail = -0.5 * square - api.log(-low) - _HALF_LOG_TWO_PI + api.log(series)
    return api.where(x > limit, middle, tail)


class Normal(LocationAndScale):
    """The normal distribution of mean `loc` and standard deviation `scale`, which broadcast.

    >>> import workbench as tf
    >>> with tf.Session() as session:
    ...     session.run(tf.distributions.Normal(0.0, 1.0).log_prob(0.0)).round(4)
    np.float32(-0.9189)
    """

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Normal",
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, dict(locals()), name)

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        shape = full(n, self.batch_shape_tensor())
        return api.random_normal(shape, dtype=self.dtype, seed=seed) * self.scale + self.loc

    def _z(self, x: Any) -> Any:
        return (x - self.loc) / self.scale

    def _log_prob(self, x: Any) -> Any:
        return -0.5 * api.square(self._z(x)) - _HALF_LOG_TWO_PI - api.log(self.scale)

    def _cdf(self, x: Any) -> Any:
        return standard_cdf(self._z(x))

    def _log_cdf(self, x: Any) -> Any:
        return standard_log_cdf(self._z(x))

    def _log_survival_function(self, x: Any) -> Any:
        return standard_log_cdf(-self._z(x))

    def _entropy(self) -> Any:
        return 0.5 + _HALF_LOG_TWO_PI + api.log(self.scale * api.ones_like(self.loc))

    def _mean(self) -> Any:
        return self.loc * api.ones_like(self.scale)

    def _mode(self) -> Any:
        return self._mean()

    def _stddev(self) -> Any:
        return self.scale * api.ones_like(self.loc)
