"""The digest of a plan tells apart what is computed differently, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.plan.digest import plan_digest
from workbench.core.plan.plan import Plan, make_plan

Build = Callable[[Any], tuple[list[Any], list[Any]]]


def digest_of(build: Build, shape: tuple[int, ...] = (4, 6), dtype: Any = tf.float32) -> str | None:
    """The digest of the plan for what `build` makes of a fed tensor: (fetches, operations)."""
    return plan_digest(plan_of(build, shape, dtype))


def plan_of(build: Build, shape: tuple[int, ...] = (4, 6), dtype: Any = tf.float32) -> Plan:
    with tf.Graph().as_default():
        x = tf.placeholder(dtype, [None] * len(shape), name="x")
        fetches, operations = build(x)
        return make_plan(fetches, operations, [x], [shape])


def network(x: Any, units: int = 3, rate: float = 0.5, large: float = 0.0) -> Any:
    weights = tf.Variable(np.ones((6, units), np.float32), name="weights")
    table = np.zeros((1, 20_000), np.float32)
    table[0, -1] = large
    hidden = tf.nn.relu(tf.matmul(x, weights)) + tf.reduce_sum(tf.constant(table) * x[0, 0])
    loss = tf.reduce_mean(hidden)
    return loss, tf.assign_sub(weights, rate * tf.gradients(loss, [weights])[0])


def ordered(x: Any, before: bool) -> Any:
    state = tf.Variable(1.0, name="state")
    step = tf.assign_add(state, tf.reduce_sum(x))
    with tf.control_dependencies([step] if before else []):
        return [tf.identity(state)], [step.op]


#: All of them are different.
BUILDS: dict[str, Build] = {
    "plain": lambda x: ([tf.square(x)], []),
    "another operation": lambda x: ([tf.sqrt(x)], []),
    "another name": lambda x: ([tf.square(x, name="other")], []),
    "two results": lambda x: ([tf.square(x), tf.sqrt(x)], []),
    "in another order": lambda x: ([tf.square(x), tf.sqrt(x)][::-1], []),
    "an axis": lambda x: ([tf.reduce_sum(x, 0)], []),
    "another axis": lambda x: ([tf.reduce_sum(x, 1)], []),
    "a kept axis": lambda x: ([tf.reduce_sum(x, 1, keepdims=True)], []),
    "a constant": lambda x: ([x * 2.0], []),
    "minus nothing": lambda x: ([tf.maximum(x, tf.constant(-0.0))], []),
    "nothing": lambda x: ([tf.maximum(x, tf.constant(0.0))], []),
    "network": lambda x: ([network(x)[0]], []),
    "trained": lambda x: ([network(x)[0]], [network(x)[1].op]),
    "units": lambda x: ([network(x, units=4)[0]], []),
    "the end of a large constant": lambda x: ([network(x, large=1.0)[0]], []),
    "the value before a step": lambda x: ordered(x, False),
    "the value after a step": lambda x: ordered(x, True),
    "a seed": lambda x: ([x + tf.random_uniform([6], seed=1)], []),
    "another seed": lambda x: ([x + tf.random_uniform([6], seed=2)], []),
}


def test_whatever_differs_has_another_digest() -> None:
    digests = {name: digest_of(build) for name, build in BUILDS.items()}
    assert None not in digests.values()
    assert len(set(digests.values())) == len(BUILDS)


def test_shapes_and_dtypes_differ() -> None:
    build = BUILDS["plain"]
    found = {
        digest_of(build, shape, dtype)
        for shape in [(4, 6), (6, 4), (4, 7), (24,), (4, 6, 1)]
        for dtype in (tf.float32, tf.float64, tf.int32)
    }
    assert len(found) == 15


def test_the_same_again_has_the_same_digest() -> None:
    for build in BUILDS.values():
        assert digest_of(build) == digest_of(build)


def digests_in_words() -> str:
    return " ".join(str(digest_of(build)) for build in BUILDS.values())


@pytest.mark.parametrize("seed", ["0", "17"])
def test_another_process_finds_the_same(seed: str) -> None:
    program = "from tests.core.plan.test_digest import digests_in_words as d; print(d())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    assert done.stdout.strip() == digests_in_words()


def test_an_attribute_of_another_kind_leaves_no_digest() -> None:
    plan = plan_of(BUILDS["plain"])
    assert plan_digest(plan) is not None
    plan.memory.steps[-1].node.attrs["mapping"] = {"some": "thing"}
    assert plan_digest(plan) is None


def test_a_plan_of_shapes_that_do_not_fit_has_none() -> None:
    def build(x: Any) -> Any:
        return [tf.matmul(x, tf.constant(np.ones((6, 2), np.float32)))], []

    assert digest_of(build, (4, 6)) is not None
    assert digest_of(build, (4, 5)) is None
