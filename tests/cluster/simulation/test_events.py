"""The machine of events, lines, processors and processes, against what follows by hand."""

from __future__ import annotations

import math

import pytest

from workbench.cluster.simulation.events import Barrier, Resource, Simulation
from workbench.cluster.simulation.processors import (
    Home,
    Machine,
    Process,
    Processors,
    Thread,
    Turn,
    Work,
)


def ends_of(machine, jobs):
    """When computations end that begin at once, in their order."""
    simulation, ends = Simulation(), [0.0] * len(jobs)
    processors = Processors(simulation, machine)

    def ended(number):
        ends[number] = simulation.now

    for number, seconds in enumerate(jobs):
        processors.compute(seconds, lambda number=number: ended(number))
    simulation.run(lambda: False)
    return ends


def test_events_of_one_time_happen_in_the_order_they_were_asked_for():
    simulation, found = Simulation(), []
    for name, seconds in (("b", 2.0), ("a", 1.0), ("c", 2.0)):
        simulation.after(seconds, lambda name=name: found.append((name, simulation.now)))
    simulation.run(lambda: False)
    assert found == [("a", 1.0), ("b", 2.0), ("c", 2.0)]


def test_time_stops_where_it_is_done():
    simulation, found = Simulation(), []
    for seconds in (1.0, 2.0, 3.0):
        simulation.after(seconds, lambda: found.append(simulation.now))
    simulation.run(lambda: len(found) == 2)
    assert simulation.now == 2.0 and found == [1.0, 2.0]


def test_a_resource_serves_in_order_and_no_more_than_it_has_places():
    simulation, ends = Simulation(), []
    resource = Resource(simulation, 2)
    for seconds in (3.0, 1.0, 1.0, 5.0):
        resource.use(seconds, lambda: ends.append(simulation.now))
    simulation.run(lambda: False)
    assert ends == [1.0, 2.0, 3.0, 7.0]


def test_a_barrier_lets_all_go_when_the_last_has_come_again_and_again():
    simulation, barrier, gone = Simulation(), Barrier(3), []

    def walk(pause, rounds):
        def there():
            gone.append(simulation.now)
            if rounds > 1:
                walk(pause, rounds - 1)

        simulation.after(pause, lambda: barrier.reach(there))

    for pause in (1.0, 2.0, 4.0):
        walk(pause, 3)
    simulation.run(lambda: False)
    assert gone == [4.0] * 3 + [8.0] * 3 + [12.0] * 3


@pytest.mark.parametrize(
    ("slice_", "expected"),
    [
        # Whoever has a processor keeps it; then in small turns, as good as at once.
        (math.inf, [3.0, 3.0, 6.0]),
        (1.0, [4.0, 4.0, 5.0]),
        (0.001, [4.5, 4.5, 4.5]),
    ],
)
def test_three_on_two_processors(slice_, expected):
    ends = ends_of(Machine(2, slice_), [3.0] * 3)
    assert sorted(ends) == pytest.approx(expected, abs=0.01)


def test_nobody_waits_where_processors_are_not_counted():
    assert ends_of(Machine(), [1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]


def test_those_who_compute_together_slow_each_other_down():
    machine = Machine(2, 0.001, together=1.5)
    assert ends_of(machine, [2.0]) == pytest.approx([2.0])
    # Together until the short one ends; the rest of the long one alone.
    assert ends_of(machine, [2.0, 1.0]) == pytest.approx([2.5, 1.5], abs=0.01)


@pytest.mark.parametrize("slice_", [0.05, 0.3, math.inf])
def test_processors_are_never_idle_while_somebody_waits(slice_):
    jobs = [0.7, 0.1, 1.3, 0.4, 0.9, 0.2]
    ends = ends_of(Machine(1, slice_), jobs)
    assert max(ends) == pytest.approx(sum(jobs))
    ends = ends_of(Machine(3, slice_), jobs)
    assert sum(jobs) / 3 - 1e-9 <= max(ends) <= sum(jobs) / 3 + max(jobs)


def test_who_was_asleep_waits_where_it_was_while_it_is_hot():
    # Three are told at once; the third was on the first processor, which the longest has.
    for hot, expected in ((0.0, 3.0), (10.0, 5.0)):
        simulation, ends = Simulation(), []
        processors = Processors(simulation, Machine(2, hot=hot))
        home = Home(processor=0, until=0.0)
        processors.compute(4.0, lambda: None)
        processors.compute(2.0, lambda: None)
        processors.compute(1.0, lambda at=simulation, all_=ends: all_.append(at.now), home)
        simulation.run(lambda: False)
        assert ends == [expected]


def test_one_thread_of_a_process_interprets_while_others_compute():
    simulation, found = Simulation(), {}
    process = Process(simulation, Processors(simulation, Machine(4)))
    others = Process(simulation, Processors(simulation, Machine(4)))

    def tell(name, process, turn):
        Thread(process, size=1.0).tell(turn, lambda: found.setdefault(name, simulation.now))

    tell("one", process, Turn(Work(1.0)))
    tell("two", process, Turn(Work(1.0)))
    tell("kernel", process, Turn(Work(0.0, 1.0)))
    tell("other", others, Turn(Work(1.0)))
    simulation.run(lambda: False)
    assert found == {"one": 1.0, "kernel": 1.0, "other": 1.0, "two": 2.0}


def test_a_thread_wakes_up_once_and_tells_others_before_its_turn_ends():
    simulation, found = Simulation(), []
    thread = Thread(Process(simulation, Processors(simulation), wake=0.5), size=2.0)
    for _ in range(2):
        thread.tell(Turn(Work(1.0, 0.25), after=3.0), lambda: found.append(simulation.now), 4.0)
    simulation.run(lambda: False)
    # Woken; Python, bytes and computing; what comes after; and again, without waking.
    assert found == [0.5 + 5.5, 0.5 + 5.5 + 3.0 + 5.5]


def test_the_interpreter_goes_to_who_waits_after_waking_it():
    simulation, found = Simulation(), []
    process = Process(simulation, Processors(simulation), wake=0.5)
    for _ in range(3):
        Thread(process).tell(Turn(Work(1.0)), lambda: found.append(simulation.now))
    simulation.run(lambda: False)
    assert found == [1.5, 3.0, 4.5]
