"""Runs on workers that read their data from datasets in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE
from tests.pool.runs.support import assert_equal_runs, eventually
from tests.pool.runs.workers import HostProcess, host


def build(dataset: Any) -> tuple[Any, dict[str, Any]]:
    """A linear model on the rows of a dataset: its step, and what is tracked."""
    x, y = dataset.make_one_shot_iterator().get_next()
    rate = wb.hyperparameter("rate", 0.1, low=0.0, high=1.0)
    w = wb.Variable(wb.zeros([3]), name="w")
    loss = wb.reduce_mean(wb.square(wb.reduce_sum(x * w, 1) - y), name="loss")
    return wb.train.AdamOptimizer(rate).minimize(loss), {"loss": loss}


def rows() -> Any:
    """Rows with noise that is drawn anew, in an order that changes with each pass."""
    xs = np.random.RandomState(0).standard_normal((40, 3)).astype(np.float32)
    pairs = wb.data.Dataset.from_tensor_slices((xs, xs @ np.float32([1, 2, -1])))
    noisy = pairs.map(lambda x, y: (x + 0.01 * wb.random_normal([3]), y))
    return noisy.shuffle(20).repeat().batch(4)


def test_has_all_powers_of_a_run_here(worker: HostProcess) -> None:
    train, track = build(rows())
    near = wb.run(train, 30, track=track, folder=None, seed=5, paused=True)
    far = wb.run(train, 30, track=track, folder=None, seed=5, paused=True, pool=worker)
    for run in (near, far):
        run.step(10)
        run.rewind(4)
        run.set(rate=0.2)
        run.resume()
    assert_equal_runs(near.wait(PATIENCE), far.wait(PATIENCE))
    forks = [run.fork(step=7, rate=0.5).wait(PATIENCE) for run in (near, far)]
    assert_equal_runs(*forks)
    replays = [run.replay().wait(PATIENCE) for run in (near, far)]
    assert_equal_runs(*replays)
    assert np.array_equal(replays[0].history["loss"], near.history["loss"])


def test_goes_on_from_the_state_of_a_session(worker: HostProcess) -> None:
    """The iterator was started, with what was fed then, and has given some elements."""
    size = wb.placeholder(wb.int64, [], name="size")
    numbers = wb.data.Dataset.range(size).map(lambda n: n * n)
    iterator = numbers.make_initializable_iterator()
    total = wb.Variable(0, dtype=wb.int64, name="total")
    train = wb.assign_add(total, iterator.get_next())
    with wb.Session() as session:
        session.run(wb.global_variables_initializer())
        session.run(iterator.initializer, {size: 6})
        session.run([train, train])
        run = wb.run(train.op, None, folder=None, session=session, pool=worker)
        run.wait(PATIENCE)
        assert session.run(total) == 0
    # The data has ended, and with it the run.
    assert (run.state, run.step_number) == ("finished", 5)
    assert run.eval(total) == sum(n * n for n in range(1, 6))


@pytest.mark.parametrize("kind", ["generator", "function"])
def test_what_calls_python_is_told_to_stay(worker: HostProcess, kind: str) -> None:
    dataset = rows()
    if kind == "generator":
        values = ([1.0, 2.0, 3.0], 4.0)
        dataset = wb.data.Dataset.from_generator(
            lambda: iter([values] * 8), (wb.float32, wb.float32), ([3], [])
        ).batch(4)
    else:
        dataset = dataset.map(
            lambda x, y: (wb.reshape(wb.py_func(np.negative, [x], wb.float32), [-1, 3]), y)
        )
    train, track = build(dataset)
    with pytest.raises(ValueError, match=f"Python {kind}.*cannot be sent to a worker"):
        wb.run(train, 3, track=track, folder=None, pool=worker)


def test_files_are_read_by_the_worker(worker: HostProcess, tmp_path: Any) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("".join(f"{n},{n},{n},{3 * n}\n" for n in range(1, 9)))

    def parsed(line: Any) -> Any:
        *xs, y = wb.decode_csv(line, [[0.0]] * 4)
        return wb.stack(xs), y

    train, track = build(wb.data.TextLineDataset(str(path)).map(parsed).batch(4))
    near = wb.run(train, track=track, folder=None, seed=5).wait(PATIENCE)
    far = wb.run(train, track=track, folder=None, seed=5, pool=worker).wait(PATIENCE)
    assert near.step_number == 2
    assert_equal_runs(near, far)


def test_a_killed_worker_goes_on_in_the_same_data(tmp_path: Any) -> None:
    train, track = build(rows())
    near = wb.run(train, 400, track=track, folder=None, seed=5).wait(PATIENCE)
    with host(tmp_path / "runs") as first:
        far = wb.run(
            train,
            400,
            track=track,
            folder="runs",
            name="killed",
            seed=5,
            pool=first,
            checkpoint_steps=20,
            paused=True,
        )
        far.step(50)
        first.kill()
        eventually(lambda: far.state == "interrupted")
        with host(tmp_path / "runs", first.address):
            eventually(lambda: far.state == "paused")
            far.resume()
            far.wait(PATIENCE)
            assert far.epoch == 1
            assert np.array_equal(near.history["loss"], far.history["loss"])
