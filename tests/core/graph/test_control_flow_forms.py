"""Random programs with branches and loops give the same in every form: functional, raw, raised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph.importer import import_nodes

FEEDS = [
    {"x:0": x, "n:0": n, "p:0": p} for x in (0.75, -1.5) for n in (0, 3) for p in (True, False)
]


class Program:
    """A random program of scalars, made anew from its seed."""

    def __init__(self, seed: int, depth: int) -> None:
        self._random = np.random.RandomState(seed)
        self.x = tf.placeholder(tf.float32, [], name="x")
        self.n = tf.placeholder(tf.int32, [], name="n")
        self.p = tf.placeholder(tf.bool, [], name="p")
        self.result = self._value([self.x], depth)

    def _pick(self, known: list[Any]) -> Any:
        return known[self._random.randint(len(known))]

    def _value(self, known: list[Any], depth: int) -> Any:
        """Some value made of those that are known."""
        kind = 3 + self._random.randint(3) if depth else self._random.randint(3)
        if kind == 0:
            return tf.sin(self._pick(known)) + float(self._random.randint(3))
        if kind == 1:
            return self._pick(known) * self._pick(known) * 0.5
        if kind == 2:
            return self._pick(known) - tf.cast(self.n, tf.float32) * 0.25
        if kind == 3:
            return self._loop(known, depth - 1)
        if kind == 4:
            return self._branch(known, depth - 1)
        first = self._value(known, depth - 1)
        return self._value([*known, first], depth - 1)

    def _branch(self, known: list[Any], depth: int) -> Any:
        predicate = self._pick([self.p, self._pick(known) > 0.5, self.n > 1])
        several = self._random.randint(2)

        def side() -> Any:
            value = self._value(known, depth)
            return (value, self._value([*known, value], depth)) if several else value

        made = tf.cond(predicate, side, side)
        return made[0] + made[1] if several else made

    def _loop(self, known: list[Any], depth: int) -> Any:
        limit = self._pick([self.n, 2, self.n - 1])

        def body(i: Any, value: Any, other: Any) -> Any:
            inside = [*known, value, other]
            after = tf.tanh(self._value(inside, depth))
            return i + 1, after, tf.tanh(self._value([*inside, after], depth)) + other

        start = [0, self._pick(known), self._pick(known)]
        made = tf.while_loop(lambda i, *_: i < limit, body, start)
        return made[1] + made[2]


def values(definition: Any, raises: bool = False) -> list[Any]:
    with tf.Graph().as_default(), tf.Session(tier="interpreted") as session:
        import_nodes(definition, name="", raises=raises)
        return [session.run(["out:0", "gradient:0"], feed) for feed in FEEDS]


def check(seed: int, depth: int) -> None:
    with tf.Graph().as_default() as graph, tf.Session(tier="interpreted") as session:
        program = Program(seed, depth)
        tf.identity(program.result, name="out")
        (gradient,) = tf.gradients(program.result, program.x)
        tf.identity(tf.zeros([]) if gradient is None else gradient, name="gradient")
        definition = graph.as_graph_def()
        expected = [session.run(["out:0", "gradient:0"], feed) for feed in FEEDS]
    lowered = tf.graph_util.lower_control_flow(definition)
    raised = tf.graph_util.raise_control_flow(lowered)
    raw = {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"}
    assert not {node.op for node in raised.node} & raw
    for form in (definition, lowered, raised):
        np.testing.assert_allclose(values(form), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_small_programs_give_the_same_in_every_form(seed: int) -> None:
    check(seed, 2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_programs_give_the_same_in_every_form(seed: int) -> None:
    check(seed, 3)
