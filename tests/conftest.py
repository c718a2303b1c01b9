"""What holds for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Nothing is found that other processes compiled, and nothing left: on that it depends from which
# step on a session runs compiled code.
os.environ["WORKBENCH_CACHE"] = ""

# How long an example takes says what else the machine does.
settings.register_profile(
    "workbench", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("workbench")

# A program for the interpreter that has TensorFlow, see there.
collect_ignore = ["peers/write_control_flow_graphs.py"]


@pytest.fixture
def graph() -> Iterator[Any]:
    """A new graph, the default one: `pytestmark = pytest.mark.usefixtures("graph")`."""
    import workbench as tf

    with tf.Graph().as_default() as graph:
        yield graph
