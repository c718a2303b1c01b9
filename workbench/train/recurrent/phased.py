"""The LSTM cell that is updated in a rhythm."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer, random_uniform_initializer
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.linear import linear
from workbench.train.recurrent.lstm import LSTMStateTuple


def _uniform_in_logarithm(low: float, high: float) -> Any:
    def initializer(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return api.exp(api.random_uniform(shape, math.log(low), math.log(high), dtype))

    return initializer


class PhasedLSTMCell(RNNCell):
    """The phased LSTM of Neil et al. (2016): each unit is open for a part of its own period.

    Inputs are a pair (times [batch, 1], inputs [batch, size]). `ratio_on` is the part of the period
    in which the unit is open, trained where `trainable_ratio_on`; `leak` is the part that goes
    through while it is closed; periods start between `period_init_min` and `period_init_max`.

    >>> import workbench as tf
    >>> cell = tf.contrib.rnn.PhasedLSTMCell(3)
    >>> inputs = tf.ones([2, 1]), tf.ones([2, 4])
    >>> output, state = cell(inputs, cell.zero_state(2, tf.float32))
    >>> output.shape.as_list()
    [2, 3]
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        leak: float = 0.001,
        ratio_on: float = 0.1,
        trainable_ratio_on: bool = True,
        period_init_min: float = 1.0,
        period_init_max: float = 1000.0,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._leak = leak
        self._ratio_on = ratio_on
        self._trainable_ratio_on = trainable_ratio_on
        self._periods = period_init_min, period_init_max

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
        time, x = inputs
        c, h = state
        seen = [x, h, c] if self._use_peepholes else [x, h]
        with variable_scope("mask_gates"):
            gates = api.sigmoid(linear(seen, 2 * self._num_units, True))
        take_in, keep = api.split(gates, 2, axis=1)
        with variable_scope("new_input"):
            candidate = api.tanh(linear([x, h], self._num_units, True))
        new_c = c * keep + take_in * candidate
        seen = [x, h, new_c] if self._use_peepholes else [x, h]
        with variable_scope("output_gate"):
            output = api.sigmoid(linear(seen, self._num_units, True))
        new_h = api.tanh(new_c) * output
        openness = self._openness(time, x.dtype.base_dtype)
        new_c = openness * new_c + (1 - openness) * c
        new_h = openness * new_h + (1 - openness) * h
        return new_h, LSTMStateTuple(new_c, new_h)

    def _openness(self, time: Any, dtype: Any) -> Any:
        """How far each unit is open, [batch, units]: up and down while it is on, else the leak."""
        shape = [self._num_units]
        period = get_variable("period", shape, initializer=_uniform_in_logarithm(*self._periods))
        start = random_uniform_initializer(0.0, period.initial_value)
        phase = get_variable("phase", shape, initializer=start)
        ratio_on = get_variable(
            "ratio_on",
            shape,
            initializer=constant_initializer(self._ratio_on),
            trainable=self._trainable_ratio_on,
        )
        period, phase = (api.cast(v, time.dtype.base_dtype) for v in (period, phase))
        shifted = time - phase
        # The slope of the remainder is 1 by the time and 0 by the period.
        passed = api.stop_gradient(api.mod(shifted, period) - shifted) + shifted
        cycle = api.cast(passed / period, dtype)
        rising = 2 * cycle / ratio_on
        closed = self._leak * cycle
        falling = api.where(cycle < ratio_on, 2 - rising, closed)
        return api.where(cycle < 0.5 * ratio_on, rising, falling)
