"""Small networks of every kind that matters: a loss, and batches to train it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import workbench as tf


class Network(NamedTuple):
    """A loss in the default graph."""

    loss: Any
    #: Feeds for a batch of a size.
    batch: Callable[[int, np.random.RandomState], dict[Any, Any]]
    #: Other values of interest.
    others: tuple[Any, ...] = ()


def _weights(name: str, *shape: int, scale: float = 0.3) -> Any:
    values = np.random.RandomState(len(name) + sum(shape)).standard_normal(shape) * scale
    return tf.get_variable(name, initializer=values.astype(np.float32))


def _classified(logits: Any, labels: Any) -> Any:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(losses)


def perceptron(size: int | None = None) -> Network:
    """Dense layers and classes."""
    x = tf.placeholder(tf.float32, [size, 19], name="x")
    y = tf.placeholder(tf.int32, [size], name="y")
    hidden = tf.nn.relu(tf.matmul(x, _weights("w1", 19, 33)) + _weights("b1", 33))
    hidden = tf.tanh(tf.matmul(hidden, _weights("w2", 33, 16)) + _weights("b2", 16))
    logits = tf.matmul(hidden, _weights("w3", 16, 5)) + _weights("b3", 5)
    right = tf.nn.in_top_k(logits, y, 1)
    accuracy = tf.reduce_mean(tf.cast(right, tf.float32))

    def batch(count: int, random: np.random.RandomState) -> dict[Any, Any]:
        rows = random.standard_normal((count, 19)).astype(np.float32)
        return {x: rows, y: random.randint(0, 5, count).astype(np.int32)}

    return Network(_classified(logits, y), batch, (accuracy, hidden))


def convolutional(size: int | None = None) -> Network:
    """Convolutions, poolings and a dense layer."""
    x = tf.placeholder(tf.float32, [size, 12, 10, 2], name="x")
    y = tf.placeholder(tf.int64, [size], name="y")
    one = [1, 1, 1, 1]
    hidden = tf.nn.conv2d(x, _weights("k1", 3, 3, 2, 8), one, "SAME") + _weights("b1", 8)
    hidden = tf.nn.max_pool(tf.nn.relu(hidden), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    hidden = tf.nn.conv2d(hidden, _weights("k2", 3, 2, 8, 16), one, "VALID") + _weights("b2", 16)
    hidden = tf.nn.avg_pool(tf.nn.relu(hidden), [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    flat = tf.reshape(hidden, [-1, 2 * 2 * 16])
    logits = tf.matmul(flat, _weights("w", 64, 7, scale=0.1)) + _weights("b", 7)

    def batch(count: int, random: np.random.RandomState) -> dict[Any, Any]:
        images = random.standard_normal((count, 12, 10, 2)).astype(np.float32)
        return {x: images, y: random.randint(0, 7, count)}

    return Network(_classified(logits, y), batch, (logits,))


def line(size: int | None = None) -> Network:
    """Two numbers."""
    x, y = tf.placeholder(tf.float32, [], name="x"), tf.placeholder(tf.float32, [], name="y")
    loss = tf.square(_weights("slope") * x + _weights("start") - y)

    def batch(count: int, random: np.random.RandomState) -> dict[Any, Any]:
        number = np.float32(random.rand())
        return {x: number, y: np.float32(3 * number - 1)}

    return Network(loss, batch)


def elementwise(size: int | None = None) -> Network:
    """A long row of functions of every element."""
    x = tf.placeholder(tf.float32, [1037], name="x")
    w = _weights("w", 1037, scale=0.5)
    h = tf.tanh(x * w + 0.25)
    h = tf.exp(-tf.sqrt(h * h + 1.0)) * x + w
    h = tf.log(1.0 + tf.exp(tf.tanh(h) * 0.5))
    h = tf.sqrt(h * h + 1e-3) - x

    def batch(count: int, random: np.random.RandomState) -> dict[Any, Any]:
        return {x: random.rand(1037).astype(np.float32)}

    return Network(tf.reduce_mean(h * h), batch)


def recurrent(size: int | None = None) -> Network:
    """A memory cell over four steps of time."""
    count = size or 6
    x = tf.placeholder(tf.float32, [4, count, 5], name="x")
    y = tf.placeholder(tf.int32, [count], name="y")
    kernel, bias = _weights("kernel", 5 + 12, 48), _weights("bias", 48)
    h, c = tf.zeros([count, 12]), tf.zeros([count, 12])
    for time in range(4):
        gates = tf.matmul(tf.concat([x[time], h], 1), kernel) + bias
        i, j, f, o = tf.split(gates, 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
    logits = tf.matmul(h, _weights("w", 12, 3)) + _weights("b", 3)

    def batch(_: int, random: np.random.RandomState) -> dict[Any, Any]:
        series = random.standard_normal((4, count, 5)).astype(np.float32)
        return {x: series, y: random.randint(0, 3, count).astype(np.int32)}

    return Network(_classified(logits, y), batch, (h,))


def attention(size: int | None = None) -> Network:
    """Scaled products of queries and keys."""
    x = tf.placeholder(tf.float32, [2, 11, 24], name="x")
    flat = tf.reshape(x, [22, 24])
    q, k, v = (
        tf.transpose(tf.reshape(tf.matmul(flat, _weights(n, 24, 24)), [2, 11, 3, 8]), [0, 2, 1, 3])
        for n in ("q", "key", "value")
    )
    scores = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * 0.35)
    mixed = tf.reshape(tf.transpose(tf.matmul(scores, v), [0, 2, 1, 3]), [22, 24])
    out = tf.matmul(mixed, _weights("out", 24, 24))

    def batch(_: int, random: np.random.RandomState) -> dict[Any, Any]:
        return {x: random.standard_normal((2, 11, 24)).astype(np.float32)}

    return Network(tf.reduce_mean(out * out), batch, (scores,))


def normalised(size: int | None = None) -> Network:
    """Batch normalisation written out, layer normalisation, dropout and embeddings."""
    words = tf.placeholder(tf.int32, [size, 3], name="words")
    x = tf.reshape(tf.gather(_weights("table", 11, 6), words), [-1, 18])
    x = tf.layers.batch_normalization(x, training=True)
    x = tf.nn.dropout(tf.matmul(x, _weights("w", 18, 13)), 0.7, seed=3)
    mean, variance = tf.nn.moments(x, [1], keep_dims=True)
    x = (x - mean) * tf.rsqrt(variance + 1e-3) * _weights("scale", 13)

    def batch(count: int, random: np.random.RandomState) -> dict[Any, Any]:
        return {words: random.randint(0, 11, (count, 3)).astype(np.int32)}

    return Network(tf.reduce_mean(tf.square(x - 0.5)), batch)


NETWORKS = {
    n.__name__: n
    for n in (perceptron, convolutional, line, elementwise, recurrent, attention, normalised)
}


def batches(network: Network, sizes: Iterator[int] | list[int], seed: int = 0) -> Iterator[Any]:
    """Feeds for batches of these sizes."""
    random = np.random.RandomState(seed)
    for size in sizes:
        yield network.batch(size, random)
