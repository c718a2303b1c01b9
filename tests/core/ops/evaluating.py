"""Values of tensors, and gradients of composite functions against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import workbench as tf
from tests.core.ops.numeric import Array, derivative


def evaluate(fetches: Any, feeds: dict[Any, Any] | None = None) -> Any:
    """What a session gives, with the variables initialised."""
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


def assert_gradients(
    function: Callable[..., Any], *arrays: Array, tolerance: float = 1e-6, orders: int = 2
) -> None:
    """The gradients of sum(sin(function(...))) by all `arrays`, and the gradients of those."""
    inputs = [tf.placeholder(tf.float64, a.shape) for a in arrays]
    feeds = dict(zip(inputs, arrays, strict=True))
    loss: Any = tf.reduce_sum(tf.sin(function(*inputs)))
    with tf.Session() as session:
        for _ in range(orders):
            found = tf.gradients(loss, inputs)
            value = session.make_callable(loss, inputs)
            for i, (gradient, array) in enumerate(zip(found, arrays, strict=True)):
                if gradient is None:
                    continue

                def moved(x: Array, i: int = i, value: Any = value) -> Any:
                    return value(*arrays[:i], x, *arrays[i + 1 :])

                np.testing.assert_allclose(
                    session.run(tf.convert_to_tensor(gradient), feeds),
                    derivative(moved, array),
                    rtol=tolerance,
                    atol=tolerance,
                )
            terms = [tf.reduce_sum(tf.sin(g)) for g in found if g is not None]
            loss = tf.add_n(terms)
