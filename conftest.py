"""What every test, and every example in a docstring, starts from: an empty default graph."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _empty_default_graph() -> Iterator[None]:
    """Graphs do not leak from one test into the next."""
    from workbench.core.graph import context

    if not context._stack.graphs:
        context.reset_default_graph()
    yield


@pytest.fixture(autouse=True)
def _no_run_left() -> Iterator[None]:
    """Runs do not leak from one test into the next: `wb.runs()` lists those of the process."""
    yield
    registry = sys.modules.get("workbench.live.registry")
    for run in registry.registry.runs() if registry is not None else ():
        run.close()
