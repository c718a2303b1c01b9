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


#: The share of each kind of names without a reason to stay out that must be there.
BAR = 0.95


def test_every_missing_name_has_a_reason(coverage: ModuleType) -> None:
    assert coverage.unexplained(coverage.names_coverage()) == []
    assert coverage.unexplained(coverage.operations_coverage(), "operations") == []


@pytest.mark.parametrize("kind", ["names_coverage", "operations_coverage"])
def test_most_names_are_there(coverage: ModuleType, kind: str) -> None:
    prefix = "operations" if kind == "operations_coverage" else ""
    there, out, left = coverage.totals(getattr(coverage, kind)(), prefix)
    assert there / (there + left) >= BAR
    assert out < 0.2 * there


def test_every_reason_has_names(coverage: ModuleType) -> None:
    """A reason for what has come meanwhile must go."""
    missing = [
        *(
            f"{namespace}.{name}"
            for namespace, found in coverage.names_coverage().items()
            for name in found.missing
        ),
        *(
            f"operations.{name}"
            for found in coverage.operations_coverage().values()
            for name in found.missing
        ),
    ]
    given = {coverage.reason(name) for name in missing}
    assert [r.title for r in coverage.REASONS if r not in given] == []


def test_names_that_are_no_names_have_no_reason(coverage: ModuleType) -> None:
    for name in ("tf.add", "tf.train.Saver", "operations.MatMul", "tf.nn.dynamic_rnn"):
        assert coverage.reason(name) is None


def test_the_page(coverage: ModuleType) -> None:
    page = coverage.page()
    assert "### `tf.losses`: 17 of 17" in page
    assert "### `training_ops`: 44 of 44" in page
    assert "*libraries on top*: estimator, feature_column, keras, profiler" in page
    there, out, left = coverage.totals(coverage.names_coverage())
    assert f"Public names: {there} of {there + out + left} are there; {out} stay out" in page
