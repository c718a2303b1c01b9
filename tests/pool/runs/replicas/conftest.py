"""Two processes that train runs together, for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pool.runs.replicas.crew import Crew, crew


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with crew(tmp_path_factory.mktemp("two"), 2) as made:
        yield made
