"""Replicas share the elements of the iterators in their graph: each is some step's, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import Crew, crew
from tests.pool.runs.replicas.models import free_strategies, there
from tests.pool.runs.support import eventually
from workbench.core.errors import InvalidArgumentError

ROWS = np.random.RandomState(0).standard_normal((40, 3))
#: The step that every test's model takes.
RATE = 0.125


class Model:
    """A linear model in double precision on batches of a dataset, and the same in plain NumPy."""

    def __init__(
        self,
        one_shot: bool = True,
        times: int = 1,
        passes: int | None = None,
        shared_name: str | None = None,
    ) -> None:
        slices = wb.data.Dataset.from_tensor_slices((ROWS, ROWS @ [1.0, -2.0, 0.5]))
        batches = slices.shuffle(20, seed=4).repeat(passes).batch(4)
        self.iterator = (
            batches.make_one_shot_iterator()
            if one_shot
            else batches.make_initializable_iterator(shared_name)
        )
        self.taken = [self.iterator.get_next() for _ in range(times)]
        self.times = times
        self.w = wb.Variable(np.zeros(3), name="w")
        self.count = wb.train.get_or_create_global_step()
        losses = [wb.square(wb.reduce_sum(x * self.w, 1) - y) for x, y in self.taken]
        self.loss = wb.reduce_mean(wb.concat(losses, 0), name="loss")
        optimizer = wb.train.GradientDescentOptimizer(RATE)
        self.train = optimizer.minimize(self.loss, global_step=self.count)
        with wb.Session() as session:
            if not one_shot:
                session.run(self.iterator.initializer)
            count = 400 if passes is None else passes * 10
            self.elements = [session.run(self.taken[0]) for _ in range(count)]

    def run(self, pool: Any, steps: int | None, **options: Any) -> Any:
        arguments = {"track": {"loss": self.loss}, "folder": None, "seed": 3, "replicas": 2}
        return wb.run(self.train, steps, pool=pool, **(arguments | options))

    def descend(self, sizes: list[int], first: int = 0) -> Any:
        """`w` after steps of so many replicas each; `first` elements were taken before."""
        w, place = np.zeros(3), first
        for size in sizes:
            gradients = []
            for _ in range(size):
                rows = self.elements[place : place + self.times]
                x, y = (np.concatenate(parts) for parts in zip(*rows, strict=True))
                gradients.append(2 * x.T @ (x @ w - y) / len(y))
                place += self.times
            w = w - RATE * np.mean(gradients, axis=0)
        return w

    def check(self, run: Any, sizes: list[int], first: int = 0) -> None:
        wanted, taken = self.descend(sizes, first), run.status().taken
        np.testing.assert_allclose(run.eval(self.w), wanted, rtol=1e-6, err_msg=str(taken))


@pytest.fixture(autouse=True)
def closed(two: Crew) -> Iterator[None]:
    yield
    for run in two.runs():
        run.close()


@pytest.mark.parametrize("one_shot", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_each_step_takes_elements_of_its_own(two: Crew, one_shot: bool, times: int) -> None:
    model = Model(one_shot, times)
    run = model.run(two, 12, paused=True)
    run.wait_for_replicas(2, PATIENCE)
    run.step(5)
    model.check(run, [2] * 5)
    # Who looks at an element takes none away.
    x, _ = run.eval(model.taken[0])
    assert x.shape == (4, 3)
    run.step(2)
    model.check(run, [2] * 7)
    run.rewind(3)
    model.check(run, [2] * 3)
    run.step(3)
    model.check(run, [2] * 6)
    fork = run.fork(step=4, paused=True)
    fork.wait_for_replicas(2, PATIENCE)
    fork.step(3)
    model.check(fork, [2] * 7)
    single = run.fork(replicas=1, paused=True)
    single.step(3)
    model.check(single, [2] * 6 + [1] * 3)
    run.resume()
    run.wait(PATIENCE)
    model.check(run, [2] * 12)
    again = run.replay().wait(PATIENCE)
    assert np.array_equal(again.history["loss"], run.history["loss"])


def test_one_run_goes_on_by_several(two: Crew) -> None:
    model = Model()
    near = wb.run(model.train, 12, track={"loss": model.loss}, folder=None, seed=3, paused=True)
    near.step(4)
    fork = near.fork(pool=two, replicas=2, paused=True)
    fork.wait_for_replicas(2, PATIENCE)
    fork.step(3)
    model.check(fork, [1] * 4 + [2] * 3)


@pytest.mark.parametrize("shared_name", [None, "numbers"])
def test_begins_where_a_session_is(two: Crew, shared_name: str | None) -> None:
    model = Model(one_shot=False, shared_name=shared_name)
    with wb.Session() as session:
        session.run(wb.global_variables_initializer())
        session.run(model.iterator.initializer)
        session.run([session.run(model.taken[0]) and model.count for _ in range(3)])
        run = model.run(two, 12, session=session, seed=None, paused=True)
        run.wait_for_replicas(2, PATIENCE)
        run.step(4)
        model.check(run, [2] * 4, first=3)


@pytest.mark.parametrize("leads", [True, False])
def test_who_is_left_takes_the_elements_of_who_died(tmp_path: Any, leads: bool) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run = model.run(pool, None, paused=True)
        run.wait_for_replicas(2, PATIENCE)
        run.step(3)
        leader = pool.leader(run)
        pool.kill(leader if leads else 1 - leader)
        if leads:
            eventually(lambda: run.epoch == 1)
        run.step(3)
        model.check(run, [2] * 3 + [1] * 3)
        # One that comes late has all elements before it to leave out.
        pool.add()
        left = f"worker {1 - leader if leads else leader}"
        eventually(lambda: there(run) == sorted([left, "worker 2"]))
        run.step(3)
        model.check(run, [2] * 3 + [1] * 3 + [2] * 3)
        run.close()


@pytest.mark.parametrize("passes", [1, 2])
def test_ends_with_the_data(two: Crew, passes: int) -> None:
    model = Model(passes=passes)
    run = model.run(two, None)
    run.wait(PATIENCE)
    assert run.state == "finished"
    last = run.step_number
    sizes = [size for _, _, size in run.status().taken]
    # Where one alone took the first steps, the last one may lack half of its elements.
    taken = sum(
        size * (end - first)
        for (first, _, size), end in zip(
            run.status().taken, [row[0] for row in run.status().taken[1:]] + [last], strict=True
        )
    )
    assert passes * 10 - 1 <= taken <= passes * 10 and set(sizes) <= {1, 2}


@free_strategies
def test_no_element_is_taken_twice(two: Crew, strategy: str) -> None:
    numbers = wb.data.Dataset.range(100_000).batch(2).make_one_shot_iterator().get_next()
    counts = wb.Variable(np.zeros(2000), name="counts")
    hit = wb.reduce_sum(wb.one_hot(numbers, 2000, dtype=wb.float64), 0)
    count = wb.train.get_or_create_global_step()
    optimizer = wb.train.GradientDescentOptimizer(1.0)
    train = optimizer.minimize(-wb.reduce_sum(counts * wb.stop_gradient(hit)), global_step=count)
    run = wb.run(train, 400, folder=None, pool=two, replicas=2, strategy=strategy, paused=True)
    run.wait_for_replicas(2, PATIENCE)
    run.resume()
    run.wait(PATIENCE)
    found = run.eval(counts)
    # What each applied for itself is a part of an average.
    assert 0.0 < found.max() <= 1.0
    if strategy == "parameter server":
        assert set(found) == {0.0, 1.0} and found.sum() == 2 * run.step_number == 800


def test_what_cannot_be_shared_is_refused(two: Crew) -> None:
    inside = Model().iterator
    w = wb.Variable(np.zeros(3), name="other")
    total = wb.while_loop(
        lambda i, _: i < 3,
        lambda i, t: (i + 1, t + wb.reduce_sum(inside.get_next()[0], 0)),
        [wb.constant(0), wb.zeros([3], wb.float64)],
    )[1]
    optimizer = wb.train.GradientDescentOptimizer(RATE)
    run = wb.run(
        optimizer.minimize(wb.reduce_sum(w * wb.stop_gradient(total))),
        5,
        pool=two,
        replicas=2,
        folder=None,
    )
    with pytest.raises(InvalidArgumentError, match="took more than 1 elements of the iterator"):
        run.wait(PATIENCE)
    queue = wb.FIFOQueue(9, wb.float64, [[3]])
    train = optimizer.minimize(wb.reduce_sum(wb.square(w - queue.dequeue())))
    with pytest.raises(ValueError, match="cannot share the elements that .* takes of a queue"):
        wb.run(train, 5, pool=two, replicas=2, folder=None)
