"""What an observer knows of conditionals and loops: passes, branches, times inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import host
from workbench.live.observation import Observer
from workbench.live.overlay import OverlayFrame

pytestmark = pytest.mark.usefixtures("graph")


TIERS = ["interpreted", "compiled"] if host.obstacle() is None else ["interpreted"]
CHANNELS = ["time", "calls", "passes", "taken"]


def observe(tier: str, fetch: Any, feeds: list[dict[Any, Any]]) -> list[OverlayFrame]:
    """The frames after each of some steps, all of them observed."""
    frames: list[OverlayFrame] = []
    with tf.Session(tier=tier) as session:
        observer = Observer(session)
        observation = observer.subscribe(CHANNELS)
        for step, feed in enumerate(feeds, 1):
            observer.note(1.0)
            found = observer.run([fetch], feed, step)
            assert found is not None
            np.testing.assert_allclose(found[0], session.run(fetch, feed), rtol=1e-6)
            frame = observation.latest()
            assert frame is not None
            frames.append(frame)
        observer.close()
    return frames


def of(frame: OverlayFrame, channel: str, op: Any) -> float:
    """What a frame says of an operation, inside of a body or not."""
    if op in frame.inside_operations:
        return float(frame.inside[channel][frame.inside_operations.index(op)])
    return float(frame.channels[channel][op._id - 1])


def bodies(op: Any) -> Iterator[Any]:
    """The operations in the bodies of an operation, to any depth."""
    for value in op.attrs.values():
        if hasattr(value, "arguments"):
            for inner in value.graph.get_operations():
                yield inner
                yield from bodies(inner)


def the(type_name: str, operations: Any) -> Any:
    [found] = [op for op in operations if op.type.endswith(type_name)]
    return found


def growing(limit: Any) -> Any:
    """Doubles of 1 until the limit, in a loop whose condition is not known beforehand."""
    return tf.while_loop(lambda x: x < limit, lambda x: tf.multiply(x, 2.0, name="twice"), [1.0])


@pytest.mark.parametrize("tier", TIERS)
def test_passes_are_those_of_the_last_observed_step(tier: str, graph: Any) -> None:
    limit = tf.placeholder(tf.float32, [], name="limit")
    result = growing(limit)
    loop = the("While", graph.get_operations())
    frames = observe(tier, result, [{limit: value} for value in (100.0, 5.0, 0.5)])
    assert [of(frame, "passes", loop) for frame in frames] == [7, 3, 0]
    assert np.isnan([of(frame, "taken", loop) for frame in frames]).all()
    assert np.isnan(of(frames[0], "passes", limit.op))
    assert of(frames[0], "time", loop) > 0


@pytest.mark.parametrize("tier", TIERS)
def test_branches_are_told(tier: str, graph: Any) -> None:
    x = tf.placeholder(tf.float32, [600], name="x")
    # Products are not cheap: one of them is left out.
    result = tf.cond(
        tf.reduce_sum(x) > 0.0,
        lambda: tf.matmul(x[:, None], x[None, :]),
        lambda: tf.matmul(-x[:, None], x[None, :]),
    )
    choice = the("If", graph.get_operations())
    up = np.ones(600, np.float32)
    frames = observe(tier, result, [{x: up}, {x: -up}, {x: up}])
    assert [of(frame, "taken", choice) for frame in frames] == [1, 0, 1]


def nested(count: Any, step: Callable[[Any, Any], Any]) -> Any:
    return tf.while_loop(
        lambda i, y: i < count, lambda i, y: (i + 1, step(i, y)), [0, tf.ones([2, 2])]
    )[1]


def test_what_is_inside_of_a_loop_is_added_up(graph: Any) -> None:
    count = tf.placeholder(tf.int32, [], name="count")

    def step(i: Any, y: Any) -> Any:
        # 0 + 1 + 2 + ... passes inside, and every third time another branch.
        y = tf.while_loop(lambda j, y: j < i, lambda j, y: (j + 1, tf.tanh(y)), [0, y])[1]
        chosen = tf.equal(i % 3, 0)
        return tf.cond(chosen, lambda: tf.matrix_inverse(y + tf.eye(2)), lambda: tf.matmul(y, y))

    result = nested(count, step)
    outer = the("While", graph.get_operations())
    inner = list(bodies(outer))
    frames = observe("interpreted", result, [{count: 6}, {count: 0}])
    assert of(frames[0], "passes", outer) == 6
    assert of(frames[0], "passes", the("While", inner)) == 15
    assert of(frames[0], "taken", the("If", inner)) == pytest.approx(1 / 3)
    assert of(frames[1], "passes", outer) == 0


@pytest.mark.parametrize("tier", TIERS)
def test_loops_that_became_their_passes_are_seen_from_inside(tier: str, graph: Any) -> None:
    x = tf.placeholder(tf.float32, [64, 64], name="x")
    result = tf.while_loop(
        lambda i, y: i < 5, lambda i, y: (i + 1, tf.matmul(y, x, name="product")), [0, x]
    )[1]
    loop = the("While", graph.get_operations())
    product = the("MatMul", bodies(loop))
    [frame] = observe(tier, result, [{x: np.eye(64, dtype=np.float32)}])
    assert of(frame, "passes", loop) == 5
    assert of(frame, "calls", product) == 5
    assert of(frame, "time", product) > 0
