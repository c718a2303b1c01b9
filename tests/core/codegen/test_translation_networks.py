"""Training steps of usual networks: what of their plans the compiled tier knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import workbench as tf
from workbench.core.codegen.translation import kind_of, unsupported
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, READ
from workbench.core.plan.plan import make_plan

#: Operations with generators of their own.
GENERATED = frozenset(
    "MatMul BatchMatMul Conv2D Conv2DBackpropInput Conv2DBackpropFilter MaxPool MaxPoolGrad".split()
)

Feeds = dict[Any, tuple[int, ...]]


def _loss(logits: Any, labels: Any) -> Any:
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )


def perceptron() -> tuple[list[Any], Feeds]:
    x, y = tf.placeholder(tf.float32, [None, 20]), tf.placeholder(tf.int64, [None])
    hidden = tf.layers.dense(x, 16, tf.nn.relu)
    logits = tf.layers.dense(hidden, 10)
    right = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32))
    loss = _loss(logits, y) + 1e-3 * tf.nn.l2_loss(hidden)
    return [loss, right], {x: (8, 20), y: (8,)}


def one_hot() -> tuple[list[Any], Feeds]:
    x, y = tf.placeholder(tf.float32, [None, 20]), tf.placeholder(tf.int64, [None])
    logits = tf.layers.dense(tf.layers.dense(x, 16, tf.nn.tanh), 10)
    loss = tf.losses.softmax_cross_entropy(tf.one_hot(y, 10), logits)
    return [loss, tf.nn.in_top_k(logits, y, 3)], {x: (8, 20), y: (8,)}


def convolutional() -> tuple[list[Any], Feeds]:
    x, y = tf.placeholder(tf.float32, [None, 12, 12, 1]), tf.placeholder(tf.int64, [None])
    hidden = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu, padding="same")
    hidden = tf.layers.max_pooling2d(hidden, 2, 2)
    hidden = tf.layers.batch_normalization(hidden, training=True, fused=True)
    hidden = tf.reduce_mean(tf.layers.conv2d(hidden, 4, 3, activation=tf.nn.relu6), [1, 2])
    return [_loss(tf.layers.dense(hidden, 10), y)], {x: (8, 12, 12, 1), y: (8,)}


def recurrent() -> tuple[list[Any], Feeds]:
    x, y = tf.placeholder(tf.float32, [3, None, 7]), tf.placeholder(tf.int32, [None])
    kernel = tf.Variable(tf.random_normal([12, 20]))
    hidden = state = tf.zeros([8, 5])
    for t in range(3):
        gates = tf.matmul(tf.concat([x[t], hidden], 1), kernel)
        i, j, f, o = tf.split(gates, 4, 1)
        state = state * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        hidden = tf.tanh(state) * tf.sigmoid(o)
    return [_loss(tf.layers.dense(hidden, 10), y)], {x: (3, 8, 7), y: (8,)}


def attention() -> tuple[list[Any], Feeds]:
    x = tf.placeholder(tf.float32, [2, 6, 8])

    def heads(name: str) -> Any:
        projected = tf.layers.dense(x, 8, name=name, use_bias=False)
        return tf.transpose(tf.reshape(projected, [2, 6, 2, 4]), [0, 2, 1, 3])

    weights = tf.nn.softmax(tf.matmul(heads("q"), heads("k"), transpose_b=True) * 0.5)
    mixed = tf.reshape(tf.transpose(tf.matmul(weights, heads("v")), [0, 2, 1, 3]), [2, 6, 8])
    mean, variance = tf.nn.moments(mixed, [2], keep_dims=True)
    normal = (mixed - mean) * tf.rsqrt(variance + 1e-6)
    return [tf.reduce_mean(tf.square(normal + x))], {x: (2, 6, 8)}


@pytest.mark.parametrize("network", [perceptron, one_hot, convolutional, recurrent, attention])
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: tf.train.GradientDescentOptimizer(0.1),
        lambda: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
        lambda: tf.train.AdamOptimizer(),
        lambda: tf.train.RMSPropOptimizer(0.1, centered=True),
    ],
)
def test_all_of_a_training_step_is_compiled(
    network: Callable[[], tuple[list[Any], Feeds]], optimizer: Callable[[], Any]
) -> None:
    with tf.Graph().as_default():
        fetches, feeds = network()
        step = optimizer().minimize(fetches[0])
        plan = make_plan(fetches, [step], list(feeds), list(feeds.values()))
    left = {
        f"{node.type}: {unsupported(node)}"
        for node in (s.node for s in plan.memory.steps)
        if node.type not in {FEED, CONSTANT, HANDLE, READ, *GENERATED} and kind_of(node) is None
    }
    assert not left
