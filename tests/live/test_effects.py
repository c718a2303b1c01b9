"""What running fetches would change, told from the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import workbench as tf
from workbench.live.effects import has_effects


def loop(body: Callable[[], Any]) -> Any:
    """A loop whose passes wait for what `body` makes."""

    def step(i: Any) -> Any:
        with tf.control_dependencies([body()]):
            return i + 1

    return tf.while_loop(lambda i: i < 3, step, [0])


CASES: list[tuple[str, Callable[[Any], Any], bool]] = [
    ("a sum", lambda v: v + 1.0, False),
    ("an assignment", lambda v: v.assign(1.0), True),
    ("a loop that reads", lambda v: loop(v.read_value), False),
    ("a loop that assigns", lambda v: loop(lambda: v.assign_add(1.0)), True),
    (
        "a branch of a loop that assigns",
        lambda v: loop(lambda: tf.cond(v > 0.0, lambda: v.assign_add(1.0), lambda: v + 0.0)),
        True,
    ),
    ("random numbers", lambda v: loop(lambda: v + tf.random_normal([])), False),
]


@pytest.mark.parametrize(("make", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_effects_are_seen_in_bodies_too(make: Callable[[Any], Any], wanted: bool) -> None:
    with tf.Graph().as_default() as graph:
        v = tf.Variable(1.0)
        assert has_effects(graph, make(v), []) is wanted
