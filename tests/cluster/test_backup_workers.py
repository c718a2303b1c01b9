"""Synchronous training with backup workers, one event after the other: who is late is left out."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

import workbench as tf
from tests.cluster.servers import near


class Replica:
    """A worker whose gradient is what it is told to give.

    The loss is linear in the weight, so that the gradient is what is fed.
    """

    def __init__(self, server: tf.train.Server, index: int, aggregated: int, total: int) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            setter = tf.train.replica_device_setter(1, worker_device=f"/job:worker/task:{index}")
            with tf.device(setter):
                self.step = tf.train.get_or_create_global_step()
                self.weight = tf.Variable(0.0, name="weight")
                self.slope = tf.placeholder(tf.float32, [])
                self.optimizer = tf.train.SyncReplicasOptimizer(
                    tf.train.GradientDescentOptimizer(1.0), aggregated, total
                )
                loss = self.slope * self.weight
                self.train = self.optimizer.minimize(loss, global_step=self.step)
                # What the chief's thread does again and again, here one at a time.
                (self.take_step,) = self.optimizer.get_chief_queue_runner().enqueue_ops
                self.first_tokens = self.optimizer.get_init_tokens_op(0)
                self.initializer = tf.global_variables_initializer()
        self.session = tf.Session(server.target, graph=self.graph)
        self._thread: threading.Thread | None = None

    def give(self, gradient: float) -> None:
        """Gives a gradient; it then waits for its token."""
        self._thread = threading.Thread(
            target=self.session.run, args=(self.train, {self.slope: gradient})
        )
        self._thread.start()

    def await_token(self) -> None:
        """Waits until it may go on."""
        assert self._thread is not None
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def replicas():
    with near(ps=1, worker=3) as servers, ExitStack() as stack:
        made = [Replica(servers[f"worker:{i}"], i, aggregated=2, total=3) for i in range(3)]
        for replica in made:
            stack.callback(replica.session.close)
        chief = made[0]
        chief.session.run(chief.initializer)
        chief.session.run(chief.optimizer.chief_init_op)
        chief.session.run(chief.first_tokens)
        for other in made[1:]:
            other.session.run(other.optimizer.local_step_init_op)
        yield made


def test_the_gradients_of_late_workers_are_dropped(replicas):
    first, second, third = replicas

    def state() -> tuple[float, int]:
        weight, step = first.session.run([first.weight, first.step])
        return float(weight), int(step)

    # Two of three make a step: the mean of 1 and 3.
    first.give(1.0)
    second.give(3.0)
    first.session.run(first.take_step)
    first.await_token()
    second.await_token()
    assert state() == (-2.0, 1)
    # The third one's gradient is of a step that is over. It gets the token that is left.
    third.give(100.0)
    third.await_token()
    # It takes part again, and another one is late now: the mean of 5 and 7.
    third.give(5.0)
    first.give(7.0)
    first.session.run(first.take_step)
    third.await_token()
    first.await_token()
    assert state() == (-8.0, 2)
    second.give(1000.0)
    second.await_token()
    # Nothing of what was late is left over: the next step has its own gradients alone.
    second.give(2.0)
    third.give(4.0)
    first.session.run(first.take_step)
    second.await_token()
    third.await_token()
    assert state() == (-11.0, 3)
