"""A folder of the user's for tests of pools, in which nothing is left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def home_at(folder: Path) -> Iterator[Path]:
    """The user's folder for a while; whatever pools there are then are ended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder))
        try:
            yield folder
        finally:
            from workbench.pool.pool import stop
            from workbench.pool.records import records

            for record in list(records()):
                stop(record)
