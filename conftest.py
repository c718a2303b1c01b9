"""What every test, and every example in a docstring, starts from: an empty default graph.

All tests together run in a process for each processor, a file of tests in one of them; tests that
are named run in pytest's own process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

#: Their tests share a browser and a JupyterLab.
_TOGETHER = "tests/browser/"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Shares all tests out, unless the command line says in how many processes they run."""
    option = config.option
    is_worker = hasattr(config, "workerinput")
    is_named = option.file_or_dir or option.keyword
    is_whole = not is_named and option.markexpr in config.getini("addopts")
    if is_whole and not is_worker and getattr(option, "numprocesses", 0) is None:
        # As they were collected: those of the browser, which take longest, come early.
        option.numprocesses, option.dist, option.loadscopereorder = "auto", "loadfile", False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Which tests stay together in one process."""
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            name: str = super()._split_scope(nodeid)
            return _TOGETHER if name.startswith(_TOGETHER) else name

    return Files(config, log) if config.option.dist == "loadfile" else None


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
