"""Runs on disk: folders, resuming in another process, listing, damage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE, assert_same, closing, make_model, variables
from tests.live.worker import SEED
from workbench.core.checkpoints.reading import read_tensors
from workbench.core.errors import DataLossError, NotFoundError
from workbench.core.ops.mutable_lookup import MutableHashTable
from workbench.live import record
from workbench.live.folder import RunFolder, project_runs
from workbench.live.history_file import read_history
from workbench.live.run_record import RunRecord


def put_away(run: Any, steps: int = 0) -> Any:
    """Ends a run, after so many more steps, as a process that ends does: its folder is as a later
    process finds it."""
    if steps:
        run.step(steps)
    run.close()
    return run


def new_graph(function: Any, *arguments: Any, **options: Any) -> Any:
    """What a process that never saw the graph does."""
    with wb.Graph().as_default():
        return function(*arguments, **options)


# -- what is in the folder -----------------------------------------------------------------------


def test_the_folder_holds_all(tmp_path: Path) -> None:
    run = make_model().run(30, folder=tmp_path, name="digits").wait(PATIENCE)
    with closing(run):
        folder = tmp_path / "digits"
        assert run.folder == str(folder)
        names = {p.name for p in folder.iterdir()}
        assert {"run.json", "graph.pb", "history", "checkpoints", ".lock"} <= names
        assert any(n.startswith("events.out.tfevents.") for n in names)
        assert {p.name for p in (folder / "checkpoints").iterdir()} == {
            "step-0.safetensors", "step-30.safetensors",
        }  # fmt: skip
        document = json.loads((folder / "run.json").read_text())
        assert (document["state"], document["step"], document["id"]) == ("finished", 30, run.id)
        tensors = read_tensors(folder / "checkpoints" / "step-30")
        for name, value in variables(run).items():
            assert np.array_equal(tensors[name], value)
        assert np.array_equal(read_history(folder / "history")["loss"], run.history["loss"])


def test_tensorboard_reads_it(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = make_model().run(30, folder=tmp_path).wait(PATIENCE)
    with closing(run):
        run.rewind(10)
        run.set(lr=0.5)
        run.resume()
        run.wait(PATIENCE)
        accumulator = EventAccumulator(run.folder, size_guidance={"scalars": 0})
        accumulator.Reload()
        found = accumulator.Scalars("loss")
        assert [e.step for e in found] == list(range(1, 31))
        assert np.array_equal([e.value for e in found], run.history["loss"].astype(np.float32))
        assert {n.name for n in accumulator.Graph().node} >= {"x", "lr", "loss"}


def test_names_are_unique(tmp_path: Path) -> None:
    model = make_model()
    runs = [model.run(1, folder=tmp_path, name="a").wait(PATIENCE) for _ in range(3)]
    with closing(*runs):
        assert [r.name for r in runs] == ["a", "a-2", "a-3"]


def test_checkpoints_rotate(tmp_path: Path) -> None:
    run = make_model().run(
        100, folder=tmp_path, paused=True, checkpoint_steps=10, keep_checkpoints=2
    )
    with closing(run):
        run.step(25)
        run.snapshot()
        for _ in range(7):
            run.step(10)
            run._loop.writer.flush()
        run.resume()
        run.wait(PATIENCE)
        steps = sorted(p.step for p in RunFolder(run.folder).places([]))
        # The first, the one that was asked for, and the newest two.
        assert steps == [0, 25, 90, 100]


def test_an_error_of_the_disk_does_not_hurt_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.live import writer

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "write_frame", full)
    run = make_model().run(30, folder=tmp_path).wait(PATIENCE)
    with closing(run):
        assert run.state == "finished"
        told = [e.text for e in run.history.events if "cannot be written" in e.text]
        assert len(told) == 1 and "No space left" in told[0]


# -- resuming ------------------------------------------------------------------------------------


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
    copy.mkdir()
    subprocess.run(["cp", "-r", str(tmp_path / "run"), str(copy)], check=True, timeout=60)
    subprocess.run(["cp", "-r", str(tmp_path / ".data"), str(copy)], check=True, timeout=60)
    with closing(run):
        record_of_it = RunRecord(RunFolder(str(copy / "run")))
        assert record_of_it.state == "interrupted"
        again = new_graph(wb.resume, copy / "run").wait(PATIENCE)
        with closing(again):
            assert np.array_equal(again.history["loss"][:40], recorded)
            assert again.hyperparameters == {"lr": 0.3}


def test_a_dataset_and_a_table_go_on(tmp_path: Path) -> None:
    def build() -> tuple[Any, Any]:
        data = wb.data.Dataset.range(50).shuffle(20, seed=4).repeat().batch(3)
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
    with pytest.raises(ValueError, match="has a dataset.*pass graph="):
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


# -- kills ---------------------------------------------------------------------------------------


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.live.worker", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(worker: subprocess.Popen[str], word: str) -> None:
    assert worker.stdout is not None
    line = worker.stdout.readline().strip()
    if line != word:
        worker.kill()
        _, errors = worker.communicate(timeout=PATIENCE)
        pytest.fail(f"the worker said {line!r} instead of {word!r}:\n{errors}")


def kill(worker: subprocess.Popen[str]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.communicate(timeout=PATIENCE)


@pytest.mark.usefixtures("one_tier")
def test_killed_it_resumes_with_the_same_numbers(tmp_path: Path) -> None:
    worker = started(tmp_path)
    wait_for(worker, "started")
    wait_for(worker, "saved")
    deadline = time.monotonic() + PATIENCE
    while (listed := wb.runs(tmp_path)["killed"]).state != "running":
        assert time.monotonic() < deadline
    assert listed.state == "running" and listed.is_running and not listed.status().live
    with pytest.raises(RuntimeError, match=f"in use by process {worker.pid}"):
        wb.resume(tmp_path / "killed")
    with pytest.raises(RuntimeError, match="stop it before"):
        wb.runs(tmp_path).delete("killed")
    time.sleep(0.5)
    kill(worker)
    assert wb.runs(tmp_path)["killed"].state == "interrupted"
    again = wb.resume(tmp_path / "killed")
    with closing(again):
        again.pause()
        count = again.step_number
        assert count > 20
        undisturbed = new_graph(make_model).run(count, seed=SEED, paused=True)
        with closing(undisturbed):
            undisturbed.step(10)
            undisturbed.set(lr=0.05)
            undisturbed.step(10)
            undisturbed.set(lr=0.01)
            undisturbed.resume()
            undisturbed.wait(PATIENCE)
            assert np.array_equal(undisturbed.history["loss"], again.history["loss"])
            assert_same(variables(undisturbed), variables(again))


def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import os, sys; from tests.live.test_folder import started, wait_for\n"
        "worker = started(sys.argv[1])\n"
        "wait_for(worker, 'started')\n"
        "print(worker.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL
    folder = RunFolder(str(tmp_path / "killed"))
    deadline = time.monotonic() + PATIENCE
    while folder.is_running:
        assert time.monotonic() < deadline, f"process {done.stdout} lives on"
        time.sleep(0.05)


def test_the_end_of_the_process_ends_its_runs(tmp_path: Path) -> None:
    code = (
        "import sys; from tests.live.support import make_model\n"
        "model = make_model()\n"
        "run = model.run(None, folder=sys.argv[1], name='left')\n"
        "run.pause(); run.step(5); run.resume()\n"
        "other = model.run(None, folder=sys.argv[1], name='waits', paused=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "'left' was interrupted" in done.stderr and "wb.resume(" in done.stderr
    assert "Traceback" not in done.stderr
    for name in ("left", "waits"):
        found = wb.runs(tmp_path)[name]
        assert found.state == "interrupted" and not found.is_running
        assert f"step-{found.step_number}.safetensors" in os.listdir(
            tmp_path / name / "checkpoints"
        )


# -- listing and damage --------------------------------------------------------------------------


def test_runs_are_listed_compared_and_deleted(tmp_path: Path) -> None:
    model = make_model()
    one = model.run(5, folder=tmp_path, name="one").wait(PATIENCE)
    two = one.fork(2, lr=0.5).wait(PATIENCE)
    away = put_away(new_graph(make_model).run(7, folder=tmp_path, name="away").wait(PATIENCE))
    listed = wb.runs(tmp_path)
    with closing(one, two):
        assert [r.name for r in listed] == ["one", "one-fork", "away"]
        assert listed["one"] is one and listed[1] is two and listed[two.id] is two
        assert isinstance(listed["away"], RunRecord) and "one" in listed
        assert np.array_equal(listed["away"].history["loss"], away.history["loss"])
        table = listed.compare()
        assert table.columns == ["run", "state", "step", "lr", "loss"]
        assert [row[:4] for row in table.rows] == [
            ["one", "finished", 5, 0.02],
            ["one-fork", "finished", 5, 0.5],
            ["away", "finished", 7, 0.02],
        ]
        assert "one-fork  finished  5     0.5" in repr(table)
        rows = [line.split() for line in repr(listed).splitlines()]
        assert rows[2][:3] == ["one-fork", "finished", "5/5"] and rows[2][4] == "lr=0.5"
        assert [r.name for r in wb.runs(tmp_path, name="one*")] == ["one", "one-fork"]
        assert not wb.runs(tmp_path, name="on")
        assert listed["away"].parent is None and two.parent == {"run": one.id, "step": 2}
        assert [row[0] for row in listed.compare("away", "one").rows] == ["away", "one"]
        with pytest.raises(KeyError, match="no run 'three'.*there are one, one-fork, away"):
            listed["three"]
        live = model.run(None, folder=tmp_path, name="live")
        live.pause()
        with closing(live), pytest.raises(RuntimeError, match="'live' is paused: stop it"):
            wb.runs(tmp_path).delete("live")
        data = list((tmp_path / ".data").iterdir())
        for name in ("one", "away", "live"):
            wb.runs(tmp_path).delete(name)
            assert list((tmp_path / ".data").iterdir()) == data, "another run needs it"
        wb.runs(tmp_path).delete("one-fork")
        assert list((tmp_path / ".data").iterdir()) == []
        assert len(wb.runs(tmp_path)) == 0 and not (tmp_path / "one").exists()


def truncations(path: Path) -> list[int]:
    size = path.stat().st_size
    return [0, size // 2, size - 1]


@pytest.mark.parametrize("which", ["run.json", "history", "step-20.safetensors", "graph.pb"])
@pytest.mark.parametrize("place", range(3))
def test_truncated_files_list_and_open_up_to_the_last_good_record(
    tmp_path: Path, which: str, place: int
) -> None:
    model = make_model()
    run = model.run(20, folder=tmp_path, seed=1, paused=True)
    put_away(run, 10)
    again = new_graph(wb.resume, tmp_path / "run").wait(PATIENCE)
    wanted = again.history["loss"].copy()
    put_away(again)
    (path,) = (tmp_path / "run").rglob(which)
    content = path.read_bytes()
    path.write_bytes(content[: truncations(path)[place]])
    found = wb.runs(tmp_path)["run"]
    assert found.status().name == "run" and found.history.count <= 20
    assert np.array_equal(found.history["loss"], wanted[: found.history.count])
    if which == "graph.pb":
        with pytest.raises((DataLossError, ValueError)):
            wb.resume(tmp_path / "run")
        opened = wb.resume(tmp_path / "run", graph=wb.get_default_graph())
    else:
        opened = new_graph(wb.resume, tmp_path / "run")
    with closing(opened):
        opened.wait(PATIENCE)
        assert opened.step_number == 20
        assert np.array_equal(opened.history["loss"], wanted[opened.history.steps - 1])


def test_a_record_beyond_repair_is_listed_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "run.json").write_text('{"version": 1, "id"')
    (tmp_path / "empty").mkdir()
    (found,) = wb.runs(tmp_path)
    assert (found.state, found.step_number) == ("interrupted", 0)
    assert "truncated or damaged" in repr(found)
    with pytest.raises(DataLossError, match="truncated or damaged"):
        found.resume()
    assert [f.name for f in project_runs(tmp_path)] == ["odd"]
    wb.runs(tmp_path).delete("odd")
    assert not (tmp_path / "odd").exists()


def test_checkpoints_of_an_abandoned_future_are_void(tmp_path: Path) -> None:
    run = make_model().run(60, folder=tmp_path, seed=1, paused=True, checkpoint_steps=10)
    run.step(30)
    kept = tmp_path / "run" / "checkpoints" / "step-30.safetensors"
    run.snapshot()
    content = kept.read_bytes()
    run.rewind(15)
    assert not kept.exists()
    run.set(lr=0.5)
    put_away(run, 2)
    # As if it had been killed before the file was removed.
    kept.write_bytes(content)
    again = new_graph(wb.resume, tmp_path / "run", paused=True)
    with closing(again):
        again.pause()
        assert again.step_number == 17 and again.hyperparameters == {"lr": 0.5}
