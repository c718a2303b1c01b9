"""Long short-term memory cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.state.partitions import fixed_size_partitioner
from workbench.core.platform import logging
from workbench.train.recurrent.cell import BuiltCell, PreparedStep


class _MemoryAndOutput(NamedTuple):
    c: Any
    h: Any


class LSTMStateTuple(_MemoryAndOutput):
    """The state of an LSTM cell: the memory `c` and the output `h`, or their sizes."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """The dtype of both; TypeError where they have two."""
        if self.c.dtype != self.h.dtype:
            raise TypeError(f"Inconsistent internal state: {self.c.dtype} vs {self.h.dtype}")
        return self.c.dtype


def warn_of_concatenated_state(cell: Any) -> None:
    """Says that a state of one tensor is no good idea."""
    logging.warn(
        "%s: Using a concatenated state is slower and will soon be deprecated.  Use "
        "state_is_tuple=True.",
        cell,
    )


class BasicLSTMCell(BuiltCell):
    """The basic LSTM cell of Zaremba et al. (2014).

    With i, j, f, o = split([inputs, h] @ kernel + bias):
    c' = c * sigmoid(f + forget_bias) + sigmoid(i) * activation(j) and
    h' = activation(c') * sigmoid(o). The state is `LSTMStateTuple(c, h)`, or with
    `state_is_tuple=False` both side by side in one tensor.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.BasicLSTMCell(3)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> [(v.name, v.shape.as_list()) for v in cell.variables]
    [('basic_lstm_cell/kernel:0', [7, 12]), ('basic_lstm_cell/bias:0', [12])]
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        name: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        if not state_is_tuple:
            warn_of_concatenated_state(self)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation or api.tanh

    @property
    def state_size(self) -> Any:
        """LSTMStateTuple(units, units), or their sum without tuples."""
        units = self._num_units
        return LSTMStateTuple(units, units) if self._state_is_tuple else 2 * units

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` [inputs + units, 4 * units] and `bias` [4 * units]."""
        depth = self._input_depth(input_shape) + self._num_units
        self._kernel = self.add_variable("kernel", [depth, 4 * self._num_units])
        self._bias = self._add_bias("bias", 4 * self._num_units, constant_initializer(0.0))
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The new h, and the new state."""
        c, h = state if self._state_is_tuple else api.split(state, 2, axis=1)
        gates = api.matmul(api.concat([inputs, h], 1), self._kernel)
        return self._after(api.bias_add(gates, self._bias), c)

    def _prepare(self, inputs: Any, depth: int) -> tuple[Any, PreparedStep]:
        kernel: Any = convert_to_tensor(self._kernel)
        recurrent = kernel[depth:]

        def step(ready: Any, state: Any) -> tuple[Any, Any]:
            c, h = state if self._state_is_tuple else api.split(state, 2, axis=1)
            return self._after(ready + api.matmul(h, recurrent), c)

        return api.bias_add(api.matmul(inputs, kernel[:depth]), self._bias), step

    def _after(self, gates: Any, c: Any) -> tuple[Any, Any]:
        """The new h and the new state for the sums of the gates."""
        i, j, f, o = api.split(gates, 4, axis=1)
        kept = c * api.sigmoid(f + self._forget_bias)
        new_c = kept + api.sigmoid(i) * self._activation(j)
        new_h = self._activation(new_c) * api.sigmoid(o)
        if self._state_is_tuple:
            return new_h, LSTMStateTuple(new_c, new_h)
        return new_h, api.concat([new_c, new_h], 1)


class ProjectedLSTM:
    """What LSTM cells have in common whose outputs may be projected."""

    _num_units: int
    _num_proj: int | None
    _state_is_tuple: bool

    @property
    def state_size(self) -> Any:
        """LSTMStateTuple(units, output size), or their sum without tuples."""
        sizes = LSTMStateTuple(self._num_units, self.output_size)
        return sizes if self._state_is_tuple else sizes.c + sizes.h

    @property
    def output_size(self) -> Any:
        """The size of the projection, or the number of units without one."""
        return self._num_proj or self._num_units


class LSTMCell(ProjectedLSTM, BuiltCell):
    """An LSTM cell with peepholes, a projection of the output and clipping where asked for.

    `use_peepholes` lets the gates see the memory, through diagonal weights; `cell_clip` clips the
    memory; `num_proj` is the size of a linear projection of the output, which `proj_clip` clips.
    `initializer` is that of all weights. `num_unit_shards` and `num_proj_shards` keep weights in
    parts (the old way: a partitioner of the variable scope is the new one).

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.LSTMCell(3, use_peepholes=True, num_proj=2)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> [v.name.split("/", 1)[1] for v in cell.variables]
    ['kernel:0', 'bias:0', 'w_f_diag:0', 'w_i_diag:0', 'w_o_diag:0', 'projection/kernel:0']
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        name: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        if not state_is_tuple:
            warn_of_concatenated_state(self)
        if num_unit_shards is not None or num_proj_shards is not None:
            logging.warn(
                "%s: num_unit_shards and num_proj_shards are deprecated.  Use a variable scope "
                "with a partitioner instead.",
                self,
            )
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation or api.tanh

    def build(self, input_shape: Any) -> None:
        """Makes the weights; see the class."""
        units, initializer = self._num_units, self._initializer
        depth = self._input_depth(input_shape) + self.output_size
        self._kernel = self.add_variable(
            "kernel",
            [depth, 4 * units],
            initializer=initializer,
            partitioner=_in_parts(self._num_unit_shards),
        )
        self._bias = self._add_bias("bias", 4 * units, constant_initializer(0.0))
        if self._use_peepholes:
            self._forget_peephole, self._input_peephole, self._output_peephole = (
                self.add_variable(f"w_{gate}_diag", [units], initializer=initializer)
                for gate in "fio"
            )
        if self._num_proj is not None:
            self._projection = self.add_variable(
                "projection/kernel",
                [units, self._num_proj],
                initializer=initializer,
                partitioner=_in_parts(self._num_proj_shards),
            )
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state."""
        c, h = self._parts(state)
        gates = api.matmul(api.concat([inputs, h], 1), self._kernel)
        return self._after(api.bias_add(gates, self._bias), c)

    def _prepare(self, inputs: Any, depth: int) -> tuple[Any, PreparedStep]:
        kernel: Any = convert_to_tensor(self._kernel)
        recurrent = kernel[depth:]

        def step(ready: Any, state: Any) -> tuple[Any, Any]:
            c, h = self._parts(state)
            return self._after(ready + api.matmul(h, recurrent), c)

        return api.bias_add(api.matmul(inputs, kernel[:depth]), self._bias), step

    def _after(self, gates: Any, c: Any) -> tuple[Any, Any]:
        """The output and the new state for the sums of the gates."""
        i, j, f, o = api.split(gates, 4, axis=1)
        f = f + self._forget_bias
        if self._use_peepholes:
            f, i = f + self._forget_peephole * c, i + self._input_peephole * c
        new_c = api.sigmoid(f) * c + api.sigmoid(i) * self._activation(j)
        if self._cell_clip is not None:
            new_c = api.clip_by_value(new_c, -self._cell_clip, self._cell_clip)
        if self._use_peepholes:
            o = o + self._output_peephole * new_c
        output = api.sigmoid(o) * self._activation(new_c)
        if self._num_proj is not None:
            output = api.matmul(output, self._projection)
            if self._proj_clip is not None:
                output = api.clip_by_value(output, -self._proj_clip, self._proj_clip)
        if self._state_is_tuple:
            return output, LSTMStateTuple(new_c, output)
        return output, api.concat([new_c, output], 1)

    def _parts(self, state: Any) -> tuple[Any, Any]:
        if self._state_is_tuple:
            c, h = state
            return c, h
        sizes = [self._num_units, self.output_size]
        c, h = api.split(state, sizes, axis=1)
        return c, h


def _in_parts(count: int | None) -> Any:
    return None if count is None else fixed_size_partitioner(count)
