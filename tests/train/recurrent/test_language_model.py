"""A language model of characters that learns a text, and goes on from its own state."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as tf

#: A text with something to remember: what follows "a" depends on what stood before it.
RULES = ["barn ", "cast ", "dark ", "lamp "]
TEXT = "".join(np.random.RandomState(0).choice(RULES, 240))
SYMBOLS = sorted(set(TEXT))
BATCH, STEPS, UNITS = 12, 10, 20


class Model:
    """A network over one piece of the text, with the state of the piece before."""

    def __init__(self, is_training: bool) -> None:
        self.x = tf.placeholder(tf.int32, [BATCH, STEPS])
        self.y = tf.placeholder(tf.int32, [BATCH, STEPS])

        def layer() -> Any:
            cell = tf.contrib.rnn.BasicLSTMCell(UNITS, forget_bias=0.0)
            keep = 0.9
            return (
                tf.contrib.rnn.DropoutWrapper(cell, output_keep_prob=keep) if is_training else cell
            )

        cell = tf.contrib.rnn.MultiRNNCell([layer() for _ in range(2)])
        self.initial_state = cell.zero_state(BATCH, tf.float32)
        embedding = tf.get_variable("embedding", [len(SYMBOLS), 8])
        inputs = tf.nn.embedding_lookup(embedding, self.x)
        outputs, self.final_state = tf.nn.dynamic_rnn(
            cell, inputs, initial_state=self.initial_state
        )
        logits = tf.layers.dense(tf.reshape(outputs, [-1, UNITS]), len(SYMBOLS), name="logits")
        logits = tf.reshape(logits, [BATCH, STEPS, len(SYMBOLS)])
        weights = tf.ones([BATCH, STEPS])
        self.cost = tf.contrib.seq2seq.sequence_loss(logits, self.y, weights)
        if is_training:
            variables = tf.trainable_variables()
            clipped, _ = tf.clip_by_global_norm(tf.gradients(self.cost, variables), 5.0)
            optimizer = tf.train.AdamOptimizer(0.03)
            self.step = optimizer.apply_gradients(zip(clipped, variables, strict=True))


def epoch(session: Any, model: Model, data: Any) -> float:
    """The mean cost per symbol over the text; a step of training after each piece, if it trains."""
    fetches = {"cost": model.cost, "state": model.final_state}
    if hasattr(model, "step"):
        fetches["step"] = model.step
    state = session.run(model.initial_state)
    costs = []
    for start in range(0, data.shape[1] - STEPS - 1, STEPS):
        feeds = {
            model.x: data[:, start : start + STEPS],
            model.y: data[:, start + 1 : start + STEPS + 1],
        }
        for (c, h), value in zip(model.initial_state, state, strict=True):
            feeds[c], feeds[h] = value.c, value.h
        values = session.run(fetches, feeds)
        state = values["state"]
        costs.append(values["cost"])
    return float(np.mean(costs))


def test_a_model_of_characters_learns_its_text() -> None:
    numbers = np.array([SYMBOLS.index(symbol) for symbol in TEXT])
    data = numbers[: len(numbers) // BATCH * BATCH].reshape(BATCH, -1)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        with tf.variable_scope("model", initializer=tf.random_uniform_initializer(-0.2, 0.2)):
            training = Model(is_training=True)
        with tf.variable_scope("model", reuse=True):
            testing = Model(is_training=False)
        session.run(tf.global_variables_initializer())
        before = epoch(session, testing, data)
        for _ in range(12):
            epoch(session, training, data)
        after = epoch(session, testing, data)
    # Which of four words comes next is all that cannot be known: log(4) in five symbols.
    assert before > 2.0
    assert after < np.log(4) / 5 + 0.12
