"""Runs that another process goes on with."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.processes import new_graph, put_away
from tests.live.support import PATIENCE, assert_same, closing, make_model, variables
from workbench.core.errors import NotFoundError
from workbench.core.ops.mutable_lookup import MutableHashTable
from workbench.live import record, writer
from workbench.live.folder import RunFolder
from workbench.live.run_record import RunRecord


@pytest.mark.usefixtures("one_tier")
def test_resumed_it_goes_the_same_way(tmp_path: Path) -> None:
    straight = make_model().run(60, seed=3, name="straight", folder=tmp_path, paused=True)
    straight.step(20)
    straight.set(lr=0.3)
    straight.resume()
    straight.wait(PATIENCE)
    wanted, ended = straight.history["loss"].copy(), variables(straight)
    run = new_graph(make_model).run(60, seed=3, name="cut", folder=tmp_path, paused=True)
    run.step(20)
    run.set(lr=0.3)
    run.step(13)
    put_away(run)
    again = new_graph(wb.resume, tmp_path / "cut").wait(PATIENCE)
    with closing(straight, again):
        assert again.id == run.id and again.name == "cut"
        assert np.array_equal(again.history["loss"], wanted)
        assert_same(variables(again), ended)
        assert again.hyperparameters == {"lr": 0.3}
        assert [(e.step, e.values) for e in again.history.events if e.values] == [(20, {"lr": 0.3})]
        # Its past is there as well, from the checkpoint of step 0.
        again.rewind(7)
        assert again.hyperparameters == {"lr": 0.02}
        assert np.array_equal(again.history["loss"], wanted[:7])
        other = again.fork(5, lr=0.9)
        with closing(other):
            other.wait(PATIENCE)
            assert np.array_equal(other.history["loss"][:5], wanted[:5])


def test_a_change_after_the_last_checkpoint_happens_again(tmp_path: Path) -> None:
    run = make_model().run(60, seed=3, folder=tmp_path, paused=True, checkpoint_seconds=1000)
    run.step(20)
    run.set(lr=0.3)
    run.step(20)
    recorded = run.history["loss"].copy()
    run._loop.writer.flush()
    # As if it had been killed here: no last checkpoint, and nobody tidies up.
    copy = tmp_path / "copy"
    # Files come and go meanwhile: those that are not whole yet have other names.
    is_partial = shutil.ignore_patterns("*.partial")
    for part in ("run", ".data"):
        shutil.copytree(tmp_path / part, copy / part, ignore=is_partial)
    with closing(run):
        record_of_it = RunRecord(RunFolder(str(copy / "run")))
        assert record_of_it.state == "interrupted"
        again = new_graph(wb.resume, copy / "run").wait(PATIENCE)
        with closing(again):
            assert np.array_equal(again.history["loss"][:40], recorded)
            assert again.hyperparameters == {"lr": 0.3}


NUMBERS = wb.data.Dataset.range


def generated(size: int) -> Any:
    return wb.data.Dataset.from_generator(lambda: iter(range(size)), wb.int64, [])


@pytest.mark.parametrize("numbers", [NUMBERS, generated])
def test_a_dataset_and_a_table_go_on(tmp_path: Path, numbers: Any) -> None:
    def build() -> tuple[Any, Any]:
        data = numbers(50).shuffle(20, seed=4).repeat().batch(3)
        batch = data.make_one_shot_iterator().get_next()
        table = MutableHashTable(wb.int64, wb.float32, 0.0)
        value = wb.reduce_sum(table.lookup(batch)) + wb.random_normal([])
        with wb.control_dependencies([value]):
            insert = table.insert(batch, wb.to_float(batch) * 0.1 + table.lookup(batch))
        return insert, {"value": value}

    train, track = build()
    whole = wb.run(train, steps=40, track=track, folder=tmp_path, name="a", seed=1).wait(PATIENCE)
    cut = wb.run(train, steps=40, track=track, folder=tmp_path, name="b", seed=1, paused=True)
    put_away(cut, 17)
    graph = None
    if numbers is generated:
        with pytest.raises(ValueError, match="has a dataset.*Python generator.*pass graph="):
            wb.resume(tmp_path / "b")
        with wb.Graph().as_default() as graph:
            build()
    again = wb.resume(tmp_path / "b", graph=graph).wait(PATIENCE)
    with closing(whole, again):
        assert np.array_equal(whole.history["value"], again.history["value"])


def test_what_is_in_no_file_must_be_given(tmp_path: Path) -> None:
    def build() -> tuple[Any, Any]:
        x = wb.placeholder(wb.float32, [], name="x")
        return wb.assign_add(wb.Variable(0.0, name="v"), x), x

    train, x = build()
    run = wb.run(train, steps=10, feed=lambda s: {x: s}, folder=tmp_path, name="f", paused=True)
    put_away(run, 4)
    with pytest.raises(ValueError, match="fed by a function.*pass feed="):
        wb.resume(tmp_path / "f")
    again = new_graph(wb.resume, tmp_path / "f", feed=lambda s: {"x:0": s}).wait(PATIENCE)
    with closing(again):
        assert float(again.eval("v:0")) == 45.0
    with wb.Graph().as_default() as other, pytest.raises(ValueError, match="not that of the run"):
        wb.constant(1)
        wb.resume(tmp_path / "f", graph=other, feed={})
    called = wb.run(
        [train, wb.py_func(lambda: np.float32(1.0), [], wb.float32)], steps=1, feed={x: 1.0},
        folder=tmp_path, name="p",
    ).wait(PATIENCE)  # fmt: skip
    put_away(called)
    with pytest.raises(ValueError, match="has a Python function.*PyFunc.*pass graph="):
        wb.resume(tmp_path / "p")


def test_data_that_is_too_large_must_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "LIMIT", 100)
    model = make_model()
    put_away(model.run(10, folder=tmp_path, paused=True), 4)
    assert not (tmp_path / ".data").exists()
    with pytest.raises(ValueError, match="too large.*pass feed="):
        wb.resume(tmp_path / "run")
    again = wb.resume(tmp_path / "run", graph=wb.get_default_graph(), feed=model.data)
    with closing(again):
        assert again.wait(PATIENCE).step_number == 10


def test_a_finished_run_is_opened_or_lengthened(tmp_path: Path) -> None:
    put_away(make_model().run(10, folder=tmp_path, seed=2).wait(PATIENCE))
    again = new_graph(wb.resume, tmp_path / "run").wait(PATIENCE)
    assert (again.state, again.step_number) == ("finished", 10)
    put_away(again)
    longer = new_graph(wb.resume, tmp_path / "run", steps=15).wait(PATIENCE)
    with closing(longer):
        assert longer.history.steps.tolist() == list(range(1, 16))
    with pytest.raises(ValueError, match="has done 15 steps already"):
        wb.resume(tmp_path / "run", steps=12)


def test_one_loop_at_a_time(tmp_path: Path) -> None:
    run = make_model().run(None, folder=tmp_path, paused=True)
    with closing(run), pytest.raises(RuntimeError, match=f"in use by process {os.getpid()}"):
        wb.resume(tmp_path / "run")
    with pytest.raises(NotFoundError, match="There is no run in.*the folder beside it holds run"):
        wb.resume(tmp_path / "rum")


def test_what_happened_before_the_first_step_stays(tmp_path: Path) -> None:
    run = make_model().run(5, name="early", folder=tmp_path, paused=True)
    run.set(lr=0.5)
    put_away(run)
    again = new_graph(wb.resume, tmp_path / "early", paused=True)
    with closing(again):
        assert [e.kind for e in again.history.events if e.step == 0][:1] == ["set"]
        assert again.history.events[-1].kind == "resume"


@pytest.mark.parametrize("begins_with", ["a fork", "a session"])
def test_what_no_initializers_give_is_on_the_disk_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins_with: str
) -> None:
    """However slow the disk is: killed then, the run would begin with something else."""
    write, waited = writer.write_frame, []

    def slow(*arguments: Any) -> str:
        waited.append(time.sleep(0.3))
        return write(*arguments)

    model = make_model()
    with wb.Session() as session:
        session.run(wb.global_variables_initializer())
        if begins_with == "a fork":
            parent = model.run(None, folder=tmp_path, name="parent", paused=True)
            parent.step(4)
            monkeypatch.setattr(writer, "write_frame", slow)
            run = parent.fork()
        else:
            monkeypatch.setattr(writer, "write_frame", slow)
            parent = run = model.run(None, folder=tmp_path, session=session)
        run.wait(PATIENCE, step=5)
        assert waited and run.folder is not None
        assert RunFolder(run.folder).checkpoint_paths()
        with closing(parent, run):
            pass
