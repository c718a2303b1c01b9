"""Both tiers agree: on results, on errors, on what a run leaves behind."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.core.fusion.bulk import check
from workbench.core.codegen import host

pytestmark = pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here")

FAMILIES = [
    "operation_cases",
    "value_cases",
    "update_cases",
    "random_graphs",
    "random_gradients",
    "edge_cases",
    "axis_cases",
    "total_cases",
    "loop_cases",
    "list_loop_cases",
    "control_flow_cases",
    "training_cases",
]
#: Where it matters which thread does what: small steps are given to several, too.
ON_THREADS = ["update_cases", "random_graphs", "random_gradients"]


@pytest.mark.parametrize("family", FAMILIES[:-1])
def test_tiers_agree(family: str) -> None:
    check(f"tests.core.fusion.{family}")


@pytest.mark.parametrize("family", ON_THREADS)
def test_tiers_agree_on_several_threads(family: str) -> None:
    check(f"tests.core.fusion.{family}", mode="threads")


def test_kept_programs_agree(tmp_path: Path) -> None:
    """A second process runs what the first one left on the disk."""
    for mode in ("", "threads"):
        check("tests.core.fusion.training_cases", folder=str(tmp_path), mode=mode)


@pytest.mark.slow
@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="another kind of processor"
)
@pytest.mark.parametrize("family", FAMILIES)
def test_tiers_agree_on_narrower_vectors(family: str) -> None:
    check(f"tests.core.fusion.{family}", mode="avx2")
