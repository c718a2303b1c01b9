"""Dropout around a cell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.recurrent.lstm import LSTMStateTuple
from workbench.train.recurrent.wrappers import CellWrapper


def drops_all_but_memories(state: Any) -> Any:
    """The default filter of states: all but the memory of LSTM cells and TensorArrays."""
    if isinstance(state, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return nest.is_sequence(state) or isinstance(state, Tensor)


class DropoutWrapper(CellWrapper):
    """A cell with dropout of its inputs, outputs and states.

    Each `..._keep_prob` is a number or a scalar tensor; where it is the number 1 nothing is
    dropped. With `variational_recurrent` all steps of a run drop the same elements; that needs the
    `dtype`, and where inputs are dropped their sizes as `input_size`.
    `dropout_state_filter_visitor` takes each part of the state and says what is dropped of it:
    True, False or a bool for each of its children. By default the memory `c` of LSTM cells is left.

    Raises ValueError where a probability is not between 0 and 1.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.GRUCell(3), output_keep_prob=0.5)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> output.op.type
    'Mul'
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(cell)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._state_filter = dropout_state_filter_visitor or drops_all_but_memories
        with name_scope(None, "DropoutWrapperInit"):
            self._input_keep_prob = _probability("input_keep_prob", input_keep_prob)
            self._state_keep_prob = _probability("state_keep_prob", state_keep_prob)
            self._output_keep_prob = _probability("output_keep_prob", output_keep_prob)
        self._seed = seed
        self._input_noise = self._state_noise = self._output_noise = None
        self._variational = variational_recurrent
        if not variational_recurrent:
            return
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")
        if _drops(self._input_keep_prob):
            if input_size is None:
                raise ValueError(
                    "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, "
                    "input_size must be provided"
                )
            self._input_noise = self._noise("input", input_size, dtype)
        self._state_noise = self._noise("state", cell.state_size, dtype)
        self._output_noise = self._noise("output", cell.output_size, dtype)

    def _noise(self, what: str, sizes: Any, dtype: Any) -> Any:
        """Uniform numbers that all rows of a batch and all steps share."""
        made = [
            api.random_uniform(
                [1, *as_shape(size).as_list()], seed=self._seed_of(what, i), dtype=dtype
            )
            for i, size in enumerate(nest.flatten(sizes))
        ]
        return nest.pack_sequence_as(sizes, made)

    def _seed_of(self, what: str, index: int) -> int | None:
        """A seed of its own for each dropout; they are TensorFlow's."""
        if self._seed is None:
            return None
        digest = hashlib.md5(f"{self._seed}{what}_{index}".encode(), usedforsecurity=False)
        return int(digest.hexdigest()[:8], 16) & 0x7FFFFFFF

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """The output and the new state, with elements dropped."""
        if _drops(self._input_keep_prob):
            inputs = self._dropped("input", inputs, self._input_keep_prob, self._input_noise, None)
        output, new_state = self._cell(inputs, state, scope=scope)
        if _drops(self._state_keep_prob):
            parts = nest.get_traverse_shallow_structure(self._state_filter, new_state)
            new_state = self._dropped(
                "state", new_state, self._state_keep_prob, self._state_noise, parts
            )
        if _drops(self._output_keep_prob):
            output = self._dropped(
                "output", output, self._output_keep_prob, self._output_noise, None
            )
        return output, new_state

    def _dropped(self, what: str, values: Any, keep_prob: Any, noise: Any, parts: Any) -> Any:
        """`values` with dropout where `parts`, a structure of bools, says so; None says all."""
        shallow = values if parts is None else parts
        tensors = nest.flatten_up_to(shallow, values)
        wanted = [True] * len(tensors) if parts is None else nest.flatten(parts)
        noises = nest.flatten_up_to(shallow, noise) if self._variational else [None] * len(tensors)
        results = []
        for i, (tensor, drop, shared) in enumerate(zip(tensors, wanted, noises, strict=True)):
            if not drop:
                results.append(tensor)
            elif self._variational:
                results.append(_with_noise(tensor, shared, keep_prob))
            else:
                results.append(api.dropout(tensor, keep_prob, seed=self._seed_of(what, i)))
        return nest.pack_sequence_as(shallow, results)


def _probability(name: str, value: Any) -> Any:
    """A float where it is known, else a tensor; ValueError where it is no probability."""
    tensor = convert_to_tensor(value)
    known = constant_value(tensor)
    if known is None:
        return tensor
    if not 0 <= float(known) <= 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1: {float(known):g}")
    return float(known)


def _drops(keep_prob: Any) -> bool:
    return not isinstance(keep_prob, float) or keep_prob < 1


def _with_noise(tensor: Any, noise: Any, keep_prob: Any) -> Any:
    # The noise is uniform in [0, 1): the sum reaches 1 with probability keep_prob.
    kept = api.floor(keep_prob + noise)
    result = api.div(tensor, keep_prob) * kept
    result.set_shape(tensor.get_shape())
    return result
