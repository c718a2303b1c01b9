"""Loops of recurrent networks: over lists, over time axes, free ones, and in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import Array, derivative
from workbench.core.graph import nest

RNG = np.random.default_rng(0)
BATCH, STEPS, DEPTH = 3, 5, 4
cells = tf.nn.rnn_cell
INITIAL = tf.random_normal_initializer(seed=1)
CELLS: dict[str, Callable[[], Any]] = {
    "plain": lambda: cells.BasicRNNCell(2),
    "gru": lambda: cells.GRUCell(3),
    "lstm": lambda: cells.BasicLSTMCell(3),
    "full lstm": lambda: cells.LSTMCell(3, use_peepholes=True, num_proj=2, cell_clip=0.5),
    "stack": lambda: cells.MultiRNNCell([cells.GRUCell(3), cells.BasicLSTMCell(2)]),
}
LENGTHS = [None, [5, 2, 0], [0, 0, 0], [5, 5, 5], [1, 4, 9]]
#: All lengths for one cell, the two usual ones for the others.
LOOPS = [(name, lengths) for name in CELLS for lengths in LENGTHS[: 5 if name == "lstm" else 2]]


def unrolled(cell: Any, x: Any, lengths: Any, state: Any) -> tuple[Any, Any]:
    """Outputs and last state by the definition, row by row: each row runs for its own length."""
    rows, states = [], []
    for row in range(BATCH):
        own = nest.map_structure(lambda s, row=row: s[row : row + 1], state)
        size = cell.output_size
        outputs = []
        for step in range(STEPS):
            if lengths is not None and step >= lengths[row]:
                outputs.append(tf.zeros([1, size], tf.float64))
                continue
            output, own = cell(x[row : row + 1, step], own)
            outputs.append(output)
        rows.append(tf.stack(outputs, 1))
        states.append(own)
    return tf.concat(rows, 0), nest.map_structure(lambda *parts: tf.concat(parts, 0), *states)


def everything(outputs: Any, state: Any) -> Any:
    """A number that depends on all outputs and states."""
    return tf.add_n([tf.reduce_sum(tf.sin(part)) for part in nest.flatten((outputs, state))])


@pytest.mark.parametrize(("name", "lengths"), LOOPS, ids=str)
def test_loops_agree_with_rows_run_one_by_one(name: str, lengths: Any) -> None:
    x = tf.constant(RNG.standard_normal((BATCH, STEPS, DEPTH)))
    cell = CELLS[name]()
    with tf.variable_scope("net", initializer=INITIAL):
        dynamic = tf.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float64)
        major = tf.nn.dynamic_rnn(
            cell, tf.transpose(x, [1, 0, 2]), lengths, dtype=tf.float64, time_major=True
        )
        listed, last = tf.nn.static_rnn(
            cell, tf.unstack(x, axis=1), sequence_length=lengths, dtype=tf.float64
        )
        expected = unrolled(cell, x, lengths, cell.zero_state(BATCH, tf.float64))
    found = [dynamic, (tf.transpose(major[0], [1, 0, 2]), major[1]), (tf.stack(listed, 1), last)]
    sources = [x, *tf.trainable_variables()]
    gradients = [tf.gradients(everything(*each), sources) for each in (*found, expected)]
    assert dynamic[0].shape.as_list() == [BATCH, STEPS, cell.output_size]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run([nest.flatten(each) for each in (*found, expected)])
        slopes = session.run([[g for g in each if g is not None] for each in gradients])
    for each in values[:-1]:
        for value, wanted in zip(each, values[-1], strict=True):
            np.testing.assert_allclose(value, wanted, atol=1e-12)
    if lengths == [0, 0, 0]:
        return
    for each in slopes[:-1]:
        for value, wanted in zip(each, slopes[-1], strict=True):
            np.testing.assert_allclose(value, wanted, atol=1e-9)


@pytest.mark.parametrize("lengths", [None, [4, 1]])
def test_gradients_by_differences(lengths: Any) -> None:
    cell = cells.BasicLSTMCell(2)
    arrays = [RNG.standard_normal((2, 4, 3)), *RNG.standard_normal((2, 2, 2))]
    x, c, h = (tf.placeholder(tf.float64, a.shape) for a in arrays)
    with tf.variable_scope("net", initializer=INITIAL):
        result = tf.nn.dynamic_rnn(cell, x, lengths, cells.LSTMStateTuple(c, h))
    loss = everything(*result)
    variables = tf.trainable_variables()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        arrays += session.run(variables)
        feeds = [x, c, h, *(v.value() for v in variables)]
        found = session.run(
            tf.gradients(loss, [x, c, h, *variables]), dict(zip(feeds, arrays, strict=True))
        )
        value = session.make_callable(loss, feeds)
        for i, gradient in enumerate(found):

            def moved(a: Array, i: int = i) -> Any:
                return value(*arrays[:i], a, *arrays[i + 1 :])

            np.testing.assert_allclose(gradient, derivative(moved, arrays[i]), atol=1e-6)


def test_second_derivatives() -> None:
    cell = cells.BasicRNNCell(2)
    x = tf.placeholder(tf.float64, [1, 3, 2])
    with tf.variable_scope("net", initializer=INITIAL):
        outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float64)
    (first,) = tf.gradients(tf.reduce_sum(outputs), x)
    slope = tf.reduce_sum(tf.sin(first))
    (second,) = tf.gradients(slope, x)
    array = RNG.standard_normal((1, 3, 2))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        value = session.make_callable(slope, [x])
        np.testing.assert_allclose(
            session.run(second, {x: array}), derivative(value, array), atol=1e-6
        )


def test_sizes_that_are_known_in_the_run() -> None:
    x = tf.placeholder(tf.float32, [None, None, 3])
    lengths = tf.placeholder(tf.int64, [None])
    cell = cells.GRUCell(2)
    outputs, state = tf.nn.dynamic_rnn(cell, x, lengths, dtype=tf.float32)
    assert outputs.shape.as_list() == [None, None, 2] and state.shape.as_list() == [None, 2]
    (gradient,) = tf.gradients(outputs, x)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for batch, steps in ((2, 4), (5, 1), (1, 7), (2, 0)):
            feeds = {x: RNG.standard_normal((batch, steps, 3)), lengths: [steps] * batch}
            values = session.run([outputs, state, gradient], feeds)
            assert [v.shape for v in values] == [(batch, steps, 2), (batch, 2), (batch, steps, 3)]


class Pair(cells.RNNCell):
    """A cell of nested inputs, outputs and states with axes of their own."""

    @property
    def state_size(self) -> Any:
        return {"a": tf.TensorShape([2, 2]), "b": (3,)}

    @property
    def output_size(self) -> Any:
        return (tf.TensorShape([2, 2]), 3)

    def call(self, inputs: Any, state: Any) -> Any:
        matrix, row = inputs["matrix"], inputs["row"]
        a, b = state["a"] + matrix, state["b"][0] * 0.5 + row
        return (a * 2, b + 1), {"a": a, "b": (b,)}


@pytest.mark.parametrize("lengths", [None, [2, 3]])
def test_nested_inputs_outputs_and_states(lengths: Any) -> None:
    matrices, rows = RNG.standard_normal((2, 3, 2, 2)), RNG.standard_normal((2, 3, 3))
    inputs = {"matrix": tf.constant(matrices), "row": tf.constant(rows)}
    outputs, state = tf.nn.dynamic_rnn(Pair(), inputs, lengths, dtype=tf.float64)
    steps = [{"matrix": matrices[:, i], "row": rows[:, i]} for i in range(3)]
    listed, last = tf.nn.static_rnn(
        Pair(),
        [{k: tf.constant(v) for k, v in step.items()} for step in steps],
        sequence_length=lengths,
        dtype=tf.float64,
    )
    assert [o.shape.as_list() for o in outputs] == [[2, 3, 2, 2], [2, 3, 3]]
    a, b = np.zeros((2, 2, 2)), np.zeros((2, 3))
    expected_a, expected_b = np.zeros((2, 3, 2, 2)), np.zeros((2, 3, 3))
    for i, step in enumerate(steps):
        running = np.array([i < n for n in lengths or [3, 3]])
        a = np.where(running[:, None, None], a + step["matrix"], a)
        b = np.where(running[:, None], b * 0.5 + step["row"], b)
        expected_a[running, i], expected_b[running, i] = (a * 2)[running], (b + 1)[running]
    with tf.Session() as session:
        values = session.run(
            [outputs, state, [tf.stack(o, 1) for o in zip(*listed, strict=True)], last]
        )
    for found, found_state in (values[:2], values[2:]):
        np.testing.assert_allclose(found[0], expected_a)
        np.testing.assert_allclose(found[1], expected_b)
        np.testing.assert_allclose(found_state["a"], a)
        np.testing.assert_allclose(found_state["b"][0], b)


@pytest.mark.parametrize("lengths", [None, [5, 2, 0]])
@pytest.mark.parametrize("static", [True, False])
def test_both_directions(static: bool, lengths: Any) -> None:
    x = RNG.standard_normal((BATCH, STEPS, DEPTH))
    ahead, back = cells.GRUCell(2), cells.BasicLSTMCell(3)
    scope = "bidirectional_rnn"
    with tf.variable_scope("net", initializer=INITIAL):
        if static:
            listed, state_fw, state_bw = tf.nn.static_bidirectional_rnn(
                ahead, back, tf.unstack(tf.constant(x), axis=1), None, None, tf.float64, lengths
            )
            joined = tf.stack(listed, 1)
        else:
            outputs, (state_fw, state_bw) = tf.nn.bidirectional_dynamic_rnn(
                ahead, back, tf.constant(x), lengths, dtype=tf.float64
            )
            joined = tf.concat(outputs, 2)
        turned = x.copy()
        for row in range(BATCH):
            length = STEPS if lengths is None else lengths[row]
            turned[row, :length] = x[row, :length][::-1]
        zeros = back.zero_state(BATCH, tf.float64)
        expected_bw, expected_state = unrolled(back, tf.constant(turned), lengths, zeros)
        start = ahead.zero_state(BATCH, tf.float64)
        expected_fw, expected_fw_state = unrolled(ahead, tf.constant(x), lengths, start)
    names = {v.op.name for v in tf.global_variables()}
    assert f"net/{scope}/fw/gru_cell/gates/kernel" in names
    assert f"net/{scope}/bw/basic_lstm_cell/kernel" in names
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found, fw, bw, wanted_fw, wanted_bw, wanted_state, wanted_fw_state = session.run(
            [
                joined,
                state_fw,
                state_bw,
                expected_fw,
                expected_bw,
                expected_state,
                expected_fw_state,
            ]
        )
    for row in range(BATCH):
        length = STEPS if lengths is None else lengths[row]
        wanted_bw[row, :length] = wanted_bw[row, :length][::-1].copy()
    np.testing.assert_allclose(found, np.concatenate([wanted_fw, wanted_bw], 2), atol=1e-12)
    np.testing.assert_allclose(fw, wanted_fw_state, atol=1e-12)
    np.testing.assert_allclose(bw, wanted_state, atol=1e-12)


def test_saved_states() -> None:
    class Saver:
        """Keeps the state of a network in variables."""

        def __init__(self) -> None:
            self.values = {n: tf.get_variable(n, [2, 3], trainable=False) for n in ("c", "h")}

        def state(self, name: str) -> Any:
            return self.values[name].value()

        def save_state(self, name: str, value: Any) -> Any:
            return tf.assign(self.values[name], value)

    saver = Saver()
    cell = cells.BasicLSTMCell(3)
    inputs = [tf.ones([2, 1])] * 4
    outputs, state = tf.nn.static_state_saving_rnn(cell, inputs, saver, ("c", "h"))
    with tf.variable_scope("", reuse=True):
        first = cells.LSTMStateTuple(tf.zeros([2, 3]), tf.zeros([2, 3]))
        expected, _ = tf.nn.static_rnn(cell, inputs * 2, first)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for variable in saver.values.values():
            variable.load(np.zeros((2, 3)), session)
        session.run(outputs[-1])
        np.testing.assert_allclose(session.run(outputs[-1]), session.run(expected[-1]), rtol=1e-5)
    with pytest.raises(ValueError, match="same type as cell.state_size"):
        tf.nn.static_state_saving_rnn(cell, inputs, saver, "c")
    with pytest.raises(ValueError, match="1 vs. 2"):
        tf.nn.static_state_saving_rnn(cell, inputs, saver, ("c",))


@pytest.mark.parametrize("with_loop_state", [False, True])
def test_a_free_loop_is_a_dynamic_rnn(with_loop_state: bool) -> None:
    x = RNG.standard_normal((BATCH, STEPS, DEPTH))
    lengths = tf.constant([5, 2, 3])
    cell = cells.BasicLSTMCell(3)
    steps = tf.constant(x)
    by_time = tf.transpose(steps, [1, 0, 2])

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        if output is None:
            state = cell.zero_state(BATCH, tf.float64)
            loop_state = tf.constant(10) if with_loop_state else None
        elif with_loop_state:
            loop_state += 1
        inputs = tf.gather(by_time, tf.minimum(time, STEPS - 1))
        return time >= lengths, inputs, state, output, loop_state

    with tf.variable_scope("net", initializer=INITIAL):
        emitted, state, loop_state = tf.nn.raw_rnn(cell, loop)
        expected, expected_state = tf.nn.dynamic_rnn(cell, steps, lengths, dtype=tf.float64)
    assert len(tf.trainable_variables()) == 2
    outputs = tf.transpose(emitted.stack(), [1, 0, 2])
    slopes = [
        tf.gradients(everything(*each), [steps, *tf.trainable_variables()])
        for each in ((outputs, state), (expected, expected_state))
    ]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run([outputs, state, slopes[0]])
        wanted = session.run([expected, expected_state, slopes[1]])
        assert (loop_state is None) == (not with_loop_state)
        if with_loop_state:
            assert session.run(loop_state) == 15
    for value, other in zip(nest.flatten(values), nest.flatten(wanted), strict=True):
        np.testing.assert_allclose(value, other, atol=1e-12)


def test_a_free_loop_emits_what_it_likes() -> None:
    cell = cells.BasicRNNCell(2)

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        emit = (tf.zeros([], tf.int32), tf.zeros([2, 2]))
        if output is None:
            state = cell.zero_state(2, tf.float32)
        else:
            emit = (tf.fill([2], time), tf.ones([2, 2, 2]))
        return tf.stack([time >= 1, time >= 3]), tf.ones([2, 1]), state, emit, None

    (numbers, squares), _, _ = tf.nn.raw_rnn(cell, loop)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found, ones = session.run([numbers.stack(), squares.stack()])
    assert found.tolist() == [[1, 1], [0, 2], [0, 3]]
    assert ones.shape == (3, 2, 2, 2) and ones[:, 0].sum() == 4


def loops(cell: Any, **options: Any) -> Any:
    return tf.nn.dynamic_rnn(cell, tf.ones([2, 3, 4]), **options)


@pytest.mark.parametrize(
    ("build", "error", "problem"),
    [
        (lambda c: loops(None, dtype=tf.float32), TypeError, "instance of RNNCell, got None"),
        (lambda c: loops(cells.GRUCell, dtype=tf.float32), TypeError, "make an instance"),
        (lambda c: loops(c), ValueError, "you must give a dtype"),
        (lambda c: tf.nn.dynamic_rnn(c, tf.ones([2, 3]), dtype=tf.float32), ValueError, "rank"),
        (
            lambda c: tf.nn.dynamic_rnn(
                c, tf.placeholder(tf.float32, [2, 3, None]), dtype=tf.float32
            ),
            ValueError,
            "Input size",
        ),
        (
            lambda c: tf.nn.dynamic_rnn(
                c, (tf.ones([2, 3, 1]), tf.ones([2, 4, 1])), dtype="float32"
            ),
            ValueError,
            "Time steps is not the same",
        ),
        (
            lambda c: tf.nn.dynamic_rnn(
                c, (tf.ones([2, 3, 1]), tf.ones([1, 3, 1])), dtype="float32"
            ),
            ValueError,
            "Batch_size is not the same",
        ),
        (
            lambda c: loops(c, sequence_length=[1, 2, 3], dtype="float32"),
            ValueError,
            "batch_size = 2",
        ),
        (lambda c: loops(c, sequence_length=[[1, 2]], dtype="float32"), ValueError, "vector"),
        (lambda c: tf.nn.static_rnn(c, tf.ones([2, 3])), TypeError, "use tf.unstack"),
        (lambda c: tf.nn.static_rnn(c, []), ValueError, "must not be empty"),
        (lambda c: tf.nn.static_rnn(c, [tf.ones([2, 3])]), ValueError, "dtype must be specified"),
        (
            lambda c: tf.nn.static_rnn(c, [tf.placeholder("float32", [2, None])], dtype="float32"),
            ValueError,
            r"Input size \(dimension 0",
        ),
        (
            lambda c: tf.nn.bidirectional_dynamic_rnn(c, 1, tf.ones([2, 3, 4])),
            TypeError,
            "cell_bw must be",
        ),
        (lambda c: tf.nn.raw_rnn(c, None), TypeError, "loop_fn must be a callable"),
    ],
)
def test_errors(build: Callable[[Any], Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        build(cells.GRUCell(3))


def test_states_of_several_types_need_a_dtype() -> None:
    cell = cells.BasicLSTMCell(3)
    state = cells.LSTMStateTuple(tf.zeros([2, 3]), tf.zeros([2, 3], tf.float64))
    with pytest.raises(ValueError, match="float32, float64; say dtype"):
        loops(cell, initial_state=state)


def body_operations() -> list[Any]:
    """The operations in the only loop."""
    graph = tf.get_default_graph()
    (loop,) = [op for op in graph.get_operations() if op.type.endswith("While")]
    return list(loop.attrs["body"].graph.get_operations())


def body_types() -> list[str]:
    """Their types."""
    return [op.type for op in body_operations()]


@pytest.mark.parametrize(("name", "products"), [("plain", 1), ("gru", 2), ("lstm", 1)])
def test_products_with_the_inputs_are_made_before_the_loop(name: str, products: int) -> None:
    loops(CELLS[name](), dtype=tf.float32)
    types = body_types()
    assert types.count("MatMul") == products
    assert not {"ConcatV2", "BiasAdd"} & set(types)
    names = [op.name for op in body_operations() if op.type == "MatMul"]
    assert all(re.match(r"rnn/while/\w+_cell/MatMul", name) for name in names)


def test_a_step_of_ones_own_is_what_the_loop_runs() -> None:
    class Doubled(cells.BasicRNNCell):
        """Puts out twice what it keeps."""

        def call(self, inputs: Any, state: Any) -> Any:
            output, state = super().call(inputs, state)
            return 2 * output, state

    outputs, state = loops(Doubled(3), dtype=tf.float32)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run([outputs[:, -1], state])
    np.testing.assert_allclose(values[0], 2 * values[1])


def test_full_lengths_cost_nothing() -> None:
    """Where every row is known to be full, the loop has no choice in it."""
    loops(cells.GRUCell(3), sequence_length=[3, 3], dtype=tf.float32)
    assert not {"Select", "If"} & set(body_types())
