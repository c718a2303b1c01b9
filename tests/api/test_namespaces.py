"""The lazy namespaces: every name in their tables exists, and nothing is loaded too early."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import workbench as tf
from workbench.api.lazy import expand
from workbench.api.top import NAMES, NAMESPACES

MODULES = ["workbench", *NAMESPACES.values()]


@pytest.mark.parametrize("name", sorted(NAMESPACES))
def test_namespace_is_reached_from_the_top(name: str) -> None:
    assert getattr(tf, name) is importlib.import_module(NAMESPACES[name])


@pytest.mark.parametrize("name", sorted(expand(NAMES)))
def test_top_level_name_exists(name: str) -> None:
    assert hasattr(tf, name)


@pytest.mark.parametrize("name", sorted(NAMESPACES))
def test_names_of_namespace_exist(name: str) -> None:
    module = importlib.import_module(NAMESPACES[name])
    for public in expand(getattr(module, "NAMES", {})):
        assert hasattr(module, public)


def test_script_names_are_where_tensorflow_has_them() -> None:
    assert tf.app.flags is tf.flags
    assert tf.app.flags.FLAGS is tf.flags.FLAGS
    assert tf.gfile.Exists("/")
    assert tf.logging.INFO < tf.logging.WARN
    assert tf.compat.as_bytes("a") == b"a"
    assert tf.train.Example().ByteSize() == 0
    assert issubclass(tf.errors.NotFoundError, tf.OpError)
    assert tf.make_ndarray(tf.make_tensor_proto([1, 2])).tolist() == [1, 2]
    assert tf.Summary is tf.Event().summary.__class__


def test_versions() -> None:
    assert tf.VERSION == "1.4.0"
    assert tf.GRAPH_DEF_VERSION == 24
    assert tf.GRAPH_DEF_VERSION_MIN_CONSUMER == tf.GRAPH_DEF_VERSION_MIN_PRODUCER == 0
    assert tf.Graph().as_graph_def().versions.producer == tf.GRAPH_DEF_VERSION
    assert tf.__version__ and tf.GIT_VERSION and tf.COMPILER_VERSION


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="latest_checkpoints.*nearest are latest_checkpoint"):
        tf.train.latest_checkpoints  # noqa: B018


def test_import_loads_neither_messages_nor_names() -> None:
    code = (
        "import sys, workbench; loaded = set(sys.modules); "
        "print([m for m in ('google.protobuf', 'workbench.train', 'tensorboardX') if m in loaded])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
