"""Attention of a decoder over lists of steps."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.ops import api
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.linear import linear


class Attention:
    """Reads weighted means of states [batch, length, size], with several heads.

    The maps of the states are made once, with variables "AttnW_0", "AttnV_0" and so on of the open
    scope.
    """

    def __init__(self, states: Any, heads: int) -> None:
        self._states = states
        self._size = states.get_shape()[2].value
        known = states.get_shape()[1].value
        self._length = api.shape(states)[1] if known is None else known
        self._features = []
        self._scales = []
        flat = api.reshape(states, [-1, self._size])
        for head in range(heads):
            # A convolution's filter of one pixel: checkpoints have it in that shape.
            kernel = get_variable(f"AttnW_{head}", [1, 1, self._size, self._size])
            mapped = api.matmul(flat, api.reshape(kernel, [self._size, self._size]))
            self._features.append(api.reshape(mapped, [-1, self._length, self._size]))
            self._scales.append(get_variable(f"AttnV_{head}", [self._size]))

    def nothing(self, batch_size: Any, dtype: Any) -> list[Any]:
        """What was read before the first step: zeros for each head."""
        zeros = api.zeros(api.stack([batch_size, self._size]), dtype)
        zeros.set_shape([None, self._size])
        return [zeros] * len(self._features)

    def read(self, query: Any) -> list[Any]:
        """The means that fit a query, one [batch, size] for each head."""
        parts = nest.flatten(query)
        for part in parts:
            part.get_shape().assert_has_rank(2)
        joined = parts[0] if len(parts) == 1 else api.concat(parts, 1)
        means = []
        pairs = zip(self._features, self._scales, strict=True)
        for head, (features, scale) in enumerate(pairs):
            with variable_scope(f"Attention_{head}"):
                asked = api.expand_dims(linear(joined, self._size, True), 1)
            fit = api.softmax(api.reduce_sum(scale * api.tanh(features + asked), 2))
            mean = api.reduce_sum(api.expand_dims(fit, 2) * self._states, 1)
            means.append(api.reshape(mean, [-1, self._size]))
        return means
