"""The page that lists what is there of TensorFlow 1.4, and that no namespace loses what it had."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_page", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


#: The share of each namespace that must be there.
REACHED = {
    "tf": 0.88,
    "tf.app": 1.0,
    "tf.bitwise": 1.0,
    "tf.data": 1.0,
    "tf.errors": 1.0,
    "tf.gfile": 1.0,
    "tf.graph_util": 1.0,
    "tf.image": 1.0,
    "tf.initializers": 1.0,
    "tf.layers": 1.0,
    "tf.linalg": 1.0,
    "tf.logging": 1.0,
    "tf.losses": 1.0,
    "tf.metrics": 1.0,
    "tf.nn": 0.83,
    "tf.python_io": 1.0,
    "tf.spectral": 1.0,
    "tf.summary": 1.0,
    "tf.train": 0.48,
}


def test_no_namespace_loses_what_it_had(coverage: ModuleType) -> None:
    found = coverage.names_coverage()
    short = {n: found[n].missing for n, share in REACHED.items() if found[n].share < share}
    assert not short


def test_what_is_missing_belongs_to_later_parts(coverage: ModuleType) -> None:
    there_already = coverage.capability("tf.nothing")
    found = coverage.names_coverage()
    left = [
        f"{namespace}.{name}"
        for namespace in REACHED
        for name in found[namespace].missing
        if coverage.capability(f"{namespace}.{name}") == there_already
    ]
    assert left in ([], ["tf.user_ops"])


def test_the_page(coverage: ModuleType) -> None:
    page = coverage.page()
    assert "### `tf.losses`: 17 of 17" in page
    assert "### `training_ops`: 44 of 44" in page
    assert "*RNNs*: rnn_cell" in page
