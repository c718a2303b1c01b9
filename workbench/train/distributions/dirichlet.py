"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import NOT_REPARAMETERIZED
from workbench.train.distributions.shared_parameters import Concentrated, OverClasses
from workbench.train.distributions.support import checked, parameters, positive


class Dirichlet(Concentrated, OverClasses):
    """The distribution over probabilities of classes, by a positive `concentration` of each."""

    def __init__(
        self,
        concentration: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Dirichlet",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            (concentration,) = parameters(concentration, names=("concentration",))
            concentration.shape.with_rank_at_least(1)
            (self._concentration,) = checked(
                validate_args, lambda: positive(concentration), [concentration]
            )
        super().__init__(
            self._concentration.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    def _classes(self) -> Tensor:
        return self._concentration

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        gammas = api.random_gamma(
            api.reshape(n, [1]), self.concentration, dtype=self.dtype, seed=seed
        )
        return gammas / api.reduce_sum(gammas, -1, keep_dims=True)

    def _log_prob(self, x: Any) -> Any:
        def checks() -> list[Any]:
            near = api.abs(api.reduce_sum(x, -1) - 1.0) < 1e-5
            sums = api.Assert(api.reduce_all(near), ["sample last-dimension must sum to `1`", x])
            return [*positive(x, "samples"), sums]

        (x,) = checked(self.validate_args, checks, [x])
        density = api.reduce_sum((self.concentration - 1.0) * api.log(x), -1)
        return density - api.lbeta(self.concentration)

    def _entropy(self) -> Any:
        size = api.cast(self.event_shape_tensor()[0], self.dtype)
        total = self.total_concentration
        inner = api.reduce_sum((self.concentration - 1.0) * api.digamma(self.concentration), -1)
        return api.lbeta(self.concentration) + (total - size) * api.digamma(total) - inner

    def _mean(self) -> Any:
        return self.concentration / api.expand_dims(self.total_concentration, -1)

    def _variance(self) -> Any:
        mean = self._mean()
        return mean * (1.0 - mean) / (1.0 + api.expand_dims(self.total_concentration, -1))

    def _covariance(self) -> Any:
        mean = self._mean()
        scaled = mean / (1.0 + api.expand_dims(self.total_concentration, -1))
        outer = -api.expand_dims(scaled, -1) * api.expand_dims(mean, -2)
        return api.matrix_set_diag(outer, self._variance())

    def _mode(self) -> Any:
        size = api.cast(self.event_shape_tensor()[0], self.dtype)
        mode = (self.concentration - 1.0) / api.expand_dims(self.total_concentration - size, -1)
        least = api.reduce_min(self.concentration, -1, keep_dims=True)
        what = "Mode undefined when any concentration <= 1"
        return self._nan_above(1.0, least, mode, what)
