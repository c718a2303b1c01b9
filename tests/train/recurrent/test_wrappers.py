"""Cells around cells: dropout, residuals, devices, projections, highways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.recurrent import steps
from workbench.core.graph import nest

RNG = np.random.default_rng(0)
cells = tf.nn.rnn_cell
rnn = tf.contrib.rnn


class Ones(cells.RNNCell):
    """A cell whose outputs and states are ones, so that dropout shows."""

    def __init__(self, size: Any = 50) -> None:
        super().__init__()
        self._size = size

    @property
    def state_size(self) -> Any:
        return cells.LSTMStateTuple(self._size, self._size)

    @property
    def output_size(self) -> Any:
        return self._size

    def call(self, inputs: Any, state: Any) -> Any:
        shape = [inputs.shape.as_list()[0], self._size]
        return inputs[:, : self._size], cells.LSTMStateTuple(tf.ones(shape), tf.ones(shape))


def run(cell: Any, inputs: Any = None, steps_: int = 4) -> Any:
    """Outputs [step, batch, size] and states (c, h) of all steps."""
    inputs = tf.ones([6, 50]) if inputs is None else inputs
    state = cell.zero_state(6, tf.float32)
    outputs, memories, hidden = [], [], []
    for _ in range(steps_):
        output, state = cell(inputs, state)
        outputs.append(output)
        memories.append(state.c)
        hidden.append(state.h)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [np.stack(v) for v in session.run([outputs, memories, hidden])]


@pytest.mark.parametrize("part", ["input", "output", "state"])
@pytest.mark.parametrize("as_tensor", [False, True])
@pytest.mark.parametrize("variational", [False, True])
def test_dropout(part: str, as_tensor: bool, variational: bool) -> None:
    keep = tf.constant(0.5) * 1.0 if as_tensor else 0.5
    options: dict[str, Any] = {f"{part}_keep_prob": keep, "seed": 4}
    if variational:
        options.update(variational_recurrent=True, dtype=tf.float32, input_size=50)
    outputs, memories, hidden = run(cells.DropoutWrapper(Ones(), **options))
    touched = hidden if part == "state" else outputs
    untouched = outputs if part == "state" else hidden
    # What is kept is doubled; the memory is left alone by default.
    assert set(np.unique(touched)) == {0.0, 2.0}
    assert 0.3 < touched.mean() / 2 < 0.7
    assert np.all(untouched == 1) and np.all(memories == 1)
    same = np.all(touched == touched[0, 0])
    assert same == variational


def test_dropout_of_nothing_and_of_chosen_states() -> None:
    outputs, memories, hidden = run(cells.DropoutWrapper(Ones()))
    assert np.all(outputs == 1) and np.all(memories == 1) and np.all(hidden == 1)
    cell = cells.DropoutWrapper(
        Ones(),
        state_keep_prob=0.5,
        dropout_state_filter_visitor=lambda s: (
            cells.LSTMStateTuple(c=True, h=False) if isinstance(s, cells.LSTMStateTuple) else True
        ),
    )
    _, memories, hidden = run(cell)
    assert set(np.unique(memories)) == {0.0, 2.0} and np.all(hidden == 1)


@pytest.mark.parametrize(
    ("options", "error", "problem"),
    [
        ({"input_keep_prob": 1.5}, ValueError, "input_keep_prob must be between 0 and 1: 1.5"),
        ({"state_keep_prob": -0.1}, ValueError, "state_keep_prob must be"),
        ({"variational_recurrent": True}, ValueError, "dtype must be provided"),
        (
            {"variational_recurrent": True, "dtype": tf.float32, "input_keep_prob": 0.5},
            ValueError,
            "input_size must be provided",
        ),
        ({"dropout_state_filter_visitor": 3}, TypeError, "must be callable"),
    ],
)
def test_dropout_errors(options: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        cells.DropoutWrapper(Ones(), **options)
    with pytest.raises(TypeError, match="is not a RNNCell, got 3"):
        cells.DropoutWrapper(3)


def test_seeds_of_dropout() -> None:
    """Each dropout of a wrapper has a seed of its own, and equal seeds give equal numbers."""
    options = {"input_keep_prob": 0.5, "output_keep_prob": 0.5, "seed": 7}
    first, _, _ = run(cells.DropoutWrapper(Ones(), **options))
    ops = [op for op in tf.get_default_graph().get_operations() if op.type == "RandomUniform"]
    seeds = [op.get_attr("seed2") for op in ops]
    assert len(set(seeds)) == 2
    second, _, _ = run(cells.DropoutWrapper(Ones(), **options))
    np.testing.assert_array_equal(first, second)


def test_residuals() -> None:
    x, state = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3))
    cell = cells.GRUCell(3)
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=1)):
        plain, _ = cell(tf.constant(x), tf.constant(state))
        added, _ = cells.ResidualWrapper(cell)(tf.constant(x), tf.constant(state))
        other, _ = cells.ResidualWrapper(cell, lambda i, o: i * o)(
            tf.constant(x), tf.constant(state)
        )
    wrapper = cells.ResidualWrapper(cell)
    assert wrapper.trainable_weights == cell.trainable_weights and len(wrapper.variables) == 4
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run([plain, added, other])
    np.testing.assert_allclose(values[1], values[0] + x)
    np.testing.assert_allclose(values[2], values[0] * x)
    with pytest.raises(ValueError, match="incompatible"):
        cells.ResidualWrapper(cells.GRUCell(3))(tf.ones([2, 4]), tf.ones([2, 3]))


def test_devices() -> None:
    cell = cells.DeviceWrapper(cells.BasicRNNCell(2), "/cpu:14")
    output, _ = cell(tf.ones([1, 2]), cell.zero_state(1, tf.float32))
    assert "cpu:14" in output.op.device.lower()
    assert "cpu:14" in cell.zero_state(1, tf.float32).op.device.lower()


@pytest.mark.parametrize("coupled", [True, False])
def test_highways(coupled: bool) -> None:
    x, state = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3))
    inner = cells.GRUCell(3)
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=1)):
        wrapper = rnn.HighwayWrapper(inner, coupled, carry_bias_init=0.5)
        mixed, _ = wrapper(tf.constant(x, tf.float32), tf.constant(state, tf.float32))
        plain, _ = inner(tf.constant(x, tf.float32), tf.constant(state, tf.float32))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        w = {v.op.name.split("/")[-1]: session.run(v) for v in tf.global_variables()}
        found, out = session.run([mixed, plain])
    assert np.all(w["carry_b"] == 0.5)
    carry = steps.sigmoid(x @ w["carry_w"] + 0.5)
    transform = 1 - carry if coupled else steps.sigmoid(x @ w["transform_w"] - 0.5)
    np.testing.assert_allclose(found, x * carry + out * transform, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (
            lambda: rnn.InputProjectionWrapper(cells.BasicRNNCell(3), 2, activation=tf.nn.relu),
            "input_projection_wrapper",
        ),
        (
            lambda: rnn.OutputProjectionWrapper(cells.BasicRNNCell(3), 2, activation=tf.nn.relu),
            "output_projection_wrapper",
        ),
    ],
)
def test_projections(make: Callable[[], Any], names: str) -> None:
    cell = make()
    x, state = RNG.standard_normal((4, 5)), RNG.standard_normal((4, 3))
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=1)):
        output, new_state = cell(tf.constant(x), tf.constant(state))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        w = {v.op.name: session.run(v) for v in tf.global_variables()}
        found, found_state = session.run([output, new_state])
    inner = {n: w[f"net/{names}/basic_rnn_cell/{n}"] for n in ("kernel", "bias")}

    def mapped(value: Any) -> Any:
        return np.maximum(value @ w[f"net/{names}/kernel"] + w[f"net/{names}/bias"], 0)

    if names.startswith("input"):
        expected, expected_state = steps.plain(inner, mapped(x), state)
    else:
        expected_state, _ = steps.plain(inner, x, state)
        expected = mapped(expected_state)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(found_state, expected_state)
    assert cell.zero_state(2, tf.float32).shape.as_list() == [2, 3]


def test_embeddings() -> None:
    cell = rnn.EmbeddingWrapper(cells.BasicRNNCell(3), 7, 2)
    output, _ = cell(tf.constant([[5], [2]]), tf.zeros([2, 3]))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        w = {v.op.name.split("wrapper/")[1]: session.run(v) for v in tf.global_variables()}
        found = session.run(output)
    table = w["embedding"]
    assert table.shape == (7, 2) and np.all(np.abs(table) <= np.sqrt(3))
    inner = {n: w[f"basic_rnn_cell/{n}"] for n in ("kernel", "bias")}
    np.testing.assert_allclose(
        found, steps.plain(inner, table[[5, 2]], np.zeros((2, 3)))[0], rtol=1e-5
    )


def test_nested_wrappers_have_the_names_of_the_cells_inside() -> None:
    stack = cells.MultiRNNCell(
        [cells.DropoutWrapper(cells.ResidualWrapper(cells.BasicLSTMCell(3)), 0.5) for _ in "ab"]
    )
    tf.nn.dynamic_rnn(stack, tf.ones([2, 4, 3]), dtype=tf.float32)
    assert [v.op.name for v in tf.global_variables()] == [
        f"rnn/multi_rnn_cell/cell_{i}/basic_lstm_cell/{name}"
        for i in (0, 1)
        for name in ("kernel", "bias")
    ]
    assert len(stack.trainable_weights) == 4
    compiled = rnn.CompiledWrapper(cells.GRUCell(3))
    output, _ = compiled(tf.ones([1, 2]), compiled.zero_state(1, tf.float32))
    assert nest.flatten(compiled.state_size) == output.shape.as_list()[1:]
