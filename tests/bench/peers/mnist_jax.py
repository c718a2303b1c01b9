"""MNIST in JAX, with Adam written out.

python tests/bench/peers/mnist_jax.py FOLDER
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from mnist_training import EPSILON, LEARNING_RATE, first_weights, train

State = tuple[list[Any], list[Any], list[Any], Any]
DECAY, SQUARE_DECAY = 0.9, 0.999


def network(weights: list[Any], x: Any) -> Any:
    w1, b1, w2, b2, w3, b3, w4, b4 = weights
    window, order = (1, 2, 2, 1), ("NHWC", "HWIO", "NHWC")
    for kernel, bias in ((w1, b1), (w2, b2)):
        x = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=order)
        x = lax.reduce_window(jax.nn.relu(x + bias), -jnp.inf, lax.max, window, window, "SAME")
    hidden = jax.nn.relu(x.reshape(len(x), -1) @ w3 + b3)
    return hidden @ w4 + b4


def loss(weights: list[Any], x: Any, y: Any) -> Any:
    chances = jax.nn.log_softmax(network(weights, x))
    return -jnp.mean(jnp.take_along_axis(chances, y[:, None], 1))


@functools.partial(jax.jit, donate_argnums=0)
def advance(state: State, x: Any, y: Any) -> State:
    weights, means, squares, count = state
    gradients = jax.grad(loss)(weights, x, y)
    count = count + 1
    means = [DECAY * m + (1 - DECAY) * g for m, g in zip(means, gradients, strict=True)]
    squares = [
        SQUARE_DECAY * s + (1 - SQUARE_DECAY) * g * g
        for s, g in zip(squares, gradients, strict=True)
    ]
    rate = LEARNING_RATE * jnp.sqrt(1 - SQUARE_DECAY**count) / (1 - DECAY**count)
    weights = [
        w - rate * m / (jnp.sqrt(s) + EPSILON)
        for w, m, s in zip(weights, means, squares, strict=True)
    ]
    return weights, means, squares, count


@jax.jit
def guess(weights: list[Any], x: Any) -> Any:
    return jnp.argmax(network(weights, x), 1)


def main() -> None:
    arrays = first_weights()
    state: State = (
        [jnp.asarray(a) for a in arrays],
        [jnp.zeros_like(a) for a in arrays],
        [jnp.zeros_like(a) for a in arrays],
        jnp.float32(0),
    )

    def step(x: Any, y: Any) -> None:
        nonlocal state
        state = jax.block_until_ready(advance(state, x, y))

    train(jax.__version__, step, lambda x: jax.device_get(guess(state[0], x)))


if __name__ == "__main__":
    main()
