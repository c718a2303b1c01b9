"""Random graphs: optimised and unoptimised plans, and plain NumPy, give the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.plan import groups
from workbench.core.plan.plan import make_plan
from workbench.core.runtime import blocks
from workbench.core.runtime.program_writer import ProgramWriter

SHAPES: list[tuple[int, ...]] = [(), (3,), (1, 3), (4, 1), (4, 3), (64, 48)]

UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "neg": (lambda x: -x, lambda a: -a),
    "tanh": (lambda x: tf.tanh(x), np.tanh),
    "square": (lambda x: tf.square(x), np.square),
    "exp": (lambda x: tf.exp(-tf.abs(x)), lambda a: np.exp(-np.abs(a))),
    "times one": (lambda x: x * 1.0, lambda a: a),
    "half": (lambda x: x / 2.0, lambda a: a / np.float32(2)),
    "power two": (lambda x: tf.pow(x, 2.0), lambda a: a**2),
    "identity": (lambda x: tf.identity(x), lambda a: a),
    "reshape": (lambda x: tf.reshape(tf.reshape(x, [-1]), tf.shape(x)), lambda a: a),
    "sum": (lambda x: tf.reduce_sum(x), lambda a: np.sum(a, dtype=np.float32)),
}
BINARY: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (lambda x, y: x + y, np.add),
    "sub": (lambda x, y: x - y, np.subtract),
    "mul": (lambda x, y: x * y, np.multiply),
    "max": (lambda x, y: tf.maximum(x, y), np.maximum),
    "sub neg": (lambda x, y: x - (-y), lambda a, b: a - (-b)),
}


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_random_graph(data: st.DataObject) -> None:
    check_random_graph(data)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_random_graph_in_blocks_on_threads(data: st.DataObject) -> None:
    # Small sizes take the way of large ones: groups of steps, in blocks, on several threads.
    with (
        mock.patch.multiple(groups, _LARGE=8, _LARGE_ALONE=8),
        mock.patch.multiple(blocks, _BLOCK=64, _SHARED=128),
    ):
        check_random_graph(data)


def check_random_graph(data: st.DataObject) -> None:
    """Draws a graph and compares optimised, unoptimised and NumPy's results."""
    seed = data.draw(st.integers(0, 2**16))
    random = np.random.RandomState(seed)
    # Both plans are interpreted: other tiers agree with them within rounding, not to the bit.
    with tf.Graph().as_default(), tf.Session(tier="interpreted") as session:
        shapes = data.draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
        arrays = [np.asarray(random.standard_normal(s), np.float32) for s in shapes]
        leaves = [tf.placeholder(tf.float32, s) for s in shapes]
        variable_value = np.asarray(random.standard_normal((4, 3)), np.float32)
        variable = tf.Variable(variable_value)
        session.run(variable.initializer)
        pool: list[tuple[Any, Any]] = [*zip(leaves, arrays, strict=True)]
        pool.append((variable.value(), variable_value))
        pool.append((tf.constant(np.float32(1.5)), np.float32(1.5)))
        for _ in range(data.draw(st.integers(1, 12))):
            x, a = pool[data.draw(st.integers(0, len(pool) - 1))]
            partners = [(y, b) for y, b in pool if _broadcasts(np.shape(a), np.shape(b))]
            if data.draw(st.booleans()) and partners:
                y, b = partners[data.draw(st.integers(0, len(partners) - 1))]
                build, compute = BINARY[data.draw(st.sampled_from(sorted(BINARY)))]
                made = (build(x, y), compute(a, b))
            else:
                build, compute = UNARY[data.draw(st.sampled_from(sorted(UNARY)))]
                made = (build(x), compute(a))
            if np.isfinite(made[1]).all() and np.abs(made[1]).max() < 1e6:
                pool.append(made)
        chosen = data.draw(
            st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=4, unique=True)
        )
        fetched = [pool[i][0] for i in chosen]
        expected = [pool[i][1] for i in chosen]
        plain = make_plan(fetched, [], leaves, shapes, optimise=False)
        with np.errstate(all="ignore"):
            slow = ProgramWriter(plain, session).write().run(*(a[()] for a in arrays))
        feeds = dict(zip(leaves, arrays, strict=True))
        copies = [a.copy() for a in arrays]
        for _ in range(2):
            # Twice: what the first run leaves in the arena must not matter.
            for fast, other, want in zip(session.run(fetched, feeds), slow, expected, strict=True):
                np.testing.assert_array_equal(fast, other)
                np.testing.assert_allclose(fast, want, rtol=2e-4, atol=2e-5)
        for array, copy in zip(arrays, copies, strict=True):
            np.testing.assert_array_equal(array, copy)
        np.testing.assert_array_equal(session.run(variable), variable_value)
