"""LSTM cells that run along frequencies as well as along time."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.sharded import StepVariables


def feature_windows(inputs: Any, start: int, end: int, size: int, skip: int) -> list[Any]:
    """The windows of `size` columns between `start` and `end`, `skip` columns apart."""
    count = (end - start - size) // skip + 1
    begins = [start + i * skip for i in range(count)]
    return [inputs[:, begin : begin + size] for begin in begins]


def known_width(inputs: Any) -> int:
    """The number of columns; ValueError where it is unknown."""
    width = inputs.get_shape().with_rank(2)[1].value
    if width is None:
        raise ValueError("Cannot infer input_size from static shape inference.")
    return int(width)


class TimeFreqLSTMCell(RNNCell):
    """The time-frequency LSTM of Li et al. (2015): one LSTM over windows of the inputs.

    The inputs' columns are frequencies, seen in windows of `feature_size` columns that lie
    `frequency_skip` apart. The state has 2 * num_units columns for each window, the output
    num_units; `state_size` and `output_size` are those of one.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_unit_shards: int = 1,
        forget_bias: float = 1.0,
        feature_size: int | None = None,
        frequency_skip: int | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._num_unit_shards = num_unit_shards
        self._forget_bias = forget_bias
        self._feature_size = feature_size
        self._frequency_skip = frequency_skip

    @property
    def state_size(self) -> Any:
        """Twice the number of units."""
        return 2 * self._num_units

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The outputs of all windows side by side, and their states."""
        width = known_width(inputs)
        size, skip = self._feature_size or width, self._frequency_skip or 1
        windows = feature_windows(inputs, 0, width, size, skip)
        parts = api.split(state, 2 * len(windows), axis=1)
        outputs: list[Any] = []
        states: list[Any] = []
        below = api.zeros_like(parts[1])
        variables = StepVariables(inputs.dtype.base_dtype)
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            for window, c, h in zip(windows, parts[::2], parts[1::2], strict=True):
                c, below = self._step(variables, api.concat([window, h, below], 1), c)
                outputs.append(below)
                states += [c, below]
        return api.concat(outputs, 1), api.concat(states, 1)

    def _step(self, variables: StepVariables, joined: Any, c: Any) -> tuple[Any, Any]:
        units = self._num_units
        shape = [joined.get_shape()[1].value, 4 * units]
        kernel = variables.sharded("W", shape, self._num_unit_shards)
        bias = variables.get("B", shape[1:], zeros_initializer())
        i, j, f, o = api.split(api.bias_add(api.matmul(joined, kernel), bias), 4, axis=1)
        f = f + self._forget_bias
        if self._use_peepholes:
            f = f + variables.get("W_F_diag", [units]) * c
            i = i + variables.get("W_I_diag", [units]) * c
        new_c = api.sigmoid(f) * c + api.sigmoid(i) * api.tanh(j)
        if self._cell_clip is not None:
            new_c = api.clip_by_value(new_c, -self._cell_clip, self._cell_clip)
        if self._use_peepholes:
            o = o + variables.get("W_O_diag", [units]) * new_c
        return new_c, api.sigmoid(o) * api.tanh(new_c)
