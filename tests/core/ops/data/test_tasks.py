"""Elements computed side by side: the bookkeeping without threads, then the threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.ops.data.pipeline import Element, Pipeline, Steps, take
from workbench.core.ops.data.side_by_side import SideBySide
from workbench.core.ops.data.tasks import Task, Tasks


def begun(tasks: Tasks) -> Task:
    task = tasks.begin()
    assert task is not None
    return task


def test_the_reader_is_told_once_all_it_wants_is_done() -> None:
    tasks = Tasks()
    for number in range(4):
        tasks.add((number,))
    assert not tasks.want(3)
    first, second, third, fourth = (begun(tasks) for _ in range(4))
    assert tasks.begin() is None
    for task in (first, second, third, fourth):
        task.result = (10 * task.element[0],)
    assert [tasks.finish(t) for t in (third, fourth, first)] == [False] * 3
    assert not tasks.has_wanted
    assert tasks.finish(second)
    assert tasks.has_wanted
    assert tasks.take(3) == [(0,), (10,), (20,)]
    assert len(tasks) == 1
    assert tasks.want(3)
    assert tasks.take(3) == [(30,)]
    assert tasks.want(1)
    assert tasks.take(1) == []


def test_an_error_stands_in_its_place() -> None:
    tasks = Tasks()
    tasks.add((1,))
    tasks.add_error(OSError("no such element"))
    tasks.add((3,))
    for _ in range(2):
        tasks.finish(begun(tasks))
    assert tasks.want(3)
    with pytest.raises(OSError, match="no such element"):
        tasks.take(3)
    assert tasks.want(1)
    assert tasks.take(1) == [()]


def test_what_nobody_began_can_be_dropped() -> None:
    tasks = Tasks()
    tasks.add((1,))
    tasks.drop()
    assert tasks.begin() is None


@given(
    st.integers(1, 6), st.lists(st.integers(1, 4), max_size=8), st.randoms(use_true_random=False)
)
def test_results_come_in_order_whatever_is_done_first(
    ahead: int, wanted: list[int], random: Any
) -> None:
    tasks, running, made, given_out = Tasks(), [], 0, []
    for count in wanted:
        while len(tasks) < count + ahead:
            tasks.add((made,))
            made += 1
        is_ready = tasks.want(count)
        while not is_ready:
            while (task := tasks.begin()) is not None:
                running.append(task)
            task = running.pop(random.randrange(len(running)))
            task.result = task.element
            is_ready = tasks.finish(task)
            assert is_ready == tasks.has_wanted or task.number >= len(given_out) + count
        given_out += tasks.take(count)
    assert given_out == [(n,) for n in range(sum(wanted))]


def pipeline() -> Pipeline:
    return Pipeline({}, None, 0)


def squares(source: Iterator[Element], workers: int = 3) -> tuple[Pipeline, SideBySide]:
    owner = pipeline()
    return owner, SideBySide(owner, lambda n: (n * n,), source, workers)


@pytest.mark.parametrize("count", [1, 4, 50])
def test_batches_of_results(count: int) -> None:
    _, results = squares(iter([(n,) for n in range(10)]))
    found: list[Element] = []
    while rows := take(results, count):
        assert len(rows) == min(count, 10 - len(found))
        found += rows
    assert found == [(n * n,) for n in range(10)]
    assert list(results) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("workbench-map")]


def test_errors_of_the_source_and_of_the_function_come_in_their_places() -> None:
    given_numbers = iter([(1,), (2,), None, (0,), (5,)])

    def step() -> Element:
        element = next(given_numbers)
        if element is None:
            raise OSError("unreadable")
        return element

    owner = pipeline()
    results = SideBySide(owner, lambda n: (10 // n,), Steps(step), 2)
    found: list[Any] = []
    while True:
        try:
            found.append(next(results))
        except StopIteration:
            break
        except (OSError, ZeroDivisionError) as error:
            found.append(type(error).__name__)
    assert found == [(10,), (5,), "OSError", "ZeroDivisionError", (2,)]
    owner.close()


def test_closing_ends_the_wait_of_a_reader() -> None:
    going, reached = threading.Event(), threading.Event()

    def stuck(number: int) -> Element:
        reached.set()
        assert going.wait(30)
        return (number,)

    owner = pipeline()
    results = SideBySide(owner, stuck, iter([(n,) for n in range(9)]), 2)
    found: list[Any] = []
    reader = threading.Thread(target=lambda: found.append(results.several(5)))
    reader.start()
    assert reached.wait(30)
    closing = threading.Thread(target=owner.close)
    closing.start()
    reader.join(30)
    assert found == [[]]
    going.set()
    closing.join(30)
    assert not closing.is_alive()
    assert list(results) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("workbench-map")]


def test_what_begins_after_the_end_is_closed_at_once() -> None:
    owner, results = squares(iter([(1,)]))
    owner.close()
    assert take(results, 1) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("workbench-map")]
