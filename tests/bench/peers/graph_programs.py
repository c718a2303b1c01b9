"""The workloads as TensorFlow-1 code: the same lines run on the workbench and on TensorFlow.

python tests/bench/peers/graph_programs.py WORKLOAD workbench|tensorflow
"""

from __future__ import annotations

import os
import sys
from typing import Any

from timing import measure
from workloads import HEADS, HIDDEN, WORKLOADS

if sys.argv[2] == "tensorflow":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow.compat.v1 as tf

    tf.disable_eager_execution()
else:
    import workbench as tf


def cross_entropy(logits: Any, y: Any) -> Any:
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits),
    )


def perceptron(weights: list[Any], x: Any, y: Any) -> Any:
    w1, b1, w2, b2, w3, b3 = weights
    hidden = tf.nn.relu(tf.matmul(x, w1) + b1)
    hidden = tf.nn.relu(tf.matmul(hidden, w2) + b2)
    return cross_entropy(tf.matmul(hidden, w3) + b3, y)


def convolutional(weights: list[Any], x: Any, y: Any) -> Any:
    w1, b1, w2, b2, w3, b3, w4, b4 = weights
    for kernel, bias in ((w1, b1), (w2, b2)):
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, [1, 1, 1, 1], "SAME"), bias))
        x = tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    hidden = tf.nn.relu(tf.matmul(tf.reshape(x, [-1, 7 * 7 * 64]), w3) + b3)
    return cross_entropy(tf.matmul(hidden, w4) + b4, y)


def regression(weights: list[Any], x: Any, y: Any) -> Any:
    a, b, c = weights
    return tf.square((a * x + b) * x + c - y)


def chain(weights: list[Any], x: Any, y: Any) -> Any:
    (w,) = weights
    h = tf.sigmoid(x * w + 0.25)
    h = tf.sqrt(h * (1.0 - h) + 0.5)
    h = tf.tanh(tf.exp(-h * x) + w)
    h = tf.log(1.0 + h * h) / (1.0 + x)
    return tf.reduce_mean(tf.square(h - 0.1)) + y


def recurrent(weights: list[Any], x: Any, y: Any) -> Any:
    kernel, bias, w, b = weights
    steps, batch, _ = x.shape.as_list()
    hidden = cell = tf.zeros([batch, HIDDEN])
    for row in tf.unstack(x, steps):
        gates = tf.matmul(tf.concat([row, hidden], 1), kernel) + bias
        enter, new, forget, leave = tf.split(gates, 4, 1)
        cell = cell * tf.sigmoid(forget + 1.0) + tf.sigmoid(enter) * tf.tanh(new)
        hidden = tf.tanh(cell) * tf.sigmoid(leave)
    return cross_entropy(tf.matmul(hidden, w) + b, y)


def attention(weights: list[Any], x: Any, y: Any) -> Any:
    batch, length, width = x.shape.as_list()
    size = width // HEADS
    flat = tf.reshape(x, [-1, width])

    def heads(w: Any) -> Any:
        parts = tf.reshape(tf.matmul(flat, w), [batch, length, HEADS, size])
        return tf.transpose(parts, [0, 2, 1, 3])

    queries, keys, values = (heads(w) for w in weights[:3])
    scores = tf.matmul(queries, keys, transpose_b=True) * size**-0.5
    mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores), values), [0, 2, 1, 3])
    output = tf.matmul(tf.reshape(mixed, [-1, width]), weights[3])
    return tf.reduce_mean(tf.square(output - tf.reshape(y, [-1, width])))


NETWORKS = {
    f.__name__: f for f in (perceptron, convolutional, regression, chain, recurrent, attention)
}


def main() -> None:
    workload = WORKLOADS[sys.argv[1]]()
    x = tf.placeholder(tf.as_dtype(workload.x.dtype), workload.x.shape)
    y = tf.placeholder(tf.as_dtype(workload.y.dtype), workload.y.shape)
    variables = [tf.Variable(w) for w in workload.weights]
    loss = NETWORKS[sys.argv[1]](variables, x, y)
    train = tf.train.GradientDescentOptimizer(workload.learning_rate).minimize(loss)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    fetches, feeds = [loss, train], {x: workload.x, y: workload.y}
    measure(tf.__version__, lambda: float(session.run(fetches, feeds)[0]))


if __name__ == "__main__":
    main()
