"""Each way into the panels, and what the user can choose about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.lab import Lab, LabPage, write_notebook
from tests.browser.test_views import IMPORTS, MODEL, RUN

pytestmark = pytest.mark.timeout(240)

GRAPH = "#workbench-graph:not(.lm-mod-hidden)"
RUNS = "#workbench-runs:not(.lm-mod-hidden)"
POOLS = "#workbench-pools:not(.lm-mod-hidden)"


def test_every_way_into_the_panels(
    open_page: Callable[..., LabPage], lab: Lab, artifacts: Path
) -> None:
    write_notebook(
        lab.folder / "panels.ipynb", [IMPORTS, MODEL, RUN.replace("NAME", "panels")], "workbench"
    )
    page = open_page()
    page.run_notebook("panels.ipynb")

    # The status bar tells of the run, and opens the list of all.
    page.page.wait_for_function(
        "() => /^panels running [0-9]+/.test(document.querySelector('.workbench-status').innerText)"
    )
    page.page.click(".workbench-status")
    page.page.wait_for_selector(f"{RUNS}[data-state=open]")
    row = page.page.locator(f"{RUNS} .runs-row", has_text="panels").first
    row.wait_for()
    row.locator(".runs-name").click()
    page.page.wait_for_selector(f"{RUNS} .workbench-run .run-title", state="visible")

    # The notebook's toolbar opens the graph beside it.
    page.page.click("jp-button[data-command='workbench:open-graph']")
    page.page.wait_for_function(
        "() => document.querySelector('#workbench-graph .workbench-graph-place')"
        "?.workbench?.snapshot().picture?.settled"
    )
    page.page.screenshot(path=artifacts / "panels.png")

    # Chosen in the settings, a side bar takes the open panel at once.
    page.command("settingeditor:open", {"query": "Workbench: graph"})
    page.page.locator("select[id$='workbench:graph_area']").select_option(label="right")
    page.page.wait_for_selector(f"#jp-right-stack {GRAPH}")
    page.page.locator("select[id$='workbench:graph_area']").select_option(label="main")
    page.page.wait_for_selector(f"#jp-main-dock-panel {GRAPH}", state="attached")
    page.command("docmanager:open", {"path": "panels.ipynb"})
    page.wait_until_ready("panels.ipynb")
    # The run went on through all of it.
    assert page.evaluate("run.state") == "running"
    page.evaluate("run.stop() and None")


def test_the_launchers_cards(open_page: Callable[..., LabPage]) -> None:
    page = open_page()
    page.open()
    for label, panel in (
        ("Workbench Graph", GRAPH),
        ("Workbench Runs", RUNS),
        ("Workbench Pools", POOLS),
    ):
        page.page.locator(".jp-LauncherCard:visible", has_text=label).click()
        told = page.page.wait_for_selector(f"{panel}[data-state=no-notebook] >> text=No notebook")
        assert told is not None and told.is_visible()
        page.command("launcher:create")
