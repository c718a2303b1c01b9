"""Both tiers agree: on results, on errors, on what a run leaves behind."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.core.fusion.bulk import failures_of
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


#: A second process runs what the first one left on the disk.
_KEPT = "kept"
RUNS = [
    *((family, "") for family in FAMILIES[:-1]),
    *((family, "threads") for family in ON_THREADS),
    (FAMILIES[-1], _KEPT),
]
X86 = platform.machine().lower() in ("x86_64", "amd64")


@pytest.fixture(scope="module")
def failures(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future[Any]]]:
    """What fails in each of the runs that are wanted: they go on beside each other."""
    items = [item for item in request.session.items if item.path == request.path]
    wanted = [item.callspec.params for item in items if isinstance(item, pytest.Function)]
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        keys = [(params["family"], params["mode"]) for params in wanted]
        yield {key: executor.submit(_failures, *key) for key in keys}
        executor.shutdown(cancel_futures=True)


def _failures(family: str, mode: str) -> dict[str, str]:
    name = f"tests.core.fusion.{family}"
    if mode != _KEPT:
        return failures_of(name, mode=mode)
    with tempfile.TemporaryDirectory() as folder:
        found = [failures_of(name, folder=folder, mode=mode) for mode in ("", "threads")]
    return found[0] | found[1]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("family", "mode"),
    [
        *RUNS,
        *(
            pytest.param(
                *(family, "avx2"),
                marks=[
                    pytest.mark.slow,
                    pytest.mark.skipif(not X86, reason="another kind of processor"),
                ],
            )
            for family in FAMILIES
        ),
    ],
)
def test_tiers_agree(
    family: str, mode: str, failures: dict[tuple[str, str], Future[dict[str, str]]]
) -> None:
    found = failures[family, mode].result()
    told = "\n\n".join(f"== {case}\n{error}" for case, error in found.items())
    assert not found, f"{len(found)} cases of {family} failed\n\n{told}"
