"""What hooks ask for, put together."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf
from workbench.train.sessions.hook_requests import CALLER, StepRequest
from workbench.train.sessions.run_hook import SessionRunArgs


def test_fetches_and_feeds_stand_side_by_side() -> None:
    request = StepRequest({"a": 1}, {"x": 1}, None)
    request.add(
        {
            "first": SessionRunArgs("step"),
            "second": None,
            "third": SessionRunArgs(None, {"y": 2}),
            "fourth": SessionRunArgs("loss", {"z": 3}),
        }
    )
    assert request.fetches == {CALLER: {"a": 1}, "first": "step", "fourth": "loss"}
    assert request.feed_dict == {"x": 1, "y": 2, "z": 3}
    assert request.options is None


def test_without_feeds_nothing_is_fed() -> None:
    request = StepRequest("a", None, None)
    request.add({"hook": SessionRunArgs("b", {})})
    assert request.feed_dict is None


@pytest.mark.parametrize(
    ("own", "first", "second", "message"),
    [
        ({}, {"x": 1}, {"x": 2}, "Same tensor is fed by two hooks. Conflict.s.: x"),
        ({"x": 0}, {}, {"x": 2}, "Same tensor is fed by a SessionRunHook and user"),
    ],
)
def test_nobody_feeds_what_another_feeds(
    own: dict[str, int], first: dict[str, int], second: dict[str, int], message: str
) -> None:
    request = StepRequest("a", own, None)
    with pytest.raises(RuntimeError, match=message):
        request.add({1: SessionRunArgs(None, first), 2: SessionRunArgs(None, second)})


def test_of_options_the_most_demanding_win() -> None:
    own = tf.RunOptions(trace_level=1, timeout_in_ms=50)
    request = StepRequest("a", None, own)
    hook: Any = tf.RunOptions(trace_level=3, timeout_in_ms=20, output_partition_graphs=True)
    hook.debug_options.debug_tensor_watch_opts.add(node_name="x")
    other = tf.RunOptions(inter_op_thread_pool=2)
    other.debug_options.debug_tensor_watch_opts.add(node_name="y")
    request.add({1: SessionRunArgs(None, options=hook), 2: SessionRunArgs(None, options=other)})
    assert request.options.trace_level == 3
    assert request.options.timeout_in_ms == 50
    assert request.options.inter_op_thread_pool == 2
    assert request.options.output_partition_graphs
    watched = request.options.debug_options.debug_tensor_watch_opts
    assert [each.node_name for each in watched] == ["x", "y"]
    # The caller's own stay as they are.
    assert own == tf.RunOptions(trace_level=1, timeout_in_ms=50)
