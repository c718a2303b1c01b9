"""Decoders: with the targets in training, greedy, sampling, and with a beam."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import evaluate
from tests.core.ops.numeric import Array

RNG = np.random.default_rng(0)
seq2seq = tf.contrib.seq2seq
BATCH, STEPS, DEPTH, SYMBOLS = 3, 5, 2, 6


class Table(tf.nn.rnn_cell.RNNCell):
    """A language model that is a table: the logits of the next symbol by the last one.

    Inputs are one-hot rows; the state counts the steps.
    """

    def __init__(self, logits: Array) -> None:
        super().__init__()
        self._logits = logits.astype(np.float32)

    @property
    def state_size(self) -> Any:
        return 1

    @property
    def output_size(self) -> Any:
        return self._logits.shape[1]

    def call(self, inputs: Any, state: Any) -> Any:
        return tf.matmul(inputs, self._logits), state + 1


LOGITS = RNG.standard_normal((SYMBOLS, SYMBOLS)) * 2
ONE_HOT = np.eye(SYMBOLS, dtype=np.float32)
END = 0


def log_probabilities() -> Array:
    shifted = LOGITS - LOGITS.max(1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return result


@pytest.mark.parametrize("impute", [True, False])
@pytest.mark.parametrize("time_major", [True, False])
def test_training(impute: bool, time_major: bool) -> None:
    """With the targets as inputs a decoder is a recurrent network."""
    x = RNG.standard_normal((BATCH, STEPS, DEPTH)).astype(np.float32)
    lengths = [5, 2, 3]
    cell = tf.nn.rnn_cell.GRUCell(4)
    with tf.variable_scope("decoder"):
        expected, expected_state = tf.nn.dynamic_rnn(
            cell, tf.constant(x), lengths, dtype=tf.float32, scope=tf.get_variable_scope()
        )
    inputs = x.transpose(1, 0, 2) if time_major else x
    helper = seq2seq.TrainingHelper(inputs, lengths, time_major=time_major)
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(BATCH, tf.float32))
    outputs, state, found_lengths = seq2seq.dynamic_decode(
        decoder, output_time_major=time_major, impute_finished=impute
    )
    rnn_output = tf.transpose(outputs.rnn_output, [1, 0, 2]) if time_major else outputs.rnn_output
    assert len(tf.trainable_variables()) == 4
    gradients = [tf.gradients(tf.reduce_sum(o), cell.variables) for o in (rnn_output, expected)]
    values = evaluate([rnn_output, expected, state, expected_state, found_lengths, gradients])
    assert values[4].tolist() == lengths
    running = np.arange(STEPS) < np.array(lengths)[:, None]
    np.testing.assert_allclose(values[0][running], values[1][running], atol=1e-6)
    if impute:
        assert not values[0][~running].any()
        np.testing.assert_allclose(values[2], values[3], atol=1e-6)
        for a, b in zip(*values[5], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_rows_of_no_length_and_limits() -> None:
    cell = Table(LOGITS)
    helper = seq2seq.TrainingHelper(ONE_HOT[RNG.integers(0, 6, (2, 4))], [0, 0])
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32))
    outputs, _, lengths = seq2seq.dynamic_decode(decoder)
    assert evaluate(outputs.sample_id).shape == (2, 0) and not evaluate(lengths).any()
    helper = seq2seq.TrainingHelper(ONE_HOT[RNG.integers(0, 6, (2, 4))], [4, 1])
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32))
    outputs, state, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=2)
    ids, steps, ends = evaluate([outputs.sample_id, state, lengths])
    assert ids.shape == (2, 2) and steps.tolist() == [[2], [2]] and ends.tolist() == [2, 1]


def greedy(start: int, limit: int) -> list[int]:
    symbols: list[int] = []
    last = start
    while len(symbols) < limit:
        last = int(LOGITS[last].argmax())
        symbols.append(last)
        if last == END:
            break
    return symbols


@pytest.mark.parametrize("as_function", [True, False])
def test_greedy_decoding(as_function: bool) -> None:
    starts = list(range(1, SYMBOLS))
    table = tf.constant(ONE_HOT)
    embedding = (lambda ids: tf.gather(table, ids)) if as_function else table
    cell = Table(LOGITS)
    helper = seq2seq.GreedyEmbeddingHelper(embedding, starts, END)
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(5, tf.float32))
    outputs, _, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=8)
    ids, ends = evaluate([outputs.sample_id, lengths])
    for row, start in enumerate(starts):
        expected = greedy(start, 8)
        assert ids[row, : len(expected)].tolist() == expected and ends[row] == len(expected)


def test_sampling_follows_the_distribution() -> None:
    count = 4000
    cell = Table(LOGITS)
    table = tf.constant(ONE_HOT)
    results = []
    for temperature in (None, 0.05):
        helper = seq2seq.SampleEmbeddingHelper(table, [1] * count, END, temperature, seed=3)
        decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(count, tf.float32))
        outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=1)
        results.append(outputs.sample_id)
    warm, cold = evaluate(results)
    shares = np.bincount(warm[:, 0], minlength=SYMBOLS) / count
    np.testing.assert_allclose(shares, np.exp(log_probabilities()[1]), atol=0.03)
    assert np.mean(cold == LOGITS[1].argmax()) > 0.95


def test_helpers_made_of_functions() -> None:
    cell = Table(LOGITS)
    table = tf.constant(ONE_HOT)
    starts = tf.constant([2, 3])

    def choose(time: Any, outputs: Any, state: Any) -> Any:
        return tf.to_int32(tf.argmax(outputs, 1))

    def go_on(time: Any, outputs: Any, state: Any, sample_ids: Any) -> Any:
        return tf.equal(sample_ids, END), tf.gather(table, sample_ids), state

    custom = seq2seq.CustomHelper(
        lambda: (tf.fill([2], False), tf.gather(table, starts)), choose, go_on
    )
    with pytest.raises(ValueError, match="before initialize"):
        _ = custom.batch_size
    inference = seq2seq.InferenceHelper(
        lambda outputs: tf.to_int32(tf.argmax(outputs, 1)),
        [],
        tf.int32,
        tf.gather(table, starts),
        lambda ids: tf.equal(ids, END),
        lambda ids: tf.gather(table, ids),
    )
    custom.initialize()
    found = []
    for helper in (custom, inference):
        decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32))
        outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=6)
        found.append(outputs.sample_id)
    for ids in evaluate(found):
        for row, start in enumerate((2, 3)):
            expected = greedy(start, 6)
            assert ids[row, : len(expected)].tolist() == expected


@pytest.mark.parametrize("probability", [0.0, 1.0, 0.5])
def test_scheduled_sampling(probability: float) -> None:
    """Rows read the embedding of a drawn symbol with the probability, else the next target."""
    count = 200
    targets = np.full((count, 2), 4)
    cell = Table(np.eye(SYMBOLS)[[1] * SYMBOLS] * 100)
    table = tf.constant(ONE_HOT)
    helper = seq2seq.ScheduledEmbeddingTrainingHelper(
        tf.gather(table, targets), [2] * count, table, probability, seed=1, scheduling_seed=2
    )
    finished, first = helper.initialize()
    outputs, state = cell(first, cell.zero_state(count, tf.float32))
    samples = helper.sample(0, outputs, state)
    _, following, _ = helper.next_inputs(0, outputs, state, samples)
    values = evaluate([finished, first, samples, following])
    assert not values[0].any() and np.all(values[1].argmax(1) == 4)
    drawn = values[2] == 1
    assert np.all(drawn | (values[2] == -1))
    assert abs(drawn.mean() - probability) < 0.12
    np.testing.assert_array_equal(values[3].argmax(1), np.where(drawn, 1, 4))


@pytest.mark.parametrize("with_function", [True, False])
@pytest.mark.parametrize("auxiliary", [True, False])
def test_outputs_fed_back(with_function: bool, auxiliary: bool) -> None:
    count = 100
    inputs = np.zeros((count, 2, SYMBOLS), np.float32)
    extra = np.full((count, 2, 1), 7, np.float32) if auxiliary else None
    helper = seq2seq.ScheduledOutputTrainingHelper(
        tf.constant(inputs),
        [2] * count,
        0.5,
        seed=1,
        next_inputs_fn=(lambda outputs: outputs * 3) if with_function else None,
        auxiliary_inputs=None if extra is None else tf.constant(extra),
    )
    outputs = tf.ones([count, SYMBOLS])
    samples = helper.sample(0, outputs, None)
    _, following, _ = helper.next_inputs(0, outputs, None, samples)
    chosen, found = evaluate([samples, following])
    assert set(np.unique(chosen)) == {0, 1} and found.shape[1] == SYMBOLS + auxiliary
    expected = np.where(chosen[:, None] == 1, 3.0 if with_function else 1.0, 0.0)
    np.testing.assert_array_equal(found[:, :SYMBOLS], np.repeat(expected, SYMBOLS, 1))
    if auxiliary:
        assert np.all(found[:, SYMBOLS] == 7)


# -- beams ---------------------------------------------------------------------------------------


def all_sequences(start: int, length: int, penalty: float) -> list[tuple[float, tuple[int, ...]]]:
    """All sequences up to the end symbol or a length with their scores, the best first."""
    logs = log_probabilities()
    found: dict[tuple[int, ...], float] = {}
    for symbols in itertools.product(range(SYMBOLS), repeat=length):
        cut = symbols.index(END) + 1 if END in symbols else length
        path = symbols[:cut]
        score = sum(logs[a, b] for a, b in zip((start, *path[:-1]), path, strict=True))
        # The end symbol adds no length.
        found[path] = score / ((5 + sum(s != END for s in path)) / 6) ** penalty
    return sorted(((s, p) for p, s in found.items()), reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 0.8])
def test_a_beam_finds_the_best_sequences(penalty: float) -> None:
    starts, length, width = [1, 4], 3, 60
    cell = Table(LOGITS)
    decoder = seq2seq.BeamSearchDecoder(
        cell,
        tf.constant(ONE_HOT),
        starts,
        END,
        cell.zero_state(2 * width, tf.float32),
        width,
        length_penalty_weight=penalty,
    )
    outputs, state, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=length)
    ids, scores, log_probs = evaluate(
        [outputs.predicted_ids, outputs.beam_search_decoder_output.scores, state.log_probs]
    )
    assert ids.shape == (2, length, width)
    for row, start in enumerate(starts):
        for beam, (score, path) in enumerate(all_sequences(start, length, penalty)[:3]):
            padded = [*path, *[END] * (length - len(path))]
            assert ids[row, :, beam].tolist() == padded
            np.testing.assert_allclose(scores[row, -1, beam], score, rtol=1e-4)
    if penalty == 0.0:
        np.testing.assert_allclose(log_probs, scores[:, -1], rtol=1e-6)


def test_beams_with_layers_and_attention() -> None:
    """States of several tensors follow their beams; with one beam a search is greedy."""
    memory = tf.constant(RNG.standard_normal((2, 4, 3)).astype(np.float32))
    table = tf.constant(RNG.standard_normal((SYMBOLS, 3)).astype(np.float32))
    layer = tf.layers.Dense(SYMBOLS, name="logits")
    results = []
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=1)) as scope:
        for width in (1, 0):
            with tf.variable_scope(scope, reuse=width == 0):
                tiled = seq2seq.tile_batch(memory, max(width, 1))
                attention = seq2seq.LuongAttention(5, tiled)
                stack = tf.nn.rnn_cell.MultiRNNCell(
                    [tf.nn.rnn_cell.LSTMCell(5), tf.nn.rnn_cell.GRUCell(5)]
                )
                cell = seq2seq.AttentionWrapper(stack, attention, attention_layer_size=5)
                state = cell.zero_state(2, tf.float32)
                decoder: Any
                if width:
                    decoder = seq2seq.BeamSearchDecoder(
                        cell, table, [1, 2], END, state, width, layer
                    )
                else:
                    helper = seq2seq.GreedyEmbeddingHelper(table, [1, 2], END)
                    decoder = seq2seq.BasicDecoder(cell, helper, state, layer)
                outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=7)
                results.append(outputs)
    assert len(tf.trainable_variables()) == 2 + 4 + 1 + 1 + 2
    ids, expected = evaluate([results[0].predicted_ids, results[1].sample_id])
    for row in (0, 1):
        symbols = expected[row].tolist()
        cut = symbols.index(END) + 1 if END in symbols else len(symbols)
        assert ids[row, :cut, 0].tolist() == symbols[:cut]


def test_tiled_batches() -> None:
    values = {"a": tf.constant([[1, 2], [3, 4]]), "b": (tf.placeholder(tf.float32, [None]),)}
    tiled = seq2seq.tile_batch(values, 3)
    assert tiled["a"].shape.as_list() == [6, 2] and tiled["b"][0].shape.as_list() == [None]
    assert evaluate(tiled["a"]).tolist() == [[1, 2]] * 3 + [[3, 4]] * 3
    with pytest.raises(ValueError, match="known rank and rows"):
        seq2seq.tile_batch(tf.constant(1.0), 2)


def test_trees_of_wrong_parents() -> None:
    tree = seq2seq.gather_tree([[[1, 2]], [[3, 4]]], [[[0, 0]], [[0, 5]]], [2], END)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"parent id 5 at .* == \(0, 0, 1\)"):
        evaluate(tree)


@pytest.mark.parametrize(
    ("build", "error", "problem"),
    [
        (lambda c: seq2seq.dynamic_decode(c), TypeError, "to be type Decoder"),
        (lambda c: seq2seq.BasicDecoder(3, None, None), TypeError, "cell must be an RNNCell"),
        (lambda c: seq2seq.BasicDecoder(c, None, None), TypeError, "helper must be a Helper"),
        (
            lambda c: seq2seq.BasicDecoder(
                c, seq2seq.TrainingHelper(tf.ones([1, 2, 6]), [1]), None, tf.nn.relu
            ),
            TypeError,
            "output_layer must be a Layer",
        ),
        (lambda c: seq2seq.TrainingHelper(tf.ones([1, 2, 6]), 3), ValueError, "to be a vector"),
        (lambda c: seq2seq.GreedyEmbeddingHelper(tf.ones([3, 2]), 1, 0), ValueError, "a vector"),
        (lambda c: seq2seq.GreedyEmbeddingHelper(tf.ones([3, 2]), [1], [0]), ValueError, "scalar"),
        (
            lambda c: seq2seq.BeamSearchDecoder(
                c, tf.ones([6, 6]), [1, 2], 0, c.zero_state(2, tf.float32), 3
            ),
            ValueError,
            "2 rows, a batch of 2 with 3 beams has 6",
        ),
        (
            lambda c: seq2seq.ScheduledEmbeddingTrainingHelper(
                tf.ones([1, 2, 6]), [1], tf.ones([6, 6]), [[0.5]]
            ),
            ValueError,
            "sampling_probability must be",
        ),
    ],
)
def test_errors(build: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        build(Table(LOGITS))
