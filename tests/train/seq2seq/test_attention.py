"""Attention mechanisms and the cell around them, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate
from tests.core.ops.numeric import Array
from tests.train.recurrent.steps import gru, sigmoid

RNG = np.random.default_rng(0)
seq2seq = tf.contrib.seq2seq
BATCH, LENGTH, DEPTH, UNITS, QUERY = 3, 5, 4, 4, 6
MEMORY = RNG.standard_normal((BATCH, LENGTH, DEPTH)).astype(np.float32)
ASKED = RNG.standard_normal((BATCH, QUERY)).astype(np.float32)
LENGTHS = [5, 2, 1]


def softmax(scores: Array) -> Array:
    exponentials = np.exp(scores - scores.max(1, keepdims=True))
    result: Array = exponentials / exponentials.sum(1, keepdims=True)
    return result


def mask(lengths: Any) -> Array:
    if lengths is None:
        return np.ones((BATCH, LENGTH), bool)
    result: Array = np.arange(LENGTH) < np.array(lengths)[:, None]
    return result


def evaluated(build: Any) -> tuple[Array, dict[str, Array]]:
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=1)):
        result = build()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights = {v.op.name.removeprefix("net/"): session.run(v) for v in tf.global_variables()}
        return session.run(result), weights


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("scale", [True, False])
def test_multiplicative_attention(scale: bool, lengths: Any) -> None:
    query = ASKED[:, :UNITS]
    found, w = evaluated(
        lambda: seq2seq.LuongAttention(UNITS, MEMORY, lengths, scale=scale)(tf.constant(query))[0]
    )
    keys = (MEMORY * mask(lengths)[..., None]) @ w["memory_layer/kernel"]
    scores = np.einsum("bu,blu->bl", query, keys) * w.get("luong_attention/attention_g", 1.0)
    expected = softmax(np.where(mask(lengths), scores, -np.inf))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert ("luong_attention/attention_g" in w) == scale


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("normalize", [True, False])
def test_additive_attention(normalize: bool, lengths: Any) -> None:
    found, w = evaluated(
        lambda: seq2seq.BahdanauAttention(UNITS, MEMORY, lengths, normalize=normalize)(
            tf.constant(ASKED)
        )[0]
    )
    scope = "bahdanau_attention/"
    keys = (MEMORY * mask(lengths)[..., None]) @ w["memory_layer/kernel"]
    asked = ASKED @ w[scope + "query_layer/kernel"]
    v = w[scope + "attention_v"]
    seen = keys + asked[:, None]
    if normalize:
        assert w[scope + "attention_g"] == np.float32(0.5)
        v = w[scope + "attention_g"] * v / np.linalg.norm(v)
        seen = seen + w[scope + "attention_b"]
    scores = (v * np.tanh(seen)).sum(2)
    expected = softmax(np.where(mask(lengths), scores, -np.inf))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def moved_on(choose: Array, previous: Array) -> Array:
    """Where the attention stops next, by the definition: it walks on from where it was."""
    result = np.zeros_like(previous)
    for row in range(len(previous)):
        arriving = 0.0
        for place in range(previous.shape[1]):
            passed = 1 - choose[row, place - 1] if place else 1.0
            arriving = passed * arriving + previous[row, place]
            result[row, place] = choose[row, place] * arriving
    return result


@pytest.mark.parametrize("mode", ["recursive", "parallel", "hard"])
def test_attention_that_moves_on(mode: str) -> None:
    choose = RNG.uniform(0.1, 0.9, (3, 6))
    previous = softmax(RNG.standard_normal((3, 6)))
    if mode == "hard":
        choose = np.round(choose)
        previous = np.eye(6)[[0, 2, 5]]
    found = evaluate(seq2seq.monotonic_attention(choose, previous, mode))
    np.testing.assert_allclose(found, moved_on(choose, previous), atol=1e-9)
    if mode != "hard":
        assert_gradients(
            lambda p, a: seq2seq.monotonic_attention(p, a, mode), choose, previous, orders=1
        )
    with pytest.raises(ValueError, match="mode must be 'recursive', 'parallel', or 'hard'"):
        seq2seq.monotonic_attention(choose, previous, "soft")


@pytest.mark.parametrize("additive", [True, False])
def test_monotonic_mechanisms(additive: bool) -> None:
    make = seq2seq.BahdanauMonotonicAttention if additive else seq2seq.LuongMonotonicAttention
    query = ASKED if additive else ASKED[:, :UNITS]
    mechanism: Any = None

    def build() -> Any:
        nonlocal mechanism
        mechanism = make(UNITS, MEMORY, score_bias_init=-0.5, mode="recursive")
        return mechanism(tf.constant(query), mechanism.initial_state(BATCH, tf.float32))[0]

    found, w = evaluated(build)
    keys = MEMORY @ w["memory_layer/kernel"]
    if additive:
        asked = query @ w["bahdanau_monotonic_attention/query_layer/kernel"]
        v = w["bahdanau_monotonic_attention/attention_v"]
        scores = (v * np.tanh(keys + asked[:, None])).sum(2)
    else:
        scores = np.einsum("bu,blu->bl", query, keys)
    first = np.eye(LENGTH)[[0] * BATCH]
    np.testing.assert_allclose(found, moved_on(sigmoid(scores - 0.5), first), atol=1e-6)


def test_hard_attention_stops_at_the_first_place_that_fits() -> None:
    mechanism = seq2seq.BahdanauMonotonicAttention(UNITS, MEMORY, mode="hard")
    aligned, _ = mechanism(tf.constant(ASKED), mechanism.initial_state(BATCH, tf.float32))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(aligned)
    assert set(np.unique(found)) <= {0.0, 1.0} and set(found.sum(1)) <= {0.0, 1.0}


def test_noise_on_monotonic_scores() -> None:
    mechanism = seq2seq.LuongMonotonicAttention(
        UNITS, MEMORY, sigmoid_noise=1.0, sigmoid_noise_seed=3
    )
    query, before = tf.constant(ASKED[:, :UNITS]), mechanism.initial_alignments(BATCH, tf.float32)
    aligned = mechanism(query, previous_alignments=before)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert not np.allclose(session.run(aligned), session.run(aligned))


@pytest.mark.parametrize("layer_size", [None, 7])
@pytest.mark.parametrize("output_attention", [True, False])
def test_the_cell_with_attention(layer_size: int | None, output_attention: bool) -> None:
    x = RNG.standard_normal((BATCH, 2, 3)).astype(np.float32)

    def build() -> Any:
        attention = seq2seq.LuongAttention(UNITS, MEMORY, LENGTHS)
        cell = seq2seq.AttentionWrapper(
            tf.nn.rnn_cell.GRUCell(UNITS),
            attention,
            attention_layer_size=layer_size,
            alignment_history=True,
            output_attention=output_attention,
        )
        assert cell.output_size == ((layer_size or DEPTH) if output_attention else UNITS)
        outputs, state = tf.nn.dynamic_rnn(
            cell, tf.constant(x), initial_state=cell.zero_state(BATCH, tf.float32), dtype=tf.float32
        )
        return [
            outputs,
            state.attention,
            state.alignments,
            state.time,
            state.alignment_history.stack(),
            state.cell_state,
        ]

    found, w = evaluated(build)
    inner = {
        name.removeprefix("rnn/attention_wrapper/gru_cell/"): value
        for name, value in w.items()
        if "gru_cell" in name
    }
    values = MEMORY * mask(LENGTHS)[..., None]
    keys = values @ w["memory_layer/kernel"]
    attention = np.zeros((BATCH, layer_size or DEPTH))
    h = np.zeros((BATCH, UNITS))
    outputs, history = [], []
    for step in range(2):
        output, h = gru(inner, np.concatenate([x[:, step], attention], 1), h)
        scores = np.einsum("bu,blu->bl", output, keys)
        aligned = softmax(np.where(mask(LENGTHS), scores, -np.inf))
        attention = np.einsum("bl,bld->bd", aligned, values)
        if layer_size is not None:
            joined = np.concatenate([output, attention], 1)
            attention = joined @ w["rnn/attention_wrapper/attention_layer/kernel"]
        outputs.append(attention if output_attention else output)
        history.append(aligned)
    for value, wanted in zip(
        found, [np.stack(outputs, 1), attention, aligned, 2, np.stack(history), h], strict=True
    ):
        np.testing.assert_allclose(value, wanted, atol=1e-5)


def test_several_mechanisms() -> None:
    mechanisms = [seq2seq.LuongAttention(UNITS, MEMORY), seq2seq.BahdanauAttention(3, MEMORY)]
    first = tf.ones([BATCH, UNITS])
    cell = seq2seq.AttentionWrapper(
        tf.nn.rnn_cell.GRUCell(UNITS),
        mechanisms,
        attention_layer_size=[3, 5],
        cell_input_fn=lambda inputs, attention: inputs,
        initial_cell_state=first,
    )
    state = cell.zero_state(BATCH, tf.float32)
    output, new_state = cell(tf.ones([BATCH, 2]), state)
    assert output.shape.as_list() == [BATCH, 8] and len(new_state.alignments) == 2
    assert cell.state_size.alignments == (LENGTH, LENGTH)
    start, read = evaluate([state.cell_state, new_state.alignments])
    assert np.all(start == 1)
    for aligned in read:
        np.testing.assert_allclose(aligned.sum(1), 1, rtol=1e-5)
    assert new_state.clone(time=5).time == 5
    assert cell.state_size.attention_state == (LENGTH, LENGTH)


def test_a_mechanism_of_ones_own_and_a_state_of_old() -> None:
    """Mechanisms may return alignments alone, and states need not have a field for theirs."""

    class First(seq2seq.AttentionMechanism):
        values = tf.constant(MEMORY)
        batch_size, alignments_size = BATCH, LENGTH

        def __call__(self, query: Any, previous: Any) -> Any:
            return previous

    cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(UNITS), First())
    first = tf.one_hot([0] * BATCH, LENGTH)
    state = seq2seq.AttentionWrapperState(
        tf.zeros([BATCH, UNITS]), tf.zeros([BATCH, DEPTH]), tf.constant(0), first, ()
    )
    outputs, last = tf.nn.dynamic_rnn(
        cell, tf.ones([BATCH, 3, 2]), initial_state=state, dtype=tf.float32
    )
    assert last.attention_state == ()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(session.run(outputs)[:, 2], MEMORY[:, 0])


def test_hardmax() -> None:
    values = [[1.0, 3.0, 2.0], [5.0, 4.0, 3.0]]
    assert evaluate(seq2seq.hardmax(values)).tolist() == [[0, 1, 0], [1, 0, 0]]
    placeholder = tf.placeholder(tf.float64, [None, None])
    hard = seq2seq.hardmax(placeholder)
    assert hard.dtype == tf.float64 and evaluate(hard, {placeholder: values}).sum() == 2


def test_rows_without_memory_are_errors_of_the_run() -> None:
    lengths = tf.placeholder(tf.int32, [BATCH])
    attention = seq2seq.LuongAttention(UNITS, MEMORY, lengths)
    aligned, _ = attention(tf.constant(ASKED[:, :UNITS]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must greater than zero"):
        evaluate(aligned, {lengths: [1, 0, 2]})


def wrapped(**options: Any) -> Any:
    attention = seq2seq.LuongAttention(UNITS, MEMORY)
    return seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(UNITS), attention, **options)


@pytest.mark.parametrize(
    ("build", "error", "problem"),
    [
        (lambda: seq2seq.AttentionWrapper(3, None), TypeError, "cell must be an RNNCell"),
        (
            lambda: seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(2), [3]),
            TypeError,
            "saw type: int",
        ),
        (lambda: wrapped(cell_input_fn=3), TypeError, "cell_input_fn must be callable"),
        (lambda: wrapped(attention_layer_size=[1, 2]), ValueError, "saw: 2 vs 1"),
        (lambda: wrapped().zero_state(2, tf.float32), ValueError, "tile_batch"),
        (lambda: wrapped(initial_cell_state=tf.ones([6, 4])), ValueError, "tile_batch"),
        (lambda: wrapped()(tf.ones([3, 2]), tf.ones([3, 4])), TypeError, "AttentionWrapperState"),
        (
            lambda: seq2seq.LuongAttention(3, MEMORY)(tf.ones([BATCH, 4])),
            ValueError,
            "Incompatible or unknown inner dimensions",
        ),
        (
            lambda: seq2seq.LuongAttention(3, tf.placeholder(tf.float32, [3, 5, None])),
            ValueError,
            "fully defined inner dims",
        ),
        (lambda: seq2seq.LuongAttention(3, MEMORY, [1, 2]), ValueError, "do not match"),
    ],
)
def test_errors(build: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        build()
