"""A home of their own for the tests of pools, in which nothing may be left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pool.homes import home_at

pytest.importorskip("distributed")

#: They stand in for packages, and are found as those by the processes that need them.
collect_ignore_glob = ["pods/*"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's folder of a module of tests; whatever they leave is ended."""
    with home_at(tmp_path_factory.mktemp("home")) as folder:
        yield folder


@pytest.fixture(scope="module")
def pool(home: Path) -> Iterator[Any]:
    """One pool of two workers for a module of tests."""
    import workbench as wb

    pool = wb.pool.local(2, name="shared")
    try:
        yield pool
    finally:
        pool.close()
