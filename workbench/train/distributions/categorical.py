"""The distribution over a number of classes."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import NOT_REPARAMETERIZED, Distribution
from workbench.train.distributions.shared_parameters import Weighted
from workbench.train.distributions.support import checked, logits_and_probs, whole


class Categorical(Weighted, Distribution):
    """The numbers of classes, along the last axis of `probs`, or of `logits` (unnormalised)."""

    def __init__(
        self,
        logits: Any = None,
        probs: Any = None,
        dtype: Any = "int32",
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Categorical",
    ) -> None:
        given = dict(locals())
        with name_scope(name):
            self._logits, self._probs = logits_and_probs(logits, probs, validate_args, True)
        super().__init__(
            dtype,
            NOT_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    @property
    def event_size(self) -> Tensor:
        """How many classes there are."""
        size: Tensor = api.shape(self.logits)[-1]
        return size

    def _batch_shape(self) -> TensorShape:
        shape: TensorShape = self.logits.shape[:-1]
        return shape

    def _batch_shape_tensor(self) -> Any:
        return api.shape(self.logits)[:-1]

    def _sample_n(self, n: Any, seed: int | None = None) -> Any:
        rows = api.reshape(self.logits, [-1, self.event_size])
        draws = api.transpose(api.multinomial(rows, n, seed=seed))
        shape = api.concat([api.reshape(n, [1]), self.batch_shape_tensor()], 0)
        return api.cast(api.reshape(draws, shape), self.dtype)

    def _log_prob(self, k: Any) -> Any:
        if self.validate_args:
            (k,) = checked(True, lambda: whole(k, "k"), [k])
        k = api.cast(k, "int32")
        if self.logits.shape[:-1] != k.shape or not k.shape.is_fully_defined():
            logits = self.logits * api.ones_like(api.expand_dims(k, -1), dtype=self.logits.dtype)
            k = k * api.ones(api.shape(logits)[:-1], k.dtype)
        else:
            logits = self.logits
        return -api.sparse_softmax_cross_entropy_with_logits(labels=k, logits=logits)

    def _cdf(self, k: Any) -> Any:
        k = api.cast(k, "int32")
        numbers = api.range(self.event_size)
        # As TensorFlow has it: the class itself does not count.
        reached = api.cast(numbers < api.expand_dims(k, -1), self.probs.dtype)
        return api.reduce_sum(self.probs * reached, -1)

    def _entropy(self) -> Any:
        return -api.reduce_sum(self.probs * api.log_softmax(self.logits), -1)

    def _mode(self) -> Any:
        return api.cast(api.argmax(self.logits, axis=-1), self.dtype)
