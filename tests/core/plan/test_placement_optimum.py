"""How far the placement by cost is from the best one, found by trying all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.graph.operation import Operation
from workbench.core.plan.placement.colocation import colocated
from workbench.core.plan.placement.costs import CostModel
from workbench.core.plan.placement.devices import device_name
from workbench.core.plan.placement.improvement import Neighbourhood, improved
from workbench.core.plan.placement.machine import Link
from workbench.core.plan.placement.placer import place_by_cost
from workbench.core.plan.placement.simulation import simulate
from workbench.core.plan.reach import needed_operations

DEVICES = [device_name("worker", i) for i in range(3)]
#: How much longer than the best step of a small graph a step may take, in one graph and on average.
FACTOR, MEAN = 1.5, 1.1


def all_placements(order: Sequence[Operation]) -> Iterator[dict[Operation, str]]:
    """All that keep together what must be together."""
    groups = colocated(order)
    free = [g for g in groups if any(op.inputs for op in g.members)]
    for chosen in itertools.product(DEVICES, repeat=len(free)):
        devices = dict.fromkeys(order, DEVICES[0])
        for group, device in zip(free, chosen, strict=True):
            devices.update(dict.fromkeys(group.members, device))
        yield devices


@pytest.fixture(scope="module")
def ratios() -> Iterator[list[float]]:
    """How the steps of all examples compare with the best ones."""
    found: list[float] = []
    yield found
    assert sum(found) / len(found) <= MEAN


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_step_is_at_most_half_as_long_again_as_the_best_one(ratios, data):
    with tf.Graph().as_default():
        values, seconds = [tf.placeholder(tf.float32, [64])], {}
        for number in range(data.draw(st.integers(2, 5))):
            pair = [data.draw(st.sampled_from(values)) for _ in range(2)]
            if data.draw(st.integers(0, 5)) == 0:
                variable = tf.Variable(tf.zeros([64]), name=f"v{number}")
                values.append(tf.identity(variable.assign_add(pair[0])))
            else:
                values.append(tf.add(*pair, name=f"n{number}"))
            seconds[values[-1].op.name] = data.draw(st.sampled_from([0.0, 1e-4, 1e-3, 1e-2]))
        latency = data.draw(st.sampled_from([0.0, 1e-5, 1e-3, 5e-3]))
        costs = CostModel(seconds=seconds, link=lambda a, b: Link(latency, 1e8))
        used = {t.op for v in values for t in v.op.inputs}
        fetches, fed = [v for v in values if v.op not in used], values[:1]
        order = needed_operations(fetches, [], fed)
        found = place_by_cost(order, DEVICES, DEVICES[0], costs, fed, fetches)
        best = min(
            simulate(order, devices, costs, fed, fetches, DEVICES[0])[0]
            for devices in all_placements(order)
        )
    assert found.seconds <= best * FACTOR + 1e-12
    ratios.append(found.seconds / best if best > 0 else 1.0)


def test_what_is_only_worth_moving_together_moves_together():
    x = tf.placeholder(tf.float32, [250])
    left, right = x, x
    for number in range(3):
        left = tf.square(left, name=f"left{number}")
        right = tf.square(right, name=f"right{number}")
    total = tf.add(left, right, name="total")
    seconds = {f"{side}{i}": 1.0 for side in ("left", "right") for i in range(3)}
    costs = CostModel(seconds=seconds, link=lambda a, b: Link(0.9, 1e9))
    order = needed_operations([total], [], [x])
    found = place_by_cost(order, DEVICES, DEVICES[0], costs, [x], [total])
    sides = [{found[f"{side}{i}"] for i in range(3)} for side in ("left", "right")]
    assert all(len(side) == 1 for side in sides) and sides[0] != sides[1]
    assert found.seconds == pytest.approx(3 + 2 * 0.9, rel=1e-3)
    moved = [p.why for p in found.operations if "moved" in p.why]
    assert all(why.startswith("moved from ") for why in moved)


def test_nothing_is_moved_where_not_all_can_be_tried():
    x = tf.placeholder(tf.float32, [4])
    a, b = tf.square(x, name="a"), tf.sqrt(x, name="b")
    order = needed_operations([a, b], [], [x])
    groups = colocated([a.op, b.op])
    of = {op: g for g in groups for op in g.members}
    chosen = dict.fromkeys(groups, DEVICES[0])
    feasible = dict.fromkeys(groups, DEVICES)
    around = Neighbourhood([a.op, b.op], of, groups)

    def step(trial):
        return float(sum(device == DEVICES[0] for device in trial.values()))

    few = improved(chosen, 2.0, feasible, around, step, len(order), budget=len(order))
    assert few == (chosen, {})
    best, moved = improved(chosen, 2.0, feasible, around, step, len(order), budget=1000)
    assert set(best.values()) == {DEVICES[1]} and moved == chosen
