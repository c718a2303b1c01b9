"""Attention mechanisms: how well each part of a memory fits a query."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.nn.recurrent.states import batch_zeros
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.layers.base import Layer
from workbench.train.layers.core import Dense

Function = Callable[..., Any]


def size_of(tensor: Any, axis: int) -> Any:
    """The size along an axis: an int where it is known, else a tensor."""
    known = tensor.shape[axis].value
    return api.shape(tensor)[axis] if known is None else known


#: Stands for an argument that is not given.
_ABSENT: Any = object()


class AttentionMechanism:
    """What an `AttentionWrapper` asks: `alignments, next_state = mechanism(query, state)`.

    Alignments are [batch, memory length], their sum in each row is 1. The state may be anything;
    mechanisms that return alignments alone have those as state.
    """


class MemoryAttention(AttentionMechanism):
    """Attention to a memory [batch, length, ...], whose keys a layer makes once.

    `memory_sequence_length` [batch] says how much of each row there is: values behind are zeros,
    their scores `score_mask_value`. `probability_fn(scores, previous_alignments)` makes alignments.
    """

    def __init__(
        self,
        query_layer: Layer | None,
        memory: Any,
        probability_fn: Function,
        memory_sequence_length: Any = None,
        memory_layer: Layer | None = None,
        check_inner_dims_defined: bool = True,
        score_mask_value: float = -math.inf,
        name: str | None = None,
    ) -> None:
        for layer, what in ((query_layer, "query_layer"), (memory_layer, "memory_layer")):
            if layer is not None and not isinstance(layer, Layer):
                raise TypeError(f"{what} is not a Layer: {type(layer).__name__}")
        if not callable(probability_fn):
            raise TypeError(
                f"probability_fn must be callable, saw type: {type(probability_fn).__name__}"
            )
        self.query_layer = query_layer
        self.memory_layer = memory_layer
        self._probability_fn = probability_fn
        self._score_mask_value = score_mask_value
        self._mask: Any = None
        with name_scope(name, "BaseAttentionMechanismInit"):
            memory = nest.map_structure(lambda m: convert_to_tensor(m, name="memory"), memory)
            for each in nest.flatten(memory) if check_inner_dims_defined else ():
                if not each.shape[2:].is_fully_defined():
                    raise ValueError(
                        f"Expected memory {each.name} to have fully defined inner dims, but saw "
                        f"shape: {each.shape}"
                    )
            if memory_sequence_length is not None:
                length = size_of(nest.flatten(memory)[0], 1)
                self._mask = _mask(memory_sequence_length, length, memory)
                memory = nest.map_structure(lambda m: _without_padding(m, self._mask), memory)
            #: The memory, with zeros behind the rows' ends.
            self.values: Any = memory
            #: What queries are compared with.
            self.keys: Any = memory if memory_layer is None else memory_layer(memory)
            self.batch_size = size_of(self.keys, 0)
            self.alignments_size = size_of(self.keys, 1)

    @property
    def state_size(self) -> Any:
        """The size of the state, which is the alignments."""
        return self.alignments_size

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """The alignments before the first step: zeros."""
        return batch_zeros(batch_size, self.alignments_size, dtype)

    def initial_state(self, batch_size: Any, dtype: Any) -> Any:
        """The state before the first step."""
        return self.initial_alignments(batch_size, dtype)

    def __call__(self, query: Any, state: Any = None, previous_alignments: Any = _ABSENT) -> Any:
        """The alignments [batch, length] for a query [batch, size], and the next state.

        With `previous_alignments`, as TensorFlow 1.4 calls the state, the alignments alone.
        """
        if previous_alignments is not _ABSENT:
            return self._align(query, previous_alignments)
        alignments = self._align(query, state)
        return alignments, alignments

    def _align(self, query: Any, previous: Any) -> Any:
        """The alignments for a query after those of the step before."""
        raise NotImplementedError(f"{type(self).__name__} does not define _align()")

    def _aligned(self, scores: Any, previous: Any) -> Any:
        if self._mask is not None:
            scores = api.where(self._mask, scores, self._score_mask_value * api.ones_like(scores))
        return self._probability_fn(scores, previous)

    def _asked(self, query: Any) -> Any:
        return query if self.query_layer is None else self.query_layer(query)


def _mask(lengths: Any, longest: Any, memory: Any) -> Any:
    """True where a row has memory, [batch, length]; the run fails for rows without any."""
    lengths = convert_to_tensor(lengths, name="memory_sequence_length")
    batch = nest.flatten(memory)[0].shape[:1]
    if not batch.is_compatible_with(lengths.shape[:1]):
        raise ValueError(
            "memory_sequence_length and memory tensor batch sizes do not match: "
            f"{lengths.shape} and {batch}"
        )
    message = "All values in memory_sequence_length must greater than zero."
    with control_dependencies([api.assert_positive(lengths, message=message)]):
        return api.sequence_mask(api.identity(lengths), longest)


def _without_padding(memory: Any, mask: Any) -> Any:
    kept = api.cast(mask, memory.dtype)
    for _ in range((memory.shape.ndims or 3) - 2):
        kept = api.expand_dims(kept, -1)
    return memory * kept


def without_previous(probability_fn: Function | None) -> Function:
    """A function of scores, the softmax by default, as one that ignores earlier alignments."""
    function = probability_fn or api.softmax
    return lambda scores, _: function(scores)


# -- scores --------------------------------------------------------------------------------------


def luong_score(query: Any, keys: Any, scale: bool) -> Any:
    """The products of a query [batch, size] and keys [batch, length, size]; ValueError where their
    sizes differ."""
    depth, key_depth = query.get_shape()[-1].value, keys.get_shape()[-1].value
    if depth != key_depth or depth is None:
        raise ValueError(
            "Incompatible or unknown inner dimensions between query and keys.  Query "
            f"({query}) has units: {depth}.  Keys ({keys}) have units: {key_depth}.  Perhaps you "
            f"need to set num_units to the keys' dimension ({key_depth})?"
        )
    score = api.squeeze(api.matmul(api.expand_dims(query, 1), keys, transpose_b=True), [1])
    if scale:
        score = score * get_variable("attention_g", dtype=query.dtype, initializer=1.0)
    return score


def bahdanau_score(query: Any, keys: Any, normalize: bool) -> Any:
    """v * tanh(keys + query), summed over the last axis; v has a norm of its own to `normalize`."""
    units = keys.shape[2].value
    dtype = query.dtype.base_dtype
    v: Any = get_variable("attention_v", [units], dtype)
    seen = keys + api.expand_dims(query, 1)
    if normalize:
        g = get_variable("attention_g", dtype=dtype, initializer=math.sqrt(1.0 / units))
        bias = get_variable("attention_b", [units], dtype, zeros_initializer())
        v = g * v * api.rsqrt(api.reduce_sum(api.square(v)))
        seen = seen + bias
    return api.reduce_sum(v * api.tanh(seen), [2])


# -- mechanisms ----------------------------------------------------------------------------------


class LuongAttention(MemoryAttention):
    """Multiplicative attention (Luong et al., 2015): query and keys are multiplied.

    Keys are `num_units` wide, as queries must be; with `scale` scores are scaled by a variable.

    >>> import workbench as tf
    >>> attention = tf.contrib.seq2seq.LuongAttention(4, tf.ones([2, 5, 3]), [5, 2])
    >>> alignments, state = attention(tf.zeros([2, 4]), None)
    >>> alignments.shape.as_list()
    [2, 5]
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: Function | None = None,
        score_mask_value: float = -math.inf,
        name: str = "LuongAttention",
    ) -> None:
        super().__init__(
            None,
            memory,
            without_previous(probability_fn),
            memory_sequence_length,
            Dense(num_units, name="memory_layer", use_bias=False),
            score_mask_value=score_mask_value,
            name=name,
        )
        self._scale = scale

    def _align(self, query: Any, previous: Any) -> Any:
        with variable_scope(None, "luong_attention"):
            scores = luong_score(query, self.keys, self._scale)
        return self._aligned(scores, previous)


class BahdanauAttention(MemoryAttention):
    """Additive attention (Bahdanau et al., 2015): query and keys are added, each after a map.

    Both are `num_units` wide after it; `normalize` is weight normalisation (Salimans and Kingma,
    2016).
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: Function | None = None,
        score_mask_value: float = -math.inf,
        name: str = "BahdanauAttention",
    ) -> None:
        super().__init__(
            Dense(num_units, name="query_layer", use_bias=False),
            memory,
            without_previous(probability_fn),
            memory_sequence_length,
            Dense(num_units, name="memory_layer", use_bias=False),
            score_mask_value=score_mask_value,
            name=name,
        )
        self._normalize = normalize

    def _align(self, query: Any, previous: Any) -> Any:
        with variable_scope(None, "bahdanau_attention"):
            scores = bahdanau_score(self._asked(query), self.keys, self._normalize)
        return self._aligned(scores, previous)


def hardmax(logits: Any, name: str | None = None) -> Any:
    """1 at the largest of the last axis, 0 elsewhere, in the dtype of `logits`.

    >>> import workbench as tf
    >>> tf.contrib.seq2seq.hardmax([[1.0, 3.0, 2.0]]).eval().tolist()
    [[0.0, 1.0, 0.0]]
    """
    with name_scope(name, "Hardmax", [logits]):
        logits = convert_to_tensor(logits, name="logits")
        depth = TensorShape(logits.shape)[-1].value
        if depth is None:
            depth = api.shape(logits)[-1]
        return api.one_hot(api.argmax(logits, -1), depth, dtype=logits.dtype)
