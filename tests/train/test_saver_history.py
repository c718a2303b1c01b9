"""Which checkpoints a saver keeps, and what it says of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import workbench as tf
from tests.train.saving import started, variable
from workbench.core.checkpoints.reading import read_tensors
from workbench.train import saver as saver_module

pytestmark = pytest.mark.usefixtures("graph")


def files_in(folder: Path, suffix: str) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.endswith(suffix))


def test_old_checkpoints_are_removed(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=2)
    with started(v) as session:
        paths = [saver.save(session, str(tmp_path / "m"), step) for step in range(4)]
    assert saver.last_checkpoints == paths[2:]
    assert files_in(tmp_path, ".safetensors") == ["m-2.safetensors", "m-3.safetensors"]
    assert files_in(tmp_path, ".meta") == ["m-2.meta", "m-3.meta"]
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert state.model_checkpoint_path == paths[3]
    assert list(state.all_model_checkpoint_paths) == paths[2:]


@pytest.mark.parametrize("limit", [None, 0])
def test_all_checkpoints_are_kept(tmp_path: Path, limit: int | None) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=limit)
    with started(v) as session:
        for step in range(7):
            saver.save(session, str(tmp_path / "m"), step, meta_graph_suffix="graph")
    assert len(files_in(tmp_path, ".safetensors")) == len(files_in(tmp_path, ".graph")) == 7
    assert saver.last_checkpoints == []
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert list(state.all_model_checkpoint_paths) == [str(tmp_path / "m-6")]


def test_one_checkpoint_in_some_hours_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(saver_module.time, "time", lambda: now[0])
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1.0)
    with started(v) as session:
        for half_hours in range(6):
            now[0] = half_hours * 1800.0 + 1.0
            saver.save(session, str(tmp_path / "m"), half_hours, write_meta_graph=False)
    assert files_in(tmp_path, "") == [
        "checkpoint",
        "m-2.safetensors",
        "m-4.safetensors",
        "m-5.safetensors",
    ]


def test_the_same_name_again(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=2)
    with started(v) as session:
        a, b = (saver.save(session, str(tmp_path / name)) for name in "ab")
        session.run(v.assign(5.0))
        assert saver.save(session, a) == a
        assert saver.last_checkpoints == [b, a]
        assert read_tensors(a)["v"] == 5.0
        saver.save(session, str(tmp_path / "c"))
    assert files_in(tmp_path, ".safetensors") == ["a.safetensors", "c.safetensors"]


def test_checkpoints_of_a_run_before(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    first = tf.train.Saver(max_to_keep=2)
    with started(v) as session:
        paths = [first.save(session, str(tmp_path / "m"), step) for step in range(2)]
        second = tf.train.Saver(saver_def=first.as_saver_def())
        second.recover_last_checkpoints([*paths, str(tmp_path / "gone")])
        assert second.last_checkpoints == paths
        second.save(session, str(tmp_path / "m"), 2)
        assert files_in(tmp_path, ".safetensors") == ["m-1.safetensors", "m-2.safetensors"]
        third = tf.train.Saver(saver_def=first.as_saver_def())
        third.set_last_checkpoints(second.last_checkpoints)
        for step in (3, 4):
            third.save(session, str(tmp_path / "m"), step)
        assert len(files_in(tmp_path, ".safetensors")) == 4
        third.set_last_checkpoints_with_time([(paths[1], 0.0)])
        assert third.last_checkpoints == [paths[1]]


def test_the_graph_is_written_as_it_is_now(tmp_path: Path, graph: tf.Graph) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver()
    with started(v) as session:

        def written() -> bytes:
            return Path(str(saver.save(session, str(tmp_path / "m"))) + ".meta").read_bytes()

        first = written()
        assert written() == first
        x = tf.placeholder(tf.float32, name="x")
        second = written()
        x.set_shape([3])
        third = written()
        tf.add_to_collection("inputs", x)
        assert len({first, second, third, written()}) == 4


def test_names_of_the_state_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    v = variable("v", 1.0)
    saver = tf.train.Saver(save_relative_paths=True)
    with started(v) as session:
        assert saver.save(session, "m", latest_filename="state") == "m"
        assert tf.train.latest_checkpoint("", "state") == "m"
        assert tf.train.latest_checkpoint("") is None
        saver.save(session, str(tmp_path / "n"), write_state=False)
        assert files_in(tmp_path, "") == [
            "m.meta",
            "m.safetensors",
            "n.meta",
            "n.safetensors",
            "state",
        ]
        saver.save(session, str(tmp_path / "n"))
        assert 'model_checkpoint_path: "n"' in Path("checkpoint").read_text()
        with pytest.raises(ValueError, match="collides with 'save_path'"):
            saver.save(session, str(tmp_path / "checkpoint"))
        with pytest.raises(ValueError, match="must not contain path components"):
            saver.save(session, "m", latest_filename="a/b")
