"""Both tiers agree: on results, on errors, on what a run leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.fusion.bulk import check

FAMILIES = [
    "operation_cases",
    "value_cases",
    "update_cases",
    "random_graphs",
    "random_gradients",
    "edge_cases",
]


@pytest.mark.parametrize("family", FAMILIES)
def test_tiers_agree(family: str) -> None:
    check(f"tests.core.fusion.{family}")


def test_kept_programs_agree(tmp_path: Path) -> None:
    """A second process runs what the first one left on the disk."""
    for _ in range(2):
        check("tests.core.fusion.training_cases", folder=str(tmp_path))
