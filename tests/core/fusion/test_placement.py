"""Values that lie inside of others, or in another order than their own: results against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import host

pytestmark = pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here")

random = np.random.RandomState(0)
A = random.rand(4, 6, 8).astype(np.float32)
B = random.rand(4, 3, 8).astype(np.float32)
ROWS = np.array([[3, 0], [1, 2], [2, 2]], np.int32)
OVER = np.array([[1, 0], [2, 1], [0, 3]])

#: What is fed, the graph, and the same with NumPy.
CASES: dict[str, tuple[list[Any], Callable[..., Any], Callable[..., Any]]] = {
    "a concatenation that is transposed": (
        [A, B],
        lambda a, b: tf.transpose(tf.concat([tf.tanh(a), tf.exp(b)], 1), [1, 0, 2]),
        lambda a, b: np.concatenate([np.tanh(a), np.exp(b)], 1).transpose(1, 0, 2),
    ),
    "a stack that is transposed": (
        [A],
        lambda a: tf.transpose(tf.stack([tf.tanh(a), tf.exp(a)]), [1, 2, 0, 3]),
        lambda a: np.stack([np.tanh(a), np.exp(a)]).transpose(1, 2, 0, 3),
    ),
    "rows that are transposed": (
        [A[:, :, 0]],
        lambda a: tf.transpose(tf.gather(tf.tanh(a), tf.constant(ROWS)), [1, 0, 2]),
        lambda a: np.tanh(a)[ROWS].transpose(1, 0, 2),
    ),
    "a computed value that is padded": (
        [A],
        lambda a: tf.pad(tf.tanh(a), OVER),
        lambda a: np.pad(np.tanh(a), OVER),
    ),
    "a padded value that is transposed": (
        [A],
        lambda a: tf.transpose(tf.pad(tf.tanh(a), OVER), [1, 0, 2]),
        lambda a: np.pad(np.tanh(a), OVER).transpose(1, 0, 2),
    ),
    "sums over axes of size 1": (
        [A[:1, :, :1]],
        lambda a: tf.reduce_sum(tf.tanh(a), [0, 2]),
        lambda a: np.tanh(a).sum((0, 2)),
    ),
    "means over axes of size 1 that stay": (
        [A[:1]],
        lambda a: tf.reduce_mean(tf.tanh(a), 0, keep_dims=True),
        lambda a: np.tanh(a).mean(0, keepdims=True),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_are_where_they_are_read(name: str) -> None:
    arrays, graph, wanted = CASES[name]
    with tf.Graph().as_default(), tf.Session(tier="compiled") as session:
        fed = [tf.placeholder(tf.float32, a.shape) for a in arrays]
        result = graph(*fed) * 2.0
        feeds = dict(zip(fed, arrays, strict=True))
        np.testing.assert_allclose(session.run(result, feeds), wanted(*arrays) * 2, 1e-5)
        (program,) = session.explain(result, feeds).programs
        assert program.tier == "compiled" and not program.interpreted
