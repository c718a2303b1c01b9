"""Sessions on clusters that place by cost."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf
from tests.cluster.servers import near
from workbench.core.plan.placement.costs import CostModel
from workbench.core.plan.placement.machine import Link


@pytest.fixture
def servers():
    with tf.Graph().as_default(), near(ps=1, worker=2) as found:
        yield found


def test_a_session_places_by_cost_and_explains_it(servers):
    x = tf.placeholder(tf.float32, [300, 300])
    weights = [tf.Variable(tf.eye(300) * (i + 1.0), name=f"w{i}") for i in range(3)]
    branches = []
    for held in weights:
        h = x
        for _ in range(8):
            h = tf.tanh(tf.matmul(h, held))
        branches.append(tf.reduce_sum(h))
    total = tf.add_n(branches)
    value = np.full((300, 300), 0.01, np.float32)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        wanted = session.run(total, {x: value})
    with tf.Session(servers["worker:0"].target, placer="cost") as session:
        session.run(tf.global_variables_initializer())
        assert session.run(total, {x: value}) == pytest.approx(wanted, rel=1e-4)
        found = session.placement(total, {x: value})
        assert {found[b] for b in branches} <= set(found.devices)
        assert len({p.device for p in found.operations}) > 1
        far = CostModel(link=lambda source, destination: Link(10.0, 1.0))
        assert session.placement(total, {x: value}, far).seconds >= found.seconds
    with tf.Session(servers["worker:0"].target) as session:
        rule = session.placement(total, {x: value})
        shared = [w.op for w in weights] + [w.value().op for w in weights]
        assert {p.device for p in rule.operations if p.operation not in shared} == {rule.devices[0]}
        assert {rule[op] for op in shared} == {"/job:ps/replica:0/task:0/device:CPU:0"}


def test_an_unknown_placer_is_refused(servers):
    with pytest.raises(ValueError, match="placer must be one of default, cost"):
        tf.Session(servers["worker:0"].target, placer="best")
