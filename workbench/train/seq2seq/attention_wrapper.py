"""A cell with attention mechanisms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from workbench.core.graph import nest
from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.dtypes import int32
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import batch_zeros, check_cell, known_batch_size
from workbench.core.ops.tensor_array import TensorArray
from workbench.train.layers.core import Dense
from workbench.train.recurrent.cell import RNNCell
from workbench.train.seq2seq.attention import AttentionMechanism, size_of

_ADVICE = (
    "Non-matching batch sizes between the memory (encoder output) and {what}.  Are you using the "
    "BeamSearchDecoder?  You may need to tile {which} via the tf.contrib.seq2seq.tile_batch "
    "function with argument multiple=beam_width."
)


class AttentionWrapperState(NamedTuple):
    """The state of an `AttentionWrapper`.

    Without `attention_state` the mechanisms' states are the alignments.
    """

    cell_state: Any
    attention: Any
    time: Any
    alignments: Any
    alignment_history: Any
    attention_state: Any = ()

    def clone(self, **kwargs: Any) -> AttentionWrapperState:
        """The state with other values in some fields."""
        return self._replace(**kwargs)


class AttentionWrapper(RNNCell):
    """A cell that reads from a memory after each step, by one attention mechanism or several.

    The cell takes `cell_input_fn(inputs, attention)`, by default both side by side. What is read
    (the context) becomes the attention, or with `attention_layer_size` a linear map of the cell's
    output and the context. The output is the attention, or without `output_attention` the cell's.
    With `alignment_history` the state keeps the alignments of all steps in TensorArrays.
    `initial_cell_state` is the cell's part of `zero_state`.

    >>> import workbench as tf
    >>> attention = tf.contrib.seq2seq.BahdanauAttention(4, tf.ones([2, 5, 3]))
    >>> cell = tf.contrib.seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(6), attention, 4)
    >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
    >>> output.shape.as_list(), state.alignments.shape.as_list()
    ([2, 4], [2, 5])
    """

    def __init__(
        self,
        cell: Any,
        attention_mechanism: Any,
        attention_layer_size: Any = None,
        alignment_history: bool = False,
        cell_input_fn: Callable[[Any, Any], Any] | None = None,
        output_attention: bool = True,
        initial_cell_state: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        check_cell(cell, "cell must be an RNNCell")
        self._is_multi = isinstance(attention_mechanism, (list, tuple))
        mechanisms = attention_mechanism if self._is_multi else [attention_mechanism]
        for each in mechanisms:
            if not isinstance(each, AttentionMechanism):
                raise TypeError(
                    "attention_mechanism must be an AttentionMechanism or list of multiple "
                    f"AttentionMechanism instances, saw type: {type(each).__name__}"
                )
        if cell_input_fn is not None and not callable(cell_input_fn):
            raise TypeError(
                f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}"
            )
        self._cell = cell
        self._mechanisms: list[Any] = list(mechanisms)
        self._cell_input_fn = cell_input_fn or _side_by_side
        self._output_attention = output_attention
        self._keeps_history = alignment_history
        self._layers: list[Any] = [None] * len(mechanisms)
        if attention_layer_size is not None:
            self._layers = _layers(attention_layer_size, len(mechanisms))
            self._attention_size = sum(layer.units for layer in self._layers)
        else:
            self._attention_size = sum(m.values.get_shape()[-1].value for m in mechanisms)
        self._initial_cell_state = None
        if initial_cell_state is not None:
            with name_scope(name, "AttentionWrapperInit"):
                batch = size_of(nest.flatten(initial_cell_state)[-1], 0)
                message = _ADVICE.format(what="initial_cell_state", which="your initial state")
                self._initial_cell_state = self._checked(initial_cell_state, batch, message)

    def _checked(self, values: Any, batch_size: Any, message: str) -> Any:
        """`values`; an error, now or in the run, where the batch size is not that of memories."""
        message = f"AttentionWrapper {self._base_name}: {message}"
        checks = []
        for mechanism in self._mechanisms:
            known = known_batch_size(batch_size), known_batch_size(mechanism.batch_size)
            if None in known:
                checks.append(api.assert_equal(batch_size, mechanism.batch_size, message=message))
            elif known[0] != known[1]:
                raise ValueError(f"{message}  They are {known[1]} and {known[0]}.")
        if not checks:
            return values
        with control_dependencies(checks):
            return nest.map_structure(api.identity, values)

    def _item_or_tuple(self, items: Iterable[Any]) -> Any:
        values = tuple(items)
        return values if self._is_multi else values[0]

    @property
    def output_size(self) -> Any:
        """The size of the attention, or of the cell's output."""
        return self._attention_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self) -> AttentionWrapperState:
        """The sizes of the fields."""
        return AttentionWrapperState(
            cell_state=self._cell.state_size,
            attention=self._attention_size,
            time=TensorShape([]),
            alignments=self._item_or_tuple(m.alignments_size for m in self._mechanisms),
            alignment_history=self._item_or_tuple(() for _ in self._mechanisms),
            attention_state=self._item_or_tuple(m.state_size for m in self._mechanisms),
        )

    def zero_state(self, batch_size: Any, dtype: Any) -> AttentionWrapperState:
        """The state before the first step."""
        with name_scope(None, type(self).__name__ + "ZeroState", [batch_size]):
            cell_state = self._initial_cell_state
            if cell_state is None:
                cell_state = self._cell.zero_state(batch_size, dtype)
            message = _ADVICE.format(
                what="the requested batch size", which="the memory, and ask for a zero_state,"
            )
            return AttentionWrapperState(
                cell_state=self._checked(cell_state, batch_size, message),
                attention=batch_zeros(batch_size, self._attention_size, dtype),
                time=api.zeros([], int32),
                alignments=self._item_or_tuple(
                    m.initial_alignments(batch_size, dtype) for m in self._mechanisms
                ),
                alignment_history=self._item_or_tuple(
                    TensorArray(dtype, size=0, dynamic_size=True) if self._keeps_history else ()
                    for _ in self._mechanisms
                ),
                attention_state=self._item_or_tuple(
                    m.initial_state(batch_size, dtype) for m in self._mechanisms
                ),
            )

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state; TypeError unless it is an AttentionWrapperState."""
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(
                "Expected state to be instance of AttentionWrapperState. Received type "
                f"{type(state)} instead."
            )
        output, cell_state = self._cell(
            self._cell_input_fn(inputs, state.attention), state.cell_state
        )
        message = _ADVICE.format(what="the query (decoder output)", which="your memory input")
        output = self._checked(output, size_of(output, 0), message)
        has_states = not (isinstance(state.attention_state, tuple) and not state.attention_state)
        previous = state.attention_state if has_states else state.alignments
        previous = previous if self._is_multi else [previous]
        histories = state.alignment_history if self._is_multi else [state.alignment_history]
        read, alignments, new_histories, new_states = [], [], [], []
        for mechanism, layer, before, history in zip(
            self._mechanisms, self._layers, previous, histories, strict=True
        ):
            found = mechanism(output, before)
            aligned, next_state = found if isinstance(found, tuple) else (found, found)
            new_states.append(next_state)
            context = api.matmul(api.expand_dims(aligned, 1), mechanism.values)
            context = api.squeeze(context, [1])
            if layer is not None:
                context = layer(api.concat([output, context], 1))
            read.append(context)
            alignments.append(aligned)
            new_histories.append(history.write(state.time, aligned) if self._keeps_history else ())
        attention = read[0] if len(read) == 1 else api.concat(read, 1)
        new_state = AttentionWrapperState(
            cell_state=cell_state,
            attention=attention,
            time=state.time + 1,
            alignments=self._item_or_tuple(alignments),
            alignment_history=self._item_or_tuple(new_histories),
            attention_state=self._item_or_tuple(new_states) if has_states else (),
        )
        return attention if self._output_attention else output, new_state


def _side_by_side(inputs: Any, attention: Any) -> Any:
    return api.concat([inputs, attention], -1)


def _layers(sizes: Any, count: int) -> list[Any]:
    """A linear map for each mechanism; ValueError where there are not as many sizes."""
    sizes = list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]
    if len(sizes) != count:
        raise ValueError(
            "If provided, attention_layer_size must contain exactly one integer per "
            f"attention_mechanism, saw: {len(sizes)} vs {count}"
        )
    return [Dense(size, name="attention_layer", use_bias=False) for size in sizes]
