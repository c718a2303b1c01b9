"""Simulated trainings against closed forms."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import replace

import pytest

from tests.bench.simulation.scale import speed_up
from workbench.cluster.simulation.costs import (
    Crowd,
    ReplicaCosts,
    Together,
    TrainingCosts,
    Wire,
    always,
    exponential,
    measured,
    spread,
)
from workbench.cluster.simulation.processors import Machine, Turn, Work
from workbench.cluster.simulation.reductions import all_reduce, bytes_through_memory
from workbench.cluster.simulation.trainings import asynchronous, synchronous

#: A training in which everything takes some time.
FULL = TrainingCosts(
    always(0.5), size=100.0, wake=0.001,
    wire=Wire(hop=0.01, bytes_per_second=1000.0),
    ask=Turn(Work(0.02), 0.003), hear=Turn(Work(0.004)), give=Turn(Work(0.01, 1e-4), 0.002),
    send=Turn(Work(0.008, 1e-4), 0.001), take=Turn(Work(0.009, 2e-4), 0.005), servers=2,
    together=Together(
        note=Turn(Work(0.0005)), finish=Turn(Work(0.0015)), chief_ask=Turn(Work(0.006)),
        chief_hear=Turn(Work(0.003)), begin=Turn(Work(0.007)),
        apply=Turn(Work(0.0045, 1e-4), 0.0025), let=Turn(Work(0.0055)),
    ),
)  # fmt: skip
#: One whose replicas add up their gradients.
REPLICAS = ReplicaCosts(
    always(0.5), size=100.0, python=0.04, apply=0.03,
    wire=Wire(hop=0.01, send=1e-4, receive=2e-4, bytes_per_second=1000.0),
)  # fmt: skip


def trainings(costs):
    """All ways of training that take no time but for computing, on some machine."""
    replicas = ReplicaCosts(
        costs.compute, wire=costs.wire, machine=costs.machine, is_shared=costs.is_shared
    )
    return [
        (asynchronous, costs),
        (synchronous, costs),
        (all_reduce, replicas),
    ]


@pytest.mark.parametrize("workers", [1, 7, 50])
def test_what_costs_nothing_but_computing_scales_with_the_workers(workers):
    for training, costs in trainings(TrainingCosts(always(0.5))):
        assert training(costs, workers) == pytest.approx(2 * workers, rel=0.03)


def test_one_worker_takes_the_sum_of_its_times():
    there = 0.02 + 0.01 + 0.001 + 0.008 + 50 * 1e-4 + 0.05
    back = 0.01 + 0.001 + 0.004 + 0.01 + 0.5 + 100 * 1e-4
    taken = 0.05 + 0.01 + 0.001 + 0.009 + 50 * 2e-4
    end = 0.01 + 0.001 + 0.004
    assert asynchronous(FULL, 1) == pytest.approx(1 / (there + back + taken + end))
    assert all_reduce(REPLICAS, 1) == pytest.approx(1 / (0.5 + 0.04 + 0.03))


def test_one_worker_in_step_waits_for_what_its_gradient_sets_off_and_for_the_chief_that_hears():
    there = 0.02 + 0.01 + 0.001 + 0.008 + 50 * 1e-4 + 0.05
    # The chief's thread receives, and wakes the worker's.
    back = 0.01 + 0.001 + 0.003 + 0.001 + 0.01 + 0.5 + 100 * 1e-4
    gradient = 0.05 + 0.01 + 0.001 + 0.009 + 50 * 2e-4
    # One thread goes on, without waking up, with the step of all, and lets the worker on.
    least = there + back + gradient + 0.005 + 0.0045 + 50 * 1e-4 + 0.0025 + 0.0055
    end = 0.01 + 0.001 + 2 * 0.003 + 0.001
    step = 1 / synchronous(FULL, 1)
    # The chief's thread asks for the next step meanwhile, which has the interpreter before it hears
    # of the worker's end; and the worker notes which step it is.
    assert least + end < step < least + end + 0.006 + 0.0015 + 0.003


def test_a_worker_on_a_machine_that_it_shares_alone_takes_no_longer():
    shared = replace(FULL, is_shared=True, machine=Machine(2, 0.001, together=1.3))
    assert asynchronous(shared, 1) == pytest.approx(asynchronous(FULL, 1))


def test_in_a_crowd_threads_wait_longer_and_all_but_computing_takes_longer():
    turn = Turn(Work(0.01, 1e-3), 0.02)
    costs = TrainingCosts(
        always(1.0), size=10.0, ask=turn, give=turn, is_shared=True, machine=Machine(2),
        wake=0.001, crowd=Crowd(wake=0.1, times=2.0),
    )  # fmt: skip
    # As many processes as processors: the worker's and the server's.
    assert asynchronous(costs, 1) == asynchronous(replace(costs, crowd=None), 1)
    long = Turn(Work(0.02, 2e-3), 0.04)
    same = replace(costs, crowd=None, wake=0.1, ask=long, give=long)
    for training in (asynchronous, synchronous):
        assert training(costs, 2) == training(same, 2) < training(replace(costs, crowd=None), 2)
        apart = replace(costs, is_shared=False)
        assert training(apart, 3) == training(replace(apart, crowd=None), 3)


def test_many_workers_are_held_up_by_the_servers_line_or_the_server():
    line = Wire(bytes_per_second=100.0)
    costs = TrainingCosts(always(1.0), size=10.0, wire=line)
    assert asynchronous(costs, 100) == pytest.approx(10.0, rel=0.02)
    assert asynchronous(replace(costs, servers=4), 100) == pytest.approx(40.0, rel=0.02)
    python = TrainingCosts(always(1.0), send=Turn(Work(0.03)), take=Turn(Work(0.01), 0.01))
    assert asynchronous(python, 100) == pytest.approx(20.0, rel=0.02)


def test_waiting_for_a_server_is_that_of_a_queue_that_is_served_in_order():
    # Customers who come by themselves and need the server always as long: of 200, each away for
    # a hundredth of the time that makes it half busy, hardly one meets another who is back.
    service, away = 0.01, 4.0
    turn = Turn(Work(service))
    costs = TrainingCosts(exponential(away), send=turn, take=turn)
    rate = asynchronous(costs, 100, updates=8_000)
    # Twice in a turn, so that its load is twice the rate times the service; the mean wait of a
    # queue with random arrivals and equal services follows from it (Pollaczek and Khinchine).
    load = rate * 2 * service
    wait = load * service / (2 * (1 - load))
    assert rate == pytest.approx(100 / (away + 2 * (service + wait)), rel=0.02)
    assert 0.4 < load < 0.6


def test_processors_that_are_shared_bound_all_together():
    shared = TrainingCosts(always(1.0), machine=Machine(2, 0.01), is_shared=True)
    for training, costs in trainings(shared):
        assert training(costs, 5) == pytest.approx(2.0, rel=0.03)
        assert training(costs, 2) == pytest.approx(2.0, rel=0.01)
    slowed = replace(shared, machine=Machine(2, 0.01, together=1.25))
    assert asynchronous(slowed, 5) == pytest.approx(1.6, rel=0.03)


def by_hand(workers, needed, steps):
    """Gradients a second where nothing but computing takes time."""
    source, step, arrived, now = random.Random(5), 0, 0, 0.0
    local, waiting = [0] * workers, []
    ready = [(source.expovariate(1.0), worker) for worker in range(workers)]
    heapq.heapify(ready)
    while step < steps:
        now, worker = heapq.heappop(ready)
        arrived += local[worker] == step
        waiting.append(worker)
        if arrived == needed:
            step, arrived = step + 1, 0
        for worker in [w for w in waiting if local[w] != step]:
            waiting.remove(worker)
            local[worker] = step
            heapq.heappush(ready, (now + source.expovariate(1.0), worker))
    return steps * needed / now


def test_a_step_waits_for_the_slowest_and_with_backups_for_the_needed_ones():
    costs = TrainingCosts(exponential(1.0))
    # The mean of the longest of 20 is the 20th harmonic number.
    harmonic = sum(1 / n for n in range(1, 21))
    assert synchronous(costs, 20, 0, 200) == pytest.approx(20 / harmonic, rel=0.05)
    replicas = ReplicaCosts(exponential(1.0))
    assert all_reduce(replicas, 20, 500) == pytest.approx(20 / harmonic, rel=0.05)
    assert synchronous(costs, 20, 5, 200) == pytest.approx(by_hand(20, 15, 1500), rel=0.05)
    # One time in ten is a hundred times as long: few steps of 10 out of 20 meet it.
    slow = TrainingCosts(measured([1.0] * 9 + [100.0]))
    assert synchronous(slow, 20, 10, 100) > 3 * synchronous(slow, 20, 0, 100)


def test_all_wait_for_the_update():
    for apply in (0.5, 3.0):
        together = Together(apply=Turn(Work(apply)))
        costs = TrainingCosts(always(1.0), together=together)
        assert synchronous(costs, 3) == pytest.approx(3 / (1.0 + apply), rel=0.02)


def test_a_ring_takes_its_formula_and_a_tree_where_that_is_shorter():
    wire = Wire(hop=1e-6, bytes_per_second=1000.0)
    large = ReplicaCosts(always(1.0), size=1000.0, wire=wire)
    assert all_reduce(large, 8) == pytest.approx(8 / (1 + 14 * (1 / 8 + 1e-6)))
    small = ReplicaCosts(always(1.0), wire=Wire(hop=0.01))
    assert all_reduce(small, 64) == pytest.approx(64 / (1 + 12 * 0.01))


def test_through_memory_each_replica_copies_what_it_gives_and_takes_and_adds_its_part():
    assert bytes_through_memory(8.0, 2) == 4 + 8 + 4 + 4
    assert bytes_through_memory(8.0, 4) == 6 + 8 + 2 + 6
    costs = ReplicaCosts(
        always(1.0), size=8.0, is_shared=True, wire=Wire(send=0.01), machine=Machine(4)
    )
    assert all_reduce(costs, 2) == pytest.approx(2 / 1.2)


@pytest.mark.parametrize("training", [asynchronous, synchronous])
def test_no_cost_makes_it_faster_and_no_gain_exceeds_the_workers(training):
    free = TrainingCosts(always(0.5), wire=FULL.wire)
    turn = Turn(Work(0.1))
    dearer = {
        "size": 50.0, "ask": turn, "hear": turn, "give": turn, "send": turn, "take": turn,
        "wire": Wire(hop=0.05), "wake": 0.01,
        "together": Together(begin=turn, apply=turn, let=turn),
    }  # fmt: skip
    before = {n: training(free, n) for n in (2, 6)}
    for name, value in dearer.items():
        costs = replace(free, **{name: value})
        for n in (2, 6):
            assert training(costs, n) <= before[n] * (1 + 1e-9), name
    one = training(FULL, 1)
    rates = [training(FULL, n) for n in (2, 4, 8)]
    assert all(rate <= n * one * 1.01 for rate, n in zip(rates, (2, 4, 8), strict=True))


def test_a_faster_line_never_hurts():
    lines = [10.0, 100.0, 1000.0, math.inf]
    for training, costs in ((asynchronous, FULL), (synchronous, FULL), (all_reduce, REPLICAS)):
        rates = [
            training(replace(costs, wire=replace(costs.wire, bytes_per_second=line)), 8)
            for line in lines
        ]
        assert rates == sorted(rates)


@pytest.mark.parametrize("workers", [20, 200])
def test_workers_by_themselves_gain_no_more_than_there_are_of_them(workers):
    # Stragglers, and a short run: workers begin at different times, and end anywhere.
    costs = TrainingCosts(spread(1.0, 0.1, stalls=0.01, factor=3.0), send=Turn(Work(1e-5)))
    mean = math.exp(0.1**2 / 2) * (1 + 0.01 * 2)
    assert 0.97 < asynchronous(costs, workers, updates=10 * workers) * mean / workers < 1.02
    assert speed_up(costs, workers, asynchronous) == pytest.approx(workers, rel=0.005)


def test_unequal_pieces_are_on_average_what_they_are():
    costs = TrainingCosts(always(1.0), give=Turn(Work(1.0)))
    unequal = replace(costs, unequal=0.5)
    assert asynchronous(unequal, 1, 4000) == pytest.approx(asynchronous(costs, 1), rel=0.02)
    # But who waits for all waits for the longest.
    assert synchronous(unequal, 20) < 0.9 * synchronous(costs, 20)


def test_the_same_seed_gives_the_same_training():
    costs = TrainingCosts(spread(1.0, 0.3, stalls=0.05, factor=5.0))
    assert synchronous(costs, 10, 1, seed=3) == synchronous(costs, 10, 1, seed=3)
    assert synchronous(costs, 10, 1, seed=3) != synchronous(costs, 10, 1, seed=4)


def test_more_backups_than_workers_are_refused():
    with pytest.raises(ValueError, match="backups"):
        synchronous(TrainingCosts(always(1.0)), 4, 4)
