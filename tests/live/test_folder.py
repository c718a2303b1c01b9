"""Runs on disk: what their folders hold, and how they are listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.processes import new_graph, put_away
from tests.live.support import PATIENCE, closing, make_model, variables
from workbench.core.checkpoints.reading import read_tensors
from workbench.live.folder import RunFolder
from workbench.live.history_file import read_history
from workbench.live.run_record import RunRecord


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
