"""Folders of runs that are damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.live.processes import new_graph, put_away
from tests.live.support import PATIENCE, closing, make_model
from workbench.core.errors import DataLossError
from workbench.live.folder import project_runs


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
