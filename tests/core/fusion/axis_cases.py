"""Reductions over any axes of tensors whose axes are equally long.

With its axes in another order such a tensor has the same shape, and is not the same all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.two_tiers import Pair

SHAPES = [(5, 5), (4, 3, 3), (1, 4, 3, 3), (3, 3, 3), (2, 2, 2, 2), (3, 4, 4, 4)]


def _softmax(x: Any, axes: list[int]) -> Any:
    exponential = tf.exp(x - tf.reduce_max(x, axes, keepdims=True))
    return exponential / tf.reduce_sum(exponential, axes, keepdims=True)


def _side_by_side(x: Any, axes: list[int]) -> Any:
    y = tf.tanh(x)
    largest = tf.reduce_max(y, axes, keepdims=True)
    squares = tf.reduce_sum(y * y, axes, keepdims=True)
    return tf.stack([largest * tf.ones_like(y), squares * y, y])


def _rows(x: Any, axes: list[int]) -> Any:
    largest = tf.reduce_max(tf.exp(x), axes)
    return tf.tanh(tf.reduce_mean(tf.exp(x), axes)) + largest * tf.reduce_sum(x, axes)


def _gradient(x: Any, axes: list[int]) -> Any:
    return tf.gradients(tf.tanh(tf.reduce_max(tf.tanh(x), axes)), [x])[0]


BUILDERS: list[Callable[[Any, list[int]], Any]] = [_softmax, _side_by_side, _rows, _gradient]


def _check(build: Callable[[Any, list[int]], Any], shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    axes = [list(chosen) for n in (1, 2) for chosen in itertools.combinations(range(len(shape)), n)]
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, shape)
        results = [build(x, chosen) for chosen in axes]
        with Pair(graph) as pair:
            for result in results:
                pair.check(result, {x: values})
            pair.check(results, {x: values})


def cases() -> dict[str, Callable[[], None]]:
    return {
        f"{build.__name__.strip('_')} {shape}": partial(_check, build, shape)
        for build in BUILDERS
        for shape in SHAPES
    }
