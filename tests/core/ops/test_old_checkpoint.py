"""The operations on checkpoints that only graphs made elsewhere have."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import workbench as tf
from workbench.core.checkpoints.reading import read_tensors
from workbench.core.ops.creation import call, create

pytestmark = pytest.mark.usefixtures("graph")


def test_the_first_format(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    save = create("Save", filename=path, tensor_names=["a", "b"], data=[[1.0, 2.0], b"s"])
    parts = create(
        "SaveSlices",
        filename=path + "-parts",
        tensor_names=["w", "w"],
        shapes_and_slices=["2 2 0,1:-", "2 2 1,1:-"],
        data=[[[1, 2]], [[3, 4]]],
    )
    a = call("Restore", file_pattern=path, tensor_name="a", dt=tf.float32)
    row = call(
        "RestoreSlice",
        file_pattern=path + "-parts",
        tensor_name="w",
        shape_and_slice="2 2 1,1:-",
        dt=tf.int32,
    )
    assert row.shape.as_list() == [1, 2]
    v = tf.Variable([0.0], name="v")
    v.assign(tf.reshape(a, [1]))
    with tf.Session() as session:
        session.run([save, parts])
        assert session.run(row).tolist() == [[3, 4]]
        with pytest.raises(tf.errors.InvalidArgumentError, match="rhs shape= .2."):
            session.run(a)
    assert read_tensors(path)["b"].item() == b"s"


def test_shards(tmp_path: Path) -> None:
    """As TensorFlow builds it: a file for each device in a folder of their own, then merged."""
    prefix = tf.placeholder(tf.string, [])
    folder = tf.string_join([prefix, "_temp/part"])
    names = [
        call("ShardedFilename", basename=folder, shard=shard, num_shards=2) for shard in range(2)
    ]
    saves = [
        create(
            "SaveV2",
            prefix=name,
            tensor_names=[f"v{i}"],
            shape_and_slices=[""],
            tensors=[np.float32(i)],
        )
        for i, name in enumerate(names)
    ]
    with tf.control_dependencies(saves):
        merge = create("MergeV2Checkpoints", checkpoint_prefixes=names, destination_prefix=prefix)
    path = str(tmp_path / "m")
    with tf.Session() as session:
        session.run(merge, {prefix: path})
        assert read_tensors(path) == {"v0": 0.0, "v1": 1.0}
        assert os.listdir(tmp_path) == ["m.safetensors"]
        twice = create(
            "MergeV2Checkpoints", checkpoint_prefixes=[path, path], destination_prefix=path + "2"
        )
        with pytest.raises(tf.errors.InvalidArgumentError, match="hold tensor 'v0'"):
            session.run(twice)
