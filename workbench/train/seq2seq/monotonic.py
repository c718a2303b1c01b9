"""Attention that moves on through a memory and never back."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32
from workbench.core.ops import api
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.layers.core import Dense
from workbench.train.seq2seq.attention import (
    MemoryAttention,
    bahdanau_score,
    luong_score,
    size_of,
)


def safe_cumprod(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`tf.cumprod` of numbers between 0 and 1, by logarithms, so that its gradient is finite.

    >>> import workbench as tf
    >>> tf.contrib.seq2seq.safe_cumprod([0.5, 0.5]).eval().tolist()
    [0.5, 0.25]
    """
    with name_scope(None, "SafeCumprod", [x]):
        x = convert_to_tensor(x, name="x")
        tiny = float(np.finfo(x.dtype.as_numpy_dtype).tiny)
        return api.exp(api.cumsum(api.log(api.clip_by_value(x, tiny, 1.0)), *args, **kwargs))


def monotonic_attention(p_choose_i: Any, previous_attention: Any, mode: str) -> Any:
    """The attention of Raffel et al. (2017), after one more step.

    `p_choose_i` [batch, length] is the probability to stop at each place, `previous_attention` that
    of being at it before. `mode` is "recursive" (exact), "parallel" (by cumulative products, exact
    but for tiny probabilities) or "hard" (for probabilities that are 0 or 1). Raises ValueError for
    another mode.
    """
    choose = convert_to_tensor(p_choose_i, name="p_choose_i")
    previous = convert_to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        batch = size_of(choose, 0)
        ones = api.ones(api.stack([batch, 1]), choose.dtype)
        passed = api.concat([ones, 1 - choose[:, :-1]], 1)
        arriving = api.scan(
            lambda reached, at: api.reshape(at[0] * reached + at[1], api.stack([batch])),
            [api.transpose(passed), api.transpose(previous)],
            api.zeros(api.stack([batch]), choose.dtype),
        )
        return choose * api.transpose(arriving)
    if mode == "parallel":
        passed = safe_cumprod(1 - choose, axis=1, exclusive=True)
        share = api.cumsum(previous / api.clip_by_value(passed, 1e-10, 1.0), axis=1)
        return choose * passed * share
    if mode == "hard":
        choose = choose * api.cumsum(previous, axis=1)
        return choose * api.cumprod(1 - choose, axis=1, exclusive=True)
    raise ValueError(f"mode must be 'recursive', 'parallel', or 'hard', got {mode!r}.")


def _probabilities(
    scores: Any, previous: Any, sigmoid_noise: float, mode: str, seed: int | None = None
) -> Any:
    if sigmoid_noise > 0:
        noise = api.random_normal(api.shape(scores), dtype=scores.dtype, seed=seed)
        scores = scores + sigmoid_noise * noise
    if mode == "hard":
        return monotonic_attention(api.cast(scores > 0, scores.dtype), previous, mode)
    return monotonic_attention(api.sigmoid(scores), previous, mode)


class MonotonicAttention(MemoryAttention):
    """Attention to a memory that begins at its first place."""

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any,
        has_query_layer: bool,
        score_mask_value: float,
        score_bias_init: float,
        probability: tuple[float, int | None, str],
        name: str,
    ) -> None:
        noise, seed, mode = probability
        function = partial(_probabilities, sigmoid_noise=noise, mode=mode, seed=seed)
        query_layer = Dense(num_units, name="query_layer", use_bias=False)
        super().__init__(
            query_layer if has_query_layer else None,
            memory,
            function,
            memory_sequence_length,
            Dense(num_units, name="memory_layer", use_bias=False),
            score_mask_value=score_mask_value,
            name=name,
        )
        self._score_bias_init = score_bias_init

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """All of the attention at the first place."""
        places = api.zeros(api.stack([batch_size]), int32)
        return api.one_hot(places, self.alignments_size, dtype=dtype)

    def _biased(self, scores: Any) -> Any:
        bias = get_variable(
            "attention_score_bias", dtype=scores.dtype, initializer=self._score_bias_init
        )
        return scores + bias


class BahdanauMonotonicAttention(MonotonicAttention):
    """Monotonic attention with additive scores.

    `sigmoid_noise` scales noise on the scores, which makes the probabilities go to 0 and 1 in
    training; `score_bias_init` is where the scores' bias begins. See `monotonic_attention` for
    `mode`.
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        score_mask_value: float = -math.inf,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        name: str = "BahdanauMonotonicAttention",
    ) -> None:
        super().__init__(
            num_units,
            memory,
            memory_sequence_length,
            True,
            score_mask_value,
            score_bias_init,
            (sigmoid_noise, sigmoid_noise_seed, mode),
            name,
        )
        self._normalize = normalize

    def _align(self, query: Any, previous: Any) -> Any:
        with variable_scope(None, "bahdanau_monotonic_attention"):
            scores = self._biased(bahdanau_score(self._asked(query), self.keys, self._normalize))
        return self._aligned(scores, previous)


class LuongMonotonicAttention(MonotonicAttention):
    """Monotonic attention with multiplicative scores; see `BahdanauMonotonicAttention`."""

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        score_mask_value: float = -math.inf,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        name: str = "LuongMonotonicAttention",
    ) -> None:
        super().__init__(
            num_units,
            memory,
            memory_sequence_length,
            False,
            score_mask_value,
            score_bias_init,
            (sigmoid_noise, sigmoid_noise_seed, mode),
            name,
        )
        self._scale = scale

    def _align(self, query: Any, previous: Any) -> Any:
        with variable_scope(None, "luong_monotonic_attention"):
            scores = self._biased(luong_score(query, self.keys, self._scale))
        return self._aligned(scores, previous)
