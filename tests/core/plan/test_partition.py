"""Steps cut into stages: run in any order that they allow, they are the undivided step."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from tests.core.plan.partition_cases import PINS, Builder, cut, run_by_hand
from workbench.core.plan.partition.stages import Stage
from workbench.core.plan.placement.devices import task_of
from workbench.core.runtime.session import LocalSession

PS, WORKER = "/job:ps/replica:0/task:0", "/job:worker/replica:0/task:0"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_stages_in_any_order_are_the_undivided_step(data):
    with tf.Graph().as_default():
        builder = Builder(data)
        for number in range(data.draw(st.integers(1, 10))):
            builder.grow(number)
        fetches = list(dict.fromkeys([builder.values[-1], builder.value()]))
        targets = list(dict.fromkeys(builder.last.values()))
        fed = np.array([0.5, -1.0, 2.0], np.float32)
        order, stages, stage_of, parts = cut(fetches, targets, [builder.x])
        with LocalSession(tier="interpreted") as session:
            session.run([v.initializer for v in builder.variables])
            wanted = session.run([fetches, targets], {builder.x: fed})[0]
    check(stages)
    assert all(op in stage_of or not op.inputs for op in order)
    found = run_by_hand(
        parts, {"x:0": fed}, builder.initial, lambda allowed: data.draw(st.sampled_from(allowed))
    )
    for tensor, value in zip(fetches, wanted, strict=True):
        np.testing.assert_allclose(found[tensor.name], value, rtol=1e-5)


def check(stages: list[Stage]) -> None:
    """What holds of all stages."""
    made = {tensor: stage for stage in stages for tensor in stage.gives}
    for stage in stages:
        # No ring: each needs stages of lower numbers only.
        assert all(made[t].number < stage.number for t in stage.takes if t in made)
        assert all(number < stage.number for number in stage.after)
        for tensor in stage.takes:
            assert tensor.dtype.base_dtype.name != "resource"
        for op in stage.operations:
            if op.type.startswith("Assign"):
                assert op.inputs[0] not in stage.takes


@pytest.fixture
def graph():
    with tf.Graph().as_default() as made:
        yield made


def test_a_value_is_sent_once_to_each_task_that_uses_it(graph):
    x = tf.placeholder(tf.float32, [3], name="x")
    with tf.device(PINS[1]):
        made = tf.square(x, name="made")
    with tf.device(PINS[3]):
        far = [tf.add(made, float(i)) for i in range(3)]
        back = tf.add_n(far)
    with tf.device(PINS[1]):
        used = back + made
    _, stages, _, parts = cut([used, *far], [], [x])
    sent = [
        (part.task, task, name)
        for part in parts
        for stage in part.stages
        for task, names, _ in stage.sends
        for name in names
    ]
    assert len(sent) == len(set(sent))
    assert (WORKER, PS, "made:0") in sent
    check(stages)


def test_a_loop_that_reads_a_variable_takes_its_value(graph):
    with tf.device("/job:ps"):
        weights = tf.Variable([2.0, 3.0], name="weights").op.outputs[0]
    with tf.device("/job:worker"):
        total = tf.while_loop(
            lambda i, a: i < 3, lambda i, a: (i + 1, a + weights), [0, tf.zeros([2])]
        )[1]
    _, _, stage_of, parts = cut([total])
    assert task_of(stage_of[total.op].device) == WORKER
    loop = next(p for p in parts if p.task == WORKER)
    assert "VariableV2" not in {n.op for n in tf.GraphDef.FromString(loop.graph).node}
    found = run_by_hand(parts, {}, {"weights": [2.0, 3.0]}, lambda allowed: allowed[0])
    np.testing.assert_array_equal(found[total.name], [6.0, 9.0])


def test_a_loop_that_assigns_is_where_the_variable_is(graph):
    with tf.device("/job:ps"):
        count = tf.Variable(0.0, name="count")
    with tf.device("/job:worker"):
        turns = tf.while_loop(
            lambda i: i < 3, lambda i: i + tf.cast(count.assign_add(1.0) > 0, tf.int32), [0]
        )
    _, _, stage_of, _ = cut([turns])
    assert task_of(stage_of[turns.op].device) == PS


def test_a_loop_that_assigns_on_two_devices_is_refused(graph):
    variables = []
    for pin in ("/job:ps", "/job:worker"):
        with tf.device(pin):
            variables.append(tf.Variable(0.0, name=f"on_{pin[5:]}"))

    def turn(i: Any) -> Any:
        with tf.control_dependencies([v.assign_add(1.0) for v in variables]):
            return i + 1

    turns = tf.while_loop(lambda i: i < 3, turn, [0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"on_(ps|worker).*on_(ps|worker)"):
        cut([turns])


def test_a_loop_that_reads_after_an_update_is_where_the_variable_is(graph):
    with tf.device("/job:ps"):
        held = tf.Variable(1.0, name="held")
        update = held.assign_add(4.0)
    value = held.op.outputs[0]
    with tf.device("/job:worker"), tf.control_dependencies([update]):
        total = tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a + value), [0, 0.0])[1]
    _, _, stage_of, parts = cut([total])
    assert task_of(stage_of[total.op].device) == PS
    for pick in (0, -1):
        found = run_by_hand(parts, {}, {"held": 1.0}, lambda allowed, pick=pick: allowed[pick])
        assert found[total.name] == 10.0


def test_parts_have_the_functions_that_they_call_and_no_others(graph):
    def loop(pin: str, name: str) -> Any:
        with tf.device(pin):
            return tf.while_loop(
                lambda i: i < 3,
                lambda i: tf.cond(i > 1, lambda: i + 2, lambda: i + 1),
                [0],
                name=name,
            )

    near, far = loop("/job:worker", "near"), loop("/job:ps", "far")
    loop("", "unused")
    _, _, _, parts = cut([near, far])
    for part in parts:
        library = tf.GraphDef.FromString(part.graph).library
        names = [f.signature.name for f in library.function]
        own = "near" if part.task == WORKER else "far"
        assert len(names) == 4
        assert all(own in name for name in names)


@pytest.mark.slow
def test_ten_thousand_operations_are_cut_in_a_second(graph):
    h = tf.placeholder(tf.float32, [3], name="x")
    x = h
    for number in range(2500):
        with tf.device(PINS[number // 50 % 4]):
            h = tf.tanh(h) + tf.square(h) * 2.0
    began = time.process_time()
    order, stages, _, _ = cut([h], [], [x])
    assert len(order) > 10_000
    assert len(stages) > 30
    assert time.process_time() - began < 1.0


def test_what_computes_is_apart_from_what_may_wait(graph):
    """So that it is compiled as a whole, and needs no thread that may wait."""
    with tf.device("/job:ps"):
        queue = tf.FIFOQueue(3, tf.float32, shapes=())
        total = tf.Variable(0.0, name="total")
        with tf.control_dependencies([tf.assign_add(total, 1.0)]):
            first, second = queue.dequeue(), queue.dequeue()
        update = tf.assign_add(total, tf.sqrt(first) + second)
        last = queue.enqueue(update + 0.0)
    with tf.device("/job:worker"):
        far = tf.identity(update)
    _, stages, stage_of, _ = cut([far], [last])
    check(stages)
    waiting = [stage_of[op] for op in (first.op, second.op, last)]
    assert [stage.may_wait for stage in waiting] == [True] * 3 and len(set(waiting)) == 3
    between = stage_of[update.op]
    assert between is stage_of[first.op.outputs[0].consumers()[0]] and not between.may_wait
    assert waiting[0].after and waiting[0].number < between.number < waiting[2].number


def test_waits_share_a_stage_where_nobody_goes_on_by_one_of_them(graph):
    """Each stage that waits has a thread: a step of an optimizer needs one for all gradients."""
    with tf.device("/job:ps"):
        means = [tf.ConditionalAccumulator(tf.float32, shape=()).take_grad(2) for _ in range(4)]
        with tf.control_dependencies([tf.group(*means[:3])]):
            taken = [tf.identity(mean) for mean in means[:3]]
        total = taken[0] + taken[1] + means[3]
    with tf.device("/job:worker"):
        far = tf.sqrt(means[3])
    _, stages, stage_of, _ = cut([total, far], [])
    check(stages)
    together = {stage_of[mean.op] for mean in means[:3]}
    assert len(together) == 1 and together.pop().may_wait
    # What comes of the last one may be needed for the others elsewhere.
    assert stage_of[means[3].op] is not stage_of[means[0].op]
