"""What browser tests stand on: a browser for each file of them, and one JupyterLab for all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import find_chromium, launch_chromium
from tests.browser.lab import Lab, LabPage, running_lab, watched_page

EXAMPLES = Path(__file__).parents[2] / "examples"


def _require(what: bool, reason: str) -> None:
    if not what:
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium. While it is there, no other event loop can run in this thread."""
    _require(find_chromium() is not None, "chromium is missing: the browser tests did NOT run")
    pytest.importorskip("playwright", reason="playwright is missing: the browser tests did NOT run")
    with launch_chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on a copy of the examples."""
    folder = tmp_path_factory.mktemp("notebooks")
    for path in EXAMPLES.glob("*.ipynb"):
        shutil.copy(path, folder)
    with running_lab(folder, tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots are kept: WORKBENCH_SCREENSHOTS, or build/screenshots."""
    folder = Path(os.environ.get("WORKBENCH_SCREENSHOTS", "build/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def open_page(browser: Any, lab: Lab) -> Iterator[Callable[..., LabPage]]:
    """Opens pages; at the end of the test none may have complained or asked another host."""
    with ExitStack() as pages:
        yield lambda **options: pages.enter_context(watched_page(browser, lab, **options))
