"""Straight lines stay straight; dataflow is for what needs it."""

from __future__ import annotations

import pytest

import workbench as tf
from workbench.core.ops.control_flow_primitives import merge, switch
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.dataflow.choice import needs_dataflow


def queue() -> tf.FIFOQueue:
    return tf.FIFOQueue(3, [tf.float32], shapes=[[]])


def needs(*fetches: object) -> bool:
    tensors = [f for f in fetches if isinstance(f, tf.Tensor)]
    targets = [f for f in fetches if isinstance(f, tf.Operation)]
    return needs_dataflow(needed_operations(tensors, targets, []))


def test_arithmetic_and_one_wait_are_straight() -> None:
    got = queue().dequeue()
    assert not needs(got * 2.0, got + 1.0)
    assert not needs(tf.constant(1.0) + 2.0)


def test_waits_in_an_order_are_straight() -> None:
    first, second = queue(), queue()
    got = first.dequeue()
    put = second.enqueue([got])
    with tf.control_dependencies([put]):
        last = second.dequeue()
    assert not needs(last)


@pytest.mark.parametrize("count", [2, 3])
def test_waits_without_an_order_are_not(count: int) -> None:
    assert needs(*[queue().dequeue() for _ in range(count)])
    one = queue()
    assert needs(one.dequeue(), one.enqueue([1.0]))


def mean() -> tf.Tensor:
    return tf.ConditionalAccumulator(tf.float32, shape=()).take_grad(1)


def test_waits_by_which_nobody_goes_on_may_come_in_any_order() -> None:
    assert not needs(mean(), mean())
    # Somebody may wait for what is made of one of them, or for the room in the queue.
    assert needs(mean() * 2.0, mean())
    assert needs(mean(), queue().dequeue())


def test_waits_of_which_one_follows_only_one_of_two_are_not() -> None:
    first, second, third = queue(), queue(), queue()
    a, b = first.dequeue(), second.dequeue()
    assert needs(third.enqueue([a]), b)
    assert needs(third.enqueue([a + b]))


def test_routed_values_are_not() -> None:
    no, yes = switch(tf.constant(1.0), tf.constant(True))
    assert needs(merge([no, yes])[0])


def test_a_branch_that_is_not_needed_does_not_count() -> None:
    switch(tf.constant(1.0), tf.constant(True))
    assert not needs(tf.constant(2.0) * 2.0)
