"""The panel of pools: started, scaled, dragged into the notebook, stopped, as a person does it.

And the notebook about them: its run goes on when it kills a worker, and the panel shows both.
"""

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
    open_panel(page)


def open_panel(page: LabPage) -> None:
    """Opens the panel beside the notebook."""
    page.command("workbench:open-pools")
    page.page.wait_for_selector(f"{PANEL}[data-state=open] .workbench-pools")


def wait_for_panel(page: LabPage, condition: str, argument: Any = None) -> None:
    """Waits until a function of what the panel shows, and of the argument, is true."""
    page.page.wait_for_function(
        "([selector, argument]) => { const shown = document.querySelector(selector).workbench"
        f".snapshot(); return shown.pools && ({condition})(shown, argument); }}",
        arg=[POOLS, argument],
        timeout=SECONDS,
    )


def wait_for_workers(page: LabPage, count: int) -> None:
    """Waits until the panel shows so many workers, of which each has told of itself."""
    wait_for_panel(
        page,
        "({ pools }, count) => { const workers = pools.flatMap(pool => pool.workers); return"
        " workers.length === count && workers.every(one => one.processor !== null); }",
        count,
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


#: Both workers train the run, past a step, and what they did in the last steps can be drawn.
BOTH_TRAIN = """({ pools: [pool], spans: [spans] }, step) => pool?.workers.length === 2
  && pool.workers.every(({ runs }) => runs.some(run => run.name === "digits" && run.step > step))
  && spans.every(count => count > 0)"""


def test_the_example_goes_on_when_a_worker_is_killed(
    open_page: Callable[..., LabPage], home: Path, artifacts: Path
) -> None:
    page = open_page()
    page.open("pool.ipynb")
    open_panel(page)
    cells = iter(range(page.cell_count))

    def run_to(text: str) -> int:
        """Runs all cells up to the first that has this in it, each without an error."""
        last = page.find_cell(text)
        for index in cells:
            page.run_cell(index, 120)
            if index == last:
                return index
        raise AssertionError(f"{text!r} is in a cell that has run before")

    # Both train. The panel shows it beside the notebook, and the run's own view each one's pace.
    view = run_to("run = wb.run(")
    run_to("run.wait_for_replicas(")
    wait_for_panel(page, BOTH_TRAIN, 0)
    pids = [worker["pid"] for worker in shown(page)["pools"][0]["workers"]]
    assert pids == page.evaluate("[worker.pid for worker in pool.workers]")
    page.page.wait_for_function(
        "cell => { const replicas = window.workbench_view(cell)?.replicas ?? []; return"
        " replicas.length === 2 && replicas.every(text => text.includes('steps/s')); }",
        arg=view,
    )

    # Killed from the notebook: there is another one in its place, and both take further steps.
    run_to("os.kill(")
    killed_at = page.evaluate("run.step_number")
    assert page.evaluate("victim.pid") == pids[1]
    run_to("run.history.events")
    wait_for_panel(page, BOTH_TRAIN, killed_at)
    page.scroll_to(view)
    page.page.screenshot(path=artifacts / "pools-example.png")
    one, other = shown(page)["pools"][0]["workers"]
    assert (one["index"], one["pid"], other["index"]) == (0, pids[0], 1)
    assert other["pid"] != pids[1]
    page.page.wait_for_function(
        "([cell, step]) => { const shown = window.workbench_view(cell); return"
        " shown?.status.step > step && shown.status.rate > 0"
        " && shown.events.some(event => event.text === 'worker 1 is gone: 1 replica'); }",
        arg=[view, killed_at],
    )

    # To its end.
    run_to("good = run.watch(")
    run_to("pool.close()")
    page.page.wait_for_function(
        "cell => window.workbench_view(cell)?.status.state === 'stopped'", arg=view
    )
    page.page.wait_for_selector(f"{PANEL} >> text=No pools yet")
    assert len(list(cells)) == 1, "what is left is a text"
