"""The state file of a folder of checkpoints."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from workbench.core.checkpoints.files import write_tensors
from workbench.train import checkpoint_state as state


def save(prefix: Path | str) -> None:
    write_tensors(prefix, {"x": np.array(1)})


def test_names_relative_to_a_relative_folder() -> None:
    proto = state.generate_checkpoint_state_proto("run", "run/m-2", ["run/m-1", "/else/m-0"])
    assert proto.model_checkpoint_path == "m-2"
    assert list(proto.all_model_checkpoint_paths) == ["m-1", "/else/m-0", "m-2"]
    proto = state.generate_checkpoint_state_proto("/run", "/run/m-2", ["/run/m-1", "/run/m-2"])
    assert proto.model_checkpoint_path == "/run/m-2"
    assert list(proto.all_model_checkpoint_paths) == ["/run/m-1", "/run/m-2"]


def test_file_is_tensorflow_s_text(tmp_path: Path) -> None:
    state.update_checkpoint_state(tmp_path, "/m-2", ["/m-1"])
    assert (tmp_path / "checkpoint").read_text() == (
        'model_checkpoint_path: "/m-2"\n'
        'all_model_checkpoint_paths: "/m-1"\n'
        'all_model_checkpoint_paths: "/m-2"\n'
    )
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_latest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert state.latest_checkpoint(tmp_path) is None
    assert state.get_checkpoint_state(tmp_path) is None
    for step in (1, 2):
        save(tmp_path / f"m-{step}")
        state.update_checkpoint_state(tmp_path, str(tmp_path / f"m-{step}"))
        assert state.latest_checkpoint(tmp_path) == str(tmp_path / f"m-{step}")
    (tmp_path / "m-2.safetensors").unlink()
    assert state.latest_checkpoint(tmp_path) is None
    assert "Couldn't match files for checkpoint" in caplog.text


def test_the_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir("run")
    save("run/m-1")
    state.update_checkpoint_state("run", "run/m-1")
    os.rename("run", "moved")
    assert state.latest_checkpoint("moved") == "moved/m-1"
    save(tmp_path / "moved" / "m-2")
    state.update_checkpoint_state(
        tmp_path / "moved",
        str(tmp_path / "moved" / "m-2"),
        [str(tmp_path / "moved" / "m-1")],
        save_relative_paths=True,
    )
    os.rename("moved", "again")
    found = state.get_checkpoint_state("again")
    assert found.model_checkpoint_path == "again/m-2"
    assert list(found.all_model_checkpoint_paths) == ["again/m-1", "again/m-2"]


def test_another_state_file(tmp_path: Path) -> None:
    save(tmp_path / "m-1")
    state.update_checkpoint_state(tmp_path, str(tmp_path / "m-1"), latest_filename="best")
    assert state.latest_checkpoint(tmp_path) is None
    assert state.latest_checkpoint(tmp_path, "best") == str(tmp_path / "m-1")


def test_a_state_file_with_the_checkpoint_s_name(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="conflicts with path used for checkpoint state"):
        state.update_checkpoint_state(tmp_path, str(tmp_path / "checkpoint"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [b"not a state", b"\xff\xfe\x00", b'model_checkpoint_path: "a'])
def test_damaged_state_files_are_ignored_aloud(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "checkpoint").write_bytes(content)
    assert state.get_checkpoint_state(tmp_path) is None
    assert state.latest_checkpoint(tmp_path) is None
    assert "Checkpoint ignored" in caplog.text
    assert str(tmp_path / "checkpoint") in caplog.text


def test_a_state_file_that_names_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").touch()
    for read in (state.get_checkpoint_state, state.latest_checkpoint):
        with pytest.raises(ValueError, match="Invalid checkpoint state.*names no checkpoint"):
            read(tmp_path)


def test_existence_and_times(tmp_path: Path) -> None:
    prefix = tmp_path / "m-1"
    assert not state.checkpoint_exists(prefix)
    save(prefix)
    os.utime(tmp_path / "m-1.safetensors", (1000, 2000))
    assert state.checkpoint_exists(prefix)
    assert state.checkpoint_exists(f"{prefix}.safetensors")
    assert state.checkpoint_exists(tmp_path / "m-*")
    assert not state.checkpoint_exists(tmp_path / "n-*")
    assert not state.checkpoint_exists(tmp_path)
    assert state.get_checkpoint_mtimes([prefix, tmp_path / "m-9"]) == [2000.0]
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert state.checkpoint_exists(plain)


def test_a_folder_with_pattern_characters_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "run[1]"
    folder.mkdir()
    save(folder / "m-1")
    state.update_checkpoint_state(folder, str(folder / "m-1"))
    assert state.latest_checkpoint(folder) == str(folder / "m-1")
