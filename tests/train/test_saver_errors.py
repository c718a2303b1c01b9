"""Saving and restoring that fails changes nothing, and says what and where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.saving import started, variable
from workbench.core.checkpoints.files import write_tensors

pytestmark = pytest.mark.usefixtures("graph")


def test_missing_variables_are_named_and_nothing_changes(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    write_tensors(path, {"dense/kernel": np.ones(2, np.float32), "step": np.float32(1.0)})
    step, kernel, other = (
        variable("step", 0.0),
        variable("dense_1/kernel", [0, 0]),
        variable("q", 7),
    )
    with started(step, kernel, other) as session:
        with pytest.raises(tf.errors.NotFoundError) as caught:
            tf.train.Saver().restore(session, path)
        assert session.run(step) == 0.0
        assert session.run(other) == 7.0
    message = str(caught.value)
    assert "Key dense_1/kernel not found in checkpoint" in message
    assert "needed by variable 'dense_1/kernel' (made at" in message
    assert "nearest: dense/kernel" in message
    assert "Key q not found in checkpoint" in message
    assert path + ".safetensors" in message
    assert "test_saver_errors.py" in message.splitlines()[0]


def test_other_shapes_and_types_are_named_and_nothing_changes(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    write_tensors(
        path,
        {"a": np.ones(2, np.float32), "b": np.ones((2, 3), np.float32), "c": np.ones(2, np.int32)},
    )
    a, b, c = variable("a", [0, 0]), variable("b", np.zeros((3, 2))), variable("c", [0, 0])
    with started(a, b, c) as session:
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            tf.train.Saver().restore(session, path)
        assert session.run([a, c])[0].tolist() == [0.0, 0.0]
    message = str(caught.value)
    assert "lhs shape= [3, 2] rhs shape= [2, 3]" in message
    assert "variable 'b' (made at" in message
    assert "tensor_name = c; expected dtype float32 does not equal original dtype int32" in message


@pytest.mark.parametrize("damage", ["cut", "bit", "foreign", "gone", "folder", "tensorflow"])
def test_bad_checkpoints_change_nothing(tmp_path: Path, damage: str) -> None:
    v, w = variable("v", [1.0, 2.0]), variable("w", 3.0)
    saver = tf.train.Saver()
    with started(v, w) as session:
        path = saver.save(session, str(tmp_path / "m"))
        session.run([v.assign([8.0, 8.0]), w.assign(8.0)])
        file = Path(path + ".safetensors")
        content = bytearray(file.read_bytes())
        kind: Any = tf.errors.DataLossError
        if damage == "cut":
            file.write_bytes(content[:-3])
            words = ["truncated"]
        elif damage == "bit":
            content[-1] ^= 1
            file.write_bytes(content)
            words = ["checksum of tensor"]
        elif damage == "foreign":
            file.write_bytes(b"PK\x03\x04" + bytes(200))
            words = ["not a safetensors file"]
        else:
            file.unlink()
            kind = tf.errors.NotFoundError
            words = ["There is no checkpoint", path]
            if damage == "folder":
                path, words = str(tmp_path), ["it is a folder", "tf.train.latest_checkpoint"]
            if damage == "tensorflow":
                Path(path + ".index").write_bytes(b"")
                kind, words = tf.errors.DataLossError, ["index is truncated or damaged"]
        with pytest.raises(kind) as caught:
            saver.restore(session, path)
        assert all(word in str(caught.value) for word in words), str(caught.value)
        assert session.run(v).tolist() == [8.0, 8.0]
        assert session.run(w) == 8.0


def test_failed_saves_leave_the_checkpoint_before(tmp_path: Path) -> None:
    v, w = variable("v", 1.0), variable("w", 1.0)
    saver = tf.train.Saver()
    with started(v) as session:
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value w"):
            saver.save(session, str(tmp_path / "m"), 1)
        assert os.listdir(tmp_path) == []
        session.run(w.initializer)
        first = saver.save(session, str(tmp_path / "m"), 1)
        nested = str(tmp_path / "none" / "none" / "m")
        with pytest.raises(ValueError, match=f"Parent directory of {nested} doesn't exist"):
            saver.save(session, nested)
        assert saver.last_checkpoints == [first]
        assert tf.train.latest_checkpoint(str(tmp_path)) == first
        assert saver.save(session, str(tmp_path / "new" / "m")) is not None


def test_arguments_are_checked(tmp_path: Path, graph: tf.Graph) -> None:
    with pytest.raises(ValueError, match="No variables to save"):
        tf.train.Saver()
    empty = tf.train.Saver(allow_empty=True)
    with tf.Session() as session:
        assert empty.save(session, str(tmp_path / "m")) is None
        assert os.listdir(tmp_path) == ["m.meta"]
        empty.restore(session, None)
    v, w = variable("v", 1.0), variable("w", 1.0)
    with pytest.raises(ValueError, match="At least two variables have the same name: v"):
        tf.train.Saver([v, v])
    with pytest.raises(ValueError, match="restored with two names: b"):
        tf.train.Saver({"a": v, "b": v})
    with pytest.raises(TypeError, match="Variable to save is not a Variable"):
        tf.train.Saver([v, tf.constant(1.0)])
    with pytest.raises(TypeError, match="Not a variable"):
        tf.train.Saver({"a": tf.constant(1.0)})
    with pytest.raises(TypeError, match="Name is not a string: 1"):
        tf.train.Saver({1: v})
    with pytest.raises(TypeError, match="dict or a list"):
        tf.train.Saver(v)
    with pytest.raises(ValueError, match="build cannot be deferred"):
        tf.train.Saver([v], defer_build=True)
    with pytest.raises(ValueError, match="saver_def must specify the save_tensor_name"):
        tf.train.Saver(saver_def=tf.train.SaverDef(filename_tensor_name="a:0"))
    with pytest.raises(TypeError, match="saver_def must be a tensorflow.SaverDef"):
        tf.train.Saver(saver_def=tf.GraphDef())
    saver = tf.train.Saver([w])
    with pytest.raises(TypeError, match="'sess' must be a Session; None"):
        saver.save(None, str(tmp_path / "m"))
    with started(w) as session, pytest.raises(ValueError, match="save_path when it is None"):
        saver.restore(session, None)
