"""The further cells and networks of contrib.rnn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import Array
from tests.train.recurrent import steps
from workbench.core.graph import nest

RNG = np.random.default_rng(0)
rnn = tf.contrib.rnn
INITIAL = tf.random_normal_initializer(seed=1, stddev=0.5)


def evaluated(fetches: Any) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights = {v.op.name: session.run(v) for v in tf.global_variables()}
        return session.run(fetches), weights


# -- convolutions --------------------------------------------------------------------------------


def convolved(x: Array, kernel: Array) -> Array:
    """A convolution over all axes between the first and the last, zeros around."""
    space = kernel.shape[:-2]
    before = [(size - 1) // 2 for size in space]
    pads = [(b, size - 1 - b) for b, size in zip(before, space, strict=True)]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    result = np.zeros((*x.shape[:-1], kernel.shape[-1]))
    for offset in np.ndindex(*space):
        window = tuple(slice(o, o + n) for o, n in zip(offset, x.shape[1:-1], strict=True))
        result += padded[(slice(None), *window)] @ kernel[offset]
    return result


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(
    ("make", "space"),
    [(rnn.Conv1DLSTMCell, [5]), (rnn.Conv2DLSTMCell, [4, 3]), (rnn.Conv3DLSTMCell, [3, 2, 3])],
)
def test_convolutional_cells(make: Any, space: list[int], skip: bool) -> None:
    cell = make(
        input_shape=[*space, 2],
        output_channels=3,
        kernel_shape=[3] * len(space),
        skip_connection=skip,
    )
    inputs = RNG.standard_normal((2, 2, *space, 2)).astype(np.float32)
    with tf.variable_scope("net", initializer=INITIAL):
        outputs, state = tf.nn.dynamic_rnn(cell, tf.constant(inputs), dtype=tf.float32)
    (found, last), weights = evaluated([outputs, state])
    w = {name.split("/")[-1]: value for name, value in weights.items()}
    assert w.keys() == {"kernel", "biases"}
    c, h = np.zeros((2, *space, 3)), np.zeros((2, *space, 3))
    for time in range(2):
        x = inputs[:, time]
        gates = convolved(np.concatenate([x, h], -1), w["kernel"]) + w["biases"]
        i, j, f, o = np.split(gates, 4, -1)
        c = steps.sigmoid(f + 1) * c + steps.sigmoid(i) * np.tanh(j)
        h = np.tanh(c) * steps.sigmoid(o)
        expected = np.concatenate([h, x], -1) if skip else h
        np.testing.assert_allclose(found[:, time], expected, atol=1e-5)
    np.testing.assert_allclose(last.c, c, atol=1e-5)


# -- rhythms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("peepholes", [False, True])
def test_a_phased_cell(peepholes: bool) -> None:
    times = RNG.uniform(0, 20, (3, 1))
    x, c, h = (RNG.standard_normal((3, n)).astype(np.float32) for n in (4, 2, 2))
    cell = rnn.PhasedLSTMCell(2, use_peepholes=peepholes, period_init_min=2, period_init_max=9)
    with tf.variable_scope("net", initializer=INITIAL):
        output, state = cell(
            (tf.constant(times), tf.constant(x)),
            rnn.LSTMStateTuple(tf.constant(c), tf.constant(h)),
        )
    (found, last), weights = evaluated([output, state])
    w = {name.removeprefix("net/phased_lstm_cell/"): v for name, v in weights.items()}
    assert np.all((w["period"] >= 2) & (w["period"] <= 9) & (w["phase"] <= w["period"]))
    assert np.all(w["ratio_on"] == np.float32(0.1))

    def mapped(name: str, *parts: Array) -> Array:
        result: Array = steps.side_by_side(*parts) @ w[f"{name}/kernel"] + w[f"{name}/bias"]
        return result

    seen = [x, h, c] if peepholes else [x, h]
    take_in, keep = np.split(steps.sigmoid(mapped("mask_gates", *seen)), 2, 1)
    new_c = c * keep + take_in * np.tanh(mapped("new_input", x, h))
    seen = [x, h, new_c] if peepholes else [x, h]
    new_h = np.tanh(new_c) * steps.sigmoid(mapped("output_gate", *seen))
    cycle = np.mod(times - w["phase"], w["period"]) / w["period"]
    openness = np.where(cycle < 0.1, 2 - 20 * cycle, 0.001 * cycle)
    openness = np.where(cycle < 0.05, 20 * cycle, openness)
    np.testing.assert_allclose(found, openness * new_h + (1 - openness) * h, atol=1e-5)
    np.testing.assert_allclose(last.c, openness * new_c + (1 - openness) * c, atol=1e-5)


# -- frequencies ---------------------------------------------------------------------------------


def test_a_time_frequency_cell() -> None:
    units, x = 2, RNG.standard_normal((3, 6))
    state = RNG.standard_normal((3, 2 * units * 3))
    cell = rnn.TimeFreqLSTMCell(units, use_peepholes=True, feature_size=2, frequency_skip=2)
    with tf.variable_scope("net", initializer=INITIAL):
        output, new_state = cell(tf.constant(x), tf.constant(state))
    (found, last), weights = evaluated([output, new_state])
    w = {name.split("/")[-1]: value for name, value in weights.items()}
    assert set(w) == {"W_0", "B", "W_F_diag", "W_I_diag", "W_O_diag"}
    below, outputs, states = np.zeros((3, units)), [], []
    for window in range(3):
        c, h = np.split(state[:, window * 4 : window * 4 + 4], 2, 1)
        joined = steps.side_by_side(x[:, window * 2 : window * 2 + 2], h, below)
        i, j, f, o = np.split(joined @ w["W_0"] + w["B"], 4, 1)
        f, i = f + 1 + w["W_F_diag"] * c, i + w["W_I_diag"] * c
        c = steps.sigmoid(f) * c + steps.sigmoid(i) * np.tanh(j)
        below = steps.sigmoid(o + w["W_O_diag"] * c) * np.tanh(c)
        outputs.append(below)
        states += [c, below]
    np.testing.assert_allclose(found, np.concatenate(outputs, 1))
    np.testing.assert_allclose(last, np.concatenate(states, 1))


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_a_grid_cell(shared: bool, coupled: bool) -> None:
    units, x = 2, RNG.standard_normal((3, 6))
    cell = rnn.GridLSTMCell(
        units,
        use_peepholes=True,
        share_time_frequency_weights=shared,
        couple_input_forget_gates=coupled,
        feature_size=2,
        frequency_skip=2,
        num_frequency_blocks=[1, 2],
        start_freqindex_list=[0, 2],
        end_freqindex_list=[2, 6],
    )
    assert cell.output_size == 12 and len(cell.state_size) == 6
    parts = [RNG.standard_normal((3, units)) for _ in range(6)]
    with tf.variable_scope("net", initializer=INITIAL):
        output, state = cell(tf.constant(x), cell.state_tuple_type(*map(tf.constant, parts)))
    (found, last), weights = evaluated([output, state])
    w = {name.split("/")[-1]: value for name, value in weights.items()}
    names = "ijo" if coupled else "ijfo"
    outputs, states, windows = [], [], iter(zip(parts[::2], parts[1::2], strict=True))
    column = 0
    for block, count in enumerate((1, 2)):
        c_below = m_below = np.zeros((3, units))
        for _ in range(count):
            c, m = next(windows)
            joined = steps.side_by_side(x[:, column : column + 2], m, m_below)
            column += 2

            def lstm(
                along: str, which: str, own: Array, joined: Any = joined, block: int = block,
                seen: Any = (c_below, c),
            ) -> tuple[Array, Array]:  # fmt: skip
                sums = joined @ w[f"W_{along}_{block}_0"] + w[f"B_{along}_{block}"]
                gates = dict(zip(names, np.split(sums, len(names), 1), strict=True))

                def peep(gate: str) -> Any:
                    below = w[f"W_{gate}_diag_{which}f_{block}"] * seen[0]
                    return below + w[f"W_{gate}_diag_{which}t_{block}"] * seen[1]

                i = steps.sigmoid(gates["i"] + peep("I"))
                f = 1 - i if coupled else steps.sigmoid(gates["f"] + 1 + peep("F"))
                return f * own + i * np.tanh(gates["j"]), gates["o"]

            along, which = ("f", "freq") if shared else ("t", "time")
            new_below, o_below = lstm("f", "freq", c_below)
            new_c, o = lstm(along, which, c)

            def put(gate: Array, own: Array, which: str, block: int = block,
                    seen: Any = (new_below, new_c)) -> Array:  # fmt: skip
                below = w[f"W_O_diag_{which}f_{block}"] * seen[0]
                ahead = w[f"W_O_diag_{which}t_{block}"] * seen[1]
                result: Array = steps.sigmoid(gate + below + ahead) * np.tanh(own)
                return result

            m_below = put(o_below, new_below, "freq")
            m = put(o, new_c, which)
            c_below = new_below
            outputs += [m, m_below]
            states += [new_c, m]
    np.testing.assert_allclose(found, np.concatenate(outputs, 1))
    np.testing.assert_allclose(np.concatenate(last, 1), np.concatenate(states, 1))


def test_a_grid_cell_in_both_directions() -> None:
    options: dict[str, Any] = {
        "feature_size": 2,
        "frequency_skip": 2,
        "num_frequency_blocks": [3],
        "initializer": tf.constant_initializer(0.3),
    }
    x = RNG.standard_normal((2, 6))
    both = rnn.BidirectionalGridLSTMCell(2, **options)
    one = rnn.GridLSTMCell(2, state_is_tuple=False, **options)
    found, _ = both(tf.constant(x), both.zero_state(2, tf.float64), scope="both")
    ahead, _ = one(tf.constant(x), one.zero_state(2, tf.float64))
    windows = x.reshape(2, 3, 2)[:, ::-1].reshape(2, 6)
    back, _ = one(tf.constant(windows), one.zero_state(2, tf.float64))
    values, _ = evaluated([found, ahead, back])
    assert both.output_size == 24
    np.testing.assert_allclose(values[0], np.concatenate(values[1:], 1))
    moved = rnn.BidirectionalGridLSTMCell(2, backward_slice_offset=1, **options)
    output, _ = moved(tf.constant(x), moved.zero_state(2, tf.float64), scope="moved")
    assert output.shape.as_list() == [2, 24]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"num_frequency_blocks": [4]}, "requires 4 but gets 3"),
        ({"num_frequency_blocks": [1, 2]}, "is not 1, but instead is 2"),
        (
            {"num_frequency_blocks": [3], "start_freqindex_list": [0], "end_freqindex_list": []},
            "does not match 1 0",
        ),
        (
            {
                "num_frequency_blocks": [3],
                "start_freqindex_list": [0, 2],
                "end_freqindex_list": [2, 6],
            },
            "not equal to start_freqindex_list 1 2",
        ),
    ],
)
def test_errors_of_grids(options: dict[str, Any], problem: str) -> None:
    cell = rnn.GridLSTMCell(2, feature_size=2, frequency_skip=2, **options)
    with pytest.raises(ValueError, match=problem):
        cell(tf.ones([1, 6]), cell.zero_state(1, tf.float32))


# -- whole networks ------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [None, [4, 1, 0]])
@pytest.mark.parametrize("options", [{}, {"use_peephole": True, "cell_clip": 0.2}])
def test_a_fused_lstm_is_a_loop_over_the_cell(options: dict[str, Any], lengths: Any) -> None:
    x = RNG.standard_normal((4, 3, 5)).astype(np.float32)
    state = rnn.LSTMStateTuple(*map(tf.constant, RNG.standard_normal((2, 3, 2)).astype("f")))
    with tf.variable_scope("net", initializer=INITIAL):
        fused, last = rnn.LSTMBlockFusedCell(2, **options)(
            tf.constant(x), state, sequence_length=lengths, scope="lstm_cell"
        )
    with tf.variable_scope("net", reuse=True):
        cell = rnn.LSTMBlockCell(2, **options)
        looped = rnn.FusedRNNCellAdaptor(cell, use_dynamic_rnn=True)
        expected, expected_last = _in_scope(looped, x, state, lengths)
    values, _ = evaluated([fused, last, expected, expected_last])
    np.testing.assert_allclose(values[0], values[2], atol=1e-6)
    np.testing.assert_allclose(values[1], values[3], atol=1e-6)


def _in_scope(network: Any, x: Array, state: Any, lengths: Any) -> Any:
    """A network whose cell has its variables right in the open scope."""
    return network(tf.constant(x), state, sequence_length=lengths, scope=tf.get_variable_scope())


@pytest.mark.parametrize("in_list", [False, True])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("lengths", [None, [2, 4]])
def test_adapted_cells_both_ways(in_list: bool, dynamic: bool, lengths: Any) -> None:
    x = RNG.standard_normal((4, 2, 3))
    steps_ = tf.unstack(tf.constant(x)) if in_list else tf.constant(x)
    cell = rnn.GRUCell(2)
    network = rnn.FusedRNNCellAdaptor(cell, use_dynamic_rnn=dynamic)
    with tf.variable_scope("net", initializer=INITIAL):
        outputs, state = network(steps_, dtype=tf.float64, sequence_length=lengths)
        back, back_state = rnn.TimeReversedFusedRNN(network)(
            steps_, dtype=tf.float64, sequence_length=lengths
        )
        turned = x.copy()
        for row, length in enumerate(lengths or [4, 4]):
            turned[:length, row] = x[:length, row][::-1]
        again, again_state = network(tf.constant(turned), dtype=tf.float64, sequence_length=lengths)
    assert isinstance(outputs, list) == in_list
    whole = [tf.stack(o) if in_list else o for o in (outputs, back)]
    values, _ = evaluated([*whole, again, back_state, again_state, state])
    for row, length in enumerate(lengths or [4, 4]):
        np.testing.assert_allclose(values[1][:length, row], values[2][:length, row][::-1])
    np.testing.assert_allclose(values[3], values[4])


@pytest.mark.parametrize("dynamic", [False, True])
def test_layers_in_both_directions(dynamic: bool) -> None:
    x = tf.constant(RNG.standard_normal((2, 4, 3)))
    sizes = [2, 3]
    ahead, back = ([rnn.GRUCell(n) for n in sizes] for _ in "ab")
    with tf.variable_scope("net", initializer=INITIAL):
        if dynamic:
            found, states_fw, states_bw = rnn.stack_bidirectional_dynamic_rnn(
                ahead, back, x, dtype=tf.float64, sequence_length=[4, 2]
            )
        else:
            outputs, states_fw, states_bw = rnn.stack_bidirectional_rnn(
                ahead, back, tf.unstack(x, axis=1), dtype=tf.float64, sequence_length=[4, 2]
            )
            found = tf.stack(outputs, 1)
        layer: Any = x
        for cell_fw, cell_bw in zip(ahead, back, strict=True):
            pair, _ = tf.nn.bidirectional_dynamic_rnn(
                cell_fw, cell_bw, layer, [4, 2], dtype=tf.float64
            )
            layer = tf.concat(pair, 2)
    names = [v.op.name for v in ahead[1].variables]
    middle = "bidirectional_rnn/fw" if dynamic else "fw"
    assert names[0] == f"net/stack_bidirectional_rnn/cell_1/{middle}/gru_cell/gates/kernel"
    values, _ = evaluated([found, layer, states_fw, states_bw])
    np.testing.assert_allclose(values[0], values[1], atol=1e-12)
    assert [s.shape for s in nest.flatten(values[2:])] == [(2, 2), (2, 3)] * 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (([], []), "at least one fw cell"),
        (((1,), [1]), "cells_fw must be a list"),
        (([1], [1, 2]), "same depth"),
        (([1], [1], None, [2, 3]), "initial_states_fw must be a list"),
    ],
)
def test_errors_of_layers(arguments: Any, problem: str) -> None:
    cells_fw, cells_bw, inputs, *states = (
        (*arguments, None)[:4] if len(arguments) < 3 else arguments
    )
    for function in (rnn.stack_bidirectional_rnn, rnn.stack_bidirectional_dynamic_rnn):
        with pytest.raises(ValueError, match=problem):
            function(cells_fw, cells_bw, inputs, *states)


def test_layer_norm_without_norm_and_with_dropout() -> None:
    x, zeros = tf.constant(RNG.standard_normal((3, 4))), np.zeros((3, 2))
    state = rnn.LSTMStateTuple(tf.constant(zeros), tf.constant(zeros))
    with tf.variable_scope("a", initializer=tf.constant_initializer(0.1)):
        plain, _ = rnn.LayerNormBasicLSTMCell(2, layer_norm=False)(x, state)
    with tf.variable_scope("b", initializer=tf.constant_initializer(0.1)):
        dropped, _ = rnn.LayerNormBasicLSTMCell(
            2, layer_norm=False, dropout_keep_prob=tf.constant(1e-9, tf.float64)
        )(x, state)
    values, weights = evaluated([plain, dropped])
    assert {n.split("/")[-1] for n in weights} == {"kernel", "bias"}
    w = {n.split("/")[-1]: v for n, v in weights.items()}
    with tf.Session() as session:
        inputs = session.run(x)
    np.testing.assert_allclose(values[0], steps.lstm(w, inputs, (zeros, zeros))[0])
    assert not values[1].any()
