"""Conditionals and loops of graphs on both tiers: results, gradients, variables, errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.two_tiers import Pair

Build = Callable[[Any, Any], Any]


def _normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _times(n: Any, body: Callable[[Any, Any], Any], start: Any) -> Any:
    """`body` of (number, value), n times."""
    return tf.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, body(i, v)), [0, start])[1]


def _affine(x: Any, n: Any) -> Any:
    return _times(n, lambda i, v: v * 0.9 + tf.cast(i, tf.float32), x)


def _product(x: Any, n: Any) -> Any:
    w = tf.get_variable("w", initializer=_normal(4, 4, seed=1) * 0.5)
    return _times(n, lambda i, v: tf.tanh(tf.matmul(v, w)), x)


def _conditional(x: Any, n: Any) -> Any:
    return tf.cond(n > 3, lambda: tf.reduce_sum(x * x, 1), lambda: tf.reduce_max(x, 1))


def _conditional_in_a_loop(x: Any, n: Any) -> Any:
    def body(i: Any, v: Any) -> Any:
        return tf.cond(tf.reduce_sum(v) > 0.0, lambda: v * 0.5 - 1.0, lambda: tf.tanh(v) + 0.5)

    return _times(n, body, x)


def _loop_in_a_conditional(x: Any, n: Any) -> Any:
    return tf.cond(n > 2, lambda: _affine(x, n), lambda: x)


def _nested(x: Any, n: Any) -> Any:
    return _times(n, lambda i, v: _times(i, lambda j, u: u * 0.8 + 0.1, v), x)


def _known(x: Any, n: Any) -> Any:
    """Unrolled: it is known how often it goes round."""
    return _times(5, lambda i, v: tf.sin(v) + tf.cast(i, tf.float32), x)


def _stacked(x: Any, n: Any) -> Any:
    return tf.map_fn(lambda row: tf.tanh(row) * tf.reduce_sum(row), x)


def _scanned(x: Any, n: Any) -> Any:
    return tf.scan(lambda total, row: total * 0.5 + row, x)


def _growing(x: Any, n: Any) -> Any:
    """A state whose shape changes."""
    return tf.while_loop(
        lambda i, v: i < n,
        lambda i, v: (i + 1, tf.concat([v, v[:1] * 2.0], 0)),
        [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 4])],
    )[1]


BUILDERS: dict[str, Build] = {
    "affine": _affine,
    "product": _product,
    "conditional": _conditional,
    "conditional in a loop": _conditional_in_a_loop,
    "loop in a conditional": _loop_in_a_conditional,
    "nested": _nested,
    "known": _known,
    "stacked": _stacked,
    "scanned": _scanned,
    "growing": _growing,
}


def _check(build: Build, batch: int | None, with_gradients: bool) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [batch, 4])
        n = tf.placeholder(tf.int32, [])
        y = build(x, n)
        fetches: list[Any] = [y]
        if with_gradients:
            sources = [x, *tf.trainable_variables()]
            fetches += tf.gradients(tf.reduce_sum(y * y), sources)
        with Pair(graph) as pair:
            pair.initialise()
            for count in (0, 1, 4, 7):
                pair.check(fetches, {x: _normal(3, 4), n: count}, tolerance=2e-4)
            if batch is None:
                pair.check(fetches, {x: _normal(5, 4), n: 3}, tolerance=2e-4)


def _check_variables() -> None:
    """What bodies assign is there afterwards, and read anew in the next pass."""
    with tf.Graph().as_default() as graph:
        total = tf.get_variable("total", initializer=np.float32(1))
        n = tf.placeholder(tf.int32, [])

        def body(i: Any) -> Any:
            with tf.control_dependencies([tf.assign_add(total, tf.cast(i, tf.float32))]):
                return i + 1

        done = tf.while_loop(lambda i: i < n, body, [0])
        chosen = tf.cond(n > 3, lambda: tf.assign(total, 100.0), lambda: tf.assign_sub(total, 1.0))
        with Pair(graph) as pair:
            pair.initialise()
            for count in (0, 5, 2):
                pair.check(done, {n: count})
                pair.check(chosen, {n: count})


def _check_errors() -> None:
    with tf.Graph().as_default() as graph:
        n = tf.placeholder(tf.int32, [])
        x = tf.placeholder(tf.float32, [4])
        picked = _times(n, lambda i, v: v + tf.gather(x, i), tf.constant(0.0))
        with Pair(graph) as pair:
            for count in (4, 5):
                pair.check(picked, {n: count, x: _normal(4)})


def _check_accounts() -> None:
    """What `explain` says of loops."""
    with tf.Graph().as_default():
        n = tf.placeholder(tf.int32, [])
        loops = {
            "its states in registers": _times(n, lambda i, v: v * 2.0, tf.ones([3])),
            "from one pass's kernels to the next": _times(
                n, lambda i, v: tf.matmul(v, v), tf.ones([3, 3])
            ),
            "Python goes from pass to pass": _times(
                n, lambda i, v: tf.string_join([v, "a"]), tf.constant("b")
            ),
        }
        with tf.Session(tier="compiled") as session:
            for words, loop in loops.items():
                session.run(loop, {n: 3})
                told = str(session.explain(loop, {n: 3}))
                assert words in told, told
            x = tf.placeholder(tf.float32, [3])
            told = str(session.explain(_times(3, lambda i, v: v * 2.0, x), {x: np.ones(3)}))
            assert "1 loop unrolled" in told, told


def cases() -> dict[str, Callable[[], None]]:
    found: dict[str, Callable[[], None]] = {}
    for name, build in BUILDERS.items():
        for batch in (3, None):
            found[f"{name}, {batch} rows"] = partial(_check, build, batch, False)
            found[f"gradients of {name}, {batch} rows"] = partial(_check, build, batch, True)
    return {
        **found,
        "variables": _check_variables,
        "errors": _check_errors,
        "accounts": _check_accounts,
    }
