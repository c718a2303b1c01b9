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


def test_measured_times_place_the_steps_of_a_session_anew(servers):
    x = tf.placeholder(tf.float32, [2])
    held = tf.Variable([1.0, 2.0], name="held")
    halves = [tf.square(x + float(i), name=f"half{i}") for i in range(2)]
    total = tf.add_n([*halves, held.value()])
    slow = CostModel(seconds={"half0": 1.0, "half1": 1.0})
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session(servers["worker:0"].target, placer="cost") as session:
        session.run(held.initializer)
        feeds = {x: [1.0, 2.0]}
        wanted = session.run(total, feeds).tolist()
        before = session.placement(total, feeds)
        assert before[halves[0]] == before[halves[1]]
        session.use_costs(slow)
        after = session.placement(total, feeds)
        assert after[halves[0]] != after[halves[1]] and after[held] == before[held]
        assert session.run(total, feeds, options, metadata).tolist() == wanted
        ran = {
            stats.node_name: device.device
            for device in metadata.step_stats.dev_stats
            for stats in device.node_stats
        }
        assert [ran[half.op.name] for half in halves] == [after[half] for half in halves]
        # These took microseconds, whatever was said of them; and what else the machine does.
        for device in metadata.step_stats.dev_stats:
            for stats in device.node_stats:
                stats.op_end_rel_micros = stats.op_start_rel_micros + 5
        session.use_costs(metadata)
        measured = session.placement(total, feeds)
        assert measured[halves[0]] == measured[halves[1]]
        assert session.run(total, feeds).tolist() == wanted


def test_costs_are_for_sessions_that_place_by_cost(servers):
    with (
        tf.Session(servers["worker:0"].target) as session,
        pytest.raises(ValueError, match="by rule"),
    ):
        session.use_costs(CostModel())
    with tf.Session() as session, pytest.raises(ValueError, match="no target"):
        session.use_costs(CostModel())


def test_all_servers_find_variables_that_cost_has_placed(servers):
    held = [tf.Variable(tf.fill([50], float(i)), name=f"held{i}") for i in range(3)]
    with tf.Session(servers["worker:1"].target, placer="cost") as session:
        session.run(tf.global_variables_initializer())
        one = session.placement(held)
    with tf.Session(servers["worker:0"].target, placer="cost") as session:
        other = session.placement(held)
        assert [v[0] for v in session.run(held)] == [0.0, 1.0, 2.0]
    assert [one[v] for v in held] == [other[v] for v in held]
