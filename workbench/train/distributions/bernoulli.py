"""The Bernoulli distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.core.graph.context import name_scope
from workbench.core.ops import api
from workbench.train.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from workbench.train.distributions.shared_parameters import Weighted
from workbench.train.distributions.support import checked, full, logits_and_probs, whole


class Bernoulli(Weighted, Distribution):
    """1 with a probability, else 0; given by `probs`, or by `logits`, the logarithms of the odds.

    >>> import workbench as tf
    >>> with tf.Session() as session:
    ...     coin = tf.distributions.Bernoulli(probs=[0.25, 0.5])
    ...     session.run(coin.prob([1, 0])).tolist()
    [0.25, 0.5]
    """

    _batch_parameters: ClassVar[dict[str, int]] = {"logits": 0}

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = "int32",
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Bernoulli",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            self._logits, self._probs = logits_and_probs(logits, probs, validate_args, False)
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        shape = full(n, self.batch_shape_tensor())
        uniform = api.random_uniform(shape, dtype=self.probs.dtype, seed=seed)
        return api.cast(uniform < self.probs, self.dtype)

    def _log_prob(self, event: Any) -> Any:
        event = api.cast(self._checked_event(event), self.logits.dtype)
        labels = event * api.ones_like(self.logits)
        logits = self.logits * api.ones_like(event)
        return -api.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    def _checked_event(self, event: Any) -> Any:
        def checks() -> list[Any]:
            most = "event is not less than or equal to 1."
            return [
                *whole(event, "event"),
                api.assert_less_equal(event, api.ones_like(event), message=most),
            ]

        return checked(self.validate_args, checks, [event])[0]

    def _entropy(self) -> Any:
        return api.softplus(-self.logits) - self.logits * (api.sigmoid(self.logits) - 1.0)

    def _mean(self) -> Any:
        return api.identity(self.probs)

    def _variance(self) -> Any:
        return self.probs * (1.0 - self.probs)

    def _mode(self) -> Any:
        return api.cast(self.probs > 0.5, self.dtype)
