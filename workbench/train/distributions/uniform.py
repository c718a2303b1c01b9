"""The uniform distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from workbench.train.distributions.support import checked, full, parameters


class Uniform(Distribution):
    """All values from `low` on and below `high`, which broadcast, equally likely."""

    _batch_parameters: ClassVar[dict[str, int]] = {"low": 0, "high": 0}

    def __init__(
        self,
        low: Any = 0.0,
        high: Any = 1.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Uniform",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            low, high = parameters(low, high, names=("low", "high"))
            self._low, self._high = checked(
                validate_args, lambda: [api.assert_less(low, high)], [low, high]
            )
        super().__init__(
            self._low.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    @property
    def low(self) -> Tensor:
        """The smallest value."""
        return self._low

    @property
    def high(self) -> Tensor:
        """The end of the values."""
        return self._high

    def range(self, name: str = "range") -> Tensor:
        """`high - low`."""
        with self._scope(name):
            return self.high - self.low

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        shape = full(n, self.batch_shape_tensor())
        return self.low + self.range() * api.random_uniform(shape, dtype=self.dtype, seed=seed)

    def _prob(self, x: Any) -> Any:
        x = x * api.ones_like(self.low * self.high)
        outside = api.logical_or(x < self.low, x >= self.high)
        density = api.ones_like(x) / self.range()
        return api.where(api.is_nan(x), x, api.where(outside, api.zeros_like(x), density))

    def _cdf(self, x: Any) -> Any:
        return api.clip_by_value((x - self.low) / self.range(), 0.0, 1.0)

    def _quantile(self, p: Any) -> Any:
        return self.low + self.range() * p

    def _entropy(self) -> Any:
        return api.log(self.range())

    def _mean(self) -> Any:
        return (self.low + self.high) / 2.0

    def _variance(self) -> Any:
        return api.square(self.range()) / 12.0
