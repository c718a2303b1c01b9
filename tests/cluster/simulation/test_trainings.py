"""Simulated trainings against closed forms."""

from __future__ import annotations

import pytest

from workbench.cluster.simulation.costs import (
    TrainingCosts,
    always,
    exponential,
    measured,
    spread,
)
from workbench.cluster.simulation.events import Resource, Simulation
from workbench.cluster.simulation.trainings import all_reduce, asynchronous, synchronous

FREE = {"size": 0.0, "latency": 0.0, "bytes_per_second": 1.0}


def test_a_resource_serves_in_order_and_no_more_than_it_has_places():
    simulation, ends = Simulation(), []
    resource = Resource(simulation, 2)
    for seconds in (3.0, 1.0, 1.0, 5.0):
        resource.use(seconds, lambda: ends.append(simulation.now))
    simulation.run(lambda: False)
    assert ends == [1.0, 2.0, 3.0, 7.0]


@pytest.mark.parametrize("workers", [1, 7, 50])
def test_what_costs_nothing_but_computing_scales_with_the_workers(workers):
    costs = TrainingCosts(always(0.5), **FREE)
    for training in (asynchronous, synchronous, all_reduce):
        assert training(costs, workers) == pytest.approx(2 * workers, rel=0.03)


def test_one_worker_takes_the_sum_of_its_times():
    costs = TrainingCosts(
        always(0.5), size=100.0, latency=0.01, bytes_per_second=1000.0, servers=2,
        answer=0.02, apply=0.03,
    )  # fmt: skip
    turn = 0.02 + 0.05 + 0.01 + 0.5 + 0.05 + 0.01 + 0.03
    assert asynchronous(costs, 1, 50) == pytest.approx(1 / turn)
    assert synchronous(costs, 1, 0, 50) == pytest.approx(1 / turn)


def test_many_workers_are_held_up_by_the_servers_line_or_the_server():
    line = TrainingCosts(always(1.0), size=10.0, latency=0.0, bytes_per_second=100.0)
    assert asynchronous(line, 100, 5000) == pytest.approx(10.0, rel=0.02)
    more = TrainingCosts(always(1.0), size=10.0, latency=0.0, bytes_per_second=100.0, servers=4)
    assert asynchronous(more, 100, 5000) == pytest.approx(40.0, rel=0.02)
    busy = TrainingCosts(always(1.0), **FREE, answer=0.01, apply=0.04)
    assert asynchronous(busy, 100, 5000) == pytest.approx(20.0, rel=0.02)


def test_processors_that_are_shared_bound_all_together():
    costs = TrainingCosts(always(1.0), **FREE, cores=2)
    assert asynchronous(costs, 5, 2000) == pytest.approx(2.0, rel=0.02)


def test_a_step_waits_for_the_slowest_and_with_backups_for_the_needed_ones():
    harmonic = [0.0]
    for n in range(1, 21):
        harmonic.append(harmonic[-1] + 1 / n)
    costs = TrainingCosts(exponential(1.0), **FREE)
    # The mean of the longest of 20 is the 20th harmonic number.
    assert synchronous(costs, 20, 0, 4000) == pytest.approx(20 / harmonic[20], rel=0.03)
    assert all_reduce(costs, 20, 4000) == pytest.approx(20 / harmonic[20], rel=0.03)
    # One time in ten is a hundred times as long: few steps of 10 out of 20 meet it.
    slow = TrainingCosts(measured([1.0] * 9 + [100.0]), **FREE)
    assert synchronous(slow, 20, 10, 300) > 3 * synchronous(slow, 20, 0, 300)


def test_a_ring_takes_its_formula_and_a_tree_where_that_is_shorter():
    large = TrainingCosts(always(1.0), size=1000.0, latency=1e-6, bytes_per_second=1000.0)
    assert all_reduce(large, 8) == pytest.approx(8 / (1 + 14 * (1 / 8 + 1e-6)))
    small = TrainingCosts(always(1.0), size=0.0, latency=0.01, bytes_per_second=1000.0)
    assert all_reduce(small, 64) == pytest.approx(64 / (1 + 12 * 0.01))


def test_the_same_seed_gives_the_same_training():
    costs = TrainingCosts(spread(1.0, 0.3, stalls=0.05, factor=5.0), **FREE)
    assert synchronous(costs, 10, 1, seed=3) == synchronous(costs, 10, 1, seed=3)
    assert synchronous(costs, 10, 1, seed=3) != synchronous(costs, 10, 1, seed=4)


def test_more_backups_than_workers_are_refused():
    with pytest.raises(ValueError, match="backups"):
        synchronous(TrainingCosts(always(1.0), **FREE), 4, 4)


def test_a_server_does_one_thing_at_a_time_whatever_processors_there_are():
    costs = TrainingCosts(always(0.5), **FREE, answer=0.5, apply=0.5, cores=8)
    assert asynchronous(costs, 6, 2000) == pytest.approx(1.0, rel=0.02)
