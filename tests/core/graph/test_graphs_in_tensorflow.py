"""TensorFlow runs the graphs that we write: functional ones, lowered ones, meta graphs.

    WORKBENCH_TENSORFLOW=PYTHON pytest -m peers tests/core/graph

where PYTHON is the interpreter of an environment with TensorFlow 2.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.graph.test_function_library import BUILDERS, FEEDS, variables
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.ops import registry

pytestmark = [
    pytest.mark.peers,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        "WORKBENCH_TENSORFLOW" not in os.environ, reason="WORKBENCH_TENSORFLOW names no interpreter"
    ),
]

READER = """
import json, sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
found = []
for path, feeds in json.load(open(sys.argv[1])):
    definition = tf.GraphDef()
    with open(path, "rb") as file:
        definition.ParseFromString(file.read())
    values = []
    with tf.Graph().as_default():
        tf.import_graph_def(definition, name="")
        for feed in feeds:
            with tf.Session() as session:
                if any(node.name == "init" for node in definition.node):
                    session.run("init")
                values.append(session.run("out:0", feed).tolist())
    found.append(values)
print(json.dumps(found))
"""


NAMES = """
import json
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session as session
operations = op_def_pb2.OpList()
operations.ParseFromString(session.TF_GetBuffer(session.TF_GetAllOpList()))
print(json.dumps({op.name: [a.name for a in op.output_arg] for op in operations.op}))
"""


def told(*arguments: str) -> Any:
    """What TensorFlow's interpreter prints last."""
    done = subprocess.run(
        [os.environ["WORKBENCH_TENSORFLOW"], "-c", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def in_tensorflow(folder: Path, definitions: list[Any]) -> list[Any]:
    """What `out` is in TensorFlow, for each definition and feed."""
    tasks = []
    for number, definition in enumerate(definitions):
        path = folder / f"{number}.pb"
        path.write_bytes(definition.SerializeToString())
        tasks.append((str(path), FEEDS))
    (folder / "tasks.json").write_text(json.dumps(tasks))
    found: list[Any] = told(READER, str(folder / "tasks.json"))
    return found


def test_outputs_have_the_names_that_tensorflow_gives_them() -> None:
    # Nodes of functions name the outputs that they take.
    names = told(NAMES)
    ours = {
        name: [a.name for a in declaration.schema.outputs]
        for name, declaration in registry.all_declarations().items()
        if name in names
    }
    assert ours == {name: names[name] for name in ours}


@pytest.mark.parametrize("build", [b for b in BUILDERS if b is not variables])
def test_tensorflow_gives_the_same(build: Callable[[], Any], tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.identity(build(), name="out")
        definition = graph.as_graph_def()
        expected = [session.run("out:0", feed) for feed in FEEDS]
    assert any(node.op in CONTROL_FLOW for node in definition.node)
    lowered = tf.graph_util.lower_control_flow(definition)
    for found in in_tensorflow(tmp_path, [definition, lowered]):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_variables_that_loops_change_change_in_tensorflow_in_raw_form(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.identity(variables(), name="out")
        lowered = tf.graph_util.lower_control_flow(graph.as_graph_def())
        expected = []
        for feed in FEEDS:
            session.run("init")
            expected.append(session.run("out:0", feed))
    (found,) = in_tensorflow(tmp_path, [lowered])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
