"""Simulated trainings against closed forms."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import replace

import pytest

from workbench.cluster.simulation.costs import (
    TrainingCosts,
    Wire,
    always,
    exponential,
    measured,
    spread,
)
from workbench.cluster.simulation.processors import Machine
from workbench.cluster.simulation.reductions import all_reduce, bytes_through_memory
from workbench.cluster.simulation.trainings import asynchronous, synchronous, synchronous_turns

#: A training in which everything takes some time.
FULL = TrainingCosts(
    always(0.5), size=100.0, worker=0.04, server=0.02, accumulate=0.015, apply=0.03,
    chief_worker=0.001, chief_server=0.002, servers=2,
    wire=Wire(hop=0.01, send=1e-4, receive=2e-4, bytes_per_second=1000.0),
)  # fmt: skip


@pytest.mark.parametrize("workers", [1, 7, 50])
def test_what_costs_nothing_but_computing_scales_with_the_workers(workers):
    costs = TrainingCosts(always(0.5))
    for training in (asynchronous, synchronous, all_reduce):
        assert training(costs, workers) == pytest.approx(2 * workers, rel=0.03)


def test_one_worker_takes_the_sum_of_its_times():
    copies = 50.0 * (1e-4 + 2e-4) + 100.0 * (1e-4 + 2e-4)
    given = 0.5 + 0.03 + 0.02 + copies + 2 * 50.0 / 1000.0 + 3 * 0.01
    end = 0.01 + 0.01
    assert asynchronous(FULL, 1) == pytest.approx(1 / (given + 0.015 + end))
    # The chief's Python keeps that of the worker waiting: they are one process.
    step = given + 0.0075 + 0.001 + 0.015 + end + 0.001
    assert synchronous(FULL, 1) == pytest.approx(1 / step)
    assert all_reduce(FULL, 1) == pytest.approx(1 / (0.5 + 0.04 + 0.03))


def test_a_worker_on_a_machine_that_it_shares_alone_takes_no_longer():
    shared = replace(FULL, is_shared=True, machine=Machine(2, 0.001, together=1.3))
    assert asynchronous(shared, 1) == pytest.approx(asynchronous(FULL, 1))


def test_many_workers_are_held_up_by_the_servers_line_or_the_server():
    line = Wire(bytes_per_second=100.0)
    costs = TrainingCosts(always(1.0), size=10.0, wire=line)
    assert asynchronous(costs, 100) == pytest.approx(10.0, rel=0.02)
    assert asynchronous(replace(costs, servers=4), 100) == pytest.approx(40.0, rel=0.02)
    # Python goes on in one thread at a time; what is computed beside it, in as many as there are.
    python = TrainingCosts(always(1.0), server=0.05)
    assert asynchronous(python, 100) == pytest.approx(20.0, rel=0.02)
    applied = TrainingCosts(always(1.0), apply=0.05, machine=Machine(2, 0.01))
    assert asynchronous(applied, 100) == pytest.approx(40.0, rel=0.02)


def test_waiting_for_a_server_is_that_of_a_queue_that_is_served_in_order():
    # Customers who come by themselves and need the server always as long: of 200, each away for
    # a hundredth of the time that makes it half busy, hardly one meets another who is back.
    service, away = 0.01, 4.0
    costs = TrainingCosts(exponential(away), server=2 * service)
    rate = asynchronous(costs, 100, updates=20_000)
    # Twice in a turn, so that its load is twice the rate times the service; the mean wait of a
    # queue with random arrivals and equal services follows from it (Pollaczek and Khinchine).
    load = rate * 2 * service
    wait = load * service / (2 * (1 - load))
    assert rate == pytest.approx(100 / (away + 2 * (service + wait)), rel=0.01)
    assert 0.4 < load < 0.6


def test_processors_that_are_shared_bound_all_together():
    shared = TrainingCosts(always(1.0), machine=Machine(2, 0.01), is_shared=True)
    for training in (asynchronous, synchronous, all_reduce):
        assert training(shared, 5) == pytest.approx(2.0, rel=0.03)
        assert training(shared, 2) == pytest.approx(2.0, rel=0.01)
    slowed = replace(shared, machine=Machine(2, 0.01, together=1.25))
    assert asynchronous(slowed, 5) == pytest.approx(1.6, rel=0.03)


def by_hand(workers, needed, steps):
    """Gradients a second where nothing but computing takes time."""
    source, step, arrived, now = random.Random(5), 0, 0, 0.0
    local, tokens, waiting = [0] * workers, [], []
    ready = [(source.expovariate(1.0), worker) for worker in range(workers)]
    heapq.heapify(ready)
    while step < steps:
        now, worker = heapq.heappop(ready)
        arrived += local[worker] == step
        if arrived == needed:
            step, arrived = step + 1, 0
            tokens += [step] * workers
        waiting.append(worker)
        while tokens and waiting:
            worker = waiting.pop(0)
            local[worker] = tokens.pop(0)
            heapq.heappush(ready, (now + source.expovariate(1.0), worker))
    return steps * needed / now


def test_a_step_waits_for_the_slowest_and_with_backups_for_the_needed_ones():
    costs = TrainingCosts(exponential(1.0))
    # The mean of the longest of 20 is the 20th harmonic number.
    harmonic = sum(1 / n for n in range(1, 21))
    assert synchronous(costs, 20, 0, 1500) == pytest.approx(20 / harmonic, rel=0.03)
    assert all_reduce(costs, 20, 1500) == pytest.approx(20 / harmonic, rel=0.03)
    assert synchronous(costs, 20, 5, 1500) == pytest.approx(by_hand(20, 15, 1500), rel=0.03)
    # One time in ten is a hundred times as long: few steps of 10 out of 20 meet it.
    slow = TrainingCosts(measured([1.0] * 9 + [100.0]))
    assert synchronous(slow, 20, 10, 300) > 3 * synchronous(slow, 20, 0, 300)


def test_gradients_of_the_first_tokens_are_late_once_and_then_all_wait_for_each_other():
    for apply in (0.5, 3.0):
        costs = TrainingCosts(always(1.0), apply=apply)
        for rate in (synchronous(costs, 3), synchronous_turns(costs, 3, 200)):
            assert rate == pytest.approx(3 / (1.0 + apply), rel=0.02)


def test_a_ring_takes_its_formula_and_a_tree_where_that_is_shorter():
    wire = Wire(hop=1e-6, bytes_per_second=1000.0)
    large = TrainingCosts(always(1.0), size=1000.0, wire=wire)
    assert all_reduce(large, 8) == pytest.approx(8 / (1 + 14 * (1 / 8 + 1e-6)))
    small = TrainingCosts(always(1.0), wire=Wire(hop=0.01))
    assert all_reduce(small, 64) == pytest.approx(64 / (1 + 12 * 0.01))


def test_through_memory_each_replica_copies_what_it_gives_and_takes_and_adds_its_part():
    assert bytes_through_memory(8.0, 2) == 4 + 8 + 4 + 4
    assert bytes_through_memory(8.0, 4) == 6 + 8 + 2 + 6
    costs = TrainingCosts(
        always(1.0), size=8.0, is_shared=True, wire=Wire(send=0.01), machine=Machine(4)
    )
    assert all_reduce(costs, 2) == pytest.approx(2 / 1.2)


@pytest.mark.parametrize("training", [asynchronous, synchronous, all_reduce])
def test_no_cost_makes_it_faster_and_no_gain_exceeds_the_workers(training):
    free = TrainingCosts(always(0.5))
    dearer = {
        "size": 50.0, "worker": 0.1, "server": 0.1, "accumulate": 0.1, "apply": 0.1,
        "chief_server": 0.1, "wire": Wire(hop=0.05),
    }  # fmt: skip
    before = {n: training(replace(free, wire=FULL.wire), n) for n in (2, 6)}
    for name, value in dearer.items():
        costs = replace(free, **{"wire": FULL.wire, name: value})
        for n in (2, 6):
            assert training(costs, n) <= before[n] * (1 + 1e-9), name
    one = training(FULL, 1)
    rates = [training(FULL, n) for n in (2, 4, 8)]
    assert all(rate <= n * one * 1.001 for rate, n in zip(rates, (2, 4, 8), strict=True))


def test_a_faster_line_never_hurts():
    lines = [10.0, 100.0, 1000.0, math.inf]
    for training in (asynchronous, synchronous, all_reduce):
        rates = [
            training(replace(FULL, wire=replace(FULL.wire, bytes_per_second=line)), 8)
            for line in lines
        ]
        assert rates == sorted(rates)


def test_the_same_seed_gives_the_same_training():
    costs = TrainingCosts(spread(1.0, 0.3, stalls=0.05, factor=5.0))
    assert synchronous(costs, 10, 1, seed=3) == synchronous(costs, 10, 1, seed=3)
    assert synchronous(costs, 10, 1, seed=3) != synchronous(costs, 10, 1, seed=4)


def test_more_backups_than_workers_are_refused():
    with pytest.raises(ValueError, match="backups"):
        synchronous(TrainingCosts(always(1.0)), 4, 4)
