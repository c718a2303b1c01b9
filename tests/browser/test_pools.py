"""The panel of pools: started, scaled, dragged into the notebook, stopped, as a person does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, LabPage, write_notebook

pytest.importorskip("distributed")
pytestmark = pytest.mark.timeout(240)

PANEL = "#workbench-pools:not(.lm-mod-hidden)"
POOLS = f"{PANEL} .workbench-panel-view"
SECONDS = 60_000.0


@pytest.fixture
def home(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the pools of the JupyterLab are written down; those that a test leaves are ended."""
    home = lab.home / "workbench"
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    try:
        yield home
    finally:
        from workbench.pool.pool import stop
        from workbench.pool.records import records

        for record in list(records()):
            stop(record)


def shown(page: LabPage) -> Any:
    """What the panel shows."""
    return page.snapshot(POOLS)


def opened(page: LabPage, lab: Lab, *cells: str) -> None:
    """Opens the panel beside a notebook of these cells."""
    write_notebook(lab.folder / "pools.ipynb", list(cells), "workbench")
    page.open("pools.ipynb")
    page.command("workbench:open-pools")
    page.page.wait_for_selector(f"{PANEL}[data-state=open] .workbench-pools")


def wait_for_workers(page: LabPage, count: int) -> None:
    """Waits until the panel shows so many workers, of which each has told of itself."""
    page.page.wait_for_function(
        "([selector, count]) => { const { pools } = document.querySelector(selector).workbench"
        ".snapshot(); const workers = (pools ?? []).flatMap(pool => pool.workers); return"
        " workers.length === count && workers.every(one => one.processor !== null); }",
        arg=[POOLS, count],
        timeout=SECONDS,
    )


def test_a_pool_from_its_start_to_its_end(
    open_page: Callable[..., LabPage], lab: Lab, home: Path, artifacts: Path
) -> None:
    page = open_page()
    opened(page, lab, "import workbench as wb")
    page.run_cell(0)
    element = page.page

    # Started with the keyboard alone; what cannot be is said beside the form.
    element.wait_for_selector(f"{PANEL} >> text=No pools yet")
    element.locator(f"{PANEL} button", has_text="Start a pool").press("Enter")
    element.keyboard.type("-1")
    element.keyboard.press("Enter")
    element.wait_for_selector(f"{PANEL} .pool-form [role=alert] >> text=0 to 1024 workers")
    element.get_by_label("Workers", exact=True).last.fill("2")
    element.get_by_label("Name", exact=True).fill("trial")
    element.keyboard.press("Enter")
    wait_for_workers(page, 2)
    [pool] = shown(page)["pools"]
    assert (pool["name"], pool["kind"], pool["state"]) == ("trial", "local", "alive")
    pids = {worker["pid"] for worker in pool["workers"]}
    assert len(pids) == 2
    for worker in pool["workers"]:
        assert worker["memory"] > 10_000_000
        assert worker["wire"]["total_sent"] > 0
        assert worker["devices"] == [f"/job:worker/task:{worker['index']}/device:CPU:0"]

    # A log follows its worker.
    element.click(f"{PANEL} [aria-label='Log of worker 1']")
    element.wait_for_selector(f"{PANEL} .pool-log >> text=worker 1 serves at")
    element.keyboard.press("Escape")
    element.wait_for_selector(f"{PANEL} .pool-log", state="detached")

    element.click(f"{PANEL} [aria-label='One worker more']")
    wait_for_workers(page, 3)
    element.wait_for_selector(f"{PANEL} .run-python >> text=pool.scale(3)")
    element.screenshot(path=artifacts / "pools.png")

    # Dragged below the first cell, and executed there.
    grip = element.locator(f"{PANEL} .pool-title").bounding_box()
    cell = page.cell(0).bounding_box()
    assert grip and cell
    element.mouse.move(grip["x"] + 20, grip["y"] + 8)
    element.mouse.down()
    element.mouse.move(cell["x"] + 200, cell["y"] + 10, steps=5)
    element.mouse.move(cell["x"] + 200, cell["y"] + 12)
    element.mouse.up()
    element.wait_for_function("() => document.querySelectorAll('.jp-Notebook .jp-Cell').length > 1")
    line = page.find_cell('pool = wb.pool.attach("trial")')
    page.run_cell(line)
    assert page.evaluate("[worker.index for worker in pool.workers]") == [0, 1, 2]

    # The same with the keyboard.
    before = page.cell_count
    element.locator(f"{PANEL} button", has_text="Insert").press("Enter")
    element.wait_for_selector(f"{PANEL} >> text=attaches to trial")
    assert page.cell_count == before + 1

    element.locator(f"{PANEL} button", has_text="Stop").press("Enter")
    element.wait_for_selector(f"{PANEL} >> text=No pools yet")
    assert list((home / "pools").iterdir()) == []
