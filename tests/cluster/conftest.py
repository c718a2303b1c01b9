"""What tests of clusters share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import workbench as tf
from tests.cluster.servers import near


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, tf.train.Server]]:
    """A parameter server and two workers in this process, for all tests of a file."""
    with near(ps=1, worker=2) as found:
        yield found


@pytest.fixture
def servers() -> Iterator[dict[str, tf.train.Server]]:
    """A parameter server and two workers, for one test."""
    with near(ps=1, worker=2) as found:
        yield found
