"""What goes from task to task: each value once for each destination, however many use it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import workbench as tf
from workbench.cluster.execution.task import Task

PS, ONE, TWO = "/job:ps/task:0", "/job:worker/task:0", "/job:worker/task:1"

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def sent(monkeypatch) -> Counter[tuple[str, str]]:
    """How often each value came to each task, by itself or with an answer."""
    counted: Counter[tuple[str, str]] = Counter()
    deliver = Task.deliver

    def count(self, session, number, values, ended):
        values = list(values)
        counted.update((key, self.name) for key, _ in values)
        return deliver(self, session, number, values, ended)

    monkeypatch.setattr(Task, "deliver", count)
    return counted


def test_a_value_is_sent_once_to_each_task_that_uses_it(servers, sent):
    with tf.device(PS):
        weights = tf.Variable(np.arange(6, dtype=np.float32).reshape(2, 3), name="weights")
        unused = tf.Variable(1.0, name="unused")
    results = []
    for place in (ONE, TWO):
        with tf.device(place):
            # Three uses on each task, also by an operation that needs two of its values.
            results += [tf.reduce_sum(weights), weights * 2.0, weights + weights]
    with tf.device(PS):
        more = weights * 3.0
    with tf.Session(servers["worker:0"].target) as session:
        session.run([weights.initializer, unused.initializer])
        sent.clear()
        for _ in range(2):
            found = session.run([*results, more])
    assert found[0] == 15.0 and found[4].tolist() == [[0, 2, 4], [6, 8, 10]]
    workers = ["/job:worker/replica:0/task:0", "/job:worker/replica:0/task:1"]
    assert sent == {("weights/read:0", worker): 2 for worker in workers}


def test_parts_of_what_an_operation_gives_are_sent_where_they_are_used(servers, sent):
    with tf.device(PS):
        left, middle, right = tf.split(tf.placeholder(tf.float32, [6]) * 1.0, 3, name="parts")
    with tf.device(ONE):
        first = left + 1.0
    with tf.device(TWO):
        second = [left * 2.0, right * 2.0]
    with tf.Session(servers["worker:0"].target) as session:
        x = middle.graph.get_tensor_by_name("Placeholder:0")
        found = session.run([first, *second], {x: np.arange(6)})
    assert [f.tolist() for f in found] == [[1, 2], [0, 2], [8, 10]]
    assert sent == {
        ("parts:0", "/job:worker/replica:0/task:0"): 1,
        ("parts:0", "/job:worker/replica:0/task:1"): 1,
        ("parts:2", "/job:worker/replica:0/task:1"): 1,
    }


def test_devices_of_one_process_hand_values_over_without_sending(sent):
    config = tf.ConfigProto(device_count={"CPU": 3})
    server = tf.train.Server.create_local_server(config=config)
    made: list[tf.Tensor] = []
    for number in range(3):
        with tf.device(f"/job:local/task:0/cpu:{number}"):
            made.append(tf.add(made[-1] if made else 1.0, 1.0, name=f"on_{number}"))
    try:
        with tf.Session(server.target) as session:
            assert [d.name[-5:] for d in session.list_devices()] == ["CPU:0", "CPU:1", "CPU:2"]
            assert session.run(made[-1]) == 4.0
            places = session.placement(made[-1])
            assert [places[each][-5:] for each in made] == ["CPU:0", "CPU:1", "CPU:2"]
    finally:
        server.stop()
    assert not sent
