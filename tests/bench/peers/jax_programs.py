"""The workloads in JAX: one compiled function for each step, which takes its weights over.

python tests/bench/peers/jax_programs.py WORKLOAD
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from timing import measure
from workloads import HEADS, HIDDEN, WORKLOADS


def cross_entropy(logits: Any, y: Any) -> Any:
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1)
    return -jnp.mean(chosen)


def perceptron(weights: list[Any], x: Any, y: Any) -> Any:
    w1, b1, w2, b2, w3, b3 = weights
    hidden = jax.nn.relu(x @ w1 + b1)
    hidden = jax.nn.relu(hidden @ w2 + b2)
    return cross_entropy(hidden @ w3 + b3, y)


def convolutional(weights: list[Any], x: Any, y: Any) -> Any:
    w1, b1, w2, b2, w3, b3, w4, b4 = weights
    window, order = (1, 2, 2, 1), ("NHWC", "HWIO", "NHWC")
    for kernel, bias in ((w1, b1), (w2, b2)):
        x = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=order)
        x = lax.reduce_window(jax.nn.relu(x + bias), -jnp.inf, lax.max, window, window, "SAME")
    hidden = jax.nn.relu(x.reshape(len(x), -1) @ w3 + b3)
    return cross_entropy(hidden @ w4 + b4, y)


def regression(weights: list[Any], x: Any, y: Any) -> Any:
    a, b, c = weights
    return jnp.square((a * x + b) * x + c - y)


def chain(weights: list[Any], x: Any, y: Any) -> Any:
    (w,) = weights
    h = jax.nn.sigmoid(x * w + 0.25)
    h = jnp.sqrt(h * (1.0 - h) + 0.5)
    h = jnp.tanh(jnp.exp(-h * x) + w)
    h = jnp.log(1.0 + h * h) / (1.0 + x)
    return jnp.mean(jnp.square(h - 0.1)) + y


def recurrent(weights: list[Any], x: Any, y: Any) -> Any:
    kernel, bias, w, b = weights

    def read(state: tuple[Any, Any], row: Any) -> tuple[tuple[Any, Any], None]:
        hidden, cell = state
        gates = jnp.concatenate([row, hidden], 1) @ kernel + bias
        enter, new, forget, leave = jnp.split(gates, 4, 1)
        cell = cell * jax.nn.sigmoid(forget + 1.0) + jax.nn.sigmoid(enter) * jnp.tanh(new)
        return (jnp.tanh(cell) * jax.nn.sigmoid(leave), cell), None

    nothing = jnp.zeros((x.shape[1], HIDDEN))
    (hidden, _), _ = lax.scan(read, (nothing, nothing), x)
    return cross_entropy(hidden @ w + b, y)


def attention(weights: list[Any], x: Any, y: Any) -> Any:
    batch, length, width = x.shape
    queries, keys, values = (
        (x @ w).reshape(batch, length, HEADS, -1).transpose(0, 2, 1, 3) for w in weights[:3]
    )
    scores = queries @ keys.transpose(0, 1, 3, 2) * (width // HEADS) ** -0.5
    mixed = (jax.nn.softmax(scores) @ values).transpose(0, 2, 1, 3)
    output = mixed.reshape(batch, length, width) @ weights[3]
    return jnp.mean(jnp.square(output - y))


NETWORKS = {
    f.__name__: f for f in (perceptron, convolutional, regression, chain, recurrent, attention)
}


def main() -> None:
    workload = WORKLOADS[sys.argv[1]]()
    network, rate = NETWORKS[sys.argv[1]], workload.learning_rate

    @functools.partial(jax.jit, donate_argnums=0)
    def train(weights: list[Any], x: Any, y: Any) -> tuple[list[Any], Any]:
        loss, gradients = jax.value_and_grad(network)(weights, x, y)
        return [w - rate * g for w, g in zip(weights, gradients, strict=True)], loss

    weights = [jnp.asarray(w) for w in workload.weights]

    def step() -> float:
        nonlocal weights
        weights, loss = train(weights, workload.x, workload.y)
        jax.block_until_ready(weights)
        return float(loss)

    measure(jax.__version__, step)


if __name__ == "__main__":
    main()
