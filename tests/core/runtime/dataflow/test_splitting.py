"""Steps that wait side by side at their beginning only: the rest is an ordinary run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.control_flow_primitives import switch
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.dataflow.splitting import split


class Training:
    """A step that takes inputs from one queue and targets from another one."""

    def __init__(self) -> None:
        self.inputs = tf.FIFOQueue(40, [tf.float32], shapes=[[4]])
        self.targets = tf.FIFOQueue(40, [tf.float32], shapes=[[]])
        self.x, y = self.inputs.dequeue_many(5), self.targets.dequeue_many(5)
        self.w = tf.Variable(np.zeros([4, 1], np.float32), name="w")
        error = tf.matmul(self.x, self.w)[:, 0] - y
        self.loss = tf.reduce_mean(tf.square(tf.tanh(error)))
        self.train = tf.train.GradientDescentOptimizer(0.1).minimize(self.loss)

    def fill(self, session: Any, seed: int) -> None:
        generator = np.random.RandomState(seed)
        session.run(tf.global_variables_initializer())
        session.run(self.inputs.enqueue_many([generator.randn(20, 4).astype(np.float32)]))
        session.run(self.targets.enqueue_many([generator.randn(20).astype(np.float32)]))


def parts(*fetches: Any, fed: Any = ()) -> Any:
    tensors = [f for f in fetches if isinstance(f, tf.Tensor)]
    targets = [f for f in fetches if isinstance(f, tf.Operation)]
    return split(needed_operations(tensors, targets, fed), fed)


def reference(seed: int, steps: int) -> tuple[list[float], Any]:
    """The losses and weights, in NumPy."""
    generator = np.random.RandomState(seed)
    inputs, targets = generator.randn(20, 4).astype(np.float32), generator.randn(20)
    weights = np.zeros(4)
    losses = []
    for step in range(steps):
        x, y = inputs[step * 5 : step * 5 + 5], targets[step * 5 : step * 5 + 5]
        value = np.tanh(x @ weights - y)
        losses.append(float(np.mean(value**2)))
        weights = weights - 0.1 * (2 * value * (1 - value**2)) @ x / 5
    return losses, weights


@pytest.mark.parametrize("tier", ["interpreted", "compiled", None])
def test_a_step_from_two_queues(tier: str | None) -> None:
    model = Training()
    found = parts(model.loss, model.train)
    assert {op.type for op in found.first} == {"FIFOQueueV2", "QueueDequeueManyV2", "Const"}
    assert [t.op.type for t in found.handed] == ["QueueDequeueManyV2"] * 2
    with tf.Session(tier=tier) as session:
        model.fill(session, 0)
        losses = []
        for _ in range(4):
            loss, _, x = session.run([model.loss, model.train, model.x])
            assert x.shape == (5, 4)
            losses.append(float(loss))
        expected, weights = reference(0, 4)
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
        np.testing.assert_allclose(session.run(model.w)[:, 0], weights, rtol=1e-4)


def test_the_rest_is_compiled() -> None:
    model = Training()
    with tf.Session(tier="compiled") as session:
        model.fill(session, 1)
        session.run([model.loss, model.train])
        programs = session._programs._programs.values()
        assert "compiled" in {p.tier for p in programs}


def test_what_cannot_be_cut_is_not() -> None:
    model = Training()
    assert parts(model.x, model.targets.dequeue()) is None, "nothing comes after"
    _, yes = switch(model.loss, tf.constant(True))
    assert parts(yes) is None, "values may be dead"
    with tf.control_dependencies([model.x]):
        after = tf.identity(model.loss)
    assert parts(after) is None, "the rest waits for an operation of the beginning"
    assert parts(model.loss, model.inputs.close()) is None, "the beginning may wait for the rest"
    count = tf.Variable(0.0)
    put = model.targets.enqueue([tf.assign_add(count, 1.0)])
    assert parts(model.loss, put) is None, "the beginning changes a variable"


def test_a_failure_after_the_waits_names_its_operation() -> None:
    model = Training()
    value = tf.check_numerics(tf.log(model.loss - 1e9), "of the loss")
    deep = value
    for _ in range(20):
        deep = tf.sin(deep)
    with tf.Session() as session:
        model.fill(session, 0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="of the loss") as caught:
            session.run([deep, model.train])
        assert caught.value.op is value.op
