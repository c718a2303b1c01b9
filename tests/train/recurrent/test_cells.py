"""Cells against one step in NumPy: values, variables, gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import Array, derivative
from tests.train.recurrent import steps
from workbench.core.graph import nest

RNG = np.random.default_rng(0)
BATCH, DEPTH, UNITS = 3, 5, 4
cells = tf.nn.rnn_cell
rnn = tf.contrib.rnn

#: Each cell, its step in NumPy, the scope of its variables, and their names in it.
CASES: dict[str, tuple[Callable[[], Any], steps.Step, str, str]] = {
    "plain": (lambda: cells.BasicRNNCell(UNITS), steps.plain, "basic_rnn_cell", "kernel bias"),
    "gru": (
        lambda: cells.GRUCell(UNITS),
        steps.gru,
        "gru_cell",
        "gates/kernel gates/bias candidate/kernel candidate/bias",
    ),
    "lstm": (lambda: cells.BasicLSTMCell(UNITS), steps.lstm, "basic_lstm_cell", "kernel bias"),
    "full lstm": (
        lambda: cells.LSTMCell(UNITS, use_peepholes=True, num_proj=2),
        steps.full_lstm(),
        "lstm_cell",
        "kernel bias w_f_diag w_i_diag w_o_diag projection/kernel",
    ),
    "clipped lstm": (
        lambda: cells.LSTMCell(UNITS, use_peepholes=True, cell_clip=0.3, num_proj=2, proj_clip=0.1),
        steps.full_lstm(0.3, 0.1),
        "lstm_cell",
        "kernel bias w_f_diag w_i_diag w_o_diag projection/kernel",
    ),
    "lstm block": (lambda: rnn.LSTMBlockCell(UNITS), steps.lstm, "lstm_cell", "kernel bias"),
    "gru block": (
        lambda: rnn.GRUBlockCell(UNITS),
        steps.gru_block,
        "GRUBlockCell",
        "w_ru b_ru w_c b_c",
    ),
    "gru block of new names": (
        lambda: rnn.GRUBlockCellV2(UNITS),
        steps.gru,
        "GRUBlockCellV2",
        "gates/kernel gates/bias candidate/kernel candidate/bias",
    ),
    "coupled gates": (
        lambda: rnn.CoupledInputForgetGateLSTMCell(UNITS, use_peepholes=True),
        steps.coupled,
        "coupled_input_forget_gate_lstm_cell",
        "W_0 B W_F_diag W_O_diag",
    ),
    "update gate": (lambda: rnn.UGRNNCell(UNITS), steps.update_gate, "ugrnn_cell", "kernel bias"),
    "intersection": (
        lambda: rnn.IntersectionRNNCell(UNITS, num_in_proj=UNITS),
        steps.intersection,
        "intersection_rnn_cell",
        "in_projection/kernel in_projection/bias kernel bias",
    ),
    "searched": (
        lambda: rnn.NASCell(UNITS, num_proj=2, use_biases=True),
        steps.searched,
        "nas_cell",
        "recurrent_kernel kernel bias projection_weights",
    ),
    "layer norm": (
        lambda: rnn.LayerNormBasicLSTMCell(UNITS),
        steps.layer_norm_lstm,
        "layer_norm_basic_lstm_cell",
        "kernel input/gamma input/beta transform/gamma transform/beta forget/gamma forget/beta "
        "output/gamma output/beta state/gamma state/beta",
    ),
    "groups": (
        lambda: rnn.GLSTMCell(UNITS, number_of_groups=2),
        steps.grouped_lstm,
        "glstm_cell",
        "group0/kernel group1/kernel bias_i bias_j bias_f bias_o",
    ),
    "attention": (
        lambda: rnn.AttentionCellWrapper(cells.GRUCell(UNITS), 3),
        steps.attention_cell,
        "attention_cell_wrapper",
        "kernel bias gru_cell/gates/kernel gru_cell/gates/bias gru_cell/candidate/kernel "
        "gru_cell/candidate/bias attention/attn_w attention/attn_v attention/kernel "
        "attention/bias attn_output_projection/kernel attn_output_projection/bias",
    ),
}


def state_like(cell: Any) -> Any:
    """A state of random numbers, arrays in the cell's structure."""
    sizes = nest.flatten(cell.state_size)
    arrays = [RNG.standard_normal((BATCH, size)) for size in sizes]
    return nest.pack_sequence_as(cell.state_size, arrays)


def depth_of(name: str) -> int:
    return UNITS if name == "groups" else DEPTH


@pytest.mark.parametrize("name", CASES)
def test_a_step(name: str) -> None:
    make, step, scope, names = CASES[name]
    cell = make()
    x, state = RNG.standard_normal((BATCH, depth_of(name))), state_like(cell)
    random = tf.random_normal_initializer(seed=1)
    with tf.variable_scope("net", initializer=random):
        output, new_state = cell(tf.constant(x), nest.map_structure(tf.constant, state))
    variables = tf.trainable_variables()
    assert {v.op.name for v in variables} == {f"net/{scope}/{n}" for n in names.split()}
    assert {v.op.name for v in cell.trainable_weights} == {v.op.name for v in variables}
    assert all(v.dtype.base_dtype == tf.float64 for v in variables if "attn" not in v.op.name)
    nest.assert_same_structure(new_state, cell.state_size)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        moved = {v: RNG.standard_normal(v.shape.as_list()) for v in variables}
        weights = {v.op.name.removeprefix(f"net/{scope}/"): value for v, value in moved.items()}
        for variable, value in moved.items():
            variable.load(value.astype(variable.dtype.as_numpy_dtype), session)
        found = session.run([output, *nest.flatten(new_state)])
    expected, expected_state = step(weights, x, state)
    np.testing.assert_allclose(found[0], expected, atol=1e-10)
    for value, wanted in zip(found[1:], nest.flatten(expected_state), strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-10)
    assert output.shape.as_list() == [BATCH, cell.output_size]


@pytest.mark.parametrize("name", ["plain", "gru", "lstm", "full lstm", "layer norm", "searched"])
def test_gradients(name: str) -> None:
    cell = CASES[name][0]()
    arrays = [RNG.standard_normal((BATCH, DEPTH)), *nest.flatten(state_like(cell))]
    inputs = [tf.placeholder(tf.float64, array.shape) for array in arrays]
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=3)):
        output, state = cell(inputs[0], nest.pack_sequence_as(cell.state_size, inputs[1:]))
    parts = [output, *nest.flatten(state)]
    loss = tf.add_n([tf.reduce_sum(tf.sin(part)) for part in parts])
    variables = tf.trainable_variables()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        arrays += session.run(variables)
        sources = [*inputs, *variables]
        found = session.run(tf.gradients(loss, sources), dict(zip(inputs, arrays, strict=False)))
        # Variables are fed as what they are read as.
        value = session.make_callable(loss, [*inputs, *(v.value() for v in variables)])
        for i, gradient in enumerate(found):

            def moved(x: Array, i: int = i) -> Any:
                return value(*arrays[:i], x, *arrays[i + 1 :])

            np.testing.assert_allclose(gradient, derivative(moved, arrays[i]), atol=1e-6)


def test_initial_biases() -> None:
    inputs = tf.ones([1, 2])
    for cell in (cells.GRUCell(2), cells.BasicLSTMCell(2), rnn.GRUBlockCell(2)):
        cell(inputs, cell.zero_state(1, tf.float32))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = {v.op.name: session.run(v) for v in tf.global_variables()}
    assert values["gru_cell/gates/bias"].tolist() == [1.0] * 4
    assert values["gru_cell/candidate/bias"].tolist() == [0.0] * 2
    assert values["basic_lstm_cell/bias"].tolist() == [0.0] * 8
    assert values["GRUBlockCell/b_ru"].tolist() == [1.0] * 4


@pytest.mark.parametrize(
    "make",
    [
        lambda tuples: cells.BasicLSTMCell(UNITS, state_is_tuple=tuples),
        lambda tuples: cells.LSTMCell(UNITS, num_proj=2, state_is_tuple=tuples),
        lambda tuples: rnn.CoupledInputForgetGateLSTMCell(UNITS, state_is_tuple=tuples),
        lambda tuples: cells.MultiRNNCell(
            [cells.BasicLSTMCell(n, state_is_tuple=tuples) for n in (2, 3)], state_is_tuple=tuples
        ),
    ],
)
def test_concatenated_states(make: Callable[[bool], Any]) -> None:
    """States side by side in one tensor hold what tuples hold."""
    x = tf.constant(RNG.standard_normal((BATCH, DEPTH)))
    init = tf.random_normal_initializer(seed=2)
    with tf.variable_scope("net", initializer=init) as scope:
        tuples = make(True)
        state = state_like(tuples)
        output, new_state = tuples(x, nest.map_structure(tf.constant, state))
    with tf.variable_scope(scope, reuse=True):
        joined = make(False)
        whole = tf.constant(np.concatenate(nest.flatten(state), 1))
        assert joined.state_size == whole.shape.as_list()[1]
        other, other_state = joined(x, whole)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run([output, tf.concat(nest.flatten(new_state), 1), other, other_state])
    np.testing.assert_array_equal(values[0], values[2])
    np.testing.assert_array_equal(values[1], values[3])
    zeros = joined.zero_state(2, tf.float32)
    assert zeros.shape.as_list() == [2, joined.state_size]


def test_names_count_up_and_scopes_reuse() -> None:
    x, zeros = tf.ones([1, 2]), tf.zeros([1, 3])
    one, two = cells.GRUCell(3), cells.GRUCell(3)
    one(x, zeros)
    two(x, zeros)
    assert two.variables[0].op.name == "gru_cell_1/gates/kernel"
    with tf.variable_scope("shared"):
        cells.BasicRNNCell(3)(x, zeros)
    with tf.variable_scope("shared", reuse=True):
        again = cells.BasicRNNCell(3)
        again(x, zeros)
    names = [v.op.name for v in tf.global_variables() if "shared" in v.op.name]
    assert names == ["shared/basic_rnn_cell/kernel", "shared/basic_rnn_cell/bias"]
    with tf.variable_scope("new"), pytest.raises(ValueError, match="does not exist"):
        cells.BasicRNNCell(3, reuse=True)(x, zeros)
    cells.BasicRNNCell(3)(x, zeros, scope="given")
    assert "given/kernel" in [v.op.name for v in tf.global_variables()]


def test_one_cell_has_one_set_of_variables() -> None:
    cell = cells.BasicLSTMCell(3)
    state = cell.zero_state(1, tf.float32)
    for _ in range(3):
        _, state = cell(tf.ones([1, 2]), state)
    assert len(tf.global_variables()) == 2


def test_weights_in_parts() -> None:
    cell = cells.LSTMCell(4, num_proj=2, num_unit_shards=3, num_proj_shards=2)
    cell(tf.ones([1, 4]), cell.zero_state(1, tf.float32))
    assert [v.op.name.removeprefix("lstm_cell/") for v in tf.global_variables()] == [
        "kernel/part_0",
        "kernel/part_1",
        "kernel/part_2",
        "bias",
        "projection/kernel/part_0",
        "projection/kernel/part_1",
    ]
    coupled = rnn.CoupledInputForgetGateLSTMCell(3, num_unit_shards=2)
    coupled(tf.ones([1, 4]), coupled.zero_state(1, tf.float32))
    shapes = {v.op.name.split("/")[1]: v.shape.as_list() for v in coupled.variables}
    assert shapes == {"W_0": [4, 9], "W_1": [3, 9], "B": [9]}
    with (
        tf.variable_scope("split", partitioner=tf.fixed_size_partitioner(2)),
        pytest.raises(ValueError, match="Too many shards"),
    ):
        rnn.CoupledInputForgetGateLSTMCell(3, num_unit_shards=50)(
            tf.ones([1, 4]), coupled.zero_state(1, tf.float32)
        )


def test_a_cell_of_ones_own() -> None:
    class Counter(cells.RNNCell):
        """Adds a variable of `tf.get_variable` in each step."""

        @property
        def state_size(self) -> Any:
            return 1

        @property
        def output_size(self) -> Any:
            return 1

        def call(self, inputs: Any, state: Any) -> Any:
            step = tf.get_variable("step", [], initializer=tf.constant_initializer(2.0))
            tf.get_variable("fixed", [1], trainable=False)
            return state + step, state + step

    counter = Counter()
    outputs, _ = tf.nn.static_rnn(counter, [tf.ones([1, 1])] * 3, dtype=tf.float32)
    assert [v.op.name for v in counter.trainable_weights] == ["rnn/counter/step"]
    assert [v.op.name for v in counter.non_trainable_weights] == ["rnn/counter/fixed"]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert np.ravel(session.run(outputs)).tolist() == [2.0, 4.0, 6.0]


def test_a_cell_without_the_base() -> None:
    class Old:
        """A cell of old: nothing but what is asked of one."""

        state_size = output_size = 2

        def zero_state(self, batch_size: int, dtype: Any) -> Any:
            return tf.ones([batch_size, 2], dtype)

        def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
            return state * 2, state * 2

    _, state = tf.nn.dynamic_rnn(Old(), tf.ones([1, 3, 1]), dtype=tf.float32)
    assert state.eval(session=tf.Session()).tolist() == [[8.0, 8.0]]


@pytest.mark.parametrize(
    ("make", "error", "problem"),
    [
        (lambda: cells.MultiRNNCell([]), ValueError, "at least one cell"),
        (lambda: cells.MultiRNNCell(cells.GRUCell(2)), TypeError, "must be a list or tuple"),
        (
            lambda: cells.MultiRNNCell([cells.BasicLSTMCell(2)], state_is_tuple=False),
            ValueError,
            "flag state_is_tuple is not set",
        ),
        (lambda: cells.GRUCell(2)(tf.ones([1, 2, 3]), tf.ones([1, 2])), ValueError, "batch, size"),
        (
            lambda: cells.GRUCell(2)(tf.placeholder(tf.float32, [1, None]), tf.ones([1, 2])),
            ValueError,
            "Could not infer input size",
        ),
        (
            lambda: cells.MultiRNNCell([cells.GRUCell(2)])(tf.ones([1, 2]), (1, 2)),
            ValueError,
            "tuple of length 1",
        ),
        (lambda: rnn.GRUBlockCell(), ValueError, "Exactly one of"),
        (lambda: rnn.GRUBlockCell(2)(tf.ones([1, 2]), tf.ones([1, 3])), ValueError, "h_prev"),
        (lambda: rnn.GLSTMCell(5, number_of_groups=2), ValueError, "divisible"),
        (lambda: rnn.AttentionCellWrapper(cells.GRUCell(2), 0), ValueError, "greater than zero"),
        (lambda: rnn.AttentionCellWrapper(None, 3), TypeError, "is not RNNCell, got None"),
        (
            lambda: rnn.AttentionCellWrapper(cells.BasicLSTMCell(2), 3, state_is_tuple=False),
            ValueError,
            "state_is_tuple is not set",
        ),
        (
            lambda: rnn.IntersectionRNNCell(2)(tf.ones([1, 3]), tf.ones([1, 2])),
            ValueError,
            "input size == output size",
        ),
        (lambda: rnn.EmbeddingWrapper(cells.GRUCell(2), 0, 3), ValueError, "must be > 0"),
        (lambda: rnn.OutputProjectionWrapper(cells.GRUCell(2), 0), ValueError, "must be > 0"),
        (lambda: cells.ResidualWrapper(cells.GRUCell), TypeError, "make an instance"),
        (lambda: cells.RNNCell().state_size, NotImplementedError, "does not say its state_size"),
        (lambda: rnn.ConvLSTMCell(2, [4, 1], 3, [2]), ValueError, "Invalid input_shape"),
        (lambda: rnn.GridLSTMCell(2), ValueError, "num_frequency_blocks"),
    ],
)
def test_errors(make: Callable[[], Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        make()


def test_zero_states() -> None:
    cell = cells.MultiRNNCell([cells.BasicLSTMCell(2), cells.GRUCell(3)])
    batch = tf.placeholder(tf.int32, [])
    state = cell.zero_state(batch, tf.float64)
    shapes = nest.map_structure(lambda tensor: tensor.shape.as_list(), state)
    assert shapes == (cells.LSTMStateTuple([None, 2], [None, 2]), [None, 3])
    with tf.Session() as session:
        values = nest.flatten(session.run(state, {batch: 4}))
    assert [v.shape for v in values] == [(4, 2), (4, 2), (4, 3)] and not any(
        v.any() for v in values
    )
    assert cells.GRUCell(3).zero_state(tf.constant([5]), tf.float32).shape.as_list() == [5, 3]
    with pytest.raises(TypeError, match="Inconsistent internal state"):
        _ = cells.LSTMStateTuple(tf.ones([1]), tf.ones([1], tf.float64)).dtype
