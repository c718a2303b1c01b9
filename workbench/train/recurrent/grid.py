"""Grid LSTM cells: an LSTM along time and one along frequencies, which see each other."""

from __future__ import annotations

import collections
from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.frequencies import feature_windows, known_width
from workbench.train.recurrent.lstm import warn_of_concatenated_state
from workbench.train.recurrent.sharded import StepVariables


class GridLSTMCell(RNNCell):
    """The grid LSTM of Kalchbrenner et al. (2015), over blocks of frequencies.

    The inputs' columns are frequencies, seen in windows of `feature_size` columns that lie
    `frequency_skip` apart. `num_frequency_blocks` lists how many windows each block has;
    `start_freqindex_list` and `end_freqindex_list` list the columns of each block, where there are
    several. With `share_time_frequency_weights` both LSTMs have the same weights, with
    `couple_input_forget_gates` forgetting is 1 - taking in. The state has the fields "c" and "m"
    of each window, see `state_tuple_type`, or all side by side without `state_is_tuple`.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        share_time_frequency_weights: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_unit_shards: int = 1,
        forget_bias: float = 1.0,
        feature_size: int | None = None,
        frequency_skip: int | None = None,
        num_frequency_blocks: Any = None,
        start_freqindex_list: Any = None,
        end_freqindex_list: Any = None,
        couple_input_forget_gates: bool = False,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        if not state_is_tuple:
            warn_of_concatenated_state(self)
        if num_frequency_blocks is None:
            raise ValueError("Must specify num_frequency_blocks")
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._shared = share_time_frequency_weights
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._num_unit_shards = num_unit_shards
        self._forget_bias = forget_bias
        self._feature_size = feature_size
        self._frequency_skip = frequency_skip
        self._blocks = [int(count) for count in num_frequency_blocks]
        self._starts = start_freqindex_list
        self._ends = end_freqindex_list
        self._coupled = couple_input_forget_gates
        self._state_is_tuple = state_is_tuple
        self._state_type: Any = None
        if state_is_tuple:
            self._state_type = self._named_states("GridLSTMStateTuple", ["state"])

    def _named_states(self, name: str, prefixes: list[str]) -> Any:
        windows = [
            f"{prefix}_f{window:02d}_b{block:02d}"
            for prefix in prefixes
            for block, count in enumerate(self._blocks)
            for window in range(count)
        ]
        return collections.namedtuple(
            name, [f"{window}_{part}" for window in windows for part in "cm"]
        )

    @property
    def state_tuple_type(self) -> Any:
        """The named tuple of the state, or None where it is one tensor."""
        return self._state_type

    @property
    def state_size(self) -> Any:
        """The number of units for each field, or all of them."""
        if self._state_type is None:
            return 2 * self._num_units * sum(self._blocks)
        return self._state_type(*[self._num_units] * len(self._state_type._fields))

    @property
    def output_size(self) -> Any:
        """The outputs of both LSTMs for each window."""
        return 2 * self._num_units * sum(self._blocks)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The outputs of all windows side by side, and the new state."""
        parts = list(state) if self._state_is_tuple else []
        if not self._state_is_tuple:
            parts = api.split(state, 2 * sum(self._blocks), axis=1)
        outputs, states = self._run(self._windows(inputs, 0), parts)
        if self._state_type is not None:
            return api.concat(outputs, 1), self._state_type(*states)
        return api.concat(outputs, 1), api.concat(states, 1)

    # -- windows -----------------------------------------------------------------------------

    def _windows(self, inputs: Any, offset: int) -> list[list[Any]]:
        """The windows of each block, moved by `offset` columns into zeros."""
        width = known_width(inputs)
        if offset:
            inputs = api.pad(inputs, [[0, 0], [max(-offset, 0), max(offset, 0)]])
        moved = max(offset, 0)
        spans = self._spans(width)
        size, skip = self._feature_size or width, self._frequency_skip or 1
        found = []
        for count, (start, end) in zip(self._blocks, spans, strict=True):
            windows = feature_windows(inputs, start + moved, end + moved, size, skip)
            if len(windows) != count:
                raise ValueError(
                    f"Invalid num_frequency_blocks, requires {count} but gets {len(windows)}, "
                    "please check the input size and filter config are correct."
                )
            found.append(windows)
        return found

    def _spans(self, width: int) -> list[tuple[int, int]]:
        if not self._starts:
            if len(self._blocks) != 1:
                raise ValueError(
                    f"Length of num_frequency_blocks is not 1, but instead is {len(self._blocks)}"
                )
            return [(0, width)]
        if len(self._starts) != len(self._ends or ()):
            raise ValueError(
                "Length of start and end freqindex_list does not match "
                f"{len(self._starts)} {len(self._ends or ())}"
            )
        if len(self._blocks) != len(self._starts):
            raise ValueError(
                "Length of num_frequency_blocks is not equal to start_freqindex_list "
                f"{len(self._blocks)} {len(self._starts)}"
            )
        return list(zip(self._starts, self._ends, strict=True))

    # -- the two LSTMs -----------------------------------------------------------------------

    def _run(self, blocks: list[list[Any]], states: list[Any]) -> tuple[list[Any], list[Any]]:
        """The outputs and new states of all windows, along the frequencies of each block."""
        outputs: list[Any] = []
        new_states: list[Any] = []
        self._variables = StepVariables(states[0].dtype.base_dtype)
        pairs = iter(zip(states[::2], states[1::2], strict=True))
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            for number, windows in enumerate(blocks):
                m_below: Any = None
                c_below: Any = None
                for window in windows:
                    c, m = next(pairs)
                    if m_below is None:
                        m_below, c_below = api.zeros_like(m), api.zeros_like(c)
                    joined = api.concat([window, m, m_below], 1)
                    c, m, c_below, m_below = self._step(number, joined, c, c_below)
                    outputs += [m, m_below]
                    new_states += [c, m]
        return outputs, new_states

    def _step(self, block: int, joined: Any, c: Any, c_below: Any) -> tuple[Any, ...]:
        """The new memory and output along time, and along frequencies."""
        below = self._gates(block, "f", joined)
        ahead = below if self._shared else self._gates(block, "t", joined)
        new_below = self._memory(block, "freq", below, c_below, c, c_below)
        which = "freq" if self._shared else "time"
        new_c = self._memory(block, which, ahead, c, c, c_below)
        m_below = self._output(block, "freq", below, new_below, new_c, new_below)
        m = self._output(block, which, ahead, new_c, new_c, new_below)
        return new_c, m, new_below, m_below

    def _gates(self, block: int, along: str, joined: Any) -> dict[str, Any]:
        names = "ijo" if self._coupled else "ijfo"
        shape = [joined.get_shape()[1].value, len(names) * self._num_units]
        kernel = self._variables.sharded(f"W_{along}_{block}", shape, self._num_unit_shards)
        bias = self._variables.get(f"B_{along}_{block}", shape[1:], zeros_initializer())
        sums = api.bias_add(api.matmul(joined, kernel), bias)
        return dict(zip(names, api.split(sums, len(names), axis=1), strict=True))

    def _seen(self, gate: str, block: int, which: str, c: Any, c_below: Any) -> Any:
        """What a gate sees of the memories, through diagonal weights."""
        if not self._use_peepholes:
            return 0.0
        name, shape = f"W_{gate}_diag_{which}", [self._num_units]
        below = self._variables.get(f"{name}f_{block}", shape)
        ahead = self._variables.get(f"{name}t_{block}", shape)
        return below * c_below + ahead * c

    def _memory(
        self, block: int, which: str, gates: dict[str, Any], own: Any, c: Any, c_below: Any
    ) -> Any:
        take_in = api.sigmoid(gates["i"] + self._seen("I", block, which, c, c_below))
        if self._coupled:
            keep = 1.0 - take_in
        else:
            seen = self._seen("F", block, which, c, c_below)
            keep = api.sigmoid(gates["f"] + self._forget_bias + seen)
        memory = keep * own + take_in * api.tanh(gates["j"])
        if self._cell_clip is not None:
            memory = api.clip_by_value(memory, -self._cell_clip, self._cell_clip)
        return memory

    def _output(
        self, block: int, which: str, gates: dict[str, Any], own: Any, c: Any, c_below: Any
    ) -> Any:
        seen = self._seen("O", block, which, c, c_below)
        return api.sigmoid(gates["o"] + seen) * api.tanh(own)


class BidirectionalGridLSTMCell(GridLSTMCell):
    """A grid LSTM along the frequencies in both directions; its state has fields for each.

    The windows of the backward direction are moved by `backward_slice_offset` columns.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        share_time_frequency_weights: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_unit_shards: int = 1,
        forget_bias: float = 1.0,
        feature_size: int | None = None,
        frequency_skip: int | None = None,
        num_frequency_blocks: Any = None,
        start_freqindex_list: Any = None,
        end_freqindex_list: Any = None,
        couple_input_forget_gates: bool = False,
        backward_slice_offset: int = 0,
        reuse: Any = None,
    ) -> None:
        super().__init__(
            num_units,
            use_peepholes,
            share_time_frequency_weights,
            cell_clip,
            initializer,
            num_unit_shards,
            forget_bias,
            feature_size,
            frequency_skip,
            num_frequency_blocks,
            start_freqindex_list,
            end_freqindex_list,
            couple_input_forget_gates,
            True,
            reuse,
        )
        self._offset = int(backward_slice_offset)
        self._state_type = self._named_states(
            "BidirectionalGridLSTMStateTuple", ["fwd_state", "bwd_state"]
        )

    @property
    def output_size(self) -> Any:
        """The outputs of both LSTMs for each window, in both directions."""
        return 4 * self._num_units * sum(self._blocks)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The outputs of all windows side by side, and the new state."""
        half = len(state) // 2
        with variable_scope("fwd"):
            outputs, states = self._run(self._windows(inputs, 0), list(state)[:half])
        with variable_scope("bwd"):
            turned = [windows[::-1] for windows in self._windows(inputs, self._offset)]
            more_outputs, more_states = self._run(turned, list(state)[half:])
        return api.concat(outputs + more_outputs, 1), self._state_type(*states, *more_states)
