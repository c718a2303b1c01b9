"""Distributions over how often each class comes in a number of draws."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import NOT_REPARAMETERIZED
from workbench.train.distributions.shared_parameters import Concentrated, OverClasses, Weighted
from workbench.train.distributions.support import (
    checked,
    log_combinations,
    logits_and_probs,
    parameters,
    positive,
    whole,
)


class _Counts(OverClasses):
    """What both have in common."""

    _total: Tensor

    @property
    def total_count(self) -> Tensor:
        """How many draws there are."""
        return self._total

    def _checked_total(self, total_count: Any, beside: Tensor, validate: bool) -> Tensor:
        (total,) = parameters(api.cast(total_count, beside.dtype), names=("total_count",))
        return checked(validate, lambda: whole(total, "total_count"), [total])[0]

    def _checked_counts(self, counts: Any) -> Any:
        def checks() -> list[Any]:
            total = api.reduce_sum(counts, -1)
            sums = "counts must sum to `self.total_count`"
            wanted = self.total_count * api.ones_like(total)
            return [*whole(counts, "counts"), api.assert_equal(total, wanted, message=sums)]

        return checked(self.validate_args, checks, [counts])[0]

    def _drawn(self, logits: Any, seed: int | None) -> Any:
        """Counts of draws for each row of logits, which has its own number of draws."""
        classes = self.event_shape_tensor()[0]
        rows = api.reshape(logits, [-1, classes])
        most = api.cast(api.reduce_max(self.total_count), "int32")
        draws = api.multinomial(rows, most, seed=seed)
        wanted = self.total_count + api.zeros(api.shape(logits)[:-1], self.dtype)
        counted = api.sequence_mask(api.cast(api.reshape(wanted, [-1]), "int32"), most)
        single = api.one_hot(draws, classes, dtype=self.dtype)
        taken = single * api.expand_dims(api.cast(counted, self.dtype), -1)
        return api.reshape(api.reduce_sum(taken, -2), api.shape(logits))


class Multinomial(Weighted, _Counts):
    """How often classes come in `total_count` draws, by `probs` or `logits` of the classes.

    >>> import workbench as tf
    >>> with tf.Session() as session:
    ...     session.run(tf.distributions.Multinomial(4.0, probs=[0.25, 0.75]).mean()).tolist()
    [1.0, 3.0]
    """

    def __init__(
        self,
        total_count: Any,
        logits: Any = None,
        probs: Any = None,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Multinomial",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            self._logits, self._probs = logits_and_probs(logits, probs, validate_args, True)
            self._total = self._checked_total(total_count, self._probs, validate_args)
        super().__init__(
            self._probs.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    def _classes(self) -> Tensor:
        mean: Tensor = self._mean()
        return mean

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        shape = api.concat([api.reshape(n, [1]), api.shape(self._mean())], 0)
        return self._drawn(self.logits + api.zeros(shape, self.dtype), seed)

    def _log_prob(self, counts: Any) -> Any:
        counts = self._checked_counts(counts)
        likelihood = api.reduce_sum(counts * api.log_softmax(self.logits), -1)
        return likelihood + log_combinations(self.total_count, counts)

    def _mean(self) -> Any:
        return self.probs * api.expand_dims(self.total_count, -1)

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self.probs)

    def _outer(self) -> Any:
        """The products of the means of all classes with their probabilities."""
        mean = self._mean()
        shares = self.probs * api.ones_like(mean)
        return api.expand_dims(mean, -1) * api.expand_dims(shares, -2)

    def _covariance(self) -> Any:
        return api.matrix_set_diag(-self._outer(), self._variance())


class DirichletMultinomial(Concentrated, _Counts):
    """The same where the probabilities are drawn, too, from a Dirichlet distribution."""

    def __init__(
        self,
        total_count: Any,
        concentration: Any,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "DirichletMultinomial",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            (concentration,) = parameters(concentration, names=("concentration",))
            (self._concentration,) = checked(
                validate_args, lambda: positive(concentration), [concentration]
            )
            self._total = self._checked_total(total_count, self._concentration, validate_args)
        super().__init__(
            self._concentration.dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    def _classes(self) -> Tensor:
        mean: Tensor = self._mean()
        return mean

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        spread = self.concentration * api.ones_like(self._mean())
        gammas = api.random_gamma(api.reshape(n, [1]), spread, dtype=self.dtype, seed=seed)
        return self._drawn(api.log(gammas), None if seed is None else seed + 1)

    def _log_prob(self, counts: Any) -> Any:
        counts = self._checked_counts(counts)
        ratio = api.lbeta(self.concentration + counts) - api.lbeta(self.concentration)
        return ratio + log_combinations(self.total_count, counts)

    def _share(self) -> Any:
        return self.concentration / api.expand_dims(self.total_concentration, -1)

    def _mean(self) -> Any:
        return self._share() * api.expand_dims(self.total_count, -1)

    def _factor(self) -> Any:
        """How many times as far apart counts are as they would be with fixed probabilities."""
        total = self.total_concentration
        return (self.total_count + total) / (1.0 + total)

    def _variance(self) -> Any:
        return self._mean() * (1.0 - self._share()) * api.expand_dims(self._factor(), -1)

    def _covariance(self) -> Any:
        scaled = self._mean() * api.expand_dims(self._factor(), -1)
        shares = self._share() * api.ones_like(scaled)
        outer = -api.expand_dims(scaled, -1) * api.expand_dims(shares, -2)
        return api.matrix_set_diag(outer, self._variance())
