"""Totals over everything beside what is reduced along rows, or over them, in the same loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.two_tiers import Pair

#: Large enough for totals of parts, and one that is not.
SHAPES = [(256, 784), (2048, 70), (64, 16, 96), (3, 5)]


def _softmax(x: Any) -> list[Any]:
    y = tf.nn.softmax(x)
    return [tf.reduce_sum(y * y), y]


def _over_rows(x: Any) -> list[Any]:
    y = tf.tanh(x)
    return [tf.reduce_mean(y * y), tf.reduce_sum(y, 0)]


def _several(x: Any) -> list[Any]:
    y = tf.tanh(x)
    largest = tf.reduce_max(y, -1, keepdims=True)
    return [tf.reduce_max(y), tf.reduce_sum(y - largest), tf.reduce_sum(y - largest, 0)]


def _error_and_bias(x: Any) -> list[Any]:
    bias = tf.ones(x.shape[-1:])
    error = tf.reduce_mean(tf.square(x - tf.sigmoid(x + bias)))
    return [error, *tf.gradients(error, [bias, x])]


BUILDERS: list[Callable[[Any], list[Any]]] = [_softmax, _over_rows, _several, _error_and_bias]


def _check(build: Callable[[Any], list[Any]], shape: tuple[int, ...], dtype: Any) -> None:
    values = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32 if dtype is np.float32 else tf.float64, shape)
        results = build(tf.cast(x, tf.float32))
        with Pair(graph) as pair:
            pair.check(results, {x: values})


def cases() -> dict[str, Callable[[], None]]:
    return {
        f"{build.__name__.strip('_')} {shape} {dtype.__name__}": partial(
            _check, build, shape, dtype
        )
        for build in BUILDERS
        for shape in SHAPES
        for dtype in (np.float32, np.float64)
    }
