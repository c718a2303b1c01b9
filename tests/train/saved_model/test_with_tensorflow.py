"""TensorFlow loads our saved models and checkpoints, and we load its.

    WORKBENCH_TENSORFLOW=PYTHON pytest -m peers tests/train/saved_model

where PYTHON is the interpreter of an environment with TensorFlow 2.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf

pytestmark = [
    pytest.mark.peers,
    pytest.mark.timeout(200),
    pytest.mark.skipif(
        "WORKBENCH_TENSORFLOW" not in os.environ, reason="WORKBENCH_TENSORFLOW names no interpreter"
    ),
]

#: Loads our model with version 1's loader and with version 2's, and prints what it gives.
LOADER = """
import json, sys
import tensorflow as tf
folder = sys.argv[1]
found = {}
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    meta_graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], folder)
    signature = meta_graph.signature_def["serving_default"]
    result = session.run(
        signature.outputs["y"].name, {signature.inputs["x"].name: [[1.0, 2.0]]}
    )
    found["version 1"] = result.tolist()
    found["words"] = session.run("content:0").decode()
function = tf.saved_model.load(folder, tags=["serve"]).signatures["serving_default"]
found["version 2"] = function(x=tf.constant([[1.0, 2.0]]))["y"].numpy().tolist()
reader = tf.train.load_checkpoint(folder + "/variables/variables")
found["variables"] = {
    name: reader.get_tensor(name).tolist() for name in reader.get_variable_to_shape_map()
}
print(json.dumps(found))
"""

#: The same model, written by TensorFlow.
WRITER = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
folder, words = sys.argv[1:]
x = tf.placeholder(tf.float32, [None, 2], name="x")
w = tf.get_variable("w", initializer=np.array([[1.0], [10.0]], np.float32))
u = tf.get_variable("u", [4], initializer=tf.ones_initializer(),
                    partitioner=tf.fixed_size_partitioner(2), use_resource=True)
y = tf.add(tf.matmul(x, w), tf.reduce_sum(u), name="y")
path = tf.constant(words, name="path")
tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, path)
content = tf.Variable("", name="content", collections=[tf.GraphKeys.LOCAL_VARIABLES])
read = tf.group(tf.assign(content, tf.read_file(path)))
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    tf.saved_model.simple_save(session, folder, {"x": x}, {"y": y}, legacy_init_op=read)
"""


def run(program: str, *arguments: str) -> str:
    """What a program prints that TensorFlow runs."""
    command = [os.environ["WORKBENCH_TENSORFLOW"], "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("apple pear")
    return path


def test_tensorflow_loads_ours(tmp_path: Path, words: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        w = tf.get_variable("w", initializer=np.array([[1.0], [10.0]], np.float32))
        u = tf.get_variable(
            "u", [4], initializer=tf.ones_initializer(), partitioner=tf.fixed_size_partitioner(2)
        )
        y = tf.add(tf.matmul(x, w), tf.reduce_sum(tf.convert_to_tensor(u)), name="y")
        path = tf.constant(str(words), name="path")
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, path)
        content = tf.Variable("", name="content", collections=[tf.GraphKeys.LOCAL_VARIABLES])
        read = tf.group(tf.assign(content, tf.read_file(path)))
        session.run(tf.global_variables_initializer())
        folder = str(tmp_path / "model")
        tf.saved_model.simple_save(session, folder, {"x": x}, {"y": y}, legacy_init_op=read)
    found: dict[str, Any] = json.loads(run(LOADER, folder).splitlines()[-1])
    assert found == {
        "version 1": [[25.0]],
        "version 2": [[25.0]],
        "words": "apple pear",
        "variables": {"w": [[1.0], [10.0]], "u": [1.0, 1.0, 1.0, 1.0]},
    }


def test_we_load_tensorflow_s(tmp_path: Path, words: Path) -> None:
    folder = str(tmp_path / "model")
    run(WRITER, folder, str(words))
    words.unlink()
    with tf.Session(graph=tf.Graph()) as session:
        meta_graph = tf.saved_model.loader.load(session, ["serve"], folder)
        signature = meta_graph.signature_def["serving_default"]
        fed = {signature.inputs["x"].name: [[1.0, 2.0]]}
        assert session.run(signature.outputs["y"].name, fed).tolist() == [[25.0]]
        assert session.run("content:0") == b"apple pear"
    assert sorted(tf.train.list_variables(f"{folder}/variables/variables")) == [
        ("u", [4]),
        ("w", [2, 1]),
    ]
