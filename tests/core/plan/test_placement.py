"""Placement: what is kept whatever the costs, and what the simulated placer chooses."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.plan.placement.costs import CostModel
from workbench.core.plan.placement.devices import device_name, fits
from workbench.core.plan.placement.graph_placer import GraphPlacer
from workbench.core.plan.placement.machine import Link, Machine
from workbench.core.plan.placement.placer import place_by_cost
from workbench.core.plan.placement.simulation import simulate
from workbench.core.plan.reach import needed_operations

DEVICES = [device_name("worker", i) for i in range(3)]
HOME, OTHER, THIRD = DEVICES


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def slow_link(source: str, destination: str) -> Link:
    return Link(1.0, 1e6)


def chain(start: Any, names: list[str]) -> Any:
    for name in names:
        start = tf.square(start, name=name)
    return start


def test_two_chains_go_to_two_devices_and_their_sum_to_the_first():
    x = tf.placeholder(tf.float32, [250])
    left, right = chain(x, ["a", "b"]), chain(x, ["c", "d"])
    total = tf.add(left, right, name="total")
    seconds = dict.fromkeys("abcd", 5.0) | {"total": 1.0}
    costs = CostModel(seconds=seconds, link=slow_link)
    order = needed_operations([total], [], [x])
    found = place_by_cost(order, DEVICES[:2], HOME, costs, [x], [total])
    assert [found[n] for n in ("a", "b", "c", "d", "total")] == [HOME, HOME, OTHER, OTHER, HOME]
    # There and back: 1 s of latency and 1 ms of bytes each, 10 s of work, then 1 s.
    assert found.seconds == pytest.approx(1.001 + 10 + 1.001 + 1)
    assert found.alone[HOME] == pytest.approx(21)
    assert found.of("c").alternatives == pytest.approx({HOME: 15.0, OTHER: 6.001})
    assert [(t.source, t.destination, t.bytes) for t in found.transfers] == [
        (HOME, OTHER, 1000.0),
        (OTHER, HOME, 1000.0),
    ]


def test_what_is_short_beside_its_transfer_stays():
    x = tf.placeholder(tf.float32, [250])
    total = tf.add(chain(x, ["a"]), chain(x, ["b"]), name="total")
    costs = CostModel(seconds={"a": 0.4, "b": 0.4, "total": 0.1}, link=slow_link)
    order = needed_operations([total], [], [x])
    found = place_by_cost(order, DEVICES, HOME, costs, [x], [total])
    assert set(found.device_of.values()) == {HOME}
    assert found.seconds == pytest.approx(0.9) and not found.transfers


def test_a_value_goes_once_to_each_device_that_needs_it():
    with tf.device(HOME):
        made = tf.square(tf.placeholder(tf.float32, [250], name="x"), name="made")
    with tf.device(OTHER):
        uses = [tf.add(made, float(i)) for i in range(4)]
    order = needed_operations(uses, [], [])
    found = place_by_cost(order, DEVICES, HOME, CostModel(link=slow_link))
    assert [t.name for t in found.transfers] == ["made:0"]


def test_transfers_on_one_link_follow_each_other():
    xs = [tf.square(tf.placeholder(tf.float32, [250_000]), name=f"x{i}") for i in range(2)]
    with tf.device(OTHER):
        total = tf.add(*xs, name="total")
    order = needed_operations([total], [], [])
    devices = {op: OTHER if op.name == "total" else HOME for op in order}
    costs = CostModel(seconds={"x0": 1.0, "x1": 0.0, "total": 0.0}, link=slow_link)
    took, _ = simulate(order, devices, costs, [], [], HOME)
    # One megabyte at a megabyte a second each; the latency of the first passes meanwhile.
    assert took == pytest.approx(1 + 1 + 1 + 1)


def test_faster_devices_get_more():
    x = tf.placeholder(tf.float32, [400, 400])
    product = tf.matmul(x, x)
    machines = {OTHER: Machine(flops_per_second=1e13, bytes_per_second=1e12)}
    order = needed_operations([product], [], [x])
    found = place_by_cost(order, DEVICES, HOME, CostModel(machines=machines), [x], [product])
    assert found[product] == OTHER and found.of(product).why == "cheapest"


def test_variables_have_room_or_the_error_says_which():
    with tf.device("/job:worker/task:1"):
        tf.Variable(np.zeros(100, np.float32), name="pinned")
    tf.Variable(np.zeros(200, np.float32), name="free")
    order = needed_operations([], tf.get_default_graph().get_operations(), [])
    machines = {HOME: Machine(memory_bytes=800), OTHER: Machine(memory_bytes=1000)}
    found = place_by_cost(order, DEVICES[:2], HOME, CostModel(machines=machines))
    assert (found["pinned"], found["free"]) == (OTHER, HOME)
    with pytest.raises(tf.errors.ResourceExhaustedError, match=r"'free'.*800 bytes"):
        place_by_cost(
            order,
            DEVICES[:2],
            HOME,
            CostModel(machines=dict.fromkeys(DEVICES, Machine(memory_bytes=700))),
        )
    roomy = {HOME: Machine(memory_bytes=100), OTHER: Machine(memory_bytes=1200)}
    assert place_by_cost(order, DEVICES[:2], HOME, CostModel(machines=roomy))["free"] == OTHER


def test_variables_stay_where_the_graph_as_a_whole_has_them(graph):
    with tf.device(OTHER):
        value = tf.placeholder(tf.float32, [1000])
        held = tf.Variable(value, name="held", validate_shape=True)
    free = [tf.Variable(tf.zeros([100, 100]), name=f"free{i}") for i in range(4)]
    products = [tf.matmul(v, v) for v in free]
    placer = GraphPlacer(graph, "cost", DEVICES)
    steps = [[v.initializer for v in free], products, [held.op], [*products, held.op]]
    seen: dict[str, set[str]] = {}
    for step in steps:
        targets = [getattr(t, "op", t) for t in step]
        found = placer.place(needed_operations([], targets, []), [], [])
        for placed in found.operations:
            if placed.operation.type == "VariableV2":
                seen.setdefault(placed.operation.name, set()).add(placed.device)
    assert {len(devices) for devices in seen.values()} == {1} and seen["held"] == {OTHER}


def test_measured_times_are_the_means_of_traced_runs():
    x = tf.placeholder(tf.float32, [100, 100])
    product = tf.matmul(x, x, name="product")
    runs = [tf.RunMetadata(), tf.RunMetadata()]
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session() as session:
        for run in runs:
            session.run(product, {x: np.ones((100, 100), np.float32)}, options, run)
    times = [
        (s.op_end_rel_micros - s.op_start_rel_micros) * 1e-6
        for run in runs
        for s in run.step_stats.dev_stats[0].node_stats
        if s.node_name == "product"
    ]
    costs = CostModel.measured(*runs)
    assert costs.operation_seconds(product.op, HOME) == pytest.approx(sum(times) / len(times))
    assert costs.tensor_bytes(product) == 40_000


def test_loops_cost_what_their_bodies_do():
    x = tf.placeholder(tf.float32, [200, 200])
    once = tf.matmul(x, x)
    looped = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.matmul(a, a)), [0, x])[1]
    costs = CostModel()
    assert costs.operation_seconds(looped.op, HOME) > 5 * costs.operation_seconds(once.op, HOME)


def test_the_report_tells_devices_reasons_and_alternatives(graph):
    with tf.device("/job:ps"):
        weights = tf.Variable(tf.zeros([3]), name="weights")
    update = tf.assign_add(weights, [1.0, 2.0, 3.0], name="update")
    doubled = tf.multiply(tf.placeholder(tf.float32, [3], name="x"), 2.0, name="doubled")
    found = graph.placement(["/job:worker/task:0", "/job:worker/task:1", "/job:ps"])
    assert found[update] == found[weights.op] == device_name("ps", 0)
    assert found.of("weights").why == "pinned to /job:ps"
    assert set(found.of(doubled).alternatives) == set(found.devices)
    rows = {row["operation"]: row for row in found.table()}
    assert rows["doubled"]["device"] == HOME and rows["update"]["type"] == "AssignAdd"
    assert "doubled" in str(found) and "pinned to /job:ps" in str(found)
    assert found._repr_html_().count("<tr>") == len(found.operations) + 1
    with pytest.raises(KeyError, match="absent"):
        found["absent"]
    rule = graph.placement(["/job:worker", "/job:ps"], placer="default")
    assert rule.of("doubled").why == "default device"
    with pytest.raises(ValueError, match="placer must be one of default, cost"):
        graph.placement(placer="best")


def test_a_session_of_this_process_has_one_device():
    with tf.Session() as session:
        found = session.placement(tf.constant(1.0) + 1.0)
    assert {p.device for p in found.operations} == {"/job:localhost/replica:0/task:0/device:CPU:0"}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_placement_keeps_what_is_asked_and_is_no_worse_than_one_device(data):
    with tf.Graph().as_default() as graph:
        values, seconds = [tf.placeholder(tf.float32, [64])], {}
        pins = st.sampled_from(["", "", "", "/job:worker/task:1", "/task:2"])
        for number in range(data.draw(st.integers(1, 12))):
            with tf.device(data.draw(pins)):
                if data.draw(st.integers(0, 4)) == 0:
                    variable = tf.Variable(tf.zeros([64]), name=f"v{number}")
                    update = variable.assign_add(data.draw(st.sampled_from(values)))
                    values.append(tf.identity(update))
                else:
                    pair = [data.draw(st.sampled_from(values)) for _ in range(2)]
                    values.append(tf.add(*pair, name=f"n{number}"))
            seconds[values[-1].op.name] = data.draw(st.sampled_from([0.0, 1e-4, 1e-3, 1e-2]))
        latency = data.draw(st.sampled_from([0.0, 1e-4, 1e-2]))
        costs = CostModel(seconds=seconds, link=lambda a, b: Link(latency, 1e6))
        fetches = [values[-1]]
        order = needed_operations(fetches, graph.get_operations(), [])
        found = place_by_cost(order, DEVICES, HOME, costs, [], fetches)
        again = place_by_cost(order, DEVICES, HOME, costs, [], fetches)
    assert found.table() == again.table() and found.seconds == again.seconds
    for op, device in found.device_of.items():
        assert device in DEVICES
        for tensor in op.inputs:
            if tensor.dtype._is_ref_dtype and op.type in ("Assign", "AssignAdd", "Identity"):
                assert found.device_of[tensor.op] == device
        if op.device and not any(t.dtype._is_ref_dtype for t in [*op.inputs, *op.outputs]):
            assert fits(device, op.device)
    took, clock = simulate(order, found.device_of, costs, [], fetches, HOME)
    assert took == found.seconds <= min(found.alone.values())
    # No device does two things at once, and nothing begins before what it needs has ended.
    for device in DEVICES:
        spans = sorted((clock.begins[o], clock.ends[o]) for o in order if clock.place[o] == device)
        busy = [s for s in spans if s[1] > s[0]]
        assert all(a[1] <= b[0] + 1e-12 for a, b in pairwise(busy))
    for op in order:
        assert all(clock.ends[t.op] <= clock.begins[op] + 1e-12 for t in op.inputs if t.op.inputs)
