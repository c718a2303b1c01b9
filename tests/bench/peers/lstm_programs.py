"""Training steps of an LSTM that reads whole sequences, by each engine's own loop.

    python lstm_programs.py BATCHxSTEPSxINPUTSxUNITS PROGRAM

PROGRAM is workbench or tensorflow (by `dynamic_rnn`), unrolled (ours, by `static_rnn`), torch (by
its LSTM) or jax (by a scan, with the product with all inputs before it).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import measure

CLASSES, RATE = 10, 0.1
Arrays = list[Any]


def data(batch: int, steps: int, inputs: int, units: int) -> tuple[Arrays, Any, Any]:
    """The first weights (kernel, bias, and those of the classes), the inputs and the classes."""
    random = np.random.RandomState(7)
    scale = np.sqrt(1.0 / (inputs + units))
    weights = [
        random.standard_normal((inputs + units, 4 * units)) * scale,
        np.zeros(4 * units),
        random.standard_normal((units, CLASSES)) * np.sqrt(1.0 / units),
        np.zeros(CLASSES),
    ]
    x = random.standard_normal((steps, batch, inputs)).astype(np.float32)
    y = random.randint(0, CLASSES, batch).astype(np.int32)
    return [w.astype(np.float32) for w in weights], x, y


def graph(tf: Any, weights: Arrays, x: Any, y: Any, dynamic: bool) -> tuple[str, Any]:
    """Ours and TensorFlow's."""
    units = weights[2].shape[0]
    inputs, labels = tf.placeholder(tf.float32, x.shape), tf.placeholder(tf.int32, y.shape)
    cell = tf.nn.rnn_cell.BasicLSTMCell(units)
    if dynamic:
        _, state = tf.nn.dynamic_rnn(cell, inputs, dtype=tf.float32, time_major=True)
    else:
        _, state = tf.nn.static_rnn(cell, tf.unstack(inputs), dtype=tf.float32)
    output = [tf.Variable(w) for w in weights[2:]]
    logits = tf.nn.xw_plus_b(state.h, *output)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.reduce_mean(losses)
    train = tf.train.GradientDescentOptimizer(RATE).minimize(loss)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    for variable, value in zip(cell.trainable_variables, weights[:2], strict=True):
        variable.load(value, session)
    fetches, feeds = [loss, train], {inputs: x, labels: y}
    return tf.__version__, lambda: float(session.run(fetches, feeds)[0])


def workbench(weights: Arrays, x: Any, y: Any) -> tuple[str, Any]:
    import workbench

    return graph(workbench, weights, x, y, dynamic=True)


def unrolled(weights: Arrays, x: Any, y: Any) -> tuple[str, Any]:
    import workbench

    return graph(workbench, weights, x, y, dynamic=False)


def tensorflow(weights: Arrays, x: Any, y: Any) -> tuple[str, Any]:
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    return graph(tf, weights, x, y, dynamic=True)


def torch(weights: Arrays, x: Any, y: Any) -> tuple[str, Any]:
    import torch

    kernel, bias, w, b = weights
    inputs, units = x.shape[2], w.shape[0]

    def gates(array: Any) -> Any:
        """The columns in PyTorch's order: enter, forget, new, leave."""
        enter, new, forget, leave = np.split(array, 4, axis=-1)
        return np.ascontiguousarray(np.concatenate([enter, forget, new, leave], -1).T)

    lstm = torch.nn.LSTM(inputs, units)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(torch.from_numpy(gates(kernel[:inputs])))
        lstm.weight_hh_l0.copy_(torch.from_numpy(gates(kernel[inputs:])))
        forget_bias = np.repeat(np.float32([0, 0, 1, 0]), units)
        lstm.bias_ih_l0.copy_(torch.from_numpy(gates(bias + forget_bias)))
        lstm.bias_hh_l0.zero_()
    # Its second bias does what the first one does already.
    lstm.bias_hh_l0.requires_grad_(False)
    output = [torch.from_numpy(v.copy()).requires_grad_() for v in (w, b)]
    parameters = [p for p in lstm.parameters() if p.requires_grad] + output
    labels = y.astype(np.int64)

    def step() -> float:
        _, (hidden, _) = lstm(torch.from_numpy(x))
        logits = torch.addmm(output[1], hidden[0], output[0])
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for weight, gradient in zip(parameters, gradients, strict=True):
                weight.sub_(gradient, alpha=RATE)
        return float(loss.item())

    return torch.__version__, step


def jax(weights: Arrays, x: Any, y: Any) -> tuple[str, Any]:
    import jax
    import jax.numpy as jnp

    inputs, units = x.shape[2], weights[2].shape[0]

    def loss_of(weights: Arrays, x: Any, y: Any) -> Any:
        kernel, bias, w, b = weights
        ready = x @ kernel[:inputs] + bias

        def read(state: tuple[Any, Any], row: Any) -> tuple[tuple[Any, Any], None]:
            hidden, cell = state
            enter, new, forget, leave = jnp.split(row + hidden @ kernel[inputs:], 4, 1)
            cell = cell * jax.nn.sigmoid(forget + 1.0) + jax.nn.sigmoid(enter) * jnp.tanh(new)
            return (jnp.tanh(cell) * jax.nn.sigmoid(leave), cell), None

        nothing = jnp.zeros((x.shape[1], units))
        (hidden, _), _ = jax.lax.scan(read, (nothing, nothing), ready)
        logs = jax.nn.log_softmax(hidden @ w + b)
        return -jnp.mean(logs[jnp.arange(len(y)), y])

    @functools.partial(jax.jit, donate_argnums=0)
    def train(weights: Arrays, x: Any, y: Any) -> tuple[Arrays, Any]:
        loss, gradients = jax.value_and_grad(loss_of)(weights, x, y)
        return [w - RATE * g for w, g in zip(weights, gradients, strict=True)], loss

    current = [jnp.asarray(w) for w in weights]

    def step() -> float:
        nonlocal current
        current, loss = train(current, x, y)
        jax.block_until_ready(current)
        return float(loss)

    return jax.__version__, step


ENGINES: dict[str, Callable[[Arrays, Any, Any], tuple[str, Any]]] = {
    f.__name__: f for f in (workbench, unrolled, tensorflow, torch, jax)
}


def main() -> None:
    sizes = [int(size) for size in sys.argv[1].split("x")]
    measure(*ENGINES[sys.argv[2]](*data(*sizes)))


if __name__ == "__main__":
    main()
