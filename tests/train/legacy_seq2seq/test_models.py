"""Encoders and decoders over lists of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.recurrent import steps
from workbench.core.graph import nest

RNG = np.random.default_rng(0)
legacy = tf.contrib.legacy_seq2seq
cells = tf.nn.rnn_cell
BATCH, UNITS, SYMBOLS, WIDTH = 2, 3, 5, 4


def ids(count: int, symbols: int = SYMBOLS) -> list[Any]:
    return [tf.constant(RNG.integers(0, symbols, BATCH)) for _ in range(count)]


def evaluated(fetches: Any, feeds: Any = None) -> tuple[Any, dict[str, Any]]:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights = {v.op.name: session.run(v) for v in tf.global_variables()}
        return session.run(fetches, feeds), weights


def test_decoding_with_and_without_feedback() -> None:
    inputs = [tf.constant(RNG.standard_normal((BATCH, UNITS))) for _ in range(3)]
    state = tf.constant(RNG.standard_normal((BATCH, UNITS)))
    cell = cells.GRUCell(UNITS)
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=1)):
        outputs, _ = legacy.rnn_decoder(inputs, state, cell)
        fed, _ = legacy.rnn_decoder(inputs, state, cell, lambda last, step: last * step)
    (x, h, found, found_fed), weights = evaluated([inputs, state, outputs, fed])
    prefix = "net/rnn_decoder/gru_cell/"
    w = {name.removeprefix(prefix): value for name, value in weights.items()}
    plain, other, last = h, h, None
    for i in range(3):
        output, plain = steps.gru(w, x[i], plain)
        np.testing.assert_allclose(found[i], output)
        last, other = steps.gru(w, x[i] if last is None else last * i, other)
        np.testing.assert_allclose(found_fed[i], last)


def test_one_cell_or_a_copy() -> None:
    inputs = [tf.ones([BATCH, 2])] * 2
    legacy.basic_rnn_seq2seq(inputs, inputs, cells.BasicLSTMCell(UNITS))
    assert [v.op.name for v in tf.global_variables() if "kernel" in v.op.name] == [
        "basic_rnn_seq2seq/rnn/basic_lstm_cell/kernel",
        "basic_rnn_seq2seq/rnn_decoder/basic_lstm_cell/kernel",
    ]
    with tf.variable_scope("tied"):
        outputs, state = legacy.tied_rnn_seq2seq(inputs, inputs, cells.BasicLSTMCell(UNITS))
    names = [v.op.name for v in tf.global_variables() if v.op.name.startswith("tied/")]
    prefix = "tied/combined_tied_rnn_seq2seq/tied_rnn_seq2seq/basic_lstm_cell/"
    assert names == [prefix + "kernel", prefix + "bias"]
    assert len(outputs) == 2 and state.c.shape.as_list() == [BATCH, UNITS]


MODELS: dict[str, Callable[..., Any]] = {
    "plain": lambda *a, **k: legacy.embedding_rnn_seq2seq(*a, SYMBOLS, SYMBOLS, WIDTH, **k),
    "tied": lambda *a, **k: legacy.embedding_tied_rnn_seq2seq(*a, SYMBOLS, WIDTH, **k),
    "attention": lambda *a, **k: legacy.embedding_attention_seq2seq(
        *a, SYMBOLS, SYMBOLS, WIDTH, num_heads=2, **k
    ),
    "attention first": lambda *a, **k: legacy.embedding_attention_seq2seq(
        *a, SYMBOLS, SYMBOLS, WIDTH, initial_state_attention=True, **k
    ),
}


def stack() -> Any:
    """Cells that no model has used yet: a copy of one that is used has its variables."""
    return cells.MultiRNNCell([cells.GRUCell(UNITS), cells.BasicLSTMCell(UNITS)])


@pytest.mark.parametrize(
    ("name", "projected"),
    [("plain", False), ("tied", True), ("attention", True), ("attention first", False)],
)
def test_feeding_back_is_decoding_ones_own_symbols(name: str, projected: bool) -> None:
    """With the symbols of the fed back decoder as inputs the other one gives the same outputs.

    And a tensor that says which of the two it is chooses in the run.
    """
    encoder_inputs, first = ids(3), ids(1)
    with tf.variable_scope("net", initializer=tf.random_normal_initializer(seed=1)) as scope:
        projection = None
        if projected:
            projection = tf.get_variable("w", [UNITS, SYMBOLS]), tf.get_variable("b", [SYMBOLS])
        options = {"output_projection": projection}
        fed, _ = MODELS[name](encoder_inputs, first * 4, stack(), feed_previous=True, **options)
        scope.reuse_variables()
        size = UNITS if projected else SYMBOLS
        assert all(output.shape.as_list() == [BATCH, size] for output in fed)

        def symbols(output: Any) -> Any:
            logits = output if projection is None else tf.nn.xw_plus_b(output, *projection)
            return tf.stop_gradient(tf.argmax(logits, 1))

        given = [*first, *(symbols(output) for output in fed[:-1])]
        plain, state = MODELS[name](encoder_inputs, given, stack(), **options)
        which = tf.placeholder(tf.bool, [])
        chosen, chosen_state = MODELS[name](
            encoder_inputs, first * 4, stack(), feed_previous=which, **options
        )
        forced, _ = MODELS[name](encoder_inputs, first * 4, stack(), **options)
    nest.assert_same_structure(state, chosen_state)
    gradients = tf.gradients(tf.add_n([tf.reduce_sum(o) for o in chosen]), tf.trainable_variables())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run([fed, plain, chosen, forced], {which: True})
        others = session.run(chosen, {which: False})
        slopes = [g for g in gradients if g is not None]
        # Only symbols are made of a projection, through which nothing flows; all else is trained.
        assert len(slopes) == len(gradients) - 2 * projected
        assert len(session.run(slopes, {which: True})) == len(slopes)
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)
    np.testing.assert_allclose(values[0], values[2], atol=1e-6)
    np.testing.assert_allclose(values[3], others, atol=1e-6)


def test_names_of_the_model_with_attention() -> None:
    MODELS["attention"](ids(2), ids(2), cells.BasicLSTMCell(UNITS))
    decoder = "embedding_attention_seq2seq/embedding_attention_decoder/"
    inside = decoder + "attention_decoder/"
    cell = inside + "output_projection_wrapper/"
    assert {v.op.name for v in tf.global_variables()} == {
        *(
            f"embedding_attention_seq2seq/rnn/embedding_wrapper/{name}"
            for name in ("embedding", "basic_lstm_cell/kernel", "basic_lstm_cell/bias")
        ),
        decoder + "embedding",
        *(inside + name for name in ("AttnW_0", "AttnW_1", "AttnV_0", "AttnV_1")),
        *(inside + name for name in ("kernel", "bias")),
        *(inside + f"Attention_{i}/{name}" for i in (0, 1) for name in ("kernel", "bias")),
        *(inside + f"AttnOutputProjection/{name}" for name in ("kernel", "bias")),
        *(cell + name for name in ("kernel", "bias")),
        *(cell + f"basic_lstm_cell/{name}" for name in ("kernel", "bias")),
    }


@pytest.mark.parametrize("feed", [False, True, "tensor"])
def test_one_encoder_for_several_decoders(feed: Any) -> None:
    feeds = {}
    if feed == "tensor":
        feed = tf.placeholder(tf.bool, [])
        feeds = {feed: True}
    outputs, states = legacy.one2many_rnn_seq2seq(
        ids(2),
        {"a": ids(3), "b": ids(1, 7)},
        cells.GRUCell(UNITS),
        {"a": cells.GRUCell(UNITS), "b": cells.GRUCell(UNITS)},
        SYMBOLS,
        {"a": SYMBOLS, "b": 7},
        WIDTH,
        feed_previous=feed,
    )
    found, weights = evaluated([outputs, states], feeds)
    assert [v.shape for v in found[0]["a"]] == [(BATCH, SYMBOLS)] * 3
    assert [v.shape for v in found[0]["b"]] == [(BATCH, 7)]
    assert found[1]["a"].shape == (BATCH, UNITS)
    assert any("one2many_decoder_b/embedding_rnn_decoder/embedding" in name for name in weights)


def test_buckets_share_variables_and_a_model_learns() -> None:
    """A model of two buckets learns to repeat the first symbol of its input."""
    longest = 3
    encoder = [tf.placeholder(tf.int32, [None]) for _ in range(longest)]
    decoder = [tf.placeholder(tf.int32, [None]) for _ in range(longest)]
    weights = [tf.placeholder(tf.float32, [None]) for _ in range(longest)]
    targets = [tf.placeholder(tf.int32, [None]) for _ in range(longest)]

    def model(inputs: Any, to_decode: Any) -> Any:
        return legacy.embedding_rnn_seq2seq(
            inputs, to_decode, cells.GRUCell(16), SYMBOLS, SYMBOLS, 8
        )

    outputs, losses = legacy.model_with_buckets(
        encoder, decoder, targets, weights, [(2, 2), (3, 3)], model
    )
    assert [len(o) for o in outputs] == [2, 3]
    _, by_example = legacy.model_with_buckets(
        encoder,
        decoder,
        targets,
        weights,
        [(2, 2)],
        lambda *a: _again(model, *a),
        per_example_loss=True,
    )
    assert by_example[0].shape.as_list() == [None]
    kernels = [v for v in tf.trainable_variables() if v.op.name.endswith("kernel")]
    assert len(kernels) == 2 * 2 + 1
    steps_ = [tf.train.AdamOptimizer(0.03).minimize(loss) for loss in losses]
    random = np.random.RandomState(0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for i in range(120):
            symbols = random.randint(1, SYMBOLS, 32)
            feeds = {encoder[0]: symbols}
            feeds |= {x: random.randint(1, SYMBOLS, 32) for x in encoder[1:]}
            feeds |= {x: np.zeros(32) for x in decoder} | {x: np.ones(32) for x in weights}
            feeds |= dict.fromkeys(targets, symbols)
            loss, _ = session.run([losses[i % 2], steps_[i % 2]], feeds)
    assert loss < 0.3


def _again(model: Any, *arguments: Any) -> Any:
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        return model(*arguments)


@pytest.mark.parametrize(
    ("build", "error", "problem"),
    [
        (lambda c, x: legacy.attention_decoder([], x, x, c), ValueError, "at least 1 input"),
        (
            lambda c, x: legacy.attention_decoder([x], x, x, c, num_heads=0),
            ValueError,
            "less than 1 heads",
        ),
        (
            lambda c, x: legacy.attention_decoder(
                [x], x, tf.placeholder(tf.float32, [2, 3, None]), c
            ),
            ValueError,
            r"Shape\[2\] of attention_states",
        ),
        (
            lambda c, x: legacy.one2many_rnn_seq2seq([x], {"a": 1}, c, {"b": c}, 1, {}, 1),
            ValueError,
            "keys of dec_cells_dict",
        ),
        (
            lambda c, x: legacy.one2many_rnn_seq2seq([x], {"a": 1}, 3, {"a": c}, 1, {}, 1),
            TypeError,
            "enc_cell is not an RNNCell",
        ),
        (
            lambda c, x: legacy.embedding_tied_rnn_seq2seq(
                [x], [x], c, 5, 2, output_projection=(tf.ones([2, 3]), tf.ones([3]))
            ),
            ValueError,
            "incompatible",
        ),
    ],
)
def test_errors(build: Callable[..., Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        build(cells.GRUCell(2), tf.ones([2, 2]))
