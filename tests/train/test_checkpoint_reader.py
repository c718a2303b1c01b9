"""The readers of checkpoints that scripts know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from workbench.core.checkpoints import files
from workbench.core.errors import NotFoundError
from workbench.train import checkpoint_reader as reader


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    return str(tmp_path / "model.ckpt-10")


def sample() -> dict[str, np.ndarray[Any, Any]]:
    generator = np.random.default_rng(0)
    return {
        "layer/weights": generator.normal(size=(4, 3)).astype(np.float32),
        "layer/biases": np.zeros(3, np.float32),
        "global_step": np.array(10, np.int64),
        "names": np.array([b"one", b"", b"th\x00ree\x00"], dtype=object),
        "half": generator.normal(size=(2, 2)).astype(ml_dtypes.bfloat16),
    }


def test_reader(prefix: str) -> None:
    tensors = sample()
    files.write_tensors(prefix, tensors)
    found = reader.NewCheckpointReader(prefix)
    assert found.get_variable_to_shape_map() == {
        name: list(value.shape) for name, value in tensors.items()
    }
    dtypes = found.get_variable_to_dtype_map()
    assert {name: dtype.name for name, dtype in dtypes.items()} == {
        "layer/weights": "float32",
        "layer/biases": "float32",
        "global_step": "int64",
        "names": "string",
        "half": "bfloat16",
    }
    assert found.has_tensor("names")
    assert not found.has_tensor("name")
    for name, value in tensors.items():
        assert found.get_tensor(name).dtype == value.dtype
        assert found.get_tensor(name).tolist() == value.tolist()
    with pytest.raises(NotFoundError, match="Key name not found"):
        found.get_tensor("name")
    assert found.debug_string().decode().splitlines() == [
        "global_step (DT_INT64) []",
        "half (DT_BFLOAT16) [2,2]",
        "layer/biases (DT_FLOAT) [3]",
        "layer/weights (DT_FLOAT) [4,3]",
        "names (DT_STRING) [3]",
    ]
    with pytest.raises(NotFoundError):
        reader.NewCheckpointReader(prefix + "0")


def test_loading_from_a_folder(tmp_path: Path) -> None:
    from workbench.train.checkpoint_state import update_checkpoint_state

    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file"):
        reader.load_checkpoint(tmp_path)
    for step in (1, 2):
        files.write_tensors(tmp_path / f"model-{step}", {"b": np.zeros(2), "a": np.array(step)})
    update_checkpoint_state(tmp_path, str(tmp_path / "model-2"))
    assert reader.load_variable(tmp_path, "a") == 2
    assert reader.load_variable(str(tmp_path), "a:0") == 2
    assert reader.load_variable(tmp_path / "model-1", "a") == 1
    assert reader.list_variables(tmp_path) == [("a", []), ("b", [2])]
