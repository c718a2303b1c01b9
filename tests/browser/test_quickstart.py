"""The quickstart in a real browser, from opening the notebook to the fork and the diff.

Every cell is run as a person runs it; after those that show something, the page is asked what it
shows and the kernel what is true.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import LabPage

NOTEBOOK = "quickstart.ipynb"
EXAMPLE = Path(__file__).parents[2] / "examples" / NOTEBOOK


def cells_with(text: str) -> list[int]:
    """The code cells that have this in them."""
    cells = json.loads(EXAMPLE.read_text())["cells"]
    return [
        index
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code" and text in "".join(cell["source"])
    ]


class Quickstart:
    """The notebook, run up to where a check wants it."""

    def __init__(self, page: LabPage, artifacts: Path) -> None:
        self.page = page
        self.artifacts = artifacts
        self.done = -1

    def run_to(self, text: str) -> int:
        """Runs all cells up to the first that has this in it."""
        last = cells_with(text)[0]
        for index in range(self.done + 1, last + 1):
            self.page.run_cell(index, 120)
            self.done = index
        return last

    def view(self, cell: int) -> dict[str, Any]:
        """What the view below a cell shows, once it shows something."""
        return self.page.wait_for_view(cell)

    def keep(self, cell: int, name: str) -> None:
        """A screenshot with that cell in sight."""
        self.page.scroll_to(cell)
        self.page.page.wait_for_timeout(400)
        self.page.page.screenshot(path=self.artifacts / f"quickstart-{name}.png")


@pytest.mark.timeout(420)
def test_quickstart(open_page: Callable[..., LabPage], artifacts: Path) -> None:
    page = open_page()
    page.open(NOTEBOOK)
    here = Quickstart(page, artifacts)

    # The graph is drawn below the cell that made it, with the gradients folded and set aside.
    cell = here.run_to("%%graph digits")
    view = here.view(cell)
    operations = page.evaluate("len(images.graph.get_operations())")
    assert view["picture"]["operations"] == operations
    boxes = {box["name"]: box for box in view["picture"]["boxes"]}
    assert "images" in boxes
    assert any(box["aside"] and box["role"] == "backward" for box in boxes.values())
    here.keep(cell, "1-graph")

    # The run goes on while the notebook is free, and its curve grows in the page.
    cell = here.run_to("run = wb.run(")
    page.page.wait_for_function(
        "cell => window.workbench_view(cell)?.charts.figures[0]?.lines[0]?.points > 20", arg=cell
    )
    view = here.view(cell)
    assert view["status"]["state"] == "running"
    assert [figure["name"] for figure in view["charts"]["figures"]] == ["loss", "accuracy"]
    here.run_to("run.state, run.step_number")
    assert page.evaluate("run.step_number") > 0
    here.keep(cell, "2-run")

    # A slider in the cell's view: a change that is acknowledged with its step, and recorded.
    here.run_to("%peek")
    page.scroll_to(cell)
    field = page.cell(cell).locator(
        ".run-setting input[type=text], .run-setting input[type=number]"
    )
    field.first.fill("0.2")
    field.first.press("Enter")
    page.page.wait_for_function(
        "cell => window.workbench_view(cell)?.hyperparameters[0]?.value === 0.2", arg=cell
    )
    changes = page.evaluate("[[e.step, e.values] for e in run.history.events if e.kind == 'set']")
    assert changes[-1][1] == {"lr": 0.2}
    assert page.evaluate("run.hyperparameters['lr']") == 0.2
    page.page.wait_for_function(
        "cell => window.workbench_view(cell)?.hyperparameters[0]?.note.includes('step')", arg=cell
    )

    # Set from Python: the page's control follows, and the curve marks the step.
    here.run_to("%tweak lr=0.05")
    page.page.wait_for_function(
        "cell => window.workbench_view(cell)?.hyperparameters[0]?.value === 0.05", arg=cell
    )
    page.page.wait_for_function(
        "cell => window.workbench_view(cell)?.charts.figures[0]?.markers.length >= 2", arg=cell
    )
    here.keep(cell, "3-tweaked")

    # A watch pauses the run; the page says so.
    here.run_to('when="below"')
    page.page.wait_for_function(
        "cell => window.workbench_view(cell)?.status.state === 'paused'", arg=cell
    )
    here.run_to("assert (first == again).all()")

    # Not finite: the report has the operation and the notebook's line, in the cell and in the view.
    stop = here.run_to('when="not finite"')
    printed = "".join(o.get("text", "") for o in page.outputs(stop))
    assert "cell [" in printed
    page.page.wait_for_function(
        "cell => (window.workbench_view(cell)?.trouble ?? '').includes('cell [')", arg=cell
    )
    here.keep(cell, "4-not-finite")
    here.run_to("run.rewind(run.step_number - 500)")
    page.page.wait_for_function(
        "([cell, step]) => window.workbench_view(cell)?.charts.figures[0]?.lines[0]?.last === step",
        arg=[cell, page.evaluate("run.step_number")],
    )

    # The fork shares the past.
    here.run_to("bold = run.fork(")
    here.run_to("fork_step =")
    assert page.evaluate("bold.parent['step']") == page.evaluate("fork_step")

    # The diff of two graphs, in the page.
    cell = here.run_to("%graph wider --diff digits")
    view = here.view(cell)
    statuses = {box["status"] for box in view["picture"]["boxes"]}
    assert view["against"] == "digits"
    assert statuses - {"same"}, statuses
    assert view["differences"]
    here.keep(cell, "5-diff")

    here.run_to("bold.stop()")
    assert page.evaluate("[r.state for r in (run, bold)]") == ["stopped", "stopped"]
