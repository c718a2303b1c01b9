"""Both tiers agree: on results, on errors, on what a run leaves behind."""

from __future__ import annotations

import pytest

from tests.core.fusion.bulk import check

FAMILIES = [
    "operation_cases",
    "value_cases",
    "update_cases",
    "random_graphs",
    "training_cases",
    "edge_cases",
]


@pytest.mark.parametrize("family", FAMILIES)
def test_tiers_agree(family: str) -> None:
    check(f"tests.core.fusion.{family}")
