"""LSTM cells with the interface of TensorFlow's block operations."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.lists import creation, items, stacking
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.fused import FusedRNNCell
from workbench.train.recurrent.lstm import LSTMStateTuple


class BlockWeights:
    """The variables of an LSTM block, and its step after the product with the inputs."""

    def __init__(
        self,
        depth: int,
        units: int,
        dtype: Any,
        forget_bias: float,
        cell_clip: float | None,
        use_peephole: bool,
    ) -> None:
        self.kernel = get_variable("kernel", [depth + units, 4 * units], dtype=dtype)
        self.bias = get_variable(
            "bias", [4 * units], dtype=dtype, initializer=constant_initializer(0.0)
        )
        self._forget_bias = forget_bias
        self._clip = cell_clip if cell_clip is not None and cell_clip > 0 else None
        self._peepholes: list[Any] = []
        if use_peephole:
            names = ("w_i_diag", "w_f_diag", "w_o_diag")
            self._peepholes = [get_variable(name, [units], dtype=dtype) for name in names]

    def step(self, gates: Any, c: Any) -> tuple[Any, Any]:
        """The new memory and output for the sums of the gates [batch, 4 * units] and the memory."""
        i, j, f, o = api.split(gates, 4, axis=1)
        f = f + self._forget_bias
        if self._peepholes:
            i, f = i + self._peepholes[0] * c, f + self._peepholes[1] * c
        new_c = api.sigmoid(f) * c + api.sigmoid(i) * api.tanh(j)
        if self._clip is not None:
            new_c = api.clip_by_value(new_c, -self._clip, self._clip)
        if self._peepholes:
            o = o + self._peepholes[2] * new_c
        return new_c, api.tanh(new_c) * api.sigmoid(o)


class LSTMBlockCell(RNNCell):
    """The basic LSTM cell with the arguments and names of TensorFlow's fused operation.

    Its variables are those of `LSTMCell`, in the scope "lstm_cell". `cell_clip` clips the memory,
    `use_peephole` lets the gates see it.

    >>> import workbench as tf
    >>> cell = tf.contrib.rnn.LSTMBlockCell(3)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> [v.name for v in tf.trainable_variables()]
    ['lstm_cell/kernel:0', 'lstm_cell/bias:0']
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        name: str = "lstm_cell",
    ) -> None:
        super().__init__(_reuse=reuse, name=name)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._cell_clip = cell_clip
        self._use_peephole = use_peephole

    @property
    def state_size(self) -> Any:
        """LSTMStateTuple(units, units)."""
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The new h, and the new state."""
        depth = inputs.get_shape().with_rank(2)[1].value
        if depth is None:
            raise ValueError(f"Expecting x_shape[1] to be set: {inputs.get_shape()}")
        if len(state) != 2:
            raise ValueError("Expecting states_prev to be a tuple with length 2.")
        c, h = state
        weights = BlockWeights(
            depth,
            self._num_units,
            inputs.dtype.base_dtype,
            self._forget_bias,
            self._cell_clip,
            self._use_peephole,
        )
        gates = api.matmul(api.concat([inputs, h], 1), weights.kernel)
        new_c, new_h = weights.step(api.bias_add(gates, weights.bias), c)
        return new_h, LSTMStateTuple(new_c, new_h)


class LSTMBlockWrapper(FusedRNNCell):
    """The base of fused LSTM cells, which define `num_units` and `_call_cell`."""

    _name = "lstm_block_wrapper"
    _reuse: Any = None

    @property
    def num_units(self) -> int:
        """The number of units."""
        raise NotImplementedError(f"{type(self).__name__} does not say its num_units")

    def _call_cell(
        self, inputs: Any, initial_cell_state: Any, initial_output: Any, dtype: Any, lengths: Any
    ) -> tuple[Any, Any]:
        """The memories and outputs [time, batch, units] of all steps."""
        raise NotImplementedError(f"{type(self).__name__} does not define _call_cell()")

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> tuple[Any, Any]:
        """The outputs, zero past the rows' lengths, and the state at the rows' ends."""
        with variable_scope(scope or self._name, reuse=self._reuse):
            in_list = isinstance(inputs, list)
            inputs = api.stack(inputs) if in_list else convert_to_tensor(inputs)
            shape = inputs.get_shape().with_rank(3)
            if shape[2].value is None:
                raise ValueError(f"Expecting inputs_shape[2] to be set: {shape}")
            if initial_state is None:
                if dtype is None:
                    raise ValueError("Either initial_state or dtype needs to be specified")
                batch = api.shape(inputs)[1] if shape[1].value is None else shape[1].value
                zeros = api.zeros(api.stack([batch, self.num_units]), dtype)
                initial_state = zeros, zeros
            elif len(initial_state) != 2:
                raise ValueError("Expecting initial_state to be a tuple with length 2 or None")
            c, h = (convert_to_tensor(each) for each in initial_state)
            dtype = c.dtype.base_dtype if dtype is None else dtype
            lengths = None if sequence_length is None else convert_to_tensor(sequence_length)
            memories, outputs = self._call_cell(inputs, c, h, dtype, lengths)
            if lengths is None:
                final = LSTMStateTuple(memories[-1], outputs[-1])
            else:
                steps = api.shape(inputs)[0]
                mask = api.transpose(api.sequence_mask(lengths, steps, dtype=outputs.dtype))
                outputs = outputs * api.expand_dims(mask, -1)
                final = LSTMStateTuple(_at(lengths, c, memories), _at(lengths, h, outputs))
            return api.unstack(outputs) if in_list else outputs, final


def _at(lengths: Any, first: Any, steps: Any) -> Any:
    """Each row's value after its last step, or the first one for rows without any."""
    everything = api.concat([api.expand_dims(first, 0), steps], 0)
    lengths = api.to_int32(lengths)
    places = api.stack([lengths, api.range(api.size(lengths))], 1)
    return api.gather_nd(everything, places)


class LSTMBlockFusedCell(LSTMBlockWrapper):
    """An LSTM over all steps: the product with all inputs is one, before the loop.

    >>> import workbench as tf
    >>> rnn = tf.contrib.rnn.LSTMBlockFusedCell(4)
    >>> outputs, state = rnn(tf.ones([5, 2, 3]), dtype=tf.float32, sequence_length=[5, 1])
    >>> outputs.shape.as_list(), state.c.shape.as_list()
    ([5, 2, 4], [2, 4])
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        name: str = "lstm_block_wrapper",
    ) -> None:
        self._reuse = reuse
        self._name = name
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._cell_clip = cell_clip
        self._use_peephole = use_peephole

    @property
    def num_units(self) -> int:
        """The number of units."""
        return self._num_units

    def _call_cell(
        self, inputs: Any, initial_cell_state: Any, initial_output: Any, dtype: Any, lengths: Any
    ) -> tuple[Any, Any]:
        units = self._num_units
        steps, batch, depth = inputs.shape.as_list()
        weights = BlockWeights(
            depth, units, dtype, self._forget_bias, self._cell_clip, self._use_peephole
        )
        kernel = convert_to_tensor(weights.kernel)
        flat = api.matmul(api.reshape(inputs, [-1, depth]), kernel[:depth])
        flat = api.bias_add(flat, weights.bias)
        ready = api.reshape(flat, api.stack([*_sizes(inputs), 4 * units]))
        ready.set_shape([steps, batch, 4 * units])
        recurrent = kernel[depth:]
        count = api.shape(inputs)[0] if steps is None else steps
        shape = TensorShape([batch, units])
        listed = creation.from_tensor(ready)
        empty = creation.reserve(shape, count, dtype)

        def body(time: Any, memories: Any, outputs: Any, c: Any, h: Any) -> tuple[Any, ...]:
            gates = items.get_item(listed, time, dtype, ready.shape[1:])
            new_c, new_h = weights.step(gates + api.matmul(h, recurrent), c)
            new_c.set_shape(c.shape)
            new_h.set_shape(h.shape)
            memories = items.set_item(memories, time, new_c)
            return time + 1, memories, items.set_item(outputs, time, new_h), new_c, new_h

        _, memories, outputs, _, _ = api.while_loop(
            lambda time, *_: time < count,
            body,
            (api.constant(0), empty, empty, initial_cell_state, initial_output),
        )
        known = -1 if steps is None else steps
        both = [stacking.stack(each, dtype, shape, known) for each in (memories, outputs)]
        return both[0], both[1]


def _sizes(inputs: Any) -> list[Any]:
    known, sizes = inputs.shape.as_list()[:2], api.shape(inputs)
    return [sizes[axis] if size is None else size for axis, size in enumerate(known)]
