"""Dataflow programs in a session: raw loops by hand, what waits side by side, errors, ends."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core import errors
from workbench.core.ops.control_flow_primitives import (
    control_trigger,
    enter,
    exit,
    loop_cond,
    merge,
    next_iteration,
    ref_select,
    switch,
)


class Loop:
    """A raw loop of one float variable, counted by an integer one."""

    def __init__(self, limit: Any, start: Any, body: Any, parallel: int = 10) -> None:
        inside = {"frame_name": "loop", "parallel_iterations": parallel}
        self.zero = enter(tf.constant(0), **inside)
        self.limit = enter(limit, is_constant=True, **inside)
        one = enter(tf.constant(1), is_constant=True, **inside)
        value = enter(start, **inside)
        self.count = merge([self.zero, self.zero])[0]
        self.value = merge([value, value])[0]
        condition = loop_cond(tf.less(self.count, self.limit))
        done, turn = switch(self.count, condition)
        result, inner = switch(self.value, condition)
        self.inner = inner
        after = next_iteration(tf.add(turn, one))
        self.count.op._update_input(1, after)
        self.value.op._update_input(1, next_iteration(body(inner)))
        self.turns = exit(done)
        self.result = exit(result)


@pytest.mark.parametrize("parallel", [1, 10])
@pytest.mark.parametrize("times", [0, 1, 7])
def test_a_loop_runs(times: int, parallel: int) -> None:
    limit = tf.placeholder(tf.int32, [])
    loop = Loop(limit, tf.constant([1.0, 2.0]), lambda v: v + v, parallel)
    with tf.Session() as session:
        turns, values = session.run([loop.turns, loop.result], {limit: times})
    assert turns == times
    np.testing.assert_array_equal(values, np.array([1.0, 2.0], np.float32) * 2.0**times)


def test_a_merge_has_the_shape_of_all_turns() -> None:
    loop = Loop(tf.constant(3), tf.constant([1.0]), lambda v: tf.concat([v, v], axis=loop_axis()))
    assert loop.value.shape.as_list() == [None]
    assert loop.count.shape.as_list() == []
    with tf.Session() as session:
        assert session.run(loop.result).tolist() == [1.0] * 8


def loop_axis() -> Any:
    return enter(tf.constant(0), "loop", is_constant=True)


def test_the_error_of_a_turn_names_the_turn_and_the_line() -> None:
    loop = Loop(
        tf.constant(5),
        tf.constant([1.0]),
        lambda v: tf.check_numerics(tf.log(v - enter(tf.constant(0.5), "loop", True)), "was"),
    )
    with tf.Session() as session, pytest.raises(errors.InvalidArgumentError) as caught:
        session.run(loop.result)
    assert "turn 1 of 'loop'" in caught.value.message
    assert "test_executor.py" in caught.value.message
    assert caught.value.op.type == "CheckNumerics"


def test_what_is_inside_a_loop_cannot_be_fetched() -> None:
    loop = Loop(tf.constant(5), tf.constant(1.0), lambda v: v + v)
    with (
        tf.Session() as session,
        pytest.raises(errors.InvalidArgumentError, match="inside the loop 'loop'"),
    ):
        session.run(loop.inner)


def test_a_dead_value_cannot_be_fetched() -> None:
    no, yes = switch(tf.constant(2.0), tf.constant(True), name="choice")
    with tf.Session() as session:
        assert session.run(yes) == 2.0
        with pytest.raises(
            errors.InvalidArgumentError, match=r"(?s)Retval\[0\].*'choice:0' is on a branch"
        ):
            session.run(no)


def test_inputs_from_different_frames_are_told() -> None:
    Loop(tf.constant(5), tf.constant(1.0), lambda v: v * tf.constant(2.0, name="outside"))
    with (
        tf.Session() as session,
        pytest.raises(errors.InvalidArgumentError, match="has inputs from different frames"),
    ):
        session.run(tf.get_default_graph().get_tensor_by_name("Exit_1:0"))


def test_nodes_that_never_get_their_inputs_are_told() -> None:
    inside = enter(tf.constant(1.0), "loop")
    loop = Loop(tf.constant(2), tf.constant(1.0), lambda v: tf.add(v, inside, name="starved"))
    with tf.Session() as session, pytest.raises(errors.InternalError) as caught:
        session.run(loop.result)
    assert "Nothing is left to run" in caught.value.message
    assert "'starved' in turn 1 of 'loop' waits for 'Enter" in caught.value.message


def test_variables_pass_as_variables() -> None:
    a, b = tf.Variable(1.0), tf.Variable(10.0)
    chosen = ref_select(tf.placeholder_with_default(1, []), [a._ref(), b._ref()])
    changed = tf.assign_add(chosen, 5.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(changed) == 15.0
        assert session.run([a, b]) == [1.0, 15.0]


@pytest.mark.parametrize("taken", [True, False])
def test_an_assignment_on_a_branch_happens_where_it_is_taken(taken: bool) -> None:
    variable = tf.Variable([1.0, 2.0])
    _, yes = switch(variable, tf.constant(taken))
    assert yes.dtype._is_ref_dtype
    assigned = tf.assign(yes, [5.0, 6.0])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(assigned.op)
        assert session.run(variable).tolist() == ([5.0, 6.0] if taken else [1.0, 2.0])


def test_a_read_without_an_order_sees_the_old_value() -> None:
    variable = tf.Variable(1.0)
    _, yes = switch(tf.constant(5.0), tf.constant(True))
    update = tf.assign(variable, yes)
    read = variable.read_value() * yes
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run([update.op, read])[1] == 5.0
        assert session.run(variable) == 5.0


def test_a_fetched_array_is_the_callers_own() -> None:
    variable = tf.Variable(np.zeros(4, np.float32))
    _, yes = switch(variable, tf.constant(True))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(yes)[:] = 7.0
        assert session.run(variable).tolist() == [0.0] * 4


def test_a_trigger_follows_dead_operations() -> None:
    no, _ = switch(tf.constant(2.0), tf.constant(True))
    dead = tf.identity(no)
    with tf.control_dependencies([dead]):
        trigger = control_trigger()
    with tf.control_dependencies([trigger]):
        after = tf.constant(3.0)
    with tf.Session() as session:
        assert session.run(after) == 3.0


def test_abort_ends_the_run() -> None:
    from workbench.core.ops.control_flow_primitives import abort

    with (
        tf.Session() as session,
        pytest.raises(errors.AbortedError, match="enough"),
    ):
        session.run(abort("enough"))


def test_functional_and_raw_control_flow_mix() -> None:
    x = tf.placeholder(tf.float32, [])
    _, yes = switch(x, tf.constant(True))
    variable = tf.Variable(3.0)
    chosen = tf.cond(x > 1.0, lambda: yes * variable, lambda: yes - 1.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(chosen, {x: 2.0}) == 6.0
        assert session.run(chosen, {x: 0.5}) == -0.5


# -- operations that wait ----------------------------------------------------------------------


def no_thread_is_left() -> bool:
    return not [t for t in threading.enumerate() if t.name.startswith("workbench-run")]


def test_operations_that_wait_for_each_other_run_side_by_side() -> None:
    queue = tf.FIFOQueue(1, [tf.float32], shapes=[[]])
    put, got = queue.enqueue([tf.constant(4.0)]), queue.dequeue()
    with tf.Session() as session:
        for _ in range(20):
            assert session.run([got, put])[0] == 4.0
            assert session.run([put, got])[1] == 4.0
    assert no_thread_is_left()


def test_a_failure_ends_what_still_waits() -> None:
    queue = tf.FIFOQueue(1, [tf.float32], shapes=[[]])
    other = tf.FIFOQueue(1, [tf.float32], shapes=[[]])
    bad = tf.check_numerics(tf.log(tf.placeholder_with_default(-1.0, [])), "is")
    with tf.Session() as session:
        with pytest.raises(errors.InvalidArgumentError, match="is : Tensor had NaN"):
            session.run([queue.dequeue(), other.dequeue(), bad])
        assert no_thread_is_left()


@pytest.mark.parametrize("count", [1, 2])
def test_a_time_out_ends_a_run(count: int) -> None:
    queues = [tf.FIFOQueue(1, [tf.float32]) for _ in range(count)]
    config = tf.ConfigProto(operation_timeout_in_ms=50)
    with (
        tf.Session(config=config) as session,
        pytest.raises(errors.DeadlineExceededError, match="Timed out|timed out"),
    ):
        session.run([queue.dequeue() for queue in queues])
    assert no_thread_is_left()


def test_a_time_out_ends_a_loop_without_an_end() -> None:
    loop = Loop(tf.constant(2**31 - 1), tf.constant(1.0), lambda v: v + v)
    with (
        tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=50)) as session,
        pytest.raises(errors.DeadlineExceededError, match="timed out after 0.05 s"),
    ):
        session.run(loop.result)


def test_closing_the_session_ends_a_loop_without_an_end() -> None:
    loop = Loop(tf.constant(2**31 - 1), tf.constant(1.0), lambda v: v + v)
    session = tf.Session()
    timer = threading.Timer(0.05, session.close)
    timer.start()
    with pytest.raises(errors.CancelledError, match="closed"):
        session.run(loop.result)
    timer.join()


def test_a_loop_of_waits_gets_what_others_give() -> None:
    queue = tf.FIFOQueue(100, [tf.float32], shapes=[[]])
    feed = tf.placeholder(tf.float32, [5])
    loop = Loop(tf.constant(5), tf.constant(0.0), lambda v: v + _dequeued(queue, v), parallel=1)
    with tf.Session() as session:
        session.run(queue.enqueue_many([feed]), {feed: [1.0, 2.0, 3.0, 4.0, 5.0]})
        assert session.run(loop.result) == 15.0


def _dequeued(queue: Any, value: Any) -> Any:
    from workbench.core.ops.creation import create

    handle = enter(queue.queue_ref, "loop", is_constant=True)
    # The Switch itself is alive in the last turn, too; its output is not.
    with tf.control_dependencies([tf.identity(value)]):
        return create("QueueDequeueV2", None, handle=handle, component_types=[tf.float32]).outputs[
            0
        ]


def test_threads_run_one_loop_side_by_side() -> None:
    limit = tf.placeholder(tf.int32, [])
    loop = Loop(limit, tf.constant(1.0), lambda v: v + v)
    found: dict[int, Any] = {}
    with tf.Session() as session:
        session.run(loop.result, {limit: 1})

        def work(times: int) -> None:
            found[times] = session.run(loop.result, {limit: times})

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert found == {n: 2.0**n for n in range(8)}


# -- looking on --------------------------------------------------------------------------------


def test_traces_and_explanations_know_dataflow() -> None:
    limit = tf.placeholder(tf.int32, [], name="limit")
    loop = Loop(limit, tf.constant([1.0, 2.0]), lambda v: v + v)
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session() as session:
        session.run(loop.result, {limit: 3}, options=options, run_metadata=metadata)
        nodes = [n.node_name for n in metadata.step_stats.dev_stats[0].node_stats]
        text = str(session.explain(loop.result, {limit: 3}))
    assert nodes.count("Less") == 4
    assert text.splitlines()[0].startswith("Exit_1")
    assert "it finds its order while it runs" in text


def test_the_first_value_that_is_not_finite_is_found_in_its_turn() -> None:
    loop = Loop(tf.constant(9), tf.constant(1e20), lambda v: tf.square(v, name="squared"))
    with (
        tf.Session(check_numerics=True) as session,
        pytest.raises(errors.InvalidArgumentError, match="'squared'.*is the first with infinity"),
    ):
        session.run(loop.result)
