"""One process with runs for the tests of a file, and a tier that is the same on both sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pool.runs.workers import HostProcess, host
from workbench.live.registry import registry


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    with host(tmp_path_factory.mktemp("worker") / "runs") as made:
        yield made


@pytest.fixture(autouse=True)
def same_tier(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WORKBENCH_TIER", "interpreted")
    yield
    for run in registry.runs():
        run.close()
