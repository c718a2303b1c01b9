"""Each rewrite rule: what becomes of the plan, and that no result changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.plan.plan import make_plan
from workbench.core.plan.simplification import RULES

X = np.array([[1.5, -2.0, 0.0], [np.nan, np.inf, -0.0]], np.float32)


def _plan(build: Callable[[Any], Any]) -> tuple[Any, Any, Any]:
    x = tf.placeholder(tf.float32, [2, 3])
    y = tf.convert_to_tensor(build(x))
    return make_plan([y], [], [x], [(2, 3)]), x, y


def _types(plan: Any) -> list[str]:
    return [
        s.node.type for s in plan.memory.steps if s.node.type not in ("Feed", "Const", "Handle")
    ]


CASES: list[tuple[str, Callable[[Any], Any], list[str]]] = [
    ("x * 1 -> x", lambda x: x * 1.0, []),
    ("x / 1 -> x", lambda x: x / 1.0, []),
    ("x - 0 -> x", lambda x: x - 0.0, []),
    ("x ^ 1 -> x", lambda x: tf.pow(x, 1.0), []),
    ("x ^ 2 -> square(x)", lambda x: tf.pow(x, 2.0), ["Square"]),
    ("x * x -> square(x)", lambda x: x * x, ["Square"]),
    ("x / 2^n -> x * 2^-n", lambda x: x / 4.0, ["Mul"]),
    ("x - (-y) -> x + y", lambda x: x - (-tf.tanh(x)), ["Tanh", "Add"]),
    ("x + (-y) -> x - y", lambda x: x + (-tf.tanh(x)), ["Tanh", "Sub"]),
    ("(-x) * (-y) -> x * y", lambda x: (-x) * (-tf.tanh(x)), ["Tanh", "Mul"]),
    ("-(-x) -> x", lambda x: tf.negative(-x), []),
    ("uniform constant -> scalar", lambda x: x + np.full((2, 3), 2.0, "f"), ["Add"]),
    ("broadcast before element-wise", lambda x: tf.broadcast_to(x[0], [2, 3]) * x, None),
    (
        "broadcast before element-wise",
        lambda x: tf.subtract(*[tf.broadcast_to(tf.tanh(x[0]), [2, 3])] * 2),
        None,
    ),
    ("broadcast to own shape", lambda x: tf.broadcast_to(x, [2, 3]), []),
    ("reshape of reshape", lambda x: tf.reshape(tf.reshape(x, [6]), [3, 2]), ["Reshape"]),
    ("reshape of reshape", lambda x: tf.reshape(x, [2, 3]), []),
    ("cast to own type", lambda x: tf.cast(tf.cast(x, tf.float64), tf.float32), None),
    ("transpose into product", lambda x: tf.matmul(tf.transpose(x), x), ["MatMul"]),
    ("transpose into product", lambda x: tf.matmul(x, tf.transpose(x)), ["MatMul"]),
    ("transpose in order", lambda x: tf.transpose(x, [0, 1]), []),
    ("sum of two", lambda x: tf.add_n([x, tf.tanh(x)]), ["Tanh", "Add"]),
]


@pytest.mark.parametrize(("rule", "build", "types"), CASES)
def test_rule(rule: str, build: Callable[[Any], Any], types: list[str] | None) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        plan, x, y = _plan(build)
        plain = make_plan([y], [], [x], [(2, 3)], optimise=False)
        if types is not None:
            assert _types(plan) == types
            assert plan.counts[rule] >= 1
        assert len(_types(plan)) <= len(_types(plain))
        from workbench.core.runtime.program_writer import ProgramWriter

        with np.errstate(all="ignore"):
            fast = ProgramWriter(plan, session).write().run(X)[0]
            slow = ProgramWriter(plain, session).write().run(X)[0]
    np.testing.assert_array_equal(fast, slow)
    # The sign of NaN means nothing.
    numbers = ~np.isnan(slow)
    np.testing.assert_array_equal(np.signbit(fast)[numbers], np.signbit(slow)[numbers])


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x * 0.0,
        lambda x: x + 0.0,
        lambda x: x - (-0.0),
        lambda x: (x + 1.0) + 1e-8,
        lambda x: x / 3.0,
    ],
    ids=["x*0", "x+0", "x-(-0)", "reassociation", "x/3"],
)
def test_what_would_change_a_bit_stays(build: Callable[[Any], Any]) -> None:
    with tf.Graph().as_default():
        plan, _, y = _plan(build)
        assert _types(plan)[-1] == y.op.type


def test_every_rule_has_a_case() -> None:
    covered = {rule for rule, _, _ in CASES} | {"reduction over no axes", "sum of one", "identity"}
    assert {rule.name for rule in RULES} <= covered


def test_common_subexpressions_are_one_step() -> None:
    with tf.Graph().as_default():
        plan, _, _ = _plan(lambda x: tf.tanh(x) + tf.tanh(x) * tf.tanh(x))
        assert _types(plan).count("Tanh") == 1


def test_random_operations_are_never_merged_or_folded() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        a, b = tf.random_uniform([3], seed=1), tf.random_uniform([3], seed=1)
        plan = session.plan([a, b])
        assert _types(plan).count("RandomUniform") == 2


def test_shape_arithmetic_is_folded_for_fed_shapes() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 3])
        y = tf.reshape(x, [tf.shape(x)[0] * 3])
        plan = session.plan(y, {x: np.zeros((4, 3), "f")})
        assert _types(plan) == ["Reshape"]
        assert session.run(y, {x: np.zeros((4, 3), "f")}).shape == (12,)


def test_plan_text_tells_what_was_done() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [64, 64], name="x")
        plan = session.plan(tf.tanh(x * 1.0 + 2.0) * 3.0, {x: np.zeros((64, 64), "f")})
        text = str(plan)
        assert "x * 1 -> x: 1" in text
        assert "overwrites" in text
        assert "arena: 16,384 bytes in 1 slots" in text


def test_a_call_without_results_is_not_computed_beforehand() -> None:
    seen: list[float] = []
    assert tf.py_func(seen.append, [tf.constant(1.0)], [], stateful=False) == []
    call = tf.get_default_graph().get_operations()[-1]
    with tf.Session() as session:
        for _ in range(3):
            session.run(call)
    assert seen == [1.0, 1.0, 1.0]
