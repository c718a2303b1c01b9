"""Gradients of random smooth graphs on both tiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.fusion import random_arrangements, random_values
from tests.core.fusion.random_graphs import Choices, described
from tests.core.fusion.random_values import Drawn, Shape
from tests.core.fusion.two_tiers import Pair, close

SHAPES: list[Shape] = [(5, 8), (1, 13), (13,), (3, 1), (2, 6, 6, 3), (4, 3, 5), (37, 16), (1,)]
SMOOTH: list[Any] = [
    random_values.softmax, random_values.loss, random_values.matmul, random_values.convolution,
    random_values.pooling, random_values.reduction, *random_arrangements.ARRANGEMENTS,
]  # fmt: skip
#: Values stay of a size at which gradients neither vanish nor explode.
BOUNDED = (tf.tanh, tf.sigmoid, lambda x: tf.exp(-tf.square(x)), tf.nn.softplus, lambda x: x * 0.5)


def _next(draw: Choices, pool: list[Drawn]) -> Drawn | None:
    x = draw.one_of(pool)
    kind = draw.number(4)
    if kind == 0:
        return x._replace(tensor=draw.one_of(BOUNDED)(x.tensor), exact=False)
    if kind == 1:
        y = draw.one_of(pool)
        try:
            shape = np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            return None
        product = draw.one_of([tf.multiply, tf.add, tf.subtract])(x.tensor, y.tensor)
        return Drawn(product, shape, False, 1.0, 0.0)
    made = draw.one_of(SMOOTH)(draw, x._replace(most=1.0, error=0.0))
    # Wide sums are brought back to the size of the rest.
    return None if made is None else made._replace(tensor=tf.tanh(made.tensor), most=1.0)


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def check_random_gradients(data: st.DataObject) -> None:
    """Draws a graph, and descends along its gradients on both tiers."""
    draw = Choices(data)
    with tf.Graph().as_default() as graph, np.errstate(all="ignore"):
        feeds: dict[Any, Any] = {}
        pool: list[Drawn] = []
        for number in range(1 + draw.number(3)):
            shape = draw.one_of(SHAPES)
            start = draw.random.standard_normal(shape).astype(np.float32)
            if draw.number(2):
                leaf = tf.placeholder(tf.float32, shape)
                feeds[leaf] = start
            else:
                leaf = tf.get_variable(f"v{number}", initializer=start)
            pool.append(Drawn(tf.identity(leaf), shape, True, 1.0, 0.0))
        leaves = [*feeds, *tf.trainable_variables()]
        for _ in range(3 + draw.number(9)):
            made = _next(draw, pool)
            if made is not None and 0 < random_values.count(made.shape) < 5000:
                pool.append(made)
        chosen = [draw.one_of(pool) for _ in range(1 + draw.number(2))]
        loss = tf.add_n([tf.reduce_mean(c.tensor) for c in [*chosen, pool[-1]]])
        gradients = [g for g in tf.gradients(loss, leaves) if g is not None]
        gradients = [tf.convert_to_tensor(g) for g in gradients]
        fetches: list[Any] = [loss, gradients]
        if tf.trainable_variables():
            optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
            pairs = optimizer.compute_gradients(loss)
            if any(g is not None for g, _ in pairs):
                fetches.append(optimizer.apply_gradients(pairs))
        try:
            with Pair(graph) as pair:
                pair.initialise()
                for _ in range(2):
                    outcomes = pair.run(fetches, feeds)
                    slow, fast = outcomes["interpreted"], outcomes["compiled"]
                    assert slow.error is None, slow.error
                    assert fast.error is None, fast.error
                    values = [slow.results[0], *slow.results[1]]
                    for found, wanted in zip(
                        [fast.results[0], *fast.results[1]], values, strict=True
                    ):
                        close(found, wanted, 1e-3, "gradient", 1e-5)
                    for name, value in slow.variables.items():
                        close(fast.variables[name], value, 1e-4, f"variable {name}", 1e-5)
        except Exception as error:
            error.add_note(described(graph))
            raise


def cases() -> dict[str, Callable[[], None]]:
    return {"random gradients": check_random_gradients}
