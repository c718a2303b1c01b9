"""Import statements that name a namespace, and names that are not there."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import workbench as tf
from workbench.api import absent


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("workbench.contrib", lambda: tf.contrib),
        ("workbench.contrib.learn.preprocessing", lambda: tf.contrib.learn.preprocessing),
        ("workbench.contrib.rnn", lambda: tf.contrib.rnn),
        ("workbench.contrib.slim.learning", lambda: tf.contrib.slim.learning),
        ("workbench.nn.rnn_cell", lambda: tf.nn.rnn_cell),
        ("workbench.compat.v1", lambda: tf),
        ("workbench.io.gfile", lambda: tf.io.gfile),
        ("workbench.train", lambda: tf.train),
    ],
)
def test_import_by_the_path_of_a_namespace(path: str, value: object) -> None:
    assert importlib.import_module(path) is value()  # type: ignore[operator]


def test_statements_in_a_new_process() -> None:
    code = (
        "from workbench.contrib import rnn, layers\n"
        "import workbench.compat.v1 as tf, workbench.contrib.slim as slim, workbench\n"
        "from workbench.contrib.layers import fully_connected\n"
        "assert tf is workbench and slim is tf.contrib.slim and rnn is tf.contrib.rnn\n"
        "assert fully_connected is layers.fully_connected\n"
        "assert tf.math.abs is tf.abs and tf.random.normal is tf.random_normal\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "path", ["workbench.contrib.nowhere", "workbench.nowhere", "workbench.abs"]
)
def test_only_namespaces_are_modules(path: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"workbench.{path}")


@pytest.mark.parametrize(
    ("module", "name"), [(m, n) for m, names in absent._REASONS.items() for n in names]
)
def test_name_that_is_absent_says_what_to_use(module: str, name: str) -> None:
    namespace = importlib.import_module(module)
    reason = absent._REASONS[module][name]
    with pytest.raises(AttributeError) as caught:
        getattr(namespace, name)
    assert str(caught.value).endswith(reason)
    instead = [w.strip(",;") for w in reason.split() if w.startswith("tf.")]
    instead = [w for w in instead if w not in ("tf.contrib.learn", "tf.feature_column")]
    for path in instead:
        value: object = tf
        for part in path.split(".")[1:]:
            value = getattr(value, part)
