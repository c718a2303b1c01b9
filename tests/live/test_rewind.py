"""Back to an earlier step, to the bit: rewind, fork and replay, whatever the graph keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.live.support import PATIENCE, assert_same, closing, make_model, variables
from workbench.core.ops.mutable_lookup import MutableHashTable
from workbench.live.errors import NoWayBackError
from workbench.live.events import Rewound


def model_with_dropout() -> tuple[Any, dict[str, Any]]:
    model = make_model()
    return model.train, {"feed": model.data, "track": {"loss": model.loss}}


def dataset_with_shuffling() -> tuple[Any, dict[str, Any]]:
    data = wb.data.Dataset.range(40).shuffle(15).repeat()
    data = data.map(lambda i: wb.to_float(i) + wb.random_uniform([])).batch(3).prefetch(2)
    batch = data.make_one_shot_iterator().get_next()
    v = wb.Variable(0.0)
    loss = wb.reduce_sum(batch) + wb.random_normal([])
    return v.assign_add(loss * wb.hyperparameter("lr", 0.1)), {"track": {"loss": loss}}


def initializable_iterator() -> tuple[Any, dict[str, Any]]:
    data = wb.data.Dataset.from_tensor_slices(wb.random_uniform([30])).shuffle(30).repeat()
    element = data.make_initializable_iterator().get_next()
    return wb.Variable(0.0).assign_add(element), {"track": {"loss": element}}


def table_that_grows() -> tuple[Any, dict[str, Any]]:
    table = MutableHashTable(wb.int64, wb.float32, 0.0)
    x = wb.placeholder(wb.int64, [])
    before = table.lookup(x)
    with wb.control_dependencies([before]):
        insert = table.insert([x], [before + 1.5])
    feed: Callable[[int], Any] = lambda step: {x: step * step % 7}  # noqa: E731
    return insert, {"feed": feed, "track": {"loss": before, "size": table.size()}}


def integers_and_transposed() -> tuple[Any, dict[str, Any]]:
    n = wb.Variable(0, name="n")
    w = wb.get_variable("w", [5, 3], initializer=wb.random_normal_initializer())
    product = wb.matmul(w, w, transpose_a=True)
    update = wb.assign(w, wb.transpose(wb.transpose(w) * 0.9) + wb.random_normal([5, 3]) * 0.1)
    return [n.assign_add(1), update], {"track": {"loss": wb.reduce_sum(product)}}


def momentum_without_feed() -> tuple[Any, dict[str, Any]]:
    w = wb.get_variable("w", [300], initializer=wb.random_normal_initializer(), use_resource=False)
    loss = wb.reduce_sum(wb.square(w - wb.random_normal([300], seed=3)))
    train = wb.train.MomentumOptimizer(wb.hyperparameter("lr", 0.01), 0.9).minimize(loss)
    return train, {"track": {"loss": loss}}


PROGRAMS = [
    model_with_dropout, dataset_with_shuffling, initializable_iterator, table_that_grows,
    integers_and_transposed, momentum_without_feed,
]  # fmt: skip


def finished(program: Callable[[], tuple[Any, dict[str, Any]]], **options: Any) -> Any:
    train, arguments = program()
    run = wb.run(train, folder=None, **({"steps": 60} | arguments | options))
    return run.wait(PATIENCE)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
@pytest.mark.parametrize("step", [0, 1, 37, 60])
def test_rewound_and_resumed_it_gives_the_same_numbers(program: Any, step: int) -> None:
    run = finished(program)
    with closing(run):
        recorded, ended = {n: run.history[n].copy() for n in run.history.names}, variables(run)
        streams = dict(run.session.state.random_steps)
        assert run.rewind(step) == step and run.state == "paused"
        assert run.step_number == step and run.history.count == step and run.epoch == 1
        run.resume()
        run.wait(PATIENCE)
        for name, values in recorded.items():
            assert np.array_equal(values, run.history[name])
        if ended:
            assert_same(ended, variables(run))
        assert streams == run.session.state.random_steps


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_a_replay_ends_bit_equal(program: Any) -> None:
    run = finished(program)
    again = run.replay().wait(PATIENCE)
    with closing(run, again):
        for name in run.history.names:
            assert np.array_equal(run.history[name], again.history[name])
        if variables(run):
            assert_same(variables(run), variables(again))
        assert again.parent == {"run": run.id, "step": 0}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_a_fork_without_changes_goes_the_same_way(program: Any) -> None:
    run = finished(program)
    other = run.fork(23).wait(PATIENCE)
    with closing(run, other):
        for name in run.history.names:
            assert np.array_equal(run.history[name], other.history[name])
        assert other.parent == {"run": run.id, "step": 23}


def changed_in_the_middle() -> Any:
    run = make_model().run(60, paused=True)
    run.step(20)
    run.set(lr=0.3)
    run.step(20)
    run.set(lr=0.001)
    run.resume()
    run.wait(PATIENCE)
    return run


@pytest.mark.parametrize("step", [0, 10, 20, 30, 40, 50])
def test_changes_of_hyperparameters_are_part_of_the_past(step: int) -> None:
    run = changed_in_the_middle()
    with closing(run):
        first = run.history["loss"].copy()
        run.rewind(step)
        wanted = 0.02 if step < 20 else 0.3 if step < 40 else 0.001
        assert run.hyperparameters["lr"] == wanted
        assert all(e.step <= step for e in run.history.events)
        run.resume()
        run.wait(PATIENCE)
        same = np.flatnonzero(run.history["loss"] != first)
        # Changes that came later than the step are cut: from there on it goes another way.
        following = [20, 40] if step < 20 else [40] if step < 40 else []
        assert (same.min() if same.size else 60) >= min(following, default=60)


def test_a_replay_makes_the_changes_at_their_steps() -> None:
    run = changed_in_the_middle()
    again = run.replay().wait(PATIENCE)
    with closing(run, again):
        assert np.array_equal(run.history["loss"], again.history["loss"])
        made = [(e.step, e.values) for e in again.history.events if e.kind == "set"]
        assert made == [(20, {"lr": 0.3}), (40, {"lr": 0.001})]
        assert again.name == "run-replay" and again.step_number == 60


def test_a_fork_differs_from_its_step_on() -> None:
    run = changed_in_the_middle()
    other = run.fork(30, name="other", lr=0.5)
    other.wait(PATIENCE)
    with closing(run, other):
        one, two = run.history["loss"], other.history["loss"]
        assert np.array_equal(one[:31], two[:31]) and not np.array_equal(one[31:], two[31:])
        event = other.history.events[-1]
        assert (event.step, event.kind, event.values) == (30, "fork", {"lr": 0.5})
        assert "lr 0.3 -> 0.5" in event.text
        assert run.history.events[-1].kind == "fork"
        twice = other.replay().wait(PATIENCE)
        with closing(twice):
            assert np.array_equal(twice.history["loss"], two)
        other.rewind(10)
        other.resume()
        back = other.wait(PATIENCE)
        assert np.array_equal(back.history["loss"][:20], one[:20])


def test_a_running_run_is_forked_where_it_is() -> None:
    run = make_model().run(None)
    with closing(run):
        other = run.fork(lr=0.5)
        with closing(other):
            step = other.parent["step"]
            while other.step_number < step + 5:
                pass
            other.pause()
            assert other.state == "paused" and run.state == "running"
            run.pause()
            assert np.array_equal(other.history["loss"][:step], run.history["loss"][:step])


@pytest.mark.parametrize(
    ("step", "error"), [(-1, ValueError), (61, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_wrong_steps_change_nothing(step: Any, error: type[Exception]) -> None:
    run = make_model().run(60).wait(PATIENCE)
    with closing(run):
        for method in (run.rewind, run.fork):
            with pytest.raises(error):
                method(step)
        with pytest.raises(ValueError, match="between"):
            run.fork(10, lr=5.0)
        assert (run.state, run.step_number, run.epoch) == ("finished", 60, 0)


def test_an_iterator_feed_has_no_way_back() -> None:
    x = wb.placeholder(wb.float32, [])
    v = wb.Variable(0.0)
    run = wb.run(v.assign_add(x), feed=({x: 1.0} for _ in range(9)), folder=None).wait(PATIENCE)
    with closing(run):
        for method in (lambda: run.rewind(2), lambda: run.fork(2), run.replay):
            with pytest.raises(NoWayBackError, match="feed is a generator.*wb.batches"):
                method()
        assert (run.state, run.step_number, run.history.count) == ("finished", 9, 9)


def test_the_constants_of_a_dataset_are_no_part_of_a_state() -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 100)).astype(np.float32)
    data = wb.data.Dataset.from_tensor_slices(rows).shuffle(50).repeat().batch(2)
    v = wb.Variable(0.0)
    total = wb.reduce_sum(data.make_one_shot_iterator().get_next())
    run = wb.run(v.assign_add(total), steps=9, folder=None, track={"total": total}, paused=True)
    with closing(run):
        run.step(4)
        run.snapshot()
        assert run._loop.past.frames.nbytes < 10_000
        run.resume()
        run.wait(PATIENCE)
        first = run.history["total"].copy()
        run.rewind(5)
        run.resume()
        run.wait(PATIENCE)
        assert np.array_equal(run.history["total"], first)
        other = run.fork(2).wait(PATIENCE)
        with closing(other):
            assert np.array_equal(other.history["total"], first)


class Odd:
    """A resource that nobody can copy."""


def test_a_resource_that_cannot_be_saved_is_named() -> None:
    v = wb.Variable(0.0)
    with wb.Session() as session:
        session.run(v.initializer)
        session.state.resource(("", "odd_one"), Odd)
        run = wb.run(v.assign_add(1.0), steps=5, session=session, folder=None).wait(PATIENCE)
        with pytest.raises(NoWayBackError, match="'odd_one', a Odd"):
            run.rewind(2)
        assert (run.state, run.step_number) == ("finished", 5)
        assert float(session.run(v)) == 5.0
        run.close()


def test_what_eval_changes_is_not_lost() -> None:
    v = wb.Variable(0.0)
    run = wb.run(v.assign_add(1.0), steps=20, folder=None, paused=True)
    with closing(run):
        run.step(5)
        run.eval(v.assign(100.0))
        run.step(5)
        assert float(run.eval(v)) == 105.0
        run.rewind(8)
        assert float(run.eval(v)) == 103.0
        run.rewind(5)
        assert float(run.eval(v)) == 100.0
        with pytest.raises(ValueError, match=r"run.eval changed its state at step 5"):
            run.replay()
        run.rewind(3)
        assert float(run.eval(v)) == 3.0
        run.resume()
        run.wait(PATIENCE)
        assert float(run.eval(v)) == 20.0, "a rewind to before the change undoes it"


def test_listeners_hear_of_a_rewind() -> None:
    run = make_model().run(20).wait(PATIENCE)
    heard: list[Any] = []
    with closing(run):
        run.subscribe(heard.append)
        run.rewind(7)
        assert [(e.step, e.epoch) for e in heard if isinstance(e, Rewound)] == [(7, 1)]


def test_a_failed_run_goes_back_and_on() -> None:
    x = wb.placeholder(wb.float32, [])
    v = wb.Variable(1.0)
    broken = {"yes": True}

    def feed(step: int) -> Any:
        if step == 12 and broken["yes"]:
            raise RuntimeError("the disk was away")
        return {x: 0.5 + step}

    run = wb.run(v.assign(v * 0.5 + x), steps=20, feed=feed, folder=None, track={"x": x})
    with closing(run):
        with pytest.raises(RuntimeError, match="the disk was away"):
            run.wait(PATIENCE)
        broken["yes"] = False
        run.rewind(9)
        run.resume()
        run.wait(PATIENCE)
        wanted = np.float32(1.0)
        for step in range(20):
            wanted = wanted * np.float32(0.5) + np.float32(0.5 + step)
        assert run.eval(v) == wanted


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)), min_size=1, max_size=6))
def test_any_walk_back_and_forth_stays_on_the_path(walk: list[tuple[int, int]]) -> None:
    with wb.Graph().as_default():
        model = make_model(rows=30)
        straight = model.run(60, seed=1).wait(PATIENCE)
        run = straight.fork(0, paused=True)
        with closing(straight, run):
            wanted = straight.history["loss"]
            for back, forward in walk:
                run.rewind(min(back, run.step_number))
                if forward and run.step_number < 60:
                    run.step(min(forward, 60 - run.step_number))
                found = run.history["loss"]
                assert np.array_equal(found, wanted[: run.step_number])
