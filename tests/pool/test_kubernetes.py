"""Pools of pods: what pods are given, and the life of a pool on a cluster that stands in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.pool import leftovers
from workbench.pool.errors import PoolError
from workbench.pool.kubernetes_cluster import environment, resource_name, secret_of
from workbench.pool.processes import wait_for

DEADLINE = 100.0


def test_pods_have_the_keys_from_a_secret_and_nothing_without_tls() -> None:
    keys = wb.pool.Keys.make()
    given = {entry["name"]: entry for entry in environment("secret")}
    assert given["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"]["value"] == "True"
    assert given["DASK_DISTRIBUTED__COMM__DEFAULT_SCHEME"]["value"] == "tls"
    kept = {k: e["valueFrom"]["secretKeyRef"] for k, e in given.items() if "valueFrom" in e}
    assert len(kept) == 7 and {r["name"] for r in kept.values()} == {"secret"}
    assert {r["key"] for r in kept.values()} == set(secret_of("secret", keys)["data"])
    assert keys.key not in str(environment("secret")) and keys.key not in str(secret_of("s", keys))


@pytest.mark.parametrize(
    "pool, name",
    [("local", "wb-local"), ("A.b_C", "wb-a-b-c"), ("x" * 64, "wb-" + "x" * 24), ("a-", "wb-a")],
)
def test_names_are_those_that_clusters_take(pool: str, name: str) -> None:
    assert resource_name(pool) == name


@pytest.fixture(scope="module")
def pods(home: Path) -> Iterator[str]:
    """Has the packages that stand in found, here and by the processes of pools."""
    folder = str(Path(__file__).parent / "pods")
    mark = f"pods-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(leftovers.VARIABLE, mark)
        patch.setenv("PYTHONPATH", folder, prepend=os.pathsep)
        patch.syspath_prepend(folder)
        try:
            yield mark
        finally:
            leftovers.kill_marked(mark)
            for name in [name for name in sys.modules if name.startswith(("kr8s", "dask_kube"))]:
                del sys.modules[name]


@pytest.mark.slow
def test_a_pool_of_pods_lives_scales_and_ends(pods: str, home: Path) -> None:
    pool: Any = wb.pool.kubernetes(1, name="Pods", image="workbench:1", seconds=DEADLINE)
    try:
        assert pool.kind == "kubernetes" and pool.address.startswith("tls://127.0.0.1:")
        [worker] = pool.workers
        assert worker.call("worker", "about", seconds=DEADLINE).fields["pid"] == worker.pid
        assert pool.wire_keys is not None
        pool.scale(2)
        assert len(pool.workers) == 2
        pool.scale(1)
        with pytest.raises(PoolError, match="cannot be reached"):
            wb.pool.connect(pool.address, keys=wb.pool.Keys.make(), seconds=2.0)
    finally:
        pool.close()
    assert wait_for(lambda: not leftovers.marked(pods), DEADLINE)
    assert list((home / "pools").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, message",
    [
        ({"image": "no/such:image"}, "The image cannot be pulled"),
        ({"image": "i", "nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_wrong_is_said_and_leaves_nothing(
    pods: str, home: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(PoolError, match=message):
        wb.pool.kubernetes(1, name="wrong", seconds=DEADLINE, **options)
    assert wait_for(lambda: not leftovers.marked(pods), DEADLINE)
    assert list((home / "pools").iterdir()) == []
