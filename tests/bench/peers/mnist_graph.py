"""MNIST as TensorFlow-1 code: the same lines run on the workbench and on TensorFlow.

python tests/bench/peers/mnist_graph.py FOLDER workbench|tensorflow
"""

from __future__ import annotations

import os
import sys
from typing import Any

from mnist_training import EPSILON, LEARNING_RATE, first_weights, train

if sys.argv[2] == "tensorflow":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow.compat.v1 as tf

    tf.disable_eager_execution()
else:
    import workbench as tf


def network(images: Any) -> Any:
    w1, b1, w2, b2, w3, b3, w4, b4 = (tf.Variable(w) for w in first_weights())
    for kernel, bias in ((w1, b1), (w2, b2)):
        convolved = tf.nn.conv2d(images, kernel, [1, 1, 1, 1], "SAME")
        images = tf.nn.relu(tf.nn.bias_add(convolved, bias))
        images = tf.nn.max_pool(images, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    hidden = tf.nn.relu(tf.matmul(tf.reshape(images, [-1, 7 * 7 * 64]), w3) + b3)
    return tf.matmul(hidden, w4) + b4


def main() -> None:
    images = tf.placeholder(tf.float32, [None, 28, 28, 1])
    labels = tf.placeholder(tf.int32, [None])
    logits = network(images)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    optimizer = tf.train.AdamOptimizer(LEARNING_RATE, epsilon=EPSILON)
    training = optimizer.minimize(tf.reduce_mean(losses))
    guess = tf.argmax(logits, 1)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    train(
        tf.__version__,
        lambda x, y: session.run(training, {images: x, labels: y}),
        lambda x: session.run(guess, {images: x}),
    )


if __name__ == "__main__":
    main()
