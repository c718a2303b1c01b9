"""A saver writes from several machines, and one tensor from several parts."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.saving import started, variable
from workbench.core.checkpoints.reading import read_tensors

pytestmark = pytest.mark.usefixtures("graph")


def test_parts_of_a_partitioned_variable_are_one_tensor(tmp_path: Path) -> None:
    whole = np.arange(10, dtype=np.float32).reshape(5, 2)
    halves = tf.fixed_size_partitioner(2)
    v = tf.get_variable("v", initializer=tf.constant(whole), partitioner=halves)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "m"))
        assert read_tensors(path)["v"].tolist() == whole.tolist()
        only_part = tf.train.Saver({"v": [next(iter(v))]})
        with pytest.raises(tf.errors.InvalidArgumentError, match="do not make up its shape"):
            only_part.save(session, str(tmp_path / "part"))
    with tf.Graph().as_default(), tf.Session() as session:
        thirds = tf.fixed_size_partitioner(3)
        v = tf.get_variable("v", [5, 2], partitioner=thirds)
        tf.train.Saver([v]).restore(session, path)
        assert session.run(tf.convert_to_tensor(v)).tolist() == whole.tolist()
        parts = list(v)
        assert [session.run(part).tolist() for part in parts] == [
            whole[:2].tolist(),
            whole[2:4].tolist(),
            whole[4:].tolist(),
        ]
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.get_variable("v", [5, 2])
        tf.train.Saver().restore(session, path)
        assert session.run(v).tolist() == whole.tolist()
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.get_variable("v", [6, 2], partitioner=halves)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[6, 2\], but.*\[5, 2\]"):
            tf.train.Saver().restore(session, path)


def test_parts_that_a_killed_process_left_are_removed(tmp_path: Path) -> None:
    def parts_of(name: str, age: float) -> Path:
        folder = tmp_path / f"{name}_temp_{'0f' * 16}"
        folder.mkdir()
        (folder / "part-00000-of-00001").write_bytes(b"half a check")
        os.utime(folder, (time.time() - age,) * 2)
        return folder

    left = [parts_of(name, age=100.0) for name in ("m-2", "m-31", "m")]
    kept = [parts_of(name, age=100.0) for name in ("m-2-other", "other-2", "am-2")]
    kept.append(parts_of("m-4", age=-100.0))
    left.append(parts_of("m-3", age=-100.0))
    v = variable("v", 1.0)
    with started(v) as session:
        saver = tf.train.Saver(sharded=True)
        path = saver.save(session, str(tmp_path / "m"), 3)
        saver.restore(session, path)
    assert not any(folder.exists() for folder in left)
    assert all(folder.exists() for folder in kept)


def test_a_save_that_fails_leaves_no_parts(tmp_path: Path) -> None:
    v, w = variable("v", 1.0), tf.Variable(1.0, name="w")
    with tf.device("/job:other"):
        far = tf.Variable(1.0, name="far")
    saver = tf.train.Saver([v, w, far], sharded=True)
    # What is on the other device may be written when the first one fails.
    failing = pytest.raises(tf.errors.FailedPreconditionError, match="w")
    with started(v, far) as session, failing:
        saver.save(session, str(tmp_path / "m"))
    assert not list(tmp_path.iterdir())


def test_a_sharded_checkpoint_may_have_the_state_files_name(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    with started(v) as session:
        path = tf.train.Saver(sharded=True).save(session, str(tmp_path / "checkpoint"), 1)
        assert tf.train.latest_checkpoint(str(tmp_path)) == path


def _on(*devices: str) -> Any:
    """A device function that puts variables on these devices, one after the other."""
    places = iter(devices)
    return lambda op: next(places) if op.type.startswith("Variable") else ""


def test_shards_are_put_together(tmp_path: Path, graph: tf.Graph) -> None:
    a = variable("a", [1.0, 2.0])
    with tf.device(_on("/job:ps/task:0/gpu:1", "/job:ps/task:1", "/job:ps/task:0")):
        b = variable("b", 3.0)
        c = tf.get_variable(
            "c",
            initializer=tf.constant([4.0, 5.0, 6.0]),
            partitioner=tf.fixed_size_partitioner(2),
        )
    saver = tf.train.Saver(sharded=True, max_to_keep=2)
    saves = {op.device for op in graph.get_operations() if op.type == "SaveV2"}
    restores = {op.device for op in graph.get_operations() if op.type == "RestoreV2"}
    hosts = {"", "/job:ps/task:0/device:CPU:0", "/job:ps/task:1/device:CPU:0"}
    assert saves == restores == hosts
    assert saver.saver_def.sharded
    with started(a, b, *c) as session:
        for step in range(4):
            session.run(b.assign(float(step)))
            path = saver.save(session, str(tmp_path / "m"), step)
        # No folder of parts is left, and of the old checkpoints nothing.
        kept = [f"m-{step}.{ending}" for step in (2, 3) for ending in ("meta", "safetensors")]
        assert sorted(os.listdir(tmp_path)) == ["checkpoint", *kept]
        assert tf.train.latest_checkpoint(str(tmp_path)) == path
        found = {name: value.tolist() for name, value in read_tensors(str(path)).items()}
        assert found == {"a": [1.0, 2.0], "b": 3.0, "c": [4.0, 5.0, 6.0]}
        session.run([a.assign([0.0, 0.0]), b.assign(0.0), *(part.initializer for part in c)])
        saver.restore(session, path)
        assert session.run(a).tolist() == [1.0, 2.0] and session.run(b) == 3.0
        (tmp_path / "m-3.safetensors").write_bytes(b"damaged")
        session.run(a.assign([7.0, 7.0]))
        with pytest.raises(tf.errors.DataLossError):
            saver.restore(session, path)
        assert session.run(a).tolist() == [7.0, 7.0]
    # Another saver, with everything in one place, reads it.
    with tf.Graph().as_default():
        whole = tf.get_variable("c", [3])
        with tf.Session() as session:
            tf.train.Saver().restore(session, str(tmp_path / "m-2"))
            assert session.run(whole).tolist() == [4.0, 5.0, 6.0]


def test_shards_of_one_machine_are_none(graph: tf.Graph) -> None:
    with tf.device(_on("/cpu:0", "/gpu:1", "")):
        for name in "abc":
            variable(name, 1.0)
    tf.train.Saver(sharded=True)
    types = [op.type for op in graph.get_operations()]
    assert types.count("SaveV2") == types.count("RestoreV2") == 1
    assert "MergeV2Checkpoints" not in types
