"""The six workloads of the comparison: their data, first weights and cost.

Each engine has a program of its own for them; the numbers it starts from are the same, and so are
the losses of its first steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

#: The sizes that programs need to know beside those of their arrays.
FEATURES, HIDDEN = 28, 128
HEADS = 6


class Workload(NamedTuple):
    """One network and its batch; a step goes forward, back, and down the gradient."""

    weights: tuple[Array, ...]
    x: Array
    y: Array
    learning_rate: float
    #: Floating-point operations of the products of one step; 0 where there are none.
    operations: int


def _weights(random: np.random.RandomState, *shape: int) -> Array:
    """Weights whose products have about the size of their inputs."""
    inputs = int(np.prod(shape[:-1]))
    return (random.standard_normal(shape) * np.sqrt(2 / inputs)).astype(np.float32)


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def _classes(random: np.random.RandomState, count: int) -> Array:
    return random.randint(0, 10, count).astype(np.int32)


def perceptron() -> Workload:
    """A multi-layer perceptron, 784-512-256-10, on 128 images."""
    random = np.random.RandomState(1)
    sizes = (784, 512, 256, 10)
    layers = list(itertools.pairwise(sizes))
    weights = [part for n, m in layers for part in (_weights(random, n, m), _zeros(m))]
    x = random.rand(128, 784).astype(np.float32)
    products = [2 * 128 * n * m for n, m in layers]
    # Three products for each layer; nobody asks for the gradient of the images.
    cost = 3 * sum(products) - products[0]
    return Workload(tuple(weights), x, _classes(random, 128), 0.05, cost)


def convolutional() -> Workload:
    """Two 3x3 convolutions with pooling and two dense layers, on 64 images of 28x28."""
    random = np.random.RandomState(2)
    weights = (
        *(_weights(random, 3, 3, 1, 32), _zeros(32)),
        *(_weights(random, 3, 3, 32, 64), _zeros(64)),
        *(_weights(random, 7 * 7 * 64, 128), _zeros(128)),
        *(_weights(random, 128, 10), _zeros(10)),
    )
    x = random.rand(64, 28, 28, 1).astype(np.float32)
    first = 2 * 64 * 28 * 28 * 9 * 32
    others = 2 * 64 * (14 * 14 * 9 * 32 * 64 + 7 * 7 * 64 * 128 + 128 * 10)
    return Workload(weights, x, _classes(random, 64), 0.01, 2 * first + 3 * others)


def regression() -> Workload:
    """A parabola through one point: scalars only."""
    weights = tuple(np.float32(value) for value in (0.5, -0.25, 0.0))
    return Workload(weights, np.float32(1.25), np.float32(2.75), 0.01, 0)  # type: ignore[arg-type]


def chain() -> Workload:
    """Nineteen element-wise operations on a million numbers, one after the other."""
    random = np.random.RandomState(4)
    weights = ((random.standard_normal(1_000_000) * 0.5).astype(np.float32),)
    # A mean has small gradients: they need a large rate to show in the loss.
    return Workload(weights, random.rand(1_000_000).astype(np.float32), _zeros(), 1e4, 0)


def recurrent() -> Workload:
    """An LSTM of 128 units that reads 100 images row by row."""
    random = np.random.RandomState(5)
    steps, batch, wide = 28, 100, 4 * HIDDEN
    weights = (
        *(_weights(random, FEATURES + HIDDEN, wide), _zeros(wide)),
        *(_weights(random, HIDDEN, 10), _zeros(10)),
    )
    x = random.rand(steps, batch, FEATURES).astype(np.float32)
    cost = 3 * 2 * batch * (steps * (FEATURES + HIDDEN) * wide + HIDDEN * 10)
    return Workload(weights, x, _classes(random, batch), 0.1, cost)


def attention() -> Workload:
    """One layer of attention with six heads, over 8 sequences of 96 vectors of 192 numbers."""
    random = np.random.RandomState(6)
    batch, length, width = 8, 96, 192
    weights = tuple(_weights(random, width, width) for _ in range(4))
    x = random.standard_normal((batch, length, width)).astype(np.float32)
    y = random.standard_normal((batch, length, width)).astype(np.float32)
    projection, scores = 2 * batch * length * width * width, 2 * batch * length * length * width
    # Three for each of four projections and of two products of heads, but for the input's gradient.
    cost = 3 * (4 * projection + 2 * scores) - 3 * projection
    return Workload(weights, x, y, 0.5, cost)


WORKLOADS: dict[str, Callable[[], Workload]] = {
    make.__name__: make
    for make in (perceptron, convolutional, regression, chain, recurrent, attention)
}
