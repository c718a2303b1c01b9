"""The demonstration's network: two convolutions and two dense layers on 8x8 digits."""

from __future__ import annotations

from typing import Any, NamedTuple

import workbench as tf


class Model(NamedTuple):
    """The tensors and operations of the network."""

    images: Any
    labels: Any
    keep_probability: Any
    loss: Any
    accuracy: Any
    predictions: Any
    probabilities: Any
    learning_rate: Any
    step: Any
    train: Any


def _weights(name: str, shape: list[int]) -> Any:
    return tf.get_variable(name, shape, initializer=tf.variance_scaling_initializer(2.0))


def _convolution(inputs: Any, filters: int, name: str) -> Any:
    with tf.variable_scope(name):
        kernel = _weights("kernel", [3, 3, inputs.shape[3].value, filters])
        bias = tf.get_variable("bias", [filters], initializer=tf.zeros_initializer())
        convolved = tf.nn.bias_add(tf.nn.conv2d(inputs, kernel, [1, 1, 1, 1], "SAME"), bias)
        return tf.nn.max_pool(tf.nn.relu(convolved), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")


def _dense(inputs: Any, units: int, name: str) -> Any:
    with tf.variable_scope(name):
        kernel = _weights("kernel", [inputs.shape[1].value, units])
        bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
        return tf.nn.xw_plus_b(inputs, kernel, bias)


def build(steps: int) -> Model:
    """Builds the network in the default graph; the learning rate falls over `steps` steps."""
    images = tf.placeholder(tf.float32, [None, 8, 8, 1], name="images")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    keep_probability = tf.placeholder_with_default(1.0, [], name="keep_probability")
    hidden = _convolution(images, 32, "convolution_1")
    hidden = _convolution(hidden, 64, "convolution_2")
    hidden = tf.reshape(hidden, [-1, 2 * 2 * 64], name="flat")
    hidden = tf.nn.relu(_dense(hidden, 128, "dense"))
    hidden = tf.nn.dropout(hidden, keep_probability)
    logits = _dense(hidden, 10, "logits")
    probabilities = tf.nn.softmax(logits, name="probabilities")
    predictions = tf.argmax(logits, 1, name="predictions")
    with tf.name_scope("cross_entropy"):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        loss = tf.reduce_mean(losses)
    with tf.name_scope("evaluation"):
        accuracy = tf.reduce_mean(tf.cast(tf.equal(predictions, labels), tf.float32))
    step = tf.train.get_or_create_global_step()
    rate = tf.train.cosine_decay(0.002, step, steps)
    train = tf.train.AdamOptimizer(rate).minimize(loss, global_step=step)
    return Model(
        images,
        labels,
        keep_probability,
        loss,
        accuracy,
        predictions,
        probabilities,
        rate,
        step,
        train,
    )
